/** The name that was probably meant, and lists of those there are. */

/** Longer names are compared by their beginnings: the effort grows with the square of the length. */
const compared = 100

/** How many names of a list are shown. */
const shown = 12

/** Optimal string alignment: insertions, deletions, replacements, and neighbours that changed places. */
const distance = (a: string, b: string): number => {
  let before: ReadonlyArray<number> = []
  let last: ReadonlyArray<number> = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(
        Math.min(
          last[j]! + 1,
          row[j - 1]! + 1,
          last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
          swapped ? before[j - 2]! + 1 : Infinity
        )
      )
    }
    before = last
    last = row
  }
  return last[b.length]!
}

/** The candidate that is most like a name, if any is much like it. Letters of the other case count for little. */
export const closest = (name: string, candidates: Iterable<string>): string | undefined => {
  const wanted = name.slice(0, compared)
  let best: string | undefined
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 0.5
  for (const candidate of candidates) {
    const head = candidate.slice(0, compared)
    const far = distance(wanted.toLowerCase(), head.toLowerCase()) + (wanted === head ? 0 : 0.25)
    if (far < least) {
      best = candidate
      least = far
    }
  }
  return best
}

/** ` (did you mean x?)`, or nothing. */
export const didYouMean = (name: string, candidates: Iterable<string>): string => {
  const best = closest(name, candidates)
  return best === undefined ? "" : ` (did you mean ${best}?)`
}

/** Names, by commas. */
export const listed = (names: ReadonlyArray<string>): string =>
  names.length <= shown ? names.join(", ") : `${names.slice(0, shown).join(", ")} and ${names.length - shown} more`
