/** The signal by which the process was asked to end. */
import * as Context from "effect/Context"

/** Returns the signal that has interrupted the run, which the alert of the interruption names. */
export const CurrentSignal: Context.Reference<() => string | undefined> = Context.Reference<() => string | undefined>(
  "effect-epilogue/Signal",
  { defaultValue: () => () => undefined }
)
