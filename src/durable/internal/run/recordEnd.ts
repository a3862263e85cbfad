/** Records how a step or a run ended. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Evaluation } from "../../../internal/engine/evaluation.ts"
import { type EndRecord, type PendingHook, type Placed, toJson } from "../stored/records.ts"
import type { Cancellation } from "./cancellation.ts"
import { toldField } from "./hooks.ts"
import type { Originals } from "./originals.ts"
import { pendingAfter } from "./pendingHooks.ts"

/** The keeper of the step or run. */
interface EndingKeeper {
  readonly evaluation: Evaluation
  readonly key: string
  readonly placed: Placed
  readonly originals: Originals
  readonly cancellation: Cancellation
  readonly nextAttempt: number
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

/** Records the end, unless it is recorded. `cancelled` says that the code around the step interrupted it. */
export const recordEnd = (
  keeper: EndingKeeper,
  exit: Exit.Exit<unknown, unknown>,
  cancelled: boolean
): Effect.Effect<EndRecord, unknown, any> => {
  // A cancellation is recorded as the result of the attempt that is running, or would be next: otherwise a replay
  // would run that attempt.
  const name = cancelled ? keeper.key : `${keeper.key}/end`
  const attempt = cancelled ? keeper.nextAttempt : 1
  const ended = (exit: Exit.Exit<unknown, unknown>) =>
    Effect.map(Clock.currentTimeMillis, (now): EndRecord => {
      keeper.originals.keep(name, attempt, exit)
      return {
        ...endRecordOf(keeper, exit, now, pendingAfter(keeper.evaluation, exit)),
        ...cancelled ? { cancelled } : undefined
      }
    })
  const execute = ended(exit)
  if (cancelled) keeper.cancellation.cancel(execute)
  // An exit that its schema does not fit can't be stored: the step ends with that defect.
  const end = Effect.catchDefect(
    keeper.recordEndOf(name, execute, attempt),
    (defect) => ended(Exit.die(defect))
  )
  return Effect.map(end, (recorded) => {
    keeper.originals.recall(name, attempt)
    return recorded
  })
}
