/** Suggestions for misspelled names, and lists of the known ones. */

/** The number of characters that are compared: the time grows with the square of the length. */
const compared = 100

/** The number of names of a list that are shown. */
const shown = 12

/** Counts the edits between two strings (optimal string alignment): insertions, deletions, replacements, swaps. */
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

/** Returns the candidate closest to a name, if one is close. A difference in case alone counts a quarter of an edit. */
export const closest = (name: string, candidates: Iterable<string>): string | undefined => {
  const wanted = name.slice(0, compared)
  let best: string | undefined
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 0.5
  for (const candidate of candidates) {
    const head = candidate.slice(0, compared)
    // each difference in length is an edit, so most candidates need no comparison
    if (Math.abs(head.length - wanted.length) >= least) continue
    const far = distance(wanted.toLowerCase(), head.toLowerCase()) + (wanted === head ? 0 : 0.25)
    if (far < least) {
      best = candidate
      least = far
    }
  }
  return best
}

/** Counts the characters that two strings begin with alike. */
const sharedStart = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): number => {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

/**
 * Returns the candidate that shares its beginning or its end with a name, as `failure` for `fail`, `timeZone` for `zone`
 * and `retry` for `retries`, if there is just one that shares most.
 */
const akin = (name: string, candidates: Iterable<string>): string | undefined => {
  const wanted = [...name.slice(0, compared).toLowerCase()]
  let best: string | undefined
  let most = 2
  for (const candidate of candidates) {
    const other = [...candidate.slice(0, compared).toLowerCase()]
    const shared = Math.max(sharedStart(wanted, other), sharedStart(wanted.toReversed(), other.toReversed()))
    const isWhole = shared === Math.min(wanted.length, other.length)
    if (shared < most || !(isWhole || (shared > 3 && 2 * shared >= Math.max(wanted.length, other.length)))) continue
    best = shared > most ? candidate : undefined
    most = shared
  }
  return best
}

/** Returns the suggestion of a name. */
export const suggestion = (name: string): string => ` (did you mean ${name}?)`

/** Returns the suggestion of the closest candidate, or an empty string where no candidate is close, or is like it. */
export const didYouMean = (name: string, candidates: Iterable<string>): string => {
  const all = [...candidates]
  const best = closest(name, all) ?? akin(name, all)
  return best === undefined ? "" : suggestion(best)
}

/** Joins names with commas; of a long list, the first ones and the number of the others. */
export const listed = (names: ReadonlyArray<string>): string =>
  names.length <= shown ? names.join(", ") : `${names.slice(0, shown).join(", ")} and ${names.length - shown} more`
