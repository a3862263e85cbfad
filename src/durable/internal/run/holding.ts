/** Tells which runs are being evaluated in this process. */
import * as Context from "effect/Context"

/** Called when the body of a run is about to be evaluated. The function that it returns is called once that is over. */
export type Holding = (pipelineName: string, runId: string) => () => void

/** The `Holding` of the pipelines whose layers are built. */
export const CurrentHolding: Context.Reference<Holding | undefined> = Context.Reference<Holding | undefined>(
  "effect-epilogue/durable/Holding",
  { defaultValue: () => undefined }
)
