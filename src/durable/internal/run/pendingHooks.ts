/** The hooks that a recorded end owes, and those that the code has by the time they run. */
import type { Planned } from "../../../internal/model/hooks.ts"
import type { Owed } from "../stored/records.ts"

/** @internal */
export const toOwed = ({ hook, index }: Planned): Owed => ({ kind: hook.kind, index, name: hook.name })

/**
 * The hooks that are owed, each in the place that it had when that was recorded, and what is owed by none. A hook is
 * known by its name, and of several of one name by its place.
 */
export const findOwed = (
  planned: Iterable<Planned>,
  owes: ReadonlyArray<Owed>
): { readonly found: ReadonlyMap<Planned, Planned>; readonly gone: ReadonlyArray<Owed> } => {
  const hooks = [...new Set(planned)]
  const found = new Map<Planned, Planned>()
  const find = (left: ReadonlyArray<Owed>, sameIndex: boolean) =>
    left.filter((owed) => {
      const one = hooks.find((one) =>
        !found.has(one) && one.hook.kind === owed.kind && one.hook.name === owed.name &&
        (!sameIndex || one.index === owed.index)
      )
      if (one !== undefined) found.set(one, { ...one, index: owed.index })
      return one === undefined
    })
  return { gone: find(find(owes, true), false), found }
}
