/** Runs the body of a step, or its condition, inside of an activity. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { Alerter } from "../../../Alerter.ts"
import { withWaitInterrupted } from "../../../internal/engine/interruption.ts"
import { isInterrupted } from "../../../internal/engine/outcome.ts"
import { withAlertKeys } from "../outbox/alertKeys.ts"

/** The keeper of the step. */
export interface AttemptKeeper {
  readonly durable: { readonly executionId: string }
  readonly key: string
  readonly timesAsked: Map<string, number>
  currentAttempt: number | undefined
}

/** Runs the body in the step's context. Its alerts get the same keys when it runs again after a crash. */
export const attemptOnce = (
  keeper: AttemptKeeper,
  body: Effect.Effect<any, unknown, any>,
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
