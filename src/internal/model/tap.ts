/**
 * A fast path for observers that write text, as a recorder does, and have no use for events as objects. A tap gets the
 * events that nearly every step has (it started, it ended, its hook ended) as arguments, since making the objects takes
 * longer than the step (see `bench/watched.ts`). All other events go to the observer itself.
 */
import type * as Exit from "effect/Exit"
import type { Logger } from "effect/Logger"
import type { Observer, StepEnded } from "./events.ts"
import type { Occurrence } from "./occurrence.ts"
import type { Planned } from "./plan.ts"

/** Times `at` are in milliseconds since 1970. None of the functions may throw. */
export interface Tap {
  readonly stepStarted: (occurrence: Occurrence, at: number) => void
  readonly stepEnded: (
    occurrence: Occurrence,
    at: number,
    exit: Exit.Exit<unknown, unknown>,
    outcome: StepEnded["outcome"],
    nanos: number
  ) => void
  readonly hookEnded: (occurrence: Occurrence, at: number, planned: Planned, nanos: number) => void
}

/** The key under which an observer keeps its tap. */
export const TapKey: unique symbol = Symbol.for("effect-epilogue/RunEvent/Tap")

/** @internal */
export interface Tapped extends Observer {
  readonly [TapKey]: Tap
}

/** @internal */
export const isTapped = (observer: Observer): observer is Tapped => TapKey in observer

/** The key under which an observer keeps a logger of what is logged in its runs, beside the loggers that are there. */
export const LoggerKey: unique symbol = Symbol.for("effect-epilogue/RunEvent/Logger")

/** @internal */
export interface Logged extends Observer {
  readonly [LoggerKey]: Logger<unknown, unknown>
}

/** @internal */
export const isLogged = (observer: Observer): observer is Logged => LoggerKey in observer
