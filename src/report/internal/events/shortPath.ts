/**
 * The paths of steps in events that are stored. A path of more than 32 names has its beginning and its end: otherwise
 * the record of 20,000 steps, each in the one before, would take gigabytes.
 */

const head = 15
const tail = 16
const most = head + 1 + tail

/** Stands for the names that are left out. */
const omitted = "…"

/** Shortens a path. */
export const shortPath = (path: ReadonlyArray<string>): ReadonlyArray<string> =>
  path.length <= most ? path : [...path.slice(0, head), omitted, ...path.slice(-tail)]

/** Whether a path may be shortened, or be that of a step around one whose path is. */
export const isShort = (path: ReadonlyArray<string>): boolean => path.length >= most - 1

/** Returns the short path of a step from that of the step that it runs in. */
export const within = (outer: ReadonlyArray<string>, name: string): ReadonlyArray<string> =>
  outer.length < most
    ? [...outer, name]
    : [...outer.slice(0, head), omitted, ...outer.slice(1 - tail), name]

/**
 * Returns whether two paths are the same, as far as they are known. The path of a step without its last name, which is
 * that of the step around it, has one name less at its end than a short path of its own.
 */
export const samePath = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean => {
  if (a[head] !== omitted && b[head] !== omitted) {
    return a.length === b.length && a.every((name, i) => name === b[i])
  }
  if (Math.min(a.length, b.length) < most - 1) return false
  for (let i = 0; i < head; i++) if (a[i] !== b[i]) return false
  for (let i = 1; i < tail; i++) if (a.at(-i) !== b.at(-i)) return false
  return true
}
