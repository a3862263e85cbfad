/**
 * The options and results of durable steps, pipelines and engines.
 *
 * @since 0.1.0
 */
import type { ShardingConfig } from "effect/cluster/ShardingConfig"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Layer from "effect/Layer"
import type * as Schedule from "effect/Schedule"
import type * as Schema from "effect/Schema"
import type * as Workflow from "effect/workflow/Workflow"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"

/**
 * The services that a schema needs, to encode and to decode.
 *
 * @category utility types
 * @since 0.1.0
 */
export type SchemaServices<S extends Schema.Top> = S["DecodingServices"] | S["EncodingServices"]

/**
 * Rejects a step whose value does not match the `success` schema; the compiler's message then shows the value's type.
 *
 * **Details**
 *
 * A constraint of its own is needed because the default schema is `Schema.Void`, and TypeScript accepts a value of any
 * type where `void` is expected of a function's result.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Fits<A, S extends Schema.Top> = [A] extends [S["Type"]] ? unknown
  : { readonly "the success schema is not of this type": A }

/**
 * How the result of a durable step is stored.
 *
 * @see {@link PipelineOptions} for those of a pipeline
 * @category models
 * @since 0.1.0
 */
export interface StepOptions<out S extends Schema.Top, out X extends Schema.Top> {
  /** The schema of the step's value. `Schema.Void` unless set. */
  readonly success?: S | undefined
  /** The schema of the step's errors other than `LibraryError`s. `Schema.Never` unless set. */
  readonly error?: X | undefined
  /**
   * How many times the process may end while the step's body is running, and the body begins again; the same goes for
   * each of its hooks. After one crash more the step fails with a `CrashedTooOften`, and a hook of it is recorded as
   * failed. 0 begins a body, and a hook, once at most; `Infinity` always begins it again. That of the pipeline unless
   * set.
   */
  readonly crashes?: number | undefined
}

/**
 * The schemas of a durable pipeline, the key of its runs, and settings of its workflow.
 *
 * @see {@link StepOptions} for those of a step
 * @category models
 * @since 0.1.0
 */
export interface PipelineOptions<
  P extends Schema.Struct.Fields | Workflow.AnyStructSchema,
  out S extends Schema.Top,
  out X extends Schema.Top
> {
  /** The schema of the payload that a run is submitted with, or the fields of a struct. */
  readonly payload: P
  /** The schema of the body's value. `Schema.Void` unless set. */
  readonly success?: S | undefined
  /** The schema of the body's errors other than `LibraryError`s. `Schema.Never` unless set. */
  readonly error?: X | undefined
  /** Returns the key of a run: two submissions with the same key are one run, and both get its result. */
  readonly idempotencyKey: (payload: PayloadOf<P>["Type"]) => string
  /**
   * As the `crashes` of {@link StepOptions}, for the hooks of the run, and for steps that do not set their own. 3 unless
   * set.
   */
  readonly crashes?: number | undefined
  /** Annotations of `effect/workflow` and `effect/cluster`, such as `ClusterSchema.ShardGroup`. */
  readonly annotations?: Context.Context<never> | undefined
  /** How often a caller that waits for a suspended run asks for its result, as in `Workflow.make`. */
  readonly suspendedRetrySchedule?: Schedule.Schedule<unknown> | undefined
}

/**
 * The schema of a payload, given as a schema or by its fields.
 *
 * @category utility types
 * @since 0.1.0
 */
export type PayloadOf<P extends Schema.Struct.Fields | Workflow.AnyStructSchema> = P extends Schema.Struct.Fields
  ? Schema.Struct<P>
  : P

/**
 * A durable pipeline: its workflow, and the layer that runs it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pipeline<
  Name extends string,
  P extends Workflow.AnyStructSchema,
  S extends Schema.Top,
  X extends Schema.Top,
  out R
> {
  /** The name of the pipeline, and of its workflow. */
  readonly name: Name
  /** The workflow to `execute`, `poll`, `interrupt` and `resume`; its execution id is the `runId` of hooks and alerts. */
  readonly workflow: Workflow.Workflow<Name, P, S, X>
  /** Runs what is submitted, in this process or another. It needs the services of the body and of its hooks. */
  readonly layer: Layer.Layer<never, never, R | WorkflowEngine>
}

/**
 * Settings of the embedded engine.
 *
 * @category models
 * @since 0.1.0
 */
export interface SqliteOptions {
  /** The path of the file, or `":memory:"` for a database that is lost with the layer. */
  readonly filename: string
  /**
   * The records that survive a power cut. With `"full"`, which is the default, all do on which something depends, since
   * they wait for the disk; the others, such as the end of a hook that is not required, are there some milliseconds
   * later. With `"normal"` all survive but the last ones, and a record takes a fraction of the time. Either way none is
   * lost when the process is killed.
   */
  readonly synchronous?: "full" | "normal" | undefined
  /**
   * How long the closing layer waits for steps and hooks under way. What has not ended by then is interrupted, and runs
   * again when the run goes on. 15 seconds unless set.
   */
  readonly drain?: Duration.Input | undefined
  /**
   * How long the file may fail, as with a full disk, before those who wait for a run here fail with a `StorageFailed` and
   * its failure hooks run. The run itself waits on, and goes on when the file is well again. 1 hour unless set.
   */
  readonly patience?: Duration.Input | undefined
  /**
   * The runs that stay stored after their end. Unless set, those of the last 30 days, and of each pipeline at most 10,000;
   * others are removed while the engine runs, as `Durable.prune` removes them. A payload whose run was removed runs again
   * when it is submitted again.
   */
  readonly keep?: Keep | "all" | undefined
}

/**
 * The runs that stay stored after their end: those within both limits.
 *
 * @see `Durable.prune` for removing others by hand
 * @category models
 * @since 0.1.0
 */
export interface Keep {
  /** How long a run stays after its end. 30 days unless set. */
  readonly age?: Duration.Input | undefined
  /** How many runs of each pipeline stay, those that ended last. 10,000 unless set. */
  readonly runs?: number | undefined
}

/**
 * Settings of an engine of `effect/cluster`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClusterOptions {
  /**
   * How long the database may fail, as while its server is restarted, before those who wait for a run here fail with a
   * `StorageFailed` and its failure hooks run. The run itself waits on, and goes on when the database is well again. 1
   * hour unless set.
   */
  readonly patience?: Duration.Input | undefined
}

/**
 * Settings of an engine for a single process.
 *
 * @category models
 * @since 0.1.0
 */
export interface SingleOptions extends ClusterOptions {
  /** Overrides the environment's settings and the defaults of `effect/cluster`. */
  readonly shardingConfig?: Partial<ShardingConfig["Service"]> | undefined
}

/**
 * The address of a runner of a cluster.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunnerOptions extends ClusterOptions {
  /** The host at which other runners reach this one. */
  readonly host: string
  /** The port at which other runners reach this one. */
  readonly port: number
  /** The host to listen at, where it differs from `host`. */
  readonly listenHost?: string | undefined
  /** Says that only runners can reach the port, as in a network of their own. `false` unless set. */
  readonly trustedNetwork?: boolean | undefined
}
