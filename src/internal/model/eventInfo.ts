/** The fields by which events name their run, step and hook. */
import type * as DateTime from "effect/DateTime"
import type { Kind } from "./hook.ts"

/**
 * The fields that all events have.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunInfo {
  /** The name of the pipeline, or of the step that is a run of its own. */
  readonly pipelineName: string
  /** The id of the run, which no other has. */
  readonly runId: string
  /** The name of the run for people. */
  readonly runName: string
  /** The time of the event, to the millisecond. */
  readonly at: DateTime.Utc
}

/**
 * Identifies one evaluation of a step in a run. Two evaluations of the same name differ in `index`, in `stepKey` if
 * they have keys, and in `stepPath` if they run in different steps.
 *
 * @see {@link RunInfo} for the run
 *
 * @category models
 * @since 0.1.0
 */
export interface StepInfo {
  /** The name of the step, without its key. */
  readonly stepName: string
  /** The key of the step, which `Step.key` sets. */
  readonly stepKey: string | undefined
  /** The names of the steps from the outermost to this one. */
  readonly stepPath: ReadonlyArray<string>
  /** The names of `stepPath` as people are shown them: with their keys, as in `fetch-page[7]`. */
  readonly stepLabels: ReadonlyArray<string>
  /** The position of the evaluation in the run: the number of evaluations of steps that started before it. */
  readonly index: number
  /** The `index` of the step around it, if any. */
  readonly parent: number | undefined
}

/**
 * Identifies a hook in a run.
 *
 * @see {@link StepInfo} for the step of the hook
 *
 * @category models
 * @since 0.1.0
 */
export interface HookInfo {
  /** The name of the hook. */
  readonly hook: string
  /** The kind of event that it reacts to. */
  readonly kind: Kind
  /** Whether the hook is the step's own (the run's, if `step` is `undefined`), its pipeline's, or that of a `layerDefault`. */
  readonly level: "step" | "pipeline" | "default"
  /** The position of the hook among those of its kind, in running order. */
  readonly hookIndex: number
  /** The step of the hook, or `undefined` for a hook of the run itself. */
  readonly step: StepInfo | undefined
}
