/** What the tests of durable pipelines share: engines, places where runs are kept, and what is looked at. */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import * as DurableClock from "effect/workflow/DurableClock"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import type * as Workflow from "effect/workflow/Workflow"
import type { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { test } from "node:test"
import { Durable } from "../../../src/durable/index.ts"
import { type Alert, Alerter } from "../../../src/index.ts"
import { type Body, makeIt } from "../../support/it.ts"
import { type Calls, calls, events, logs } from "../../support/observe.ts"

export type Services = WorkflowEngine | SqlClient

/** Where runs are kept: each build of the layer is a process that has it. */
export type Place = Layer.Layer<Services>

/** What the suite is run on. */
export interface Engine {
  readonly name: string
  /** A fresh place, for one test. */
  readonly place: Effect.Effect<Place, never, Scope.Scope>
  /** Whether what is kept survives the process. */
  readonly survives: boolean
  /** Of a property. */
  readonly runs: number
  /** How many tests may run beside one another. */
  readonly atOnce: number
}

/** The tests of each engine, in order. */
const queues = new WeakMap<Engine, Array<() => Promise<void>>>()

/**
 * Registers the tests of a suite, named by its engine. Most of the time they wait, so those that come next are started
 * beside the one whose turn it is.
 */
export const suiteOf = (engine: Engine, timeout = 10_000) => {
  const { atOnce, name, place } = engine
  const queue = queues.get(engine) ?? []
  queues.set(engine, queue)
  const { live } = makeIt((title, run) => {
    let started: Promise<void> | undefined
    const start = () => {
      started ??= run()
      // it is heard of when it is the test's turn
      started.catch(() => {})
      return started
    }
    const nth = queue.push(start) - 1
    test(title, { timeout }, () => {
      for (const next of queue.slice(nth, nth + atOnce)) void next()
      return start()
    })
  })
  return <A, E>(title: string, body: (place: Place) => Effect.Effect<A, E, Scope.Scope>): void =>
    live(`${name}: ${title}`, (() => Effect.flatMap(place, body)) satisfies Body<A, E>)
}

/** Runs look for what they wait for this often, in place of each 10 seconds. */
export const quick = {
  shardsPerGroup: 4,
  entityMessagePollInterval: "50 millis",
  entityReplyPollInterval: "50 millis",
  entityTerminationTimeout: "100 millis",
  sendRetryInterval: "20 millis"
} as const

export const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "durable-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true }))
)

/** A place in a file. */
export const sqlite = (filename: string): Place => Layer.orDie(Durable.layerSqlite({ filename, shardingConfig: quick }))

/** One process: it starts, does something, and ends as processes do that are asked to. */
export const within = <A, E, R, RL>(
  place: Place,
  pipelines: Layer.Layer<never, never, RL>,
  use: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Services> | Exclude<RL, Services>> =>
  Effect.provide(use, Layer.provideMerge(pipelines, Layer.fresh(place)))

/** What `Durable.pipeline` gives, as far as tests need it. */
export interface Job<A, E, R> {
  readonly layer: Layer.Layer<never, never, R>
  readonly workflow: {
    readonly execute: (payload: { readonly id: string }) => Effect.Effect<A, E, WorkflowEngine>
  }
}

/** A process that runs a pipeline, and how the run ended. */
export const run = <A, E, R>(
  place: Place,
  seen: Watch,
  { layer, workflow }: Job<A, E, R>,
  id = "1"
): Effect.Effect<Exit.Exit<A, E>, never, Exclude<Exclude<R, Alerter>, Services>> =>
  within(place, Layer.provide(layer, seen.layer), Effect.exit(workflow.execute({ id })))

export class Bad extends Schema.TaggedError<Bad>()("Bad", { n: Schema.Int }) {}

type Body_<A, E, R> = (payload: { readonly id: string }, executionId: string) => Effect.Effect<A, E, R>

/** A pipeline for a test: its runs are told apart by an id, and it may fail with `Bad`. */
export const job = <E extends Bad | Durable.LibraryError, R>(body: Body_<unknown, E, R>) =>
  Durable.pipeline("job", {
    payload: { id: Schema.String },
    success: Schema.Union([Schema.Undefined, Schema.Unknown]),
    error: Bad,
    idempotencyKey: ({ id }) => id
  }, body)

/** Parks the run, so that its body is evaluated anew: almost always, as the time may have passed before it is parked. */
export const park = (
  name: string,
  duration: Duration.Input = "20 millis"
): Effect.Effect<void, never, WorkflowEngine | WorkflowInstance> =>
  DurableClock.sleep({ name, duration, inMemoryThreshold: 0 })

export interface Watch extends Calls {
  readonly told: ReturnType<typeof events>
  readonly log: ReturnType<typeof logs>
  readonly alerts: Array<Alert>
  /** Of the alerts that are posted, of what is logged and what is told. */
  readonly layer: Layer.Layer<Alerter>
  readonly count: (call: string) => number
}

/** Keeps all that can be seen of runs. */
export const watch = (): Watch => {
  const { list, note } = calls()
  const told = events()
  const log = logs()
  const alerts: Array<Alert> = []
  const layer = Layer.mergeAll(
    told.layer,
    log.layer,
    Alerter.layer((alert) => Effect.sync(() => void alerts.push(alert)))
  )
  return { list, note, told, log, alerts, layer, count: (call) => list.filter((other) => other === call).length }
}

/** Waits until something holds, on the machine's clock. */
export const until = (what: string, holds: () => boolean, millis = 4_000): Effect.Effect<void> =>
  Effect.suspend(() => holds() ? Effect.void : Effect.fail("not yet")).pipe(
    Effect.retry({ schedule: Schedule.spaced("5 millis"), times: millis / 5 }),
    Effect.catch(() => Effect.die(new Error(`waited in vain: ${what}`)))
  )

interface Polled {
  readonly poll: (executionId: string) => Effect.Effect<
    Option.Option<Workflow.Result<unknown, unknown>>,
    never,
    WorkflowEngine
  >
}

/** How a run ended, once it has. */
export const ending = (
  workflow: Polled,
  executionId: string
): Effect.Effect<Exit.Exit<unknown, unknown>, never, WorkflowEngine> =>
  Effect.flatMap(
    Effect.catchDefect(workflow.poll(executionId), () => Effect.succeedNone),
    (result) =>
      Option.isSome(result) && result.value._tag === "Complete"
        ? Effect.succeed(result.value.exit)
        : Effect.fail("not yet")
  ).pipe(
    Effect.retry({ schedule: Schedule.spaced("10 millis"), times: 400 }),
    Effect.catch(() => Effect.die(new Error("the run does not end")))
  )

/** Waits until a run is parked. */
export const parked = (workflow: Polled, executionId: string): Effect.Effect<void, never, WorkflowEngine> =>
  Effect.flatMap(
    Effect.catchDefect(workflow.poll(executionId), () => Effect.succeedNone),
    (result) => Option.isSome(result) && result.value._tag === "Suspended" ? Effect.void : Effect.fail("not yet")
  ).pipe(
    Effect.retry({ schedule: Schedule.spaced("10 millis"), times: 400 }),
    Effect.catch(() => Effect.die(new Error("the run does not park")))
  )

interface Interruptible extends Polled {
  readonly execute: (
    payload: { readonly id: string },
    options: { readonly discard: true }
  ) => Effect.Effect<string, never, WorkflowEngine>
  readonly interrupt: (executionId: string) => Effect.Effect<void, never, WorkflowEngine>
}

/** Interrupts a run where it is parked, or else once it is where it should be. It ends with that. */
export const interruptRun = <RL>(
  place: Place,
  pipelines: Layer.Layer<never, never, RL>,
  workflow: Interruptible,
  ready?: () => boolean
) =>
  within(
    place,
    pipelines,
    Effect.gen(function*() {
      const executionId = yield* workflow.execute({ id: "1" }, { discard: true })
      if (ready === undefined) yield* parked(workflow, executionId)
      else yield* until("the run is there", ready)
      yield* workflow.interrupt(executionId)
      const exit = yield* ending(workflow, executionId)
      // what is over is over
      yield* workflow.interrupt(executionId)
      yield* Effect.sleep(20)
      assert.ok(isInterrupt(exit), String(exit))
    })
  )

/** Ends a wait of a run, once that is parked in it. */
export const endWait = <S extends Schema.Top>(
  workflow: Polled & Workflow.Any,
  executionId: string,
  deferred: DurableDeferred.DurableDeferred<S>,
  value: S["Type"]
) =>
  Effect.gen(function*() {
    yield* parked(workflow, executionId)
    const token = DurableDeferred.tokenFromExecutionId(deferred, { workflow, executionId })
    yield* DurableDeferred.succeed(deferred, { token, value })
  })

export const isInterrupt = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
