/** Short texts for people. */

/** Writes a number in the one notation that all texts in English have: `1,000`, `0.125`. */
export const count = (n: number): string => n.toLocaleString("en")

/** Counts a noun, as in `1 step` and `2,000 steps`. */
export const plural = (n: number, noun: string): string => `${count(n)} ${noun}${n === 1 ? "" : "s"}`

/** Cuts a text after so many UTF-16 code units. */
export const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most).toWellFormed()}…`

/** Joins lines to one. Not by a regular expression, which takes quadratic time for many spaces. */
export const joinLines = (lines: string, by = " "): string =>
  lines.includes("\n") ? lines.split("\n").map((line) => line.trim()).filter(Boolean).join(by) : lines
