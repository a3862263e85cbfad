/** Finds steps by what events say about them. */
import { samePath } from "./shortPath.ts"

/**
 * Finds a step by its index, or by its path among `others` if the step with that index has another path.
 *
 * Indexes of a durable run change when it resumes: steps that run side by side may then start in another order.
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
