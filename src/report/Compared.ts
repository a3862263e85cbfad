/**
 * Describes how two runs differ. Loads nothing.
 *
 * @since 0.1.0
 */
import type { Status } from "./Recorded.ts"

/**
 * How a step, or a run, differs from that of an earlier run.
 *
 * **Details**
 *
 * - `newlyFailing`: it succeeded before, and failed now; `recovered` is the reverse;
 * - `endedOtherwise`: it ended in another way, as a step that was skipped now, or has no end yet;
 * - `slower`, `faster`: it ended as before, and its duration differs by more than the threshold;
 * - `added`, `removed`: only the later run, or only the earlier one, has it. A run that fails early lacks what it did
 *   not come to.
 *
 * @category models
 * @since 0.1.0
 */
export type Change = "newlyFailing" | "recovered" | "endedOtherwise" | "slower" | "faster" | "added" | "removed"

/**
 * How a step or a run ended, in one of two runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Evaluated {
  readonly status: Status
  /** Until the last event of the run, without an end. */
  readonly durationMillis: number
  /** 1 for a run. */
  readonly attempts: number
  /** The first line of why it failed, or the reason of a skip. */
  readonly cause?: string
}

/**
 * A step or a run, in both runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Difference {
  /** Left out of a step that only the later run has. */
  readonly before?: Evaluated
  /** Left out of a step that only the earlier run has. */
  readonly after?: Evaluated
  /** The duration in the later run, less that in the earlier one, if both have an end. */
  readonly differenceMillis?: number
  /** The difference as a share of the earlier duration, if that is above 0: `0.5` for half as long again. */
  readonly ratio?: number
  /** Empty for what has not changed. */
  readonly changes: ReadonlyArray<Change>
}

/**
 * A step in both runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface ComparedStep extends Difference {
  /** Its name with its key, as in `fetch-page[7]`. */
  readonly name: string
  /** The names with their keys of the steps around it, and its own. */
  readonly path: ReadonlyArray<string>
  /** How many steps it runs inside of. */
  readonly depth: number
  /** Its number among the steps of this name that run in the same step, from 1: those without a key may share one. */
  readonly nth: number
}

/**
 * A run that is compared.
 *
 * @category models
 * @since 0.1.0
 */
export interface ComparedRun {
  readonly pipelineName: string
  readonly runId: string
  readonly runName: string
  /** In milliseconds since 1970. */
  readonly startedAt: number
}

/**
 * Two runs, step by step.
 *
 * @category models
 * @since 0.1.0
 */
export interface Comparison {
  readonly before: ComparedRun
  readonly after: ComparedRun
  /** The runs as a whole. */
  readonly run: Difference
  /** In the order of the later run. Steps that only the earlier one has follow the step that they followed there. */
  readonly steps: ReadonlyArray<ComparedStep>
}
