/** Short texts for people. */

/** Counts a noun, as in `1 step` and `2 steps`. */
export const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`
