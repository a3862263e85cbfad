/** Lets an engine that keeps the outbox in its database write alerts in the transaction that records their hook. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"

/**
 * An annotation of an activity: returns the effect that is to be executed in the transaction that records the result of the
 * activity, if one is.
 */
export const Alongside: Context.Reference<() => Effect.Effect<unknown, unknown> | undefined> = Context.Reference<
  () => Effect.Effect<unknown, unknown> | undefined
>("effect-epilogue/durable/Alongside", { defaultValue: () => () => undefined })

/** The engines that execute it. */
const engines = new WeakSet<WorkflowEngine["Service"]>()

/** Marks an engine as one that executes {@link Alongside}. */
export const markAlongside = (engine: WorkflowEngine["Service"]): void => void engines.add(engine)

/** @internal */
export const hasAlongside = (engine: WorkflowEngine["Service"]): boolean => engines.has(engine)
