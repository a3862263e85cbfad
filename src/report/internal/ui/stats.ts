/** Statistics of durations. */

/** Returns the value that a share of some values do not exceed, by the nearest rank; `undefined` of none. */
export const quantile = (values: ReadonlyArray<number>, share: number): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)]

export const median = (values: ReadonlyArray<number>): number | undefined => quantile(values, 0.5)
