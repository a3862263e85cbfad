/** Layers of the embedded engine: that of the process that runs what is in a database, and that of others. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { memory, pause, retryWhileBusy, whyUnopened } from "../../../../internal/files/sqlite.ts"
import { durationMistakes, refuse, unknownMistakes, wholeMistakes } from "../../../../internal/model/options.ts"
import { selfExplained } from "../../../../internal/text/selfExplained.ts"
import * as Writer from "../../../../internal/text/writer.ts"
import type { Keep, SqliteOptions } from "../../../Options.ts"
import { CurrentProcess, setCrashes } from "../../crashes/crashes.ts"
import { setRuns } from "../../runs/runs.ts"
import { watchFile } from "../../storage/file.ts"
import { guard } from "../../storage/guard.ts"
import { Health } from "../../storage/health.ts"
import { failure, load } from "../nodeSqlite.ts"
import { alreadyTold, open } from "../sqliteFile.ts"
import { CurrentWatch } from "../watch.ts"
import * as Archive from "./archive.ts"
import * as Client from "./client.ts"
import * as Clocks from "./clocks.ts"
import * as Crashes from "./crashes.ts"
import { Database } from "./database.ts"
import * as Engine from "./engine.ts"
import { Executions } from "./executions.ts"
import * as Lock from "./lock.ts"
import { LogFile } from "./logFile.ts"
import { refusedMount } from "./mounts.ts"
import * as Notify from "./notify.ts"
import { keepTidy } from "./pruning.ts"
import { isPrepared, prepare } from "./schema.ts"
import { Store } from "./store.ts"

const Base: new(fields: { readonly filename: string; readonly detail: string }) => Cause.YieldableError & {
  readonly _tag: "DatabaseRefused"
  readonly filename: string
  readonly detail: string
} = selfExplained(Data.TaggedError("DatabaseRefused")<{ readonly filename: string; readonly detail: string }>)

export class DatabaseRefused extends Base {
  override get message(): string {
    return `the database ${this.filename} ${this.detail}`
  }
}

/** The errors of opening a database. */
export type OpenError = SqlError | DatabaseRefused

/** The pipelines of a script are registered one after another: what is missing is told only after this time. */
const registrationTime = 2_000

/** The time between two looks whether the file is still there, in milliseconds. */
const fileInterval = 1_000

const openDatabase = (
  { filename, patience, synchronous = "full" }: SqliteOptions
): Effect.Effect<Database, OpenError, Scope.Scope | SqlClient> =>
  Effect.gen(function*() {
    const client = yield* SqlClient
    const refused = filename === memory ? undefined : refusedMount(filename)
    if (refused !== undefined) return yield* Effect.fail(new DatabaseRefused({ filename, detail: refused }))
    const db = yield* open(yield* load, { filename, millis: 5_000, synchronous }, alreadyTold)
    // a database in memory is another one for each connection
    const log = yield* Effect.acquireRelease(
      Effect.sync(() => filename === memory || synchronous === "normal" ? undefined : new LogFile(filename)),
      (log) => Effect.sync(() => log?.close())
    )
    const database = new Database(db, {
      synchronous,
      watch: yield* CurrentWatch,
      health: new Health(`the database ${filename}`, patience),
      ...filename === memory ? {} : { client, log, checkFile: watchFile(filename) }
    })
    const detail = yield* Effect.mapError(
      retryWhileBusy(() => prepare(database), 5_000),
      (cause) => failure(cause, "connect", `can't open the database ${filename}${whyUnopened(cause)}`)
    )
    return detail === undefined ? database : yield* Effect.fail(new DatabaseRefused({ filename, detail }))
  })

const makeRunner = (
  options: SqliteOptions
): Effect.Effect<WorkflowEngine["Service"], OpenError | Lock.DatabaseInUse, Scope.Scope | SqlClient> =>
  Effect.gen(function*() {
    const { filename, keep } = options
    refuse(
      "Durable.layerSqlite",
      durationMistakes("drain", options.drain),
      ...keep === "all"
        ? []
        : [
          unknownMistakes("keep", keep, { age: 0, runs: 0 } satisfies Record<keyof Keep, 0>),
          durationMistakes("the age in keep", keep?.age),
          wholeMistakes("the runs in keep", keep?.runs, 0)
        ]
    )
    const database = yield* openDatabase(options)
    const token = yield* Effect.acquireRelease(
      Lock.acquire(database, filename, () => Notify.ring(filename)),
      (token) => Lock.release(database, token)
    )
    const store = new Store(database, token)
    const executions = new Executions(store, Duration.toMillis(options.drain ?? "15 seconds"))
    const clocks = Clocks.make(store, executions)
    const engine = Engine.make(store, executions, clocks)
    setRuns(
      engine,
      Archive.make(database, executions, () => {}, (place, level) => Engine.call(store, executions, place, level))
    )
    setCrashes(engine, Crashes.make(store, executions, (yield* CurrentProcess) ?? token))
    guard(engine, database.health)
    yield* Effect.forkScoped(clocks.run)
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(pause(fileInterval), database.watchFile)))
    yield* Effect.forkScoped(keepTidy(database, keep, (ended) => {
      executions.onEnd = ended
    }))
    const heard = Latch.makeUnsafe(false)
    let complete = false
    const look = Effect.gen(function*() {
      yield* heard.await
      heard.closeUnsafe()
      if (!(yield* Lock.confirm(database, token))) yield* executions.depose
      yield* executions.look(complete)
    })
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.catchDefect(look, (defect) => Writer.logError("effect-epilogue: the database can't be read", defect))
      )
    )
    yield* Notify.listen(filename === memory ? undefined : filename, database, () => heard.openUnsafe())
    const timer = setTimeout(() => {
      complete = true
      heard.openUnsafe()
    }, registrationTime)
    yield* Effect.addFinalizer(() => Effect.sync(() => clearTimeout(timer)))
    return engine
  })

const makeClient = (
  options: SqliteOptions
): Effect.Effect<WorkflowEngine["Service"], OpenError, Scope.Scope | SqlClient> =>
  Effect.map(openDatabase(options), (database) => {
    const ring = () => Notify.ring(options.filename)
    const store = new Store(database, "")
    const engine = Client.make(store, ring)
    const call: Parameters<typeof Archive.make>[3] = (place, level) =>
      Effect.andThen(store.call(place, level), Effect.sync(ring))
    setRuns(engine, Archive.make(database, undefined, ring, call))
    guard(engine, database.health)
    return engine
  })

/** Whether a process runs what is in the database at a path, or may do so where nobody can tell. */
export const isRun = (filename: string): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const db = yield* open(yield* load, { filename, millis: 5_000, synchronous: "normal" }, alreadyTold)
    const database = new Database(db, { synchronous: "normal", health: new Health(filename) })
    return isPrepared(database) && (yield* Lock.isRun(database, () => Notify.ring(filename)))
  }).pipe(Effect.scoped, Effect.catchCause(() => Effect.succeed(true)))

/** The engine of the process that runs what is in the database. */
export const runner = (
  options: SqliteOptions
): Layer.Layer<WorkflowEngine, OpenError | Lock.DatabaseInUse, SqlClient> =>
  Layer.effect(WorkflowEngine, makeRunner(options))

/** The engine of a process that runs nothing. */
export const client = (options: SqliteOptions): Layer.Layer<WorkflowEngine, OpenError, SqlClient> =>
  Layer.effect(WorkflowEngine, makeClient(options))
