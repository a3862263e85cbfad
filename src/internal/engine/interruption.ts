/** Tells the interruption of a step from that of something it waits for. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { isOwnInterruption } from "../model/asked.ts"

/** The error of a step that waited for something that was interrupted: a fiber, a queue or a deferred. */
class WaitInterrupted extends Error {
  override readonly name = "WaitInterrupted"
  override readonly message = "what it waited for was interrupted, and not the step itself"
  // where it is made says nothing of what was interrupted
  override readonly stack = `${this.name}: ${this.message}`
}

/** By their reasons: the steps around each other that end with one cause report one error. */
const errors = new WeakMap<object, WaitInterrupted>()

/**
 * Returns a defect for the exit of a fiber that ended with the interruption of something else: nobody asked the fiber to
 * end, and it did not interrupt itself. `undefined` for all other exits.
 */
export const waitInterrupted = (
  fiber: Fiber.Fiber<unknown, unknown>,
  exit: Exit.Exit<unknown, unknown>
): Cause.Cause<never> | undefined => {
  if (exit._tag === "Success" || !Cause.hasInterruptsOnly(exit.cause)) return undefined
  if (isOwnInterruption(fiber, exit.cause)) return undefined
  const [first] = exit.cause.reasons
  const error = errors.get(first!) ?? new WaitInterrupted()
  errors.set(first!, error)
  return Cause.die(error)
}

/** Adds the defect of {@link waitInterrupted} to an exit. */
export const withWaitInterrupted = (
  fiber: Fiber.Fiber<unknown, unknown>,
  exit: Exit.Exit<unknown, unknown>
): Exit.Exit<unknown, unknown> => {
  const defect = waitInterrupted(fiber, exit)
  return defect === undefined || exit._tag === "Success" ? exit : Exit.failCause(Cause.combine(exit.cause, defect))
}
