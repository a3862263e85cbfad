/** Runs the attempts of a step's body, each as an activity, with the retry hooks and the delay between two of them. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import * as DurableClock from "effect/workflow/DurableClock"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { Alerter } from "../../../Alerter.ts"
import { runRequired } from "../../../internal/engine/hookRunner.ts"
import { withWaitInterrupted } from "../../../internal/engine/interruption.ts"
import { isInterrupted } from "../../../internal/engine/outcome.ts"
import { toSchedule } from "../../../internal/engine/retry.ts"
import { bodyExceeded, timeoutBody } from "../../../internal/engine/timeout.ts"
import type { RetryPolicy, StepOwner } from "../../../internal/model/owner.ts"
import { withAlertKeys } from "../outbox/alertKeys.ts"
import type { EndRecord } from "../stored/records.ts"
import type { DurableKeeper } from "./keeper.ts"
import { matchPending, toPending } from "./pendingHooks.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/** The combinators piped on a body: those before the last retry are part of each attempt. */
interface Arrangement {
  readonly attempt: AnyEffect
  readonly policy: RetryPolicy | undefined
  /** The time limit of all attempts together, in milliseconds. */
  readonly limit: number | undefined
  readonly grace: number
}

const arrange = (owner: StepOwner): Arrangement => {
  const wraps = owner.wraps ?? []
  const last = wraps.findLastIndex(({ kind }) => kind === "retry")
  const retry = wraps[last]
  if (retry?.kind !== "retry") return { attempt: owner.body, policy: undefined, limit: undefined, grace: 0 }
  const limits = wraps.slice(last + 1).flatMap((wrap) => wrap.kind === "timeout" ? [wrap] : [])
  const shortest = limits.toSorted((a, b) => a.limit - b.limit)[0]
  return {
    attempt: wraps.slice(0, last).reduce((body, { wrap }) => wrap(body), owner.raw ?? owner.body),
    policy: retry.policy,
    limit: shortest?.limit,
    grace: shortest?.grace ?? 0
  }
}

type Advance = (now: number, error: unknown) => Effect.Effect<Next, unknown, any>

/** The delay until the next attempt in milliseconds; `undefined` where none follows. */
type Next = number | undefined

const schedule = (policy: RetryPolicy | undefined): Effect.Effect<Advance | undefined, never, any> =>
  policy === undefined ? Effect.undefined : Effect.map(
    Schedule.toStep(toSchedule(policy)),
    (step): Advance => (now, error) =>
      Pull.catchDone(
        Effect.map(step(now, error), ([, delay]): Next => Duration.toMillis(delay)),
        () => Effect.undefined
      ) as Effect.Effect<Next, unknown, any> // the cast: `catchDone` handles the error that ends the schedule
  )

/** @internal */
export const attempts = (keeper: DurableKeeper, owner: StepOwner): AnyEffect =>
  Effect.gen(function*() {
    const { attempt, grace, limit, policy } = arrange(owner)
    const { label } = keeper.evaluation
    const advance = yield* schedule(policy)
    /** The start of the first attempt, from which the time limit counts, through crashes too. */
    let firstStartedAt: number | undefined
    for (let n = 1;; n++) {
      let executed = false
      const execute = Effect.gen(function*() {
        executed = true
        const now = yield* Clock.currentTimeMillis
        keeper.begin()
        firstStartedAt ??= now
        const left = limit === undefined ? undefined : Math.max(0, firstStartedAt + limit - now)
        const exit = yield* attemptOnce(
          keeper,
          limited(attempt, left, grace, () => bodyExceeded(owner, label, limit!)),
          n
        )
        const endedAt = yield* Clock.currentTimeMillis
        const next = yield* Effect.exit(decide(advance, exit, endedAt))
        // a schedule that fails fails the step
        const original = Exit.isFailure(next) ? next : exit
        const delay = Exit.isSuccess(next) ? next.value : undefined
        keeper.keepOriginal(keeper.key, n, original)
        if (delay === undefined) return keeper.endRecordOf(original, endedAt, keeper.pendingAfter(original))
        const timedOut = limit !== undefined && endedAt + delay >= firstStartedAt + limit
        const retry = {
          delay: timedOut ? Math.max(0, firstStartedAt + limit - endedAt) : delay,
          timedOut,
          firstStartedAt
        }
        return { ...keeper.endRecordOf(original, endedAt, keeper.evaluation.plan.retry.map(toPending)), retry }
      })
      keeper.nextAttempt = n
      const end: EndRecord = yield* keeper.record(
        keeper.key,
        keeper.storage.end,
        Effect.suspend(() => keeper.cancellation.race(execute)),
        n
      )
      keeper.nextAttempt = n + 1
      yield* keeper.durable.activities.questions.withdraw(`${keeper.key}/${n}/`)
      keeper.recallOriginal(keeper.key, n)
      const { originalExit } = keeper
      const exit = end.exit as Exit.Exit<unknown, unknown>
      if (!executed) keeper.restoreEnd(end)
      firstStartedAt ??= end.retry?.firstStartedAt
      if (end.retry === undefined || Exit.isSuccess(exit)) {
        keeper.recordedEnd = end
        // at a replay too, the code around a cancelled step interrupts it and never gets a result
        return yield* end.cancelled === true ? Effect.never : exit
      }
      // A fresh schedule is advanced to the state of the recorded attempt, with the time of that attempt.
      if (!executed && advance !== undefined) yield* Effect.exit(decide(advance, exit, end.endedAt))
      const cause = originalExit !== undefined && Exit.isFailure(originalExit) ? originalExit.cause : exit.cause
      yield* beforeNext(keeper, end, cause, n)
      if (end.retry.timedOut) return yield* Effect.fail(bodyExceeded(owner, label, limit!))
    }
  })

/** Limits an attempt to what is left of the time of all. The error names the limit that was set. */
const limited = (
  body: AnyEffect,
  left: number | undefined,
  grace: number,
  error: () => Cause.TimeoutError
): AnyEffect => left === undefined ? body : timeoutBody(body, { limit: left, grace, error })

/** Runs the body in the step's context. Its alerts get the same keys when it runs again after a crash. */
const attemptOnce = (
  keeper: DurableKeeper,
  body: AnyEffect,
  n: number
): Effect.Effect<Exit.Exit<unknown, unknown>, unknown, any> =>
  Effect.contextWith((context: Context.Context<WorkflowInstance>) => {
    const instance = Context.get(context, WorkflowInstance)
    const alerter = Context.getOrUndefined(context as Context.Context<never>, Alerter)
    const withKeys = alerter === undefined ? body : Effect.provideService(
      body,
      Alerter,
      withAlertKeys(alerter, `${keeper.durable.executionId}/${keeper.key}/${n}`)
    )
    return Effect.withFiber((fiber) => {
      keeper.currentAttempt = n
      keeper.timesAsked.clear()
      return Effect.flatMap(
        Effect.exit(withKeys),
        // The body is suspended, as for an approval: the attempt has not ended, and runs again when the run resumes.
        (exit) =>
          instance.suspended && isInterrupted(exit)
            ? exit
            : Effect.succeed(withWaitInterrupted(fiber, exit))
      )
    }).pipe(
      Effect.ensuring(Effect.sync(() => {
        keeper.currentAttempt = undefined
      }))
    )
  })

/** Decides whether another attempt follows: as with `Effect.retry`, after a typed error only, and not after a defect. */
const decide = (
  advance: Advance | undefined,
  exit: Exit.Exit<unknown, unknown>,
  now: number
): Effect.Effect<Next, unknown, any> => {
  if (advance === undefined || Exit.isSuccess(exit)) return Effect.undefined
  const error = Cause.findErrorOption(exit.cause)
  return error._tag === "None" ? Effect.undefined : advance(now, error.value)
}

/**
 * Delays up to this threshold are waited for in memory, since the engine looks at stored clocks only every few seconds.
 * An interruption of the run waits until such a delay is over.
 */
const inMemoryThreshold = "10 seconds"

/** Reports a failed attempt that another follows, runs the retry hooks and waits for the delay. */
const beforeNext = (
  keeper: DurableKeeper,
  { attempts, pendingHooks, retry }: EndRecord,
  cause: Cause.Cause<unknown>,
  n: number
): Effect.Effect<void, unknown, any> =>
  Effect.gen(function*() {
    const { evaluation } = keeper
    evaluation.attempt = attempts
    const failed = { attempt: attempts, cause, delay: Duration.millis(retry!.delay) }
    if (keeper.unreported) evaluation.run.telling?.attemptFailed(evaluation, failed)
    keeper.markReported()
    const { retry: hooks } = evaluation.plan
    const { found } = matchPending(hooks, pendingHooks)
    const pending = hooks.flatMap((planned) => found.get(planned) ?? [])
    evaluation.forgetApplied()
    const errors = yield* runRequired(evaluation, pending, failed)
    // a required hook that fails ends the retries
    if (errors !== undefined) return yield* Effect.failCause(Cause.combine(cause, errors))
    evaluation.nextAttempt()
    if (retry!.delay > 0) {
      const delay = DurableClock.sleep({ name: `${keeper.key}/${n}`, duration: retry!.delay, inMemoryThreshold })
      yield* keeper.runActivity(`${keeper.key}/delay/${n}`, delay)
    }
  })
