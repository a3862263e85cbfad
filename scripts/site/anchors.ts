/** The anchors of headings, which are those that GitHub makes of the same Markdown. */

/** Returns a function that makes the anchors of a page, given its headings as text, one after another. */
export const anchors = (): (heading: string) => string => {
  const taken = new Set<string>()
  return (heading) => {
    const slug = heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
    let anchor = slug
    for (let n = 1; taken.has(anchor); n++) anchor = `${slug}-${n}`
    taken.add(anchor)
    return anchor
  }
}
