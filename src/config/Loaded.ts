/**
 * A pipeline that was loaded by a config file, and the options of loading it.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import type { Alerter } from "../Alerter.ts"
import type { Kind } from "../Hook.ts"
import type { Position } from "./internal/file/positions.ts"
import type { ParamsByService } from "./internal/schema/types.ts"

/**
 * What comes before what the file says.
 *
 * @category models
 * @since 0.1.0
 */
export interface LoadOptions {
  /** In place of the file's `pipeline`: `./path.ts#export`, relative to the file. It may lie anywhere. */
  readonly pipeline?: string | undefined
  readonly runName?: string | undefined
  /** By the service's key and the field's name. */
  readonly params?: ParamsByService | undefined
  /** The folder that no path of the file may leave: the file's own unless set. */
  readonly root?: string | undefined
  /** Whether paths may leave it all the same. */
  readonly allowOutside?: boolean | undefined
  /** Puts something around the file's alerter: a policy of `effect-epilogue/delivery`, say. */
  readonly alerter?: ((self: FileAlerter) => FileAlerter) | undefined
}

/**
 * The alerter that a file describes.
 *
 * @category models
 * @since 0.1.0
 */
export type FileAlerter = Layer.Layer<Alerter, unknown, FileSystem.FileSystem | Path.Path>

/**
 * A hook that would run for a step.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExplainedHook {
  readonly kind: Kind
  readonly name: string
  /** Whether it is the step's or what all steps get. */
  readonly level: "step" | "pipeline"
  readonly from: "code" | { readonly file: string; readonly position: Position | undefined }
  /** A sentence for people. */
  readonly why: string
}

/**
 * The hooks of a step, in running order.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExplainedStep {
  readonly step: string
  /** Whether the pipeline's module exports it. If not, hooks that it has in code are not known before it runs. */
  readonly inCode: boolean
  readonly hooks: ReadonlyArray<ExplainedHook>
}

/**
 * A pipeline with all that was said about it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Loaded {
  readonly pipelineName: string
  /**
   * Runs with the hooks, values, parameters and alerter of the file. Services that it
   * asks for besides are those of whoever runs it; one that is missing is a defect.
   */
  readonly pipeline: Effect.Effect<unknown, unknown, FileSystem.FileSystem | Path.Path>
  /** The file's, if it has one. */
  readonly alerter: FileAlerter | undefined
  /** For the steps that the pipeline's module exports, and those that the file names. */
  readonly steps: ReadonlyArray<ExplainedStep>
  /** The steps that the file names and that have not run so far: after a run, those that never did. */
  readonly unusedSteps: Effect.Effect<ReadonlyArray<string>>
}
