/** Tells which durable runs are being evaluated in this process. */
import * as Context from "effect/Context"

/**
 * Called when the body of a stored run is about to be evaluated. The function that it returns is called once that is over:
 * with `true` where the run is suspended, and goes on when something arrives that it waits for.
 */
export type Holding = (pipelineName: string, runId: string) => (isSuspended: boolean) => void

/** The `Holding` of the pipelines whose layers are built. */
export const CurrentHolding: Context.Reference<Holding | undefined> = Context.Reference<Holding | undefined>(
  "effect-epilogue/durable/Holding",
  { defaultValue: () => undefined }
)
