/** The hooks of an attempt that failed, and that another one was to follow. */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Evaluation } from "../../../internal/engine/evaluation.ts"
import { runRequired } from "../../../internal/engine/hookRunner.ts"
import type { RequiredFailures } from "../../../internal/engine/outcome.ts"
import { withLateGuard } from "../../../internal/engine/run.ts"
import { failedAttempt } from "../../../internal/engine/timeout.ts"
import type { EndRecord } from "../stored/records.ts"
import type { Originals } from "./originals.ts"
import { matchPending } from "./pendingHooks.ts"

/** The keeper of the step. */
interface RetryingKeeper {
  readonly evaluation: Evaluation
  readonly originals: Originals
}

/** Returns why an attempt has failed, with the errors as they were before they were stored, where this process has them. */
export const causeOf = ({ exit: original }: Originals, end: EndRecord): Cause.Cause<unknown> => {
  const exit = original !== undefined && Exit.isFailure(original) ? original : end.exit
  // the cast: another attempt follows a failure alone
  return (exit as Exit.Failure<unknown, unknown>).cause
}

/** Reports a failed attempt, once, and returns what runs its hooks, if it has some. */
export const retryHooks = (
  { evaluation, originals }: RetryingKeeper,
  end: EndRecord
): (() => Effect.Effect<RequiredFailures>) | undefined => {
  const { attempts, endedAt, pendingHooks, retry } = end
  evaluation.attempt = attempts
  const told = failedAttempt(evaluation, causeOf(originals, end), Duration.millis(retry!.delay), endedAt)
  const failed = { ...told, isLast: told.isLast || retry!.timedOut }
  if (originals.isUnreported) evaluation.run.telling?.attemptFailed(evaluation, failed)
  originals.markReported()
  const { retry: hooks } = evaluation.plan
  const { found } = matchPending(hooks, pendingHooks)
  const pending = hooks.flatMap((planned) => found.get(planned) ?? [])
  evaluation.forgetApplied("retry")
  return pending.length === 0
    ? undefined
    : () => withLateGuard(evaluation.run, runRequired(evaluation, pending, failed))
}
