/** Finds steps by what events say about them. */
import { isShort, samePath } from "./shortPath.ts"

interface HasPath {
  readonly path: ReadonlyArray<string>
}

/**
 * Finds a step by its index, or by its path, with `byPath`, if the step with that index has another path.
 *
 * Indexes of a durable run change when it resumes: steps that run side by side may then start in another order.
 */
export const stepAt = <S extends HasPath>(
  byIndex: ReadonlyMap<number, S>,
  index: number,
  path: ReadonlyArray<string>,
  byPath: () => S | undefined
): S | undefined => {
  const step = byIndex.get(index)
  return step === undefined || samePath(step.path, path) ? step : byPath()
}

/** Steps by their paths, so that to find one takes no longer for many of them. */
export class StepsByPath<S extends HasPath> {
  readonly #byPath = new Map<string, Array<S>>()
  /** Steps whose paths may be shortened, and so are the same as far as they are known. */
  readonly #short: Array<S> = []

  constructor(steps: Iterable<S>) {
    for (const step of steps) this.add(step)
  }

  add(step: S): void {
    this.#at(step.path).push(step)
  }

  delete(step: S): void {
    const steps = this.#at(step.path)
    // from the end, since it is mostly one of the last
    const at = steps.lastIndexOf(step)
    if (at >= 0) steps.splice(at, 1)
  }

  /** Returns the step with a path that was added last. */
  last(path: ReadonlyArray<string>): S | undefined {
    const steps = this.#at(path)
    return steps === this.#short ? steps.findLast((step) => samePath(step.path, path)) : steps.at(-1)
  }

  #at(path: ReadonlyArray<string>): Array<S> {
    if (isShort(path)) return this.#short
    const key = JSON.stringify(path)
    const known = this.#byPath.get(key)
    if (known !== undefined) return known
    const made: Array<S> = []
    this.#byPath.set(key, made)
    return made
  }
}
