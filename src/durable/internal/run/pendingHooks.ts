/** Names in records the hooks that must still run, and matches them with the hooks of the current code. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Evaluation } from "../../../internal/engine/evaluation.ts"
import { outcomeOf } from "../../../internal/engine/outcome.ts"
import type { Plan, Planned } from "../../../internal/model/plan.ts"
import * as Writer from "../../../internal/text/writer.ts"
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

/**
 * Lists the hooks that may run after an exit: after a success or an interruption that has required hooks also those
 * for a failure, since a required hook can make it one; after a success also those for a rollback. A hook for an alerter
 * that keeps no failures is none of them: nothing would be recorded of it, and it would be shown as pending for ever.
 */
export const pendingAfter = (evaluation: Evaluation, exit: Exit.Exit<unknown, unknown>): ReadonlyArray<PendingHook> => {
  const { ordinary, required, rollback } = evaluation.plan
  const outcome = outcomeOf(exit)
  const outcomes = outcome !== "failure" && required[outcome].length > 0 ? [outcome, "failure" as const] : [outcome]
  const planned = outcomes.flatMap((outcome) => [...required[outcome], ...ordinary[outcome]])
  return [...new Set(outcome === "success" ? [...planned, ...rollback] : planned)]
    .filter(({ hook }) => hook.alerting?.wanted?.(evaluation.hookContextOf(hook)) !== false)
    .map(toPending)
}

/** Restricts the plan to the hooks that a record names, and warns of those that the code no longer has. */
export const keepPending = (evaluation: Evaluation, pending: ReadonlyArray<PendingHook>): Effect.Effect<void> => {
  const { ordinary, required, retry, rollback } = evaluation.plan
  const all = [retry, rollback, ...[ordinary, required].flatMap((table) => Object.values(table))].flat()
  const { found, missing } = matchPending(all, pending)
  const keep = (planned: ReadonlyArray<Planned>) => planned.flatMap((one) => found.get(one) ?? [])
  const byOutcome = (table: Plan["ordinary"]): Plan["ordinary"] => ({
    success: keep(table.success),
    failure: keep(table.failure),
    interrupt: keep(table.interrupt),
    skip: keep(table.skip)
  })
  evaluation.plan = {
    ...evaluation.plan,
    ordinary: byOutcome(ordinary),
    required: byOutcome(required),
    rollback: keep(rollback)
  }
  if (missing.length === 0) return Effect.void
  const { label, name } = evaluation.owner
  const hooks = missing.map(({ kind, name }) => `${name} (${kind})`).join(", ")
  return Writer.logWarning(
    `effect-epilogue: ${label} "${name}" skips hooks, unless they have run already, that the code no longer has: ${hooks}`
  )
}
