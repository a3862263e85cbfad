/** The read-only face of an evaluation, for spans, observers, taps and overrides. */
import type { StepInfo } from "./events.ts"
import type { PipelineOwner, StepOwner } from "./owner.ts"

/** The run that an occurrence is part of. */
export interface OccurrenceRun {
  readonly id: string
  readonly name: string
  readonly pipelineName: string
  /** Whether its last hook has ended. */
  readonly ended: boolean
}

/** Describes one evaluation of a step, or of a pipeline, which is a run. */
export interface Occurrence {
  /** The step or the pipeline, with the overrides that apply here. */
  readonly owner: StepOwner | PipelineOwner
  readonly isRun: boolean
  readonly run: OccurrenceRun
  /** The evaluation of the step or the pipeline around a step. */
  readonly parent: Occurrence | undefined
  /** The number of evaluations of steps that had begun in the run before this one. -1 for the run itself. */
  readonly index: number
  /** Whether it is evaluated inside a hook, at any depth. */
  readonly inHook: boolean
  /** `undefined` for a run. */
  readonly info: StepInfo | undefined
  readonly path: ReadonlyArray<string>
  readonly params: Readonly<Record<string, unknown>>
  readonly annotations: Readonly<Record<string, unknown>>
  /** The number of the attempt that runs or ran last. 1 is the first. */
  readonly attempt: number
}
