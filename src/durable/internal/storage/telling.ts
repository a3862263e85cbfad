/**
 * Runs the failure hooks of a run whose storage has failed for too long. What they do can't be recorded, so they run in
 * memory, once for each time that the storage fails; the run itself stays as it is.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { Alerter } from "../../../Alerter.ts"
import { empty, HooksImpl } from "../../../internal/model/hooks.ts"
import { AlerterObservers, MonitorObservers, Observers } from "../../../internal/model/observers.ts"
import { CurrentOverrides } from "../../../internal/model/overrides.ts"
import type { PipelineOwner } from "../../../internal/model/owner.ts"
import { makePipeline } from "../../../internal/steps/step.ts"
import { StepContext } from "../../../StepContext.ts"
import { outboxOf } from "../outbox/typeId.ts"
import type { Health } from "./health.ts"
import type { StorageFailed } from "./storageFailed.ts"

/** Waits, again and again, until the wait for the storage is given up, and then runs the failure hooks of the run. */
export const tellRun = (owner: PipelineOwner, executionId: string, health: Health): Effect.Effect<never> =>
  Effect.forever(
    Effect.flatMap(health.gaveUp(), (error) =>
      Effect.andThen(
        health.isNews(executionId) ? Effect.exit(failureHooks(owner, executionId, error)) : Effect.void,
        health.recovered
      ))
  )

/**
 * Evaluates a run with `tell` beside it. On a cluster a run is taken away from a runner that does not reach the database,
 * and evaluated anew when it does: until then, it is told of all the same.
 */
export const telling = <A, E, R>(
  run: Effect.Effect<A, E, R>,
  tell: Effect.Effect<never>,
  health: Health,
  scope: Scope.Scope
): Effect.Effect<A, E, R> =>
  Effect.flatMap(
    Effect.forkIn(tell, scope),
    (fiber) =>
      Effect.onExit(run, (exit) =>
        health.fails && Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause)
          ? Effect.asVoid(Effect.forkIn(Effect.andThen(health.recovered, Fiber.interrupt(fiber)), scope))
          : Fiber.interrupt(fiber))
  )

const failureHooks = (
  owner: PipelineOwner,
  executionId: string,
  error: StorageFailed
): Effect.Effect<unknown, unknown> => {
  const { annotations, givenName, name, own, provided } = owner
  return Object.assign(makePipeline(name, Effect.fail(error)), {
    annotations,
    givenName,
    own: new HooksImpl({ ...empty.hooks, failure: own.hooks.failure }),
    provided,
    runId: executionId
  }).pipe(
    // of the run itself, which has not ended, nothing is reported
    Effect.provideService(Observers, []),
    Effect.provideService(AlerterObservers, []),
    Effect.provideService(MonitorObservers, []),
    Effect.provideService(CurrentOverrides, undefined),
    Effect.updateContext((context: Context.Context<never>) =>
      withoutOutbox(Context.omit(StepContext)(context as Context.Context<any>))
    )
  )
}

/** Puts the alerter of an outbox in the place of that, whose alerts would be stored where nothing can be. */
const withoutOutbox = (context: Context.Context<any>): Context.Context<any> => {
  const alerter = Context.getOrUndefined(context, Alerter)
  const outbox = alerter === undefined ? undefined : outboxOf(alerter)
  return outbox === undefined ? context : Context.add(context, Alerter, outbox.inner)
}
