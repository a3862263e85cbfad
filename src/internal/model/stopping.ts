/** How the process was asked to end, and what goes on without it. */
import * as Context from "effect/Context"

/** Returns the signal that has interrupted the run, which the alert of the interruption names. */
export const CurrentSignal: Context.Reference<() => string | undefined> = Context.Reference<() => string | undefined>(
  "effect-epilogue/Signal",
  { defaultValue: () => () => undefined }
)

/** Returns how many durable runs go on without this process: the alert of an interruption says so. */
export const CurrentStaying: Context.Reference<() => number> = Context.Reference<() => number>(
  "effect-epilogue/Staying",
  { defaultValue: () => () => 0 }
)
