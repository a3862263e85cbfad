/** How the process was asked to end, and what goes on without it. */
import * as Context from "effect/Context"
import type { Fiber } from "effect/Fiber"

/** The end of the process, where the program listens to what asks for it. */
export interface Stopping {
  /** Returns the signal that has interrupted the run, which the alert of the interruption names. */
  readonly signal: () => string | undefined
  /** Returns why the run was interrupted, where that is a failure: the alert of the interruption says so. */
  readonly failure: () => string | undefined
  /** Returns how many durable runs go on without this process: the alert of an interruption says so. */
  readonly staying: () => number
  /** Calls back when the process is asked to stop, or at once if it has been. Returns a function that stops listening. */
  readonly onStop: (then: () => void) => () => void
  /** Notes that a run begins, and that it has ended: the exit code of the process is that of a run that has. */
  readonly runBegun: (fiber: Fiber<unknown, unknown>) => void
  readonly runEnded: () => void
}

/** `undefined` where nothing listens. */
export const CurrentStopping: Context.Reference<Stopping | undefined> = Context.Reference<Stopping | undefined>(
  "effect-epilogue/Stopping",
  { defaultValue: () => undefined }
)
