/**
 * The step that has an index, looked for by its path among others where the index is another's: a durable run that goes
 * on after an interruption may come to steps that run side by side in another order than before, and what had one index
 * before has another then.
 */
export const stepAt = <S extends { readonly path: ReadonlyArray<string> }>(
  byIndex: ReadonlyMap<number, S>,
  index: number,
  path: ReadonlyArray<string>,
  others: () => ReadonlyArray<S>
): S | undefined => {
  const step = byIndex.get(index)
  if (step === undefined || samePath(step.path, path)) return step
  return others().findLast((step) => samePath(step.path, path))
}

const samePath = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((name, i) => name === b[i])
