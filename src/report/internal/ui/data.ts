/** Defines the data that the server sends to the script of the page. */
import type { ComparedStep, Comparison } from "../../Compared.ts"
import type { Status } from "../../Recorded.ts"

/** A run in the list. Times are in milliseconds. */
export interface RunJson {
  readonly id: string
  readonly pipeline: string
  readonly name: string
  readonly status: Status
  /** When it began, since 1970. */
  readonly at: number
  readonly millis: number
  readonly steps: number
  readonly hookFailures: number
}

/** A step in two runs. */
export interface ComparedStepJson extends Omit<ComparedStep, "path"> {
  /** The names of the steps around it. */
  readonly within: ReadonlyArray<string>
  /** The fragment of its address on the page of the later run, or of the earlier one if only that has it; or nothing. */
  readonly fragment: string
}

/** @internal */
export interface ComparisonJson extends Omit<Comparison, "steps"> {
  readonly steps: ReadonlyArray<ComparedStepJson>
}
