/** Matches the hooks that a record names as pending with the hooks of the current code. */
import type { Planned } from "../../../internal/model/plan.ts"
import type { PendingHook } from "../stored/records.ts"

/** @internal */
export const toPending = ({ hook, index }: Planned): PendingHook => ({ kind: hook.kind, index, name: hook.name })

/**
 * Finds the planned hook for each pending one, by kind and name; among several of one name, the one at the recorded
 * index is preferred. `found` maps each planned hook to itself at its recorded index, which is part of the name of its
 * activity. `missing` lists the pending hooks that the code no longer has.
 */
export const matchPending = (
  planned: Iterable<Planned>,
  pending: ReadonlyArray<PendingHook>
): { readonly found: ReadonlyMap<Planned, Planned>; readonly missing: ReadonlyArray<PendingHook> } => {
  const candidates = [...new Set(planned)]
  const found = new Map<Planned, Planned>()
  const unmatched = (pending: ReadonlyArray<PendingHook>, sameIndex: boolean) =>
    pending.filter(({ index, kind, name }) => {
      const match = candidates.find((candidate) =>
        !found.has(candidate) && candidate.hook.kind === kind && candidate.hook.name === name &&
        (!sameIndex || candidate.index === index)
      )
      if (match !== undefined) found.set(match, { ...match, index })
      return match === undefined
    })
  return { missing: unmatched(unmatched(pending, true), false), found }
}
