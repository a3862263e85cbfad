/** Tells the interruption of a fiber from that of something it waited for. */
import * as Cause from "effect/Cause"
import type * as Fiber from "effect/Fiber"

/**
 * Whether a fiber was asked to end. Effect keeps that in a field that its types leave out: hence the cast. A version
 * without the field counts each interruption as one of the fiber.
 */
const wasAsked = (fiber: object): boolean => !("_interruptedCause" in fiber) || fiber._interruptedCause !== undefined

/** Whether a fiber that ends with an interruption was asked to end, or has interrupted itself. */
export const isOwnInterruption = (fiber: Fiber.Fiber<unknown, unknown>, { reasons }: Cause.Cause<unknown>): boolean =>
  wasAsked(fiber) || reasons.some((reason) => Cause.isInterruptReason(reason) && reason.fiberId === fiber.id)
