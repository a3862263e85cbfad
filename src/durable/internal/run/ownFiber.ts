/** Runs hooks of a step apart from the fiber that evaluates the step. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { DurableRun } from "./run.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/**
 * Runs the end of a step, or the hooks of a failed attempt, on a fiber of its own, and calls `after` with its exit. An
 * interruption of the code around the step waits until these hooks have run; only `endingFibers` are interrupted when the
 * run is released. On a fiber that has been interrupted, as the step's own may be, no activity could run.
 */
export const onOwnFiber = (
  { endingFibers }: DurableRun,
  hooks: () => AnyEffect,
  after: (exit: Exit.Exit<any, unknown>) => AnyEffect
): AnyEffect =>
  Effect.uninterruptible(Effect.flatMap(
    Effect.forkDetach(Effect.interruptible(Effect.suspend(hooks)), { startImmediately: true }),
    (fiber) => {
      const ended = fiber.pollUnsafe()
      if (ended !== undefined) return after(ended)
      endingFibers.add(fiber)
      fiber.addObserver(() => endingFibers.delete(fiber))
      return Effect.flatMap(Fiber.await(fiber), after)
    }
  ))
