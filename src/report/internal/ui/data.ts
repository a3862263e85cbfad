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

/** The longest time that a step took in each of some runs, the oldest run first; `null` where it did not end in a run. */
export interface StepTrendJson {
  readonly path: ReadonlyArray<string>
  readonly medianMillis: number
  readonly p95Millis: number
  readonly millis: ReadonlyArray<number | null>
}

/** The slowest steps of a pipeline. */
export interface TrendsJson {
  readonly runs: ReadonlyArray<{ readonly id: string; readonly at: number }>
  /** How many of the last runs have records that are too large, or can't be read. */
  readonly omitted: number
  readonly steps: ReadonlyArray<StepTrendJson>
}
