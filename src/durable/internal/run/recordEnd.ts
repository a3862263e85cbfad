/** Records how a step or a run ended. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Evaluation } from "../../../internal/engine/evaluation.ts"
import { type RequiredFailures, withFailed } from "../../../internal/engine/outcome.ts"
import { type EndRecord, type InterruptedBy, type PendingHook, type Placed, toJson } from "../stored/records.ts"
import type { Cancellation } from "./cancellation.ts"
import { toldField } from "./hooks.ts"
import type { Originals } from "./originals.ts"
import { pendingAfter } from "./pendingHooks.ts"
import { retryHooks } from "./retryHooks.ts"

/** The keeper of the step or run. */
export interface EndingKeeper {
  readonly evaluation: Evaluation
  readonly key: string
  readonly placed: Placed
  readonly originals: Originals
  readonly cancellation: Cancellation
  nextAttempt: number
  readonly firstStartedAt: number | undefined
  readonly begin: () => number
  readonly recordEndOf: (
    name: string,
    execute: Effect.Effect<EndRecord>,
    attempt: number
  ) => Effect.Effect<any, unknown, any>
}

/** Makes the record of an end. Parameters and annotations are stored as they are shown, without secrets. */
export const endRecordOf = (
  keeper: EndingKeeper,
  exit: Exit.Exit<unknown, unknown>,
  endedAt: number,
  pendingHooks: ReadonlyArray<PendingHook>
): EndRecord => {
  const { evaluation, firstStartedAt } = keeper
  const { guard } = evaluation.run
  const shown = (values: Readonly<Record<string, unknown>>) => toJson(guard?.record(values) ?? values)
  return {
    exit,
    startedAt: keeper.begin(),
    endedAt,
    // without an approval the records of the start hooks say when the body began
    ...(evaluation.owner.gate === undefined || firstStartedAt === undefined ? {} : { bodyAt: firstStartedAt }),
    attempts: evaluation.attempt,
    ...keeper.placed,
    params: shown(evaluation.params),
    annotations: shown(evaluation.details?.notes ?? {}),
    pendingHooks,
    ...toldField(evaluation, exit)
  }
}

/** Records the end, unless it is recorded. `by` is the origin of an interruption with which no attempt has ended. */
export const recordEnd = (
  keeper: EndingKeeper,
  exit: Exit.Exit<unknown, unknown>,
  by: InterruptedBy | undefined
): Effect.Effect<EndRecord, unknown, any> => {
  // An interruption is recorded as the result of the attempt that is running, or would be next: otherwise a replay would
  // run that attempt.
  const name = by === undefined ? `${keeper.key}/end` : keeper.key
  const attempt = by === undefined ? 1 : keeper.nextAttempt
  const ended = (exit: Exit.Exit<unknown, unknown>) =>
    Effect.map(Clock.currentTimeMillis, (now): EndRecord => {
      keeper.originals.keep(name, attempt, exit)
      return {
        ...endRecordOf(keeper, exit, now, pendingAfter(keeper.evaluation, exit)),
        ...by === undefined ? undefined : { interruptedBy: by }
      }
    })
  const execute = ended(exit)
  if (by !== undefined) keeper.cancellation.cancel(execute)
  const end = Effect.catchDefect(
    keeper.recordEndOf(name, execute, attempt),
    (defect) =>
      by === undefined
        // an exit that its schema does not fit can't be stored: the step ends with that defect
        ? ended(Exit.die(defect))
        // the attempt that is recorded does not fit its schema
        : recordEnd(keeper, exit, undefined)
  )
  return Effect.flatMap(end, (recorded: EndRecord) => {
    keeper.originals.recall(name, attempt)
    return by === undefined || recorded.retry === undefined
      ? Effect.succeed(recorded)
      : Effect.flatMap(endFailedAttempt(keeper, recorded), (failed) => recordEnd(keeper, withFailed(exit, failed), by))
  })
}

/** Runs the hooks of an attempt that had failed before the interruption came, and would have been followed by another. */
const endFailedAttempt = (keeper: EndingKeeper, end: EndRecord): Effect.Effect<RequiredFailures> => {
  keeper.nextAttempt++
  return retryHooks(keeper, end)?.() ?? Effect.undefined
}
