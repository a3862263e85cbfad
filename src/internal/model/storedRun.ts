/**
 * Stored runs, as those who look after them see them.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type { Person } from "./approval.ts"
import type { FormField } from "./formField.ts"

/**
 * The status of a stored run.
 *
 * **Details**
 *
 * - `running`: it is being evaluated, or waits for a process that has its pipeline;
 * - `waiting`: for an answer, a clock, another run, or to be resumed;
 * - `setAside`: what is stored of it does not fit the schemas of the code. It goes on at the next start with code that it
 *   fits, or ends when it is interrupted;
 * - `success`, `failure`, `interrupt`, `skip`: it has ended.
 *
 * @category models
 * @since 0.1.0
 */
export type RunStatus = "running" | "waiting" | "setAside" | "success" | "failure" | "interrupt" | "skip"

/**
 * A stored run.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredRun {
  /** The name of the pipeline. */
  readonly pipelineName: string
  /** The id of the run, which is the execution id of its workflow. */
  readonly runId: string
  /** Where the run stands. */
  readonly status: RunStatus
  /** When it was submitted. */
  readonly submittedAt: DateTime.Utc
  /** When it ended. `undefined` until then. */
  readonly endedAt: DateTime.Utc | undefined
  /** The id of the run of which this one is a retry. */
  readonly retryOf: string | undefined
  /** Why the run failed, was skipped, or is set aside. */
  readonly why: string | undefined
  /**
   * When the next clock goes off for which a waiting run waits: a sleep, the delay before a retry, the end of a question's
   * time. The time limit of the run itself is none of them.
   */
  readonly waitsUntil: DateTime.Utc | undefined
}

/**
 * A step of a stored run, as far as it is recorded.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredStep {
  /** The name, the key and the number of a repeat: `load`, `fetch-page[7]`, `poll#2`. */
  readonly name: string
  /** `running` if no end is recorded: it runs, waits, or was cut off. */
  readonly status: "running" | "success" | "failure" | "interrupt" | "skip"
  /** How many attempts were made, as far as they are recorded. */
  readonly attempts: number
  /** When its body began. `undefined` until then. */
  readonly startedAt: DateTime.Utc | undefined
  /** When its end was recorded. `undefined` until then. */
  readonly endedAt: DateTime.Utc | undefined
  /** Why it failed or was skipped. */
  readonly why: string | undefined
  /** Its hooks, in the order of their names, and those that still have to run. */
  readonly hooks: ReadonlyArray<StoredHook>
}

/**
 * A hook of a stored step or run.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredHook {
  /** The kind of event that it reacts to. */
  readonly kind: string
  /** The name of the hook. */
  readonly name: string
  /** `pending` until it has run; `skipped` if its condition did not hold. In a run that has ended none is pending. */
  readonly status: "pending" | "ended" | "skipped" | "failed"
}

/**
 * A question of a stored run. Its token is not shown.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredRunQuestion {
  /** Names the question. Unlike its token, it opens nothing. */
  readonly id: string
  /** The pipeline of the run that asks. */
  readonly pipelineName: string
  /** The run that asks. */
  readonly runId: string
  /** The title of the question. */
  readonly title: string
  /** The names of the two answers. */
  readonly labels: { readonly approve: string; readonly deny: string }
  /** The fields of the values that an approval needs. */
  readonly fields: ReadonlyArray<FormField>
  /** The ids of the people who may answer; `undefined` if everybody may. */
  readonly approvers: ReadonlyArray<string> | undefined
  /** When it was asked. */
  readonly askedAt: DateTime.Utc
  /** The end of its time; `undefined` if it has none. */
  readonly until: DateTime.Utc | undefined
  /**
   * Its answer, or that there is none: not yet (`open`), not in time, or no longer, since the run has ended
   * (`withdrawn`).
   */
  readonly status: "open" | "approved" | "denied" | "timedOut" | "withdrawn"
  /** The person who answered it. */
  readonly by: Person | undefined
}

/**
 * A stored run with its steps.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredRunDetails extends StoredRun {
  /** The payload as it is stored, as JSON. */
  readonly payload: unknown
  /** The steps in the order in which they began. */
  readonly steps: ReadonlyArray<StoredStep>
  /** The hooks of the run itself. */
  readonly hooks: ReadonlyArray<StoredHook>
  /** The questions that it has asked. */
  readonly questions: ReadonlyArray<StoredRunQuestion>
  /** The ids of the runs that are retries of this one. */
  readonly retriedAs: ReadonlyArray<string>
}

/**
 * The runs that `Durable.list` returns.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunFilter {
  /** Only runs of these pipelines. */
  readonly pipelines?: ReadonlyArray<string> | undefined
  /** Only runs with these statuses. */
  readonly statuses?: ReadonlyArray<RunStatus> | undefined
  /** The largest number of runs, the newest first. 100 unless set. */
  readonly limit?: number | undefined
}

/**
 * The runs that `Durable.prune` removes: those that have ended, and that no option keeps. At least one is needed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Prune {
  /** Keeps the runs that ended more recently than this. */
  readonly olderThan?: Duration.Input | undefined
  /** Keeps this many runs of each pipeline, those that ended last. */
  readonly keep?: number | undefined
  /** Removes runs of these pipelines only. */
  readonly pipelines?: ReadonlyArray<string> | undefined
}
