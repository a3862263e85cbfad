/** Runs the attempts of a step's body, each as an activity, with the retry hooks and the delay between two of them. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import * as Workflow from "effect/workflow/Workflow"
import { toSchedule } from "../../../internal/engine/retry.ts"
import { bodyExceeded, timeoutBody } from "../../../internal/engine/timeout.ts"
import type { RetryPolicy, StepOwner } from "../../../internal/model/owner.ts"
import { skippedOf } from "../../../internal/model/skip.ts"
import type { CrashedTooOften } from "../crashes/crashedTooOften.ts"
import type { EndRecord } from "../stored/records.ts"
import { attemptOnce } from "./attemptOnce.ts"
import { counted } from "./counted.ts"
import { Deferrable } from "./deferrable.ts"
import type { DurableKeeper } from "./keeper.ts"
import { pendingAfter, toPending } from "./pendingHooks.ts"
import { endRecordOf } from "./recordEnd.ts"
import { causeOf, retryHooks } from "./retryHooks.ts"
import { sleepUntil } from "./sleepUntil.ts"

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

const noNext: Exit.Exit<Next> = Exit.succeed(undefined)

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
    let isUp = false
    for (let n = 1;; n++) {
      let executed = false
      let hasBegun = n === 1
      let isDeferrable = false
      const execute = Effect.gen(function*() {
        executed = true
        const now = yield* Clock.currentTimeMillis
        keeper.begin()
        const firstStartedAt = keeper.firstStartedAt ??= now
        const left = limit === undefined ? undefined : Math.max(0, firstStartedAt + limit - now)
        let isOver = false
        const exceeded = () => {
          isOver = true
          return bodyExceeded(owner, label, limit!)
        }
        let exit: Exit.Exit<unknown, unknown>
        if (isUp || (left === 0 && !hasBegun)) {
          // the time was up before the delay was over, or before this process was there
          if (!isUp) keeper.evaluation.leaveOutAttempt()
          exit = Exit.fail(exceeded())
        } else {
          exit = yield* attemptOnce(keeper, limited(attempt, left, grace, exceeded), n)
        }
        const endedAt = yield* Clock.currentTimeMillis
        const next = advance === undefined || isOver ? noNext : yield* Effect.exit(decide(advance, exit, endedAt))
        // a schedule that fails fails the step
        const original = Exit.isFailure(next) ? next : exit
        const delay = Exit.isSuccess(next) ? next.value : undefined
        keeper.originals.keep(keeper.key, n, original)
        if (delay === undefined) {
          return endRecordOf(keeper, original, endedAt, pendingAfter(keeper.evaluation, original))
        }
        const timedOut = limit !== undefined && endedAt + delay >= firstStartedAt + limit
        const retry = {
          delay: timedOut ? Math.max(0, firstStartedAt + limit - endedAt) : delay,
          timedOut,
          firstStartedAt
        }
        const hooks = keeper.evaluation.plan.retry
        // nobody is told of it: without the record the attempt runs again, as after a crash in the middle of it
        isDeferrable = hooks.length === 0
        return { ...endRecordOf(keeper, original, endedAt, hooks.map(toPending)), retry }
      })
      // no other attempt follows, whatever the schedule says
      const refuse = (error: CrashedTooOften) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          executed = true
          const exit = Exit.fail(error)
          keeper.originals.keep(keeper.key, n, exit)
          return endRecordOf(keeper, exit, now, pendingAfter(keeper.evaluation, exit))
        })
      keeper.nextAttempt = n
      const end: EndRecord = yield* keeper.recordEndOf(
        keeper.key,
        Effect.suspend(() =>
          keeper.cancellation.race(
            counted(keeper, { name: keeper.key, attempt: n, again: () => hasBegun = true }, execute, refuse)
          )
        ),
        n,
        policy === undefined ? undefined : Context.make(Deferrable, () => isDeferrable)
      )
      keeper.nextAttempt = n + 1
      yield* keeper.durable.activities.questions.withdraw(`${keeper.key}/${n}/`)
      keeper.originals.recall(keeper.key, n)
      const exit = end.exit as Exit.Exit<unknown, unknown>
      if (!executed) keeper.restoreEnd(end)
      keeper.firstStartedAt ??= end.retry?.firstStartedAt
      if (end.retry === undefined || Exit.isSuccess(exit)) {
        keeper.recordedEnd = end
        // at a replay too, the code around the step interrupts it and never gets a result, or the run's interruption does
        const { interruptedBy } = end
        if (interruptedBy !== undefined) {
          return yield* interruptedBy === "caller" ? Effect.never : Workflow.suspend(keeper.instance)
        }
        return yield* exit
      }
      // A fresh schedule is advanced to the state of the recorded attempt, with the time of that attempt.
      if (!executed && advance !== undefined) yield* Effect.exit(decide(advance, exit, end.endedAt))
      yield* beforeNext(keeper, end, n, executed)
      isUp = end.retry.timedOut
    }
  })

/** Limits an attempt to what is left of the time of all. The error names the limit that was set. */
const limited = (
  body: AnyEffect,
  left: number | undefined,
  grace: number,
  error: () => Cause.TimeoutError
): AnyEffect => left === undefined ? body : timeoutBody(body, { limit: left, grace, error })

/** Decides whether another attempt follows: as with `Effect.retry`, after a typed error only, and not after a defect. */
const decide = (
  advance: Advance,
  exit: Exit.Exit<unknown, unknown>,
  now: number
): Effect.Effect<Next, unknown, any> => {
  // no other attempt follows a skip
  if (Exit.isSuccess(exit) || skippedOf(exit) !== undefined) return Effect.undefined
  const error = Cause.findErrorOption(exit.cause)
  return error._tag === "None" ? Effect.undefined : advance(now, error.value)
}

/**
 * Delays up to this threshold, in milliseconds, are waited for in memory. An interruption of the run waits until such a
 * delay is over.
 */
const inMemoryThreshold = 10_000

/**
 * Reports a failed attempt, runs the retry hooks and waits until the next one follows or the time is up. The delay follows
 * the hooks; of an attempt that another evaluation has recorded it is not known when those ended.
 */
const beforeNext = (
  keeper: DurableKeeper,
  end: EndRecord,
  n: number,
  isFresh: boolean
): Effect.Effect<void, unknown, any> =>
  Effect.gen(function*() {
    const { endedAt, retry } = end
    const hooks = retryHooks(keeper, end)
    const errors = hooks === undefined ? undefined : yield* keeper.betweenAttempts(hooks)
    // a required hook that fails ends the retries
    if (errors !== undefined) return yield* Effect.failCause(Cause.combine(causeOf(keeper.originals, end), errors))
    if (retry!.delay > 0) {
      const from = isFresh ? yield* Clock.currentTimeMillis : endedAt
      const inMemory = retry!.delay <= inMemoryThreshold
      const delay = sleepUntil({ name: `${keeper.key}/${n}`, from, until: from + retry!.delay, inMemory })
      yield* keeper.runActivity(`${keeper.key}/delay/${n}`, delay)
    }
    if (!retry!.timedOut) keeper.evaluation.nextAttempt()
  })
