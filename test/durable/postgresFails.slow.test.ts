/** Durable pipelines on a cluster whose Postgres server, or the network to it, fails. */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import * as assert from "node:assert/strict"
import { after } from "node:test"
import { Durable, Outbox } from "../../src/durable/index.ts"
import { AlerterHooks, Hook, Pipeline, Step } from "../../src/index.ts"
import { blockThread } from "../support/eventLoop.ts"
import { type OwnPostgres, ownPostgres, required, startable } from "../support/postgres.ts"
import { tcpProxy } from "../support/tcpProxy.ts"
import { awaitExit, fastSharding, inProcess, job, type Recorder, recorder, together, until } from "./support/engine.ts"

/** A runner that notices within a second that it has lost its locks. */
const shardingConfig = {
  ...fastSharding,
  shardLockRefreshInterval: "500 millis",
  shardLockExpiration: "3 seconds"
} as const

const client = (url: string) => Layer.orDie(PgClient.layer({ url: Redacted.make(url), maxConnections: 4 }))

const scope = Scope.makeUnsafe()
after(() => Effect.runPromise(Scope.close(scope, Exit.void)))

// the first test starts it
let server: Promise<OwnPostgres> | undefined

const filling = ["cluster_messages", "cluster_replies"]

/** Makes the tables of the cluster refuse rows, as on a disk that is full. */
const fill = Effect.gen(function*() {
  const sql = yield* SqlClient
  yield* sql.unsafe(`CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$`)
  for (const table of filling) {
    yield* sql.unsafe(`CREATE TRIGGER fail BEFORE INSERT ON ${table} EXECUTE FUNCTION fail()`)
  }
})

const clear = Effect.gen(function*() {
  const sql = yield* SqlClient
  // one table in a statement: with CASCADE, the locks of both would make a deadlock with the engine's
  for (const table of filling) yield* sql.unsafe(`DROP TRIGGER fail ON ${table}`)
  yield* sql`DROP FUNCTION fail`
})

interface Outage {
  readonly begin: Effect.Effect<void>
  readonly end: Effect.Effect<void>
}

/** Makes a database behind a proxy, an engine on it, and the ways in which it may fail. */
const setUp = (seen: Recorder, options: Durable.SingleOptions = {}) =>
  Effect.gen(function*() {
    const postgres = yield* Effect.promise(() => server ??= Effect.runPromise(Scope.provide(ownPostgres, scope)))
    const url = yield* Effect.orDie(postgres.database)
    const proxied = new URL(url)
    const proxy = yield* tcpProxy(Number(proxied.port))
    proxied.port = String(proxy.port)
    const directly = <A, E>(effect: Effect.Effect<A, E, SqlClient>): Effect.Effect<void> =>
      Effect.asVoid(Effect.orDie(Effect.provide(effect, client(url))))
    yield* Effect.addFinalizer(() => postgres.start)
    const outages: Readonly<Record<string, Outage>> = {
      "server is stopped": { begin: postgres.stop, end: postgres.start },
      "network is cut": { begin: proxy.cut, end: proxy.restore },
      "disk is full": { begin: directly(fill), end: directly(clear) }
    }
    const engine = Layer.orDie(
      Durable.layerSingle({ shardingConfig, ...options }).pipe(
        Layer.provideMerge(client(proxied.href)),
        Layer.provide(seen.log.layer)
      )
    )
    return { engine, outages }
  })

const messages = (seen: Recorder) =>
  seen.log.list.map(({ message }) => message).filter((text) => text.startsWith("effect-epilogue: the database"))

const isTold = (seen: Recorder) => until("it is told", () => messages(seen).length > 0, 10_000)

/** A pipeline of three steps. `during` is what the second one does, and `between` what the body does before it. */
const threeSteps = (
  seen: Recorder,
  { between = Effect.void, during = Effect.void }: Partial<Record<"between" | "during", Effect.Effect<void>>>
) => {
  let come = false
  const onceBetween = Effect.suspend(() => {
    if (come) return Effect.void
    come = true
    return between
  })
  return job(() =>
    Pipeline.make(
      "job",
      Effect.forEach(["a", "b", "c"], (name) =>
        Effect.andThen(
          name === "b" ? onceBetween : Effect.void,
          Durable.step(
            Step.make(name, Effect.andThen(seen.note(name), name === "b" ? during : Effect.void)),
            { crashes: 0 }
          )
        ), { discard: true })
    ).pipe(
      Pipeline.hooks(AlerterHooks.failure),
      Pipeline.hooks(Hook.onSuccess(() => seen.note("success"))),
      Pipeline.hooks(Hook.onFailure(() => seen.note("failure")))
    )
  )
}

/** Runs three steps into an outage, ends it once the steps in `before` have run and it has been told, and returns what has happened. */
const throughOutage = (cause: string, at: "between" | "during", before: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const seen = recorder()
    const { engine, outages } = yield* setUp(seen)
    const { begin, end } = outages[cause]!
    const { layer, workflow } = threeSteps(seen, { [at]: begin })
    yield* inProcess(
      engine,
      Layer.provide(layer, seen.layer),
      Effect.gen(function*() {
        const running = yield* Effect.forkChild(workflow.execute({ id: "1" }))
        yield* isTold(seen)
        yield* Effect.sleep("1 second")
        assert.deepEqual(seen.list, before)
        yield* end
        yield* Fiber.join(running)
      })
    )
    assert.deepEqual(seen.list, ["a", "b", "c", "success"])
    return seen
  })

if (required("durable pipelines while Postgres fails") && startable) {
  // a server that is stopped is so for all tests
  const alone = together(1)
  const beside = together(6)

  alone(
    "a body that blocks its thread for longer than the locks of its runner last runs once",
    () =>
      Effect.gen(function*() {
        const seen = recorder()
        const { engine } = yield* setUp(seen, {
          shardingConfig: { ...shardingConfig, shardLockExpiration: "2 seconds" }
        })
        const block = Effect.sync(() => blockThread(3_500))
        const { layer, workflow } = threeSteps(seen, { during: block })
        yield* inProcess(engine, Layer.provide(layer, seen.layer), workflow.execute({ id: "1" }))
        assert.deepEqual(seen.list, ["a", "b", "c", "success"])
      })
  )

  for (const cause of ["server is stopped", "network is cut", "disk is full"]) {
    const live = cause === "server is stopped" ? alone : beside

    live(
      `a run whose step ends while the ${cause} goes on by itself, and no step runs twice`,
      () =>
        Effect.gen(function*() {
          const seen = yield* throughOutage(cause, "during", ["a", "b"])
          const [first, last, ...others] = messages(seen)
          const reason = cause === "disk is full" ? "the disk is full" : "it can't be reached"
          assert.ok(first?.includes(`: ${reason} (`), first)
          assert.match(
            last ?? "",
            /^effect-epilogue: the database of the cluster can be .* again after .*s; runs go on$/
          )
          assert.deepEqual(others, [])
        })
    )

    live(
      `a run that comes to its next step while the ${cause} goes on by itself`,
      () => throughOutage(cause, "between", ["a"])
    )

    live(
      `who waits for a run while the ${cause} gets a StorageFailed after the patience, and the run goes on later`,
      () =>
        Effect.gen(function*() {
          const seen = recorder()
          const { engine, outages } = yield* setUp(seen, { patience: "2 seconds" })
          const { begin, end } = outages[cause]!
          const { layer, workflow } = threeSteps(seen, { during: begin })
          const outbox = Layer.orDie(Outbox.layer(seen.layer))
          yield* inProcess(
            engine,
            Layer.provide(layer, Layer.merge(outbox, seen.layer)),
            Effect.gen(function*() {
              const error = yield* Effect.flip(workflow.execute({ id: "1" }))
              assert.ok(error instanceof Durable.StorageFailed, String(error))
              assert.equal(error.reason, cause === "disk is full" ? "Full" : "Unreachable")
              yield* until("the failure is told", () => seen.alerts.length > 0)
              assert.deepEqual(seen.list, ["a", "b", "failure"])
              yield* end
              const executionId = yield* workflow.execute({ id: "1" }, { discard: true })
              yield* until("the run has ended", () => seen.list.includes("success"), 20_000)
              assert.deepEqual(yield* awaitExit(workflow, executionId), Exit.void)
            })
          )
          assert.deepEqual(seen.list, ["a", "b", "failure", "c", "success"])
          assert.equal(seen.alerts.length, 1)
        })
    )
  }
}
