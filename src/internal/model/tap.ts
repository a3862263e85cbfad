/**
 * An observer that writes what it is told, as a recorder does, has no use for the event as an object, and to make one
 * takes longer than the step. So it may have a tap, which is told of the most frequent events before they are made:
 * of those that nearly every step has. All others come to the observer itself.
 */
import type * as Exit from "effect/Exit"
import type { Observer } from "../../RunEvent.ts"
import type { Evaluation } from "../engine/evaluation.ts"
import type { Outcome, Planned } from "./hooks.ts"

/** Times `at` are in milliseconds since 1970. None of it may throw. */
export interface Tap {
  readonly stepStarted: (evaluation: Evaluation, at: number) => void
  readonly stepEnded: (
    evaluation: Evaluation,
    at: number,
    exit: Exit.Exit<unknown, unknown>,
    outcome: Outcome,
    nanos: number
  ) => void
  readonly hookEnded: (evaluation: Evaluation, at: number, planned: Planned, nanos: number) => void
}

/** The key under which an observer keeps its tap. */
export const TapKey: unique symbol = Symbol.for("effect-epilogue/RunEvent/Tap")

/** @internal */
export interface Tapped extends Observer {
  readonly [TapKey]: Tap
}

/** @internal */
export const isTapped = (observer: Observer): observer is Tapped => TapKey in observer
