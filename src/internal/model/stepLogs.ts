/** The reference to what keeps the log of steps, apart from `occurrence.ts`, which is types alone. */
import * as Context from "effect/Context"
import type { StepLogs } from "./occurrence.ts"

/** The keeper of all runs inside. Read once, when a run starts. */
export const CurrentStepLogs: Context.Reference<StepLogs | undefined> = Context.Reference<StepLogs | undefined>(
  "effect-epilogue/StepLogs/Current",
  { defaultValue: () => undefined }
)
