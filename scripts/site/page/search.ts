/** Finds sections of the site by words. */

/** A section: its address from the root of the site, the title of its page, its heading, and its text. */
export type Section = readonly [address: string, title: string, heading: string, text: string]

export interface Hit {
  readonly section: Section
  readonly score: number
}

const words = (text: string): ReadonlyArray<string> => text.toLowerCase().match(/[\p{L}\p{N}_$]+/gu) ?? []

/** Returns a word without the ending of a plural: "retries" is found by "retry", and "policy" by "policies". */
const singular = (word: string): string =>
  word.length > 4 && word.endsWith("ies")
    ? `${word.slice(0, -3)}y`
    : word.length > 3 && word.endsWith("s") && !word.endsWith("ss")
    ? word.slice(0, -1)
    : word

/** Scores a word in a text: as a whole word, in singular or plural, as the start of one, or inside of one. */
const scoreIn = (text: string, word: string): number => {
  const lower = text.toLowerCase()
  const wanted = singular(word)
  let best = 0
  for (let at = lower.indexOf(word); at !== -1 && best < 3; at = lower.indexOf(word, at + 1)) {
    const starts = at === 0 || !/[\p{L}\p{N}]/u.test(lower[at - 1]!)
    const ends = at + word.length === lower.length || !/[\p{L}\p{N}]/u.test(lower[at + word.length]!)
    best = Math.max(best, starts && ends ? 3 : starts ? 2 : word.length > 3 ? 1 : 0)
  }
  return best < 3 && words(lower).some((one) => singular(one) === wanted) ? 3 : best
}

/** Returns how often a text has another, five times at most. */
const timesIn = (text: string, part: string): number => Math.min(text.toLowerCase().split(part).length - 1, 5)

/** Scores a section for all words of a query. One that lacks a word has no score. */
const score = ([address, title, heading, text]: Section, query: ReadonlyArray<string>): number => {
  let sum = 0
  for (const word of query) {
    const of = 8 * scoreIn(heading === "" ? title : heading, word) + 4 * scoreIn(title, word) + scoreIn(text, word)
    if (of === 0) return 0
    // a section that says a word often is about it
    sum += of + timesIn(text, word) / 2
  }
  // the words of a name in code stand together: "quiet hours" are `quietHours`
  if (query.length > 1) sum += 2 * (timesIn(text, query.join("")) + timesIn(text, query.join(" ")))
  // a guide says what the reference of a function, and a decision, suppose
  if (address.startsWith("docs/") && !address.startsWith("docs/decisions/")) sum += 4
  // of two sections with the same words, the shorter one is more about them
  return sum + 1 / (1 + text.length / 1000)
}

/** Returns the best sections for a query, the best one first. */
export const search = (sections: ReadonlyArray<Section>, query: string, most = 20): ReadonlyArray<Hit> => {
  const wanted = words(query)
  if (wanted.length === 0) return []
  return sections
    .map((section) => ({ section, score: score(section, wanted) }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, most)
}

/** Returns the part of a text around the first word of a query that is in it. */
export const excerpt = (text: string, query: string, length = 120): string => {
  const lower = text.toLowerCase()
  const at = Math.min(...words(query).map((word) => lower.indexOf(word)).filter((at) => at !== -1), text.length)
  const from = at === text.length ? 0 : Math.max(0, text.lastIndexOf(" ", Math.max(0, at - length / 3)) + 1)
  const cut = text.lastIndexOf(" ", from + length)
  const to = text.length <= from + length ? text.length : cut > from ? cut : from + length
  return `${from > 0 ? "… " : ""}${text.slice(from, to)}${to < text.length ? " …" : ""}`
}

/** Takes a text apart into words of a query and what is between them. */
export const marked = (text: string, query: string): ReadonlyArray<readonly [part: string, isMatch: boolean]> => {
  const wanted = words(query)
  if (wanted.length === 0) return [[text, false]]
  const pattern = new RegExp(`(${wanted.map((word) => word.replaceAll("$", "\\$")).join("|")})`, "giu")
  return text.split(pattern).map((part, index) => [part, index % 2 === 1] as const).filter(([part]) => part !== "")
}
