/** The retry of a body: what `Effect.retry` does, and word of each failed attempt before the next. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Schedule from "effect/Schedule"
import type { Wrap } from "../model/overrides.ts"
import { runRequired } from "./hookRunner.ts"
import { currentView, View } from "./view.ts"

type AnySchedule = Schedule.Schedule<any, unknown, any, any>

/** What `Effect.retry` takes. */
export type RetryPolicy = AnySchedule | Effect.Retry.Options<any> | (($: typeof identity) => AnySchedule)

/** @internal */
export const retryBody = (
  body: Effect.Effect<unknown, unknown, any>,
  policy: RetryPolicy
): Effect.Effect<unknown, unknown, any> =>
  Effect.withFiber((fiber) => {
    // A body is evaluated by its step only, which provides the context.
    const evaluation = View.evaluation(currentView(fiber)!)
    let cause: Cause.Cause<unknown>
    const attempt = Effect.tapCause(body, (failed) => Effect.sync(() => cause = failed))
    // The schedule's own step says whether and when another attempt follows; the
    // hooks run then, before the delay.
    const told = Schedule.fromStep(Effect.map(Schedule.toStep(toSchedule(policy)), (step) => (now, input: unknown) =>
      Effect.tap(step(now, input), ([, delay]) =>
        Effect.uninterruptible(Effect.suspend(() => {
          const failed = { attempt: evaluation.attempt, cause, delay }
          const info = evaluation.info
          if (info !== undefined) {
            evaluation.run.emit({ _tag: "AttemptFailed", ...info, ...failed })
          }
          return Effect.flatMap(runRequired(evaluation, evaluation.plan.retry, failed), (errors) => {
            // a required hook that fails ends the retries
            if (errors !== undefined) {
              return Effect.failCause(Cause.combine(cause, errors))
            }
            evaluation.attempt++
            return Effect.void
          })
        })))))
    return Effect.retry(attempt, told)
  })

/** @internal */
export const retryWrap = (policy: RetryPolicy): Wrap => ({
  kind: "retry",
  policy,
  wrap: (body) => retryBody(body, policy)
})

/** As in `Effect.retry`, whose own conversion would ask `while` and `times` only after the schedule we are told by. */
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
