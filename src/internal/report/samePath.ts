/**
 * Whether it is the same step. A durable run that goes on after an interruption may come to steps that run side by side
 * in another order than before: then what had one index before has another.
 */
export const samePath = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((name, i) => name === b[i])
