/**
 * Steps and pipelines that survive the process they run in, on Effect's own workflow engine.
 *
 * A durable pipeline is a `Workflow` of `effect/workflow`. Its steps are made durable with {@link step}: the result of
 * each is stored, so that after a crash it is not run again, and so is which hooks its end owes and that each of them
 * has run. The body of the pipeline is evaluated anew whenever the run goes on, after a crash or a wait, and finds the
 * results of the steps that have ended. So all that takes effect belongs in steps; a step or a pipeline that is not
 * durable is a mistake there, on which the run dies. What a step does inside is one activity, with any other steps in
 * it as in memory.
 *
 * What is certain, and what is not:
 *
 * - A step that has ended is recorded once, with the hooks that it owes, and does not run again. One that was cut off
 *   runs again from its beginning.
 * - A hook that has ended is recorded once, and does not run again. One that was cut off before it was recorded runs
 *   again, so what it did may happen twice: a post that had arrived already arrives again. Its alert has the same
 *   `idempotencyKey` then (run, step, kind and place), by which whoever receives it can tell.
 * - With an `Outbox` alerts are rows: none is lost, and none is queued twice.
 * - Observers are told of what happens in their process, once, and not of what is read from records. A crash between a
 *   record and the telling of it loses the event, but nothing else.
 *
 * `Effect.sleep` in the body starts anew after a crash; `DurableClock.sleep` of `effect/workflow` does not, and may
 * take days. So may an answer to `Approver.ask`, with an approver of `Approval`.
 *
 * @since 0.1.0
 */
import type { MessageStorage } from "effect/cluster/MessageStorage"
import type { Sharding } from "effect/cluster/Sharding"
import type { ShardingConfig } from "effect/cluster/ShardingConfig"
import type { ConfigError } from "effect/Config"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Schedule from "effect/Schedule"
import type * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type * as Workflow from "effect/workflow/Workflow"
import { layerMemory as memory, type WorkflowEngine, type WorkflowInstance } from "effect/workflow/WorkflowEngine"
import type { Step } from "../Step.ts"
import type { StepContext } from "../StepContext.ts"
import type { DatabaseInUse } from "./internal/engine/databaseLock.ts"
import * as engines from "./internal/engine/layers.ts"
import * as pipelines from "./internal/run/pipeline.ts"
import * as steps from "./internal/run/step.ts"
import type { LibraryError } from "./internal/stored/errors.ts"

export type {
  /**
   * The errors that the library adds to those of a step: a required hook's, that of a time limit, of an approval. They
   * are stored without a schema of the user's.
   *
   * @category models
   * @since 0.1.0
   */
  LibraryError
} from "./internal/stored/errors.ts"

/**
 * What the services of a schema are, to encode and to decode.
 *
 * @category utility types
 * @since 0.1.0
 */
export type SchemaServices<S extends Schema.Top> = S["DecodingServices"] | S["EncodingServices"]

/**
 * That values are of the type that a schema is of. Asked for by itself, as otherwise TypeScript takes whatever is there
 * where the schema is of nothing, as it takes any function where one that gives nothing is wanted.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Fits<A, S extends Schema.Top> = [A] extends [S["Type"]] ? unknown
  : { readonly "the success schema is not of this type": A }

/**
 * How the result of a step is stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepOptions<out S extends Schema.Top, out X extends Schema.Top> {
  /** Of what the step yields. May be left out where that is nothing. */
  readonly success?: S | undefined
  /** Of what it fails with, {@link LibraryError}s aside. May be left out where there are no others. */
  readonly error?: X | undefined
  /**
   * Tells evaluations of one name in one run apart: needed where they are not one after another in the pipeline's
   * body, as in `Effect.forEach` with concurrency. It must be the same when the run goes on after a crash.
   */
  readonly key?: string | undefined
}

/**
 * Makes a step durable: in the body of a {@link pipeline} its result, a success or a failure, is stored, and its body
 * is not run again once that is done. Its hooks, retry, time limit and approval stay what they are; each attempt is
 * recorded, and so is each hook, and a delay between attempts of more than ten seconds needs no process. The time limit
 * for all attempts counts from the first of them, by the clock on the wall. Of several retries in a pipe the last is
 * recorded, and those before it are part of an attempt.
 *
 * What the step and its hooks see is what the schemas make of it. Elsewhere than in the body of a durable pipeline it
 * is the step that it was.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Durable } from "effect-epilogue/durable"
 * import { Effect, Schema } from "effect"
 *
 * const count = Step.make("count", Effect.succeed(1461)).pipe(
 *   Step.retry({ times: 3 }),
 *   Step.onSuccess((rows) => Effect.log(`${rows} rows`)),
 *   Durable.step({ success: Schema.Int })
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const step: {
  <S extends Schema.Top = Schema.Void, X extends Schema.Top = Schema.Never>(
    options?: StepOptions<S, X>
  ): <A, E extends X["Type"] | LibraryError, R>(
    self: Step<A, E, R> & Fits<A, S>
  ) => Step<S["Type"], E, R | SchemaServices<S> | SchemaServices<X> | WorkflowEngine | WorkflowInstance>
  <
    A,
    E extends X["Type"] | LibraryError,
    R,
    S extends Schema.Top = Schema.Void,
    X extends Schema.Top = Schema.Never
  >(
    self: Step<A, E, R> & Fits<A, S>,
    options?: StepOptions<S, X>
  ): Step<S["Type"], E, R | SchemaServices<S> | SchemaServices<X> | WorkflowEngine | WorkflowInstance>
} = steps.step

/**
 * What a {@link pipeline} takes beside its name and its body.
 *
 * @category models
 * @since 0.1.0
 */
export interface PipelineOptions<
  P extends Schema.Struct.Fields | Workflow.AnyStructSchema,
  out S extends Schema.Top,
  out X extends Schema.Top
> {
  readonly payload: P
  /** Of what the body yields. May be left out where that is nothing. */
  readonly success?: S | undefined
  /** Of what it fails with, {@link LibraryError}s aside. May be left out where there are no others. */
  readonly error?: X | undefined
  /** What makes two submissions the same run: it runs once, and both get its result. */
  readonly idempotencyKey: (payload: PayloadOf<P>["Type"]) => string
  /** Those of `effect/workflow` and `effect/cluster`, such as `ClusterSchema.ShardGroup`. */
  readonly annotations?: Context.Context<never> | undefined
  /** How whoever waits for the result of a run that is suspended looks for it, as in `Workflow.make`. */
  readonly suspendedRetrySchedule?: Schedule.Schedule<unknown> | undefined
}

/**
 * The schema of a payload that was given as such or by its fields.
 *
 * @category utility types
 * @since 0.1.0
 */
export type PayloadOf<P extends Schema.Struct.Fields | Workflow.AnyStructSchema> = P extends Schema.Struct.Fields
  ? Schema.Struct<P>
  : P

/**
 * A pipeline as a workflow, and the layer that runs it.
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
  readonly name: Name
  /** To `execute`, `poll`, `interrupt` and `resume`; its execution id is the `runId` of hooks and alerts. */
  readonly workflow: Workflow.Workflow<Name, P, S, X>
  /** Runs what was submitted, here or elsewhere: the services that the body and its hooks need are this layer's. */
  readonly layer: Layer.Layer<never, never, R | WorkflowEngine>
}

/**
 * A pipeline whose runs survive the process: a `Workflow` and its layer. The body is a function of the payload that
 * gives an Effect, which may be a `Pipeline` of the in-memory kind: its hooks, its annotations and its name for the run
 * are kept. The hooks of the run itself are recorded as those of steps are.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Alerter, Pipeline, Step } from "effect-epilogue"
 * import { Durable } from "effect-epilogue/durable"
 * import { Effect, Layer, Schema } from "effect"
 *
 * const extract = (day: string) => Step.make("extract", Effect.succeed(day.length)).pipe(
 *   Durable.step({ success: Schema.Int })
 * )
 *
 * const nightly = Durable.pipeline("nightly", {
 *   payload: { day: Schema.String },
 *   success: Schema.Int,
 *   idempotencyKey: ({ day }) => day
 * }, ({ day }) => Pipeline.make("nightly", extract(day)).pipe(Pipeline.stepHooks(AlerterHooks.all)))
 *
 * const program = nightly.workflow.execute({ day: "2026-11-25" }).pipe(
 *   Effect.provide(nightly.layer.pipe(
 *     Layer.provideMerge(Durable.layerMemory),
 *     Layer.provide(Alerter.layerConsole)
 *   ))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const pipeline: <
  const Name extends string,
  const P extends Schema.Struct.Fields | Workflow.AnyStructSchema,
  A,
  E extends X["Type"] | LibraryError,
  R,
  S extends Schema.Top = Schema.Void,
  X extends Schema.Top = Schema.Never
>(
  name: Name,
  options: PipelineOptions<P, S, X>,
  body: (payload: PayloadOf<P>["Type"], executionId: string) => Effect.Effect<A, E, R> & Fits<A, S>
) => Pipeline<
  Name,
  PayloadOf<P>,
  S,
  Schema.Codec<E, unknown, X["DecodingServices"], X["EncodingServices"]>,
  | Exclude<R, StepContext | WorkflowEngine | WorkflowInstance | Workflow.Execution<Name> | Scope>
  | SchemaServices<PayloadOf<P>>
  | SchemaServices<S>
  | SchemaServices<X>
> = pipelines.make

// -----------------------------------------------------------------------------
// engines
// -----------------------------------------------------------------------------

/**
 * An engine that keeps all in memory: for tests, and for scripts that need what a workflow can do but not to survive.
 *
 * @category engines
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<WorkflowEngine> = memory

/**
 * How a single process runs workflows.
 *
 * @category models
 * @since 0.1.0
 */
export interface SingleOptions {
  /** Over the environment's and the defaults of `effect/cluster`. */
  readonly shardingConfig?: Partial<ShardingConfig["Service"]> | undefined
}

/**
 * An engine for one process that keeps all in the database of the `SqlClient` it is given, whichever that is. After a
 * crash the next process with this layer goes on where the last one was. Locks in the database keep two processes from
 * running the same things: the second waits until the first one's have run out.
 *
 * @category engines
 * @since 0.1.0
 */
export const layerSingle = (
  options?: SingleOptions
): Layer.Layer<WorkflowEngine | Sharding | MessageStorage, ConfigError, SqlClient> => engines.single("sql", options)

/**
 * The embedded engine: one process, and a SQLite file that is made where it is not there (its folder is, too). Another
 * process that opens the same file meanwhile fails with {@link DatabaseInUse}; after a crash, or `kill -9`, the next
 * one goes on at once. The `SqlClient` is there for an `Outbox`, and for queries of your own.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-epilogue/durable"
 *
 * const engine = Durable.layerSqlite({ filename: ".epilogue/durable.db" })
 * ```
 *
 * @category engines
 * @since 0.1.0
 */
export const layerSqlite = (
  options: SingleOptions & { readonly filename: string }
): Layer.Layer<
  WorkflowEngine | Sharding | MessageStorage | SqlClient,
  ConfigError | SqlError | DatabaseInUse
> => engines.sqlite(options.filename, options)

/**
 * The engine on a cluster: several processes, on one machine or many, that share a database. The cluster is the one of
 * `effect/cluster`, as `NodeClusterSocket.layer({ storage: "sql" })` of `@effect/platform-node` makes it, on Bun, Deno
 * and Node, with the `SqlClient` of `@effect/sql-pg`.
 *
 * @category engines
 * @since 0.1.0
 */
export const layerCluster: Layer.Layer<WorkflowEngine, never, Sharding | MessageStorage> = engines.cluster

export {
  /**
   * Another process runs what is in a database that is for one.
   *
   * @category errors
   * @since 0.1.0
   */
  DatabaseInUse
} from "./internal/engine/databaseLock.ts"
