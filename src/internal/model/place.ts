/** Compares where evaluations are: in which others. */

/** An evaluation, as the place of an error. */
export interface Place {
  /** The evaluation around it, that of another run included. */
  readonly around: Place | undefined
  /** The step or the pipeline, which all evaluations of one value share. */
  readonly owner: object | undefined
  /** The run that it is part of. */
  readonly run?: PlaceRun | undefined
}

/** A run, with its first failures. */
interface PlaceRun {
  readonly unsuccessful:
    | { readonly failures: ReadonlyArray<{ readonly step: Place; readonly over: boolean }> }
    | undefined
}

/** Whether a place is inside of another one. */
export const isWithin = (inner: Place, outer: Place): boolean => {
  for (let place = inner.around; place !== undefined; place = place.around) if (place === outer) return true
  return false
}

/** Whether two places are evaluations of the same step value in evaluations of the same step values. */
export const isAgain = (a: Place, b: Place): boolean => {
  let [x, y]: [Place | undefined, Place | undefined] = [a, b]
  while (x !== undefined && y !== undefined && x !== y && x.owner !== undefined && x.owner === y.owner) {
    x = x.around
    y = y.around
  }
  return x === y
}
