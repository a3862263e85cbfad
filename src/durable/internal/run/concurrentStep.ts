/** Evaluates a step on a fiber other than the body's, so that it does not depend on what other fibers wait for. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { isInterrupted } from "../../../internal/engine/outcome.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/**
 * Evaluates a step as one activity of the run: while the step is running, a suspension of another fiber does not
 * suspend the run. Otherwise a step that is about to begin, or that has just received an answer, would have to wait
 * for whatever the other fibers wait for. `DurableDeferred.into` does the same for an effect whose result it stores.
 */
export const concurrentStep = (step: AnyEffect): AnyEffect =>
  Effect.flatMap(WorkflowInstance, (instance) => {
    // An instance of its own: a suspension inside the step counts the step's activities only.
    const local = { ...instance, suspended: false, activityState: { count: 0, latch: Latch.makeUnsafe() } }
    const held = Workflow.wrapActivityResult(
      Effect.flatMap(
        // the yield lets the concurrent steps begin before this one can suspend
        Effect.andThen(
          Effect.yieldNow,
          Effect.forkChild(Effect.provideService(step, WorkflowInstance, local), { startImmediately: true })
        ),
        (fiber) =>
          Effect.map(
            Effect.onInterrupt(Fiber.await(fiber), () => Fiber.interrupt(fiber)),
            (exit) => local.suspended && isInterrupted(exit) ? undefined : exit
          )
      ),
      (exit) => exit === undefined
    )
    return Effect.flatMap(held, (exit) => exit ?? Workflow.suspend(instance))
  })
