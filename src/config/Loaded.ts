/**
 * The result of loading a config file, and the options of loading.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import type { Alerter } from "../Alerter.ts"
import type { Kind } from "../Hook.ts"
import type { ConfigIssue, Position } from "./internal/file/positions.ts"
import type { Language, ParamsByService, RecordDocument } from "./internal/schema/types.ts"

/**
 * Options of {@link load}. They win over the file.
 *
 * @category models
 * @since 0.1.0
 */
export interface LoadOptions {
  /**
   * A reference that replaces the file's `pipeline`: `./path.ts#export`, relative to the file. May be outside of
   * `root`.
   */
  readonly pipeline?: string | undefined
  /** The name of the run. */
  readonly runName?: string | undefined
  /** The time limit of the run. */
  readonly timeout?: Duration.Duration | undefined
  /** Parameters by the key of their `Params` service and the name of the field. */
  readonly params?: ParamsByService | undefined
  /** The folder that no path of the file may leave. The folder of the file by default. */
  readonly root?: string | undefined
  /** Whether paths of the file may leave `root`. `false` by default. */
  readonly allowOutside?: boolean | undefined
  /** Whether the project file of the repository, `epilogue.yaml`, sets what is not set. `true` by default. */
  readonly project?: boolean | undefined
  /** Wraps the file's alerter, for example in a policy of `effect-epilogue/delivery`. */
  readonly alerter?: ((self: FileAlerter) => FileAlerter) | undefined
}

/**
 * The layer of the alerter that a file describes.
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
  /** The kind of event that the hook reacts to. */
  readonly kind: Kind
  /** The name of the hook. */
  readonly name: string
  /** Whether the hook belongs to the step, to all steps of the pipeline, or to all that have no other. */
  readonly level: "step" | "pipeline" | "default"
  /** Where the hook is attached: in the code, or at a position of the file. */
  readonly from: "code" | { readonly file: string; readonly position: Position | undefined }
  /** The reason why the hook runs, as a sentence to show. */
  readonly why: string
}

/**
 * The hooks of a step, in the order in which they would run.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExplainedStep {
  /** The name of the step. */
  readonly step: string
  /**
   * Whether the pipeline's module exports the step. Otherwise, as where the module exports a function that makes it,
   * its hooks in code are not known before it runs.
   */
  readonly inCode: boolean
  /** The time limit of the step's body, by the file or else by the code. */
  readonly timeout: ExplainedTimeout | undefined
  /** The limit at which the step is overdue, by the file or else by the code, for hooks that have none of their own. */
  readonly overdue: ExplainedOverdue | undefined
  /** The hooks, in running order. */
  readonly hooks: ReadonlyArray<ExplainedHook>
}

/**
 * A time limit, and how long what is interrupted at the limit may take to stop, in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExplainedTimeout {
  /** The time limit, in milliseconds. */
  readonly limit: number
  /** How long the body may take to stop, in milliseconds. */
  readonly grace: number
}

/**
 * A monitor of a config file: a service that notices when the pipeline has not run.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExplainedMonitor {
  /** The name of the service, as in the file. */
  readonly name: string
  /** Where it is set. */
  readonly from: { readonly file: string; readonly position: Position | undefined }
  /** The names of the pipelines that it is told of; `undefined` for the first run that begins. */
  readonly pipelines: ReadonlyArray<string> | undefined
  /** The moves of a run that it is told of. */
  readonly moves: ReadonlyArray<"start" | "success" | "failure" | "interrupt">
  /** How often it gets a heartbeat while a run goes on, in milliseconds. */
  readonly every: number | undefined
}

/**
 * The time after which a step or a run is overdue, and how often that is told again, in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExplainedOverdue {
  /** The time after which it is overdue, in milliseconds. */
  readonly after: number
  /** How often that is told again, in milliseconds. `undefined` for once. */
  readonly every: number | undefined
}

/**
 * The time of day by which a run must have ended, with its zone, and how often that is told again, in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExplainedDeadline {
  /** As in `06:00 Europe/Berlin`. */
  readonly at: string
  /** How often that is told again, in milliseconds. `undefined` for once. */
  readonly every: number | undefined
}

/**
 * A project file: `epilogue.yaml` in the folder of a config, or above it in its repository.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExplainedProject {
  /** The path of the file. */
  readonly file: string
  /** The values that it sets, besides hooks. One does not apply where the config sets the same. */
  readonly values: ReadonlyArray<{
    /** As in `alerter` or `defaults.timeout`. */
    readonly key: string
    readonly position: Position | undefined
    readonly applies: boolean
  }>
}

/**
 * A pipeline as a config file configures it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Loaded {
  /** The name of the pipeline. */
  readonly pipelineName: string
  /**
   * The pipeline with the hooks, values, parameters, alerter and monitors of the file. The caller provides any other
   * services that its steps require; their types are not known, and a missing service is a defect.
   */
  readonly pipeline: Effect.Effect<unknown, unknown, FileSystem.FileSystem | Path.Path>
  /** The file's alerter, if it has one. */
  readonly alerter: FileAlerter | undefined
  /** The file's monitors. */
  readonly monitors: ReadonlyArray<ExplainedMonitor>
  /** How many lines of the log alerts end with, by the file. `false` where nothing of the log is kept. */
  readonly logs: number | false | undefined
  /** Whether the file wants the run to be recorded, and which records to keep. The caller records it. */
  readonly record: RecordDocument | undefined
  /** The time limit of the run, by an option, the file or else the code. */
  readonly timeout: ExplainedTimeout | undefined
  /** The language of what the library itself says in alerts, if the file has one. */
  readonly language: Language | undefined
  /** The limit at which the run is overdue, by the file or else by the code. */
  readonly overdue: ExplainedOverdue | undefined
  /** The deadline of the run, by the file or else by the code. */
  readonly deadline: ExplainedDeadline | undefined
  /** The project file that sets what neither the file nor the code sets, if there is one. */
  readonly project: ExplainedProject | undefined
  /** The steps that the pipeline's module exports and those that the file names, with the hooks of each. */
  readonly steps: ReadonlyArray<ExplainedStep>
  /**
   * Warnings about a file that is loaded all the same: a variable whose value is too short to be kept out of what
   * is shown, a text that looks like a variable and is none, a policy that counts failures in a row without a store, and
   * steps of one name without keys among the exports of the pipeline's module.
   */
  readonly warnings: ReadonlyArray<ConfigIssue>
  /** Returns the names of steps in the file that have not run so far. After a run, these may be misspelt. */
  readonly unusedSteps: Effect.Effect<ReadonlyArray<string>>
}
