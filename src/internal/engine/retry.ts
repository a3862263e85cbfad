/** Retries a body as `Effect.retry` does, with an event and hooks for each failed attempt that another follows. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import * as Schedule from "effect/Schedule"
import type { AnySchedule, Body, RetryPolicy, Wrap } from "../model/owner.ts"
import { skippedOf } from "../model/skip.ts"
import { evaluationOf } from "./evaluation.ts"
import { runRequired } from "./hookRunner.ts"
import { withLateGuard } from "./run.ts"
import { failedAttempt } from "./timeout.ts"
import { currentView } from "./view.ts"

const retryBody = (body: Body, policy: RetryPolicy): Body =>
  Effect.withFiber((fiber) => {
    // there is a view: only its step evaluates a body, and it provides the context
    const evaluation = evaluationOf(currentView(fiber)!)
    let cause: Cause.Cause<unknown>
    let isNext = false
    const attempt = Effect.tapCause(
      Effect.suspend(() => {
        // here, since a time limit may be over before the delay is
        if (isNext) evaluation.nextAttempt()
        isNext = false
        return body
      }),
      (failed) => Effect.sync(() => cause = failed)
    )
    // The step of the schedule decides whether another attempt follows, and when: only then do the hooks run, before
    // the delay.
    const withHooks = Schedule.fromStep(
      Effect.map(Schedule.toStep(toSchedule(policy)), (step) => (now, input: unknown) =>
        // a skip is no failure, and ends the retries
        skippedOf(Exit.failCause(cause)) !== undefined ?
          Cause.done() :
          Effect.tap(step(now, input), ([, delay]) =>
            Effect.uninterruptible(Effect.suspend(() => {
              const failed = failedAttempt(evaluation, cause, delay, now)
              evaluation.run.telling?.attemptFailed(evaluation, failed)
              evaluation.forgetApplied("retry")
              const hooks = runRequired(evaluation, evaluation.plan.retry, failed)
              return Effect.flatMap(withLateGuard(evaluation.run, hooks), (errors) => {
                // a required hook that fails ends the retries
                if (errors !== undefined) {
                  return Effect.failCause(Cause.combine(cause, errors))
                }
                isNext = true
                return Effect.void
              })
            }))))
    )
    return Effect.retry(attempt, withHooks)
  })

/** @internal */
export const retryWrap = (policy: RetryPolicy): Wrap => ({
  kind: "retry",
  policy,
  wrap: (body) => retryBody(body, policy)
})

/**
 * Converts a policy to a schedule, as `Effect.retry` does. Its own conversion would check `while` and `times` only after
 * the schedule above, which would then run hooks for attempts that do not follow.
 */
export const toSchedule = (policy: RetryPolicy): AnySchedule => {
  if (typeof policy === "function") return policy(identity)
  if (Schedule.isSchedule(policy)) return policy
  let schedule: AnySchedule = Schedule.passthrough(policy.schedule ?? Schedule.forever)
  const { times, until, while: while_ } = policy
  if (while_) schedule = Schedule.while(schedule, ({ input }) => toEffect(while_(input)))
  if (until) schedule = Schedule.while(schedule, ({ input }) => Effect.map(toEffect(until(input)), (yes) => !yes))
  if (times !== undefined) schedule = Schedule.while(schedule, ({ attempt }) => Effect.succeed(attempt <= times))
  return schedule
}

const toEffect = (answer: boolean | Effect.Effect<boolean, any, any>): Effect.Effect<boolean, any, any> =>
  typeof answer === "boolean" ? Effect.succeed(answer) : answer
