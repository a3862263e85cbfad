/** The attempts of a step's body, each of them an activity, with what comes between two of them. */
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
import type { StepOwner } from "../../../internal/engine/evaluation.ts"
import { runRequired } from "../../../internal/engine/hookRunner.ts"
import { isInterrupted } from "../../../internal/engine/outcome.ts"
import { type RetryPolicy, toSchedule } from "../../../internal/engine/retry.ts"
import { bodyExceeded, timeoutBody } from "../../../internal/engine/timeout.ts"
import { stamping } from "../outbox/alertKeys.ts"
import type { Fact } from "../stored/records.ts"
import type { DurableEvaluation } from "./evaluation.ts"
import { findOwed, toOwed } from "./pendingHooks.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/** What was piped on a body, in the order of the pipe: what comes before the last retry is part of an attempt. */
interface Arrangement {
  readonly attempt: AnyEffect
  readonly policy: RetryPolicy | undefined
  /** For all attempts together, in milliseconds. */
  readonly limit: number | undefined
}

const arrange = (owner: StepOwner): Arrangement => {
  const wraps = owner.wraps ?? []
  const last = wraps.findLastIndex(({ kind }) => kind === "retry")
  const retry = wraps[last]
  if (retry?.kind !== "retry") return { attempt: owner.body, policy: undefined, limit: undefined }
  const limits = wraps.slice(last + 1).flatMap((wrap) => wrap.kind === "timeout" ? [wrap.limit] : [])
  return {
    attempt: wraps.slice(0, last).reduce((body, { wrap }) => wrap(body), owner.raw ?? owner.body),
    policy: retry.policy,
    limit: limits.length === 0 ? undefined : Math.min(...limits)
  }
}

type Advance = (now: number, error: unknown) => Effect.Effect<Next, unknown, any>

/** How long it is until the next attempt, in milliseconds, if there is one. */
type Next = number | undefined

const schedule = (policy: RetryPolicy | undefined): Effect.Effect<Advance | undefined, never, any> =>
  policy === undefined ? Effect.undefined : Effect.map(
    Schedule.toStep(toSchedule(policy)),
    (step): Advance => (now, error) =>
      Pull.catchDone(
        Effect.map(step(now, error), ([, delay]): Next => Duration.toMillis(delay)),
        () => Effect.undefined
      ) as Effect.Effect<Next, unknown, any> // `catchDone` takes the end of the schedule from its errors
  )

/** @internal */
export const attempts = (evaluation: DurableEvaluation, owner: StepOwner): AnyEffect =>
  Effect.gen(function*() {
    const { attempt, limit, policy } = arrange(owner)
    const advance = yield* schedule(policy)
    /** When the first attempt began: the time limit counts from there, whatever happened to the process. */
    let since: number | undefined
    for (let n = 1;; n++) {
      let executed = false
      const execute = Effect.gen(function*() {
        executed = true
        const now = yield* Clock.currentTimeMillis
        evaluation.begin()
        since ??= now
        const left = limit === undefined ? undefined : Math.max(0, since + limit - now)
        const exit = yield* attemptOnce(evaluation, limited(attempt, owner.name, limit, left), n)
        const endedAt = yield* Clock.currentTimeMillis
        const next = yield* Effect.exit(decide(advance, exit, endedAt))
        // a schedule may fail, and the step does so with it
        const original = Exit.isFailure(next) ? next : exit
        const delay = Exit.isSuccess(next) ? next.value : undefined
        evaluation.keepUntold(evaluation.key, n, original)
        if (delay === undefined) return evaluation.factOf(original, endedAt, evaluation.owedAfter(original))
        const over = limit !== undefined && endedAt + delay >= since + limit
        return {
          ...evaluation.factOf(original, endedAt, evaluation.plan.retry.map(toOwed)),
          again: { delay: over ? Math.max(0, since! + limit - endedAt) : delay, over, since }
        }
      })
      evaluation.attempting = n
      const fact: Fact = yield* evaluation.record(
        evaluation.key,
        evaluation.storing.fact,
        Effect.suspend(() => evaluation.leftOff.unless(execute)),
        n
      )
      evaluation.attempting = n + 1
      evaluation.recallUntold(evaluation.key, n)
      const { original } = evaluation
      const exit = fact.exit as Exit.Exit<unknown, unknown>
      if (!executed) evaluation.restoreFact(fact)
      since ??= fact.again?.since
      if (fact.again === undefined || Exit.isSuccess(exit)) {
        evaluation.fact = fact
        // the code around it had no result of it, and interrupts it now as it did then
        return yield* fact.leftOff === true ? Effect.never : exit
      }
      // The schedule is brought to where it was, with the time of then.
      if (!executed && advance !== undefined) yield* Effect.exit(decide(advance, exit, fact.endedAt))
      const cause = original !== undefined && Exit.isFailure(original) ? original.cause : exit.cause
      yield* between(evaluation, fact, cause, n)
      if (fact.again.over) return yield* Effect.fail(bodyExceeded(owner.name, limit!))
    }
  })

const limited = (body: AnyEffect, name: string, limit: number | undefined, left: number | undefined): AnyEffect =>
  limit === undefined || left === undefined
    ? body
    : Effect.catchIf(
      timeoutBody(body, name, left),
      // the limit that was set is the one to tell of, and not what was left of it
      (error) => Cause.isTimeoutError(error) && error.message === bodyExceeded(name, left).message,
      () => Effect.fail(bodyExceeded(name, limit))
    )

/** Runs the body in the step's context. Alerts that it posts are the same ones if it has to run again. */
const attemptOnce = (
  evaluation: DurableEvaluation,
  body: AnyEffect,
  n: number
): Effect.Effect<Exit.Exit<unknown, unknown>, unknown, any> =>
  Effect.contextWith((context: Context.Context<WorkflowInstance>) => {
    const instance = Context.get(context, WorkflowInstance)
    const alerter = Context.getOrUndefined(context as Context.Context<never>, Alerter)
    const stamped = alerter === undefined ? body : Effect.provideService(
      body,
      Alerter,
      stamping(alerter, `${evaluation.durable.executionId}/${evaluation.key}/${n}`)
    )
    return Effect.suspend(() => {
      evaluation.attemptUnderWay = n
      evaluation.asked.clear()
      return Effect.flatMap(
        Effect.exit(stamped),
        // it waits for something, as for an approval: then this is no end, and it runs again when that is there
        (exit) =>
          instance.suspended && isInterrupted(exit)
            ? exit
            : Effect.succeed(exit)
      )
    }).pipe(
      Effect.ensuring(Effect.sync(() => {
        evaluation.attemptUnderWay = undefined
      }))
    )
  })

/** As `Effect.retry` does, which knows errors but no defects. */
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
 * A shorter delay is waited for in the process: a clock that is stored is looked at every few seconds only. An
 * interruption waits for it.
 */
const inMemoryThreshold = "10 seconds"

/** An attempt failed and another follows: who asked for it hears of that, and then the delay passes. */
const between = (
  evaluation: DurableEvaluation,
  { again, attempts, owes }: Fact,
  cause: Cause.Cause<unknown>,
  n: number
): Effect.Effect<void, unknown, any> =>
  Effect.gen(function*() {
    evaluation.attempt = attempts
    const failed = { attempt: attempts, cause, delay: Duration.millis(again!.delay) }
    const { info } = evaluation
    if (evaluation.fresh && info !== undefined) evaluation.run.emit({ _tag: "AttemptFailed", ...info, ...failed })
    evaluation.told()
    const { found } = findOwed(evaluation.plan.retry, owes)
    const owed = evaluation.plan.retry.flatMap((planned) => found.get(planned) ?? [])
    const errors = yield* runRequired(evaluation, owed, failed)
    // a required hook that fails ends the retries
    if (errors !== undefined) return yield* Effect.failCause(Cause.combine(cause, errors))
    evaluation.attempt++
    if (again!.delay > 0) {
      const delay = DurableClock.sleep({ name: `${evaluation.key}/${n}`, duration: again!.delay, inMemoryThreshold })
      yield* evaluation.once(`${evaluation.key}/delay/${n}`, delay)
    }
  })
