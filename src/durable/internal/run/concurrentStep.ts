/** Steps that are evaluated beside other code of the body, each on a fiber of its own. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { isInterrupted } from "../../../internal/engine/outcome.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/**
 * As long as a step goes on, others that wait for something do not stop the run: it counts as one activity. Otherwise
 * a step that is to begin, or to go on with an answer, would wait for the same things as they do. It is what
 * `DurableDeferred.into` does, with nothing to store.
 */
export const besideOthers = (step: AnyEffect): AnyEffect =>
  Effect.flatMap(WorkflowInstance, (instance) => {
    // Whoever waits in it waits for what is in it, and not for the step itself.
    const local = { ...instance, suspended: false, activityState: { count: 0, latch: Latch.makeUnsafe() } }
    const held = Workflow.wrapActivityResult(
      Effect.flatMap(
        // those beside it have begun by then, too
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
