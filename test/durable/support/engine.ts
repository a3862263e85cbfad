/** Storages, a pipeline, a recorder and waits that the tests of durable pipelines share. */
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

/** The layer of an engine and its database: each build of it stands for a process that opens that database. */
export type Storage = Layer.Layer<Services>

/** An engine that the suites run on. */
export interface Engine {
  readonly name: string
  /** Makes an empty storage, for one test. */
  readonly storage: Effect.Effect<Storage, never, Scope.Scope>
  /** Whether runs survive the process. */
  readonly survives: boolean
  /** The tables in which it stores what runs have left. */
  readonly tables: ReadonlyArray<string>
  /** How many examples of a property are run. */
  readonly runs: number
  /** How many tests may run at once. */
  readonly concurrency: number
}

/** The tests registered for each engine, in order. */
const queues = new WeakMap<Engine, Array<() => Promise<void>>>()

/**
 * Returns a function that registers a test. The tests spend most of their time waiting, so the next ones of the queue are
 * started together with the one that the runner has come to, up to `concurrency` of them.
 */
export const together = (concurrency: number, queue: Array<() => Promise<void>> = []) =>
  makeIt((title, run) => {
    let started: Promise<void> | undefined
    const start = () => {
      started ??= run()
      // a failure is reported when the runner comes to this test
      started.catch(() => {})
      return started
    }
    const nth = queue.push(start) - 1
    // a busy machine takes long, and so does a test that is started early on a slow storage
    test(title, { timeout: 60_000 }, () => {
      for (const next of queue.slice(nth, nth + concurrency)) void next()
      return start()
    })
  }).live

/** Returns a function that registers a test, titled with the engine's name. */
export const suiteOf = (engine: Engine) => {
  const { concurrency, name, storage } = engine
  const queue = queues.get(engine) ?? []
  queues.set(engine, queue)
  const live = together(concurrency, queue)
  return <A, E>(title: string, body: (storage: Storage) => Effect.Effect<A, E, Scope.Scope>): void =>
    live(`${name}: ${title}`, (() => Effect.flatMap(storage, body)) satisfies Body<A, E>)
}

/** Poll intervals of a cluster for tests: with the defaults a run looks for messages every 10 seconds only. */
export const fastSharding = {
  shardsPerGroup: 4,
  entityMessagePollInterval: "50 millis",
  entityReplyPollInterval: "50 millis",
  entityTerminationTimeout: "100 millis",
  sendRetryInterval: "20 millis"
} as const

/** Makes a folder that is removed when the test ends. */
export const temporaryFolder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "durable-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true }))
)

/** Returns the path of a database file in a temporary folder of its own. */
export const newFile: Effect.Effect<string, never, Scope.Scope> = Effect.map(
  temporaryFolder,
  (folder) => path.join(folder, "durable.db")
)

/** Returns a client of a SQLite file, as another process opens it. */
export const clientOf = (filename: string) => Layer.fresh(Layer.orDie(Durable.layerSqliteClient({ filename })))

/** Returns the storage of a SQLite file. */
export const sqliteStorage = (filename: string): Storage =>
  Layer.orDie(Durable.layerSqlite({ filename, drain: "100 millis" }))

/** Stands for one process: starts the engine and the pipelines, runs `use`, and shuts down in order. */
export const inProcess = <A, E, R, RL>(
  storage: Storage,
  pipelines: Layer.Layer<never, never, RL>,
  use: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Services> | Exclude<RL, Services>> =>
  Effect.provide(use, Layer.provideMerge(pipelines, Layer.fresh(storage)))

/** The part of `Durable.pipeline`'s result that tests need. */
export interface Job<A, E, R> {
  readonly layer: Layer.Layer<never, never, R>
  readonly workflow: {
    readonly execute: (payload: { readonly id: string }) => Effect.Effect<A, E, WorkflowEngine>
  }
}

/** Runs a pipeline in a process of its own, and returns the exit of the run. */
export const run = <A, E, R>(
  storage: Storage,
  seen: Recorder,
  { layer, workflow }: Job<A, E, R>,
  id = "1"
): Effect.Effect<Exit.Exit<A, E>, never, Exclude<Exclude<R, Alerter>, Services>> =>
  inProcess(storage, Layer.provide(layer, seen.layer), Effect.exit(workflow.execute({ id })))

export class Bad extends Schema.TaggedError<Bad>()("Bad", { n: Schema.Int }) {}

type JobBody<A, E, R> = (payload: { readonly id: string }, executionId: string) => Effect.Effect<A, E, R>

/** Makes a durable pipeline for a test, whose runs have an id and may fail with `Bad`. */
export const job = <E extends Bad | Durable.LibraryError, R>(body: JobBody<unknown, E, R>) =>
  Durable.pipeline("job", {
    payload: { id: Schema.String },
    success: Schema.Union([Schema.Undefined, Schema.Unknown]),
    error: Bad,
    idempotencyKey: ({ id }) => id
  }, body)

/**
 * Suspends the run, so that its body is evaluated anew. On a slow machine the time may be up before the engine has
 * suspended the run; then the body simply continues.
 */
export const suspendRun = (
  name: string,
  duration: Duration.Input = "20 millis"
): Effect.Effect<void, never, WorkflowEngine | WorkflowInstance> =>
  DurableClock.sleep({ name, duration, inMemoryThreshold: 0 })

export interface Recorder extends Calls {
  readonly events: ReturnType<typeof events>
  readonly log: ReturnType<typeof logs>
  readonly alerts: Array<Alert>
  /** Records alerts, log entries and run events. */
  readonly layer: Layer.Layer<Alerter>
  readonly count: (call: string) => number
}

/** Returns of the failed attempts that are told whether another one followed. */
export const lastAttempts = ({ events }: Recorder): ReadonlyArray<boolean> =>
  events.list.flatMap((event) => event._tag === "AttemptFailed" ? [event.isLast] : [])

/** Makes a recorder of calls, alerts, log entries and run events. */
export const recorder = (): Recorder => {
  const { list, note } = calls()
  const runEvents = events()
  const log = logs()
  const alerts: Array<Alert> = []
  const layer = Layer.mergeAll(
    runEvents.layer,
    log.layer,
    Alerter.layer((alert) => Effect.sync(() => void alerts.push(alert)))
  )
  return {
    list,
    note,
    events: runEvents,
    log,
    alerts,
    layer,
    count: (call) => list.filter((other) => other === call).length
  }
}

/** Waits until a condition holds, on the machine's clock; dies after `millis`. */
export const until = (what: string, holds: () => boolean, millis = 15_000): Effect.Effect<void> =>
  Effect.suspend(() => holds() ? Effect.void : Effect.fail("not yet")).pipe(
    Effect.retry({ schedule: Schedule.spaced("5 millis").pipe(Schedule.upTo({ duration: millis })) }),
    Effect.catch(() => Effect.die(new Error(`timed out waiting until ${what}`)))
  )

interface Polled {
  readonly poll: (executionId: string) => Effect.Effect<
    Option.Option<Workflow.Result<unknown, unknown>>,
    never,
    WorkflowEngine
  >
}

/** Waits until a run has ended, and returns its exit. */
export const awaitExit = (
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
    Effect.retry({ schedule: Schedule.spaced("10 millis"), times: 1_500 }),
    Effect.catch(() => Effect.die(new Error("the run does not end")))
  )

/** Waits until a run is suspended. */
export const awaitSuspended = (workflow: Polled, executionId: string): Effect.Effect<void, never, WorkflowEngine> =>
  Effect.flatMap(
    Effect.catchDefect(workflow.poll(executionId), () => Effect.succeedNone),
    (result) => Option.isSome(result) && result.value._tag === "Suspended" ? Effect.void : Effect.fail("not yet")
  ).pipe(
    Effect.retry({ schedule: Schedule.spaced("10 millis"), times: 1_500 }),
    Effect.catch(() => Effect.die(new Error("the run is not suspended")))
  )

interface Interruptible extends Polled {
  readonly execute: (
    payload: { readonly id: string },
    options: { readonly discard: true }
  ) => Effect.Effect<string, never, WorkflowEngine>
  readonly interrupt: (executionId: string) => Effect.Effect<void, never, WorkflowEngine>
}

/** Interrupts a run once it is suspended, or once `ready` returns true, and asserts that it ends with an interruption. */
export const interruptRun = <RL>(
  storage: Storage,
  pipelines: Layer.Layer<never, never, RL>,
  workflow: Interruptible,
  ready?: () => boolean,
  interrupt: (executionId: string) => Effect.Effect<void, never, WorkflowEngine> = (id) => workflow.interrupt(id)
) =>
  inProcess(
    storage,
    pipelines,
    Effect.gen(function*() {
      const executionId = yield* workflow.execute({ id: "1" }, { discard: true })
      if (ready === undefined) yield* awaitSuspended(workflow, executionId)
      else yield* until("the run is ready to be interrupted", ready)
      yield* interrupt(executionId)
      const exit = yield* awaitExit(workflow, executionId)
      // an interruption of a run that has ended changes nothing
      yield* workflow.interrupt(executionId)
      yield* Effect.sleep(20)
      assert.ok(isInterrupt(exit), String(exit))
    })
  )

/** Completes the deferred that a run waits for, once the run is suspended. */
export const endWait = <S extends Schema.Top>(
  workflow: Polled & Workflow.Any,
  executionId: string,
  deferred: DurableDeferred.DurableDeferred<S>,
  value: S["Type"]
) =>
  Effect.gen(function*() {
    yield* awaitSuspended(workflow, executionId)
    const token = DurableDeferred.tokenFromExecutionId(deferred, { workflow, executionId })
    yield* DurableDeferred.succeed(deferred, { token, value })
  })

export const isInterrupt = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)

export const errorOf = (exit: Exit.Exit<unknown, unknown>): unknown =>
  Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined

/** Returns the token of the question that an alert asks. */
export const tokenIn = ({ fields }: Alert): string | undefined =>
  fields.flatMap(({ value }) => /^epilogue answer (\S+) --approve( |$)/.exec(value)?.[1] ?? [])[0]

/** The question that the tests of approvals ask. */
export const question = { title: "Deploy?", timeout: "1 day" } as const

export const ada = { id: "ada", name: "Ada" }
