/** The error of a step or a hook that has ended its process too often. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import { selfExplained } from "../../../internal/text/selfExplained.ts"

/** The fields of a `CrashedTooOften`. */
export interface CrashedTooOftenFields {
  readonly pipelineName: string
  /** The name of the step, with its key, as in `fetch-page[7]`; that of the pipeline for a hook of the run. */
  readonly stepName: string
  readonly runId: string
  /** The name of the hook, if it is one that was running. */
  readonly hook?: string | undefined
  /** How many times the process has ended while the step's body, or the hook, was running. */
  readonly crashes: number
  /** How the process ended the last time, as in `killed by SIGKILL`, where a supervisor has seen it. */
  readonly death?: string | undefined
}

const Base: new(fields: CrashedTooOftenFields) => Cause.YieldableError & CrashedTooOftenFields & {
  readonly _tag: "CrashedTooOften"
} = selfExplained(Data.TaggedError("CrashedTooOften")<CrashedTooOftenFields>)

export class CrashedTooOften extends Base {
  override get message(): string {
    const { crashes, death, hook, runId, stepName } = this
    const what = hook === undefined ? `step "${stepName}"` : `hook "${hook}" of "${stepName}"`
    const times = crashes === 1 ? "the process ended" : `the process ended ${crashes} times`
    const last = death === undefined ? "" : crashes === 1 ? ` (${death})` : `, the last time ${death},`
    return `${times}${last} while ${what} was running, so it does not begin again (run ${runId})`
  }
}
