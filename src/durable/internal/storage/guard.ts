/** Ends the wait for a run with an error once its engine's storage has failed for too long. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { type WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { isInstanceOf } from "../../../internal/text/read.ts"
import type { Health } from "./health.ts"
import { StorageFailed } from "./storageFailed.ts"

type Service = WorkflowEngine["Service"]

/** By the engine, since that is the service which runs and callers have. */
const byEngine = new WeakMap<Service, Health>()

/** Returns the health of an engine's storage, for an engine of this library that has one. */
export const healthOf = (engine: Service): Health | undefined => byEngine.get(engine)

/**
 * Makes callers of an engine fail with a `StorageFailed` when the wait for its storage is given up. The engine is
 * changed in place: those of `effect/cluster` give themselves to their runs, and callers and runs have to have the same.
 */
export const guard = (engine: Service, health: Health): void => {
  byEngine.set(engine, health)
  const { execute } = engine
  const guarded = (...args: Parameters<Service["execute"]>): Effect.Effect<unknown, unknown, unknown> =>
    Effect.withFiber((fiber) => {
      const executed = execute(...args)
      // a run that waits for another one waits as all runs do; a submission waits for nothing
      const isRun = Context.getOrUndefined(fiber.context as Context.Context<WorkflowInstance>, WorkflowInstance)
      if (isRun !== undefined || args[1].discard === true) return executed
      return Effect.catchCause(Effect.raceFirst(executed, Effect.flatMap(health.gaveUp(), Effect.fail)), (cause) => {
        const defects = cause.reasons.filter(Cause.isDieReason).map(({ defect }) => defect)
        const failed = defects.find((defect) => isInstanceOf(defect, StorageFailed))
        // not `Effect.catchDefect`, which drops the other reasons of the cause
        return failed === undefined ? Effect.failCause(cause) : Effect.fail(failed)
      })
    })
  // the cast: `Durable.pipeline` adds the error to those of its workflow
  Object.assign(engine, { execute: guarded })
}
