import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { SqlClient } from "effect/sql/SqlClient"
import * as assert from "node:assert/strict"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import { Webhook } from "../../src/alerters/index.ts"
import { dedupe, digest, minSeverity, onLost, quietHours, Store } from "../../src/delivery/index.ts"
import { Durable, Outbox } from "../../src/durable/index.ts"
import * as SqliteClient from "../../src/durable/internal/engine/sqliteClient.ts"
import { Alert, Alerter, AlerterError, AlerterErrorReason, Hook, Pipeline, Step } from "../../src/index.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { restoreSnapshot, snapshotting } from "./support/crashSnapshots.ts"
import { inProcess, job, recorder, sqliteStorage, temporaryFolder, until } from "./support/engine.ts"

const it = makeIt((title, run) => test(title, { timeout: 60_000 }, run))

type Reason = AlerterErrorReason | undefined

/** Makes a channel that answers posts as `reasonOf` says, and remembers what has arrived and what it was asked for. */
const channel = (reasonOf: (alert: Alert) => Reason = () => undefined) => {
  const arrived: Array<string> = []
  const tried: Array<string> = []
  const layer = Alerter.layer((alert) =>
    Effect.suspend(() => {
      tried.push(alert.title)
      const reason = reasonOf(alert)
      if (reason !== undefined) return Effect.fail(new AlerterError({ channel: "test", reason }))
      return Effect.sync(() => void arrived.push(alert.title))
    })
  )
  return { arrived, tried, layer }
}

/** Makes an alerter that tells when another one has taken an alert. */
const tapped = (alerter: Layer.Layer<Alerter>, then: () => void): Layer.Layer<Alerter> =>
  Layer.effect(
    Alerter,
    Effect.map(Alerter, ({ post }) => ({
      post: (alert: string | Alert) => Effect.tap(post(alert), () => Effect.sync(then))
    }))
  ).pipe(Layer.provide(alerter))

const down = () => AlerterErrorReason.Unreachable({})

const fileOf = Effect.map(temporaryFolder, (folder) => path.join(folder, "alerts.db"))

const client = (filename: string) => Layer.orDie(Layer.fresh(SqliteClient.layer({ filename })))

/** Opens an outbox on a file as a process of its own does, uses it, and closes it. Returns what it has logged. */
const opened = (
  filename: string,
  alerter: Layer.Layer<Alerter>,
  use: Effect.Effect<unknown, unknown, Alerter | SqlClient> = Effect.void,
  options: Outbox.Options = {}
) => {
  const log = logs()
  return Outbox.layer(alerter, options).pipe(
    Layer.provideMerge(client(filename)),
    Layer.provideMerge(log.layer),
    (layer) => Effect.provide(use, Layer.orDie(layer)),
    Effect.as(log)
  )
}

const post = (title: string, more: Partial<Alert> = {}) =>
  Effect.flatMap(Alerter, (alerter) => alerter.post(Alert.make({ title, severity: "error", ...more })))

const query = <A extends object>(filename: string, sql: string) =>
  Effect.provide(Effect.flatMap(SqlClient, (client) => client.unsafe<A>(sql)), client(filename))

const statesOf = (filename: string) =>
  Effect.map(
    query<{ state: string }>(filename, "SELECT state FROM effect_epilogue_alerts ORDER BY stored_at"),
    (rows) => rows.map(({ state }) => state)
  )

const kept = (log: ReturnType<typeof logs>) => log.list.map(({ message }) => message).join("\n")

// -----------------------------------------------------------------------------
// processes that die
// -----------------------------------------------------------------------------

it.live("an alert arrives with the next start, at whatever write of the outbox its process died", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const first = channel()
    const { snapshots, storage } = yield* snapshotting(path.join(folder, "durable.db"), () => first.arrived.length)
    const two = Hook.onSuccess(() => Effect.andThen(post("one"), post("two")))
    const pipeline = job(() =>
      Pipeline.make("x", Durable.step(Step.make("a", Effect.void))).pipe(Pipeline.stepHooks(two))
    )
    const run = (at: typeof storage, alerter: Layer.Layer<Alerter>) =>
      inProcess(
        at,
        Layer.orDie(pipeline.layer.pipe(Layer.provide(Outbox.layer(alerter)), Layer.provide(recorder().log.layer))),
        Effect.exit(pipeline.workflow.execute({ id: "1" }))
      )
    assert.deepEqual(yield* run(storage, first.layer), Exit.void)
    assert.deepEqual(first.arrived.toSorted(), ["one", "two"])
    assert.ok(snapshots.length > 8)
    yield* Effect.forEach(snapshots, (snapshot, index) =>
      Effect.gen(function*() {
        const file = restoreSnapshot(snapshot, `restored-${index}.db`)
        const next = channel()
        assert.deepEqual(yield* run(sqliteStorage(file), next.layer), Exit.void)
        const all = [...first.arrived.slice(0, snapshot.noted), ...next.arrived]
        assert.deepEqual([...new Set(all)].toSorted(), ["one", "two"], `after write ${index}`)
        assert.deepEqual(yield* statesOf(file), ["done", "done"])
      }), { concurrency: 4 })
  }))

it.live("what a killed process was delivering is delivered at once by a short script that starts next", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const [filename, log] = [path.join(folder, "durable.db"), path.join(folder, "log")]
    const fixture = path.join(import.meta.dirname, "fixtures", "outboxProcess.ts")
    const ended = yield* Effect.promise(() =>
      new Promise((resolve) =>
        spawn(process.execPath, [fixture, filename, log], { stdio: "inherit" }).on(
          "close",
          (_code, signal) => resolve(signal)
        )
      )
    )
    assert.equal(ended, "SIGKILL")
    const keys: Array<string> = []
    const sink = Alerter.layer(({ idempotencyKey }) => Effect.sync(() => void keys.push(String(idempotencyKey))))
    const { list } = yield* opened(filename, sink)
    assert.deepEqual(keys, fs.readFileSync(log, "utf8").trim().split("\n"))
    assert.deepEqual(list, [])
  }))

/** Makes a row look as if a process had claimed it of which nobody can tell whether it is dead. */
const claimElsewhere = (filename: string, millis: number) =>
  query(
    filename,
    `UPDATE effect_epilogue_alerts SET claim = 'x', claimed_until = ${Date.now() + millis}, claimed_by =
      '["x",{"system":"elsewhere","namespace":"","pid":1,"start":"1","thread":0}]'`
  )

it.live("what a process elsewhere has claimed is waited for, or told at each start", () =>
  Effect.gen(function*() {
    const filename = yield* fileOf
    const { arrived, layer } = channel()
    yield* opened(filename, layer, post("x"), { deliver: false })
    yield* claimElsewhere(filename, 60_000)
    for (let start = 0; start < 2; start++) {
      const log = yield* opened(filename, layer)
      assert.match(kept(log), /1 alert stays in the outbox, to be delivered by the next process that opens it/)
    }
    assert.deepEqual(arrived, [])
    yield* claimElsewhere(filename, 300)
    const log = yield* opened(filename, layer)
    assert.deepEqual(arrived, ["x"])
    assert.deepEqual(log.list, [])
  }))

it.live("what another process delivers is left to it, in silence", () =>
  Effect.gen(function*() {
    const filename = yield* fileOf
    const begun = Latch.makeUnsafe()
    const released = Latch.makeUnsafe()
    const slow = Alerter.layer(() => Effect.andThen(begun.open, released.await))
    const { arrived, layer } = channel()
    yield* opened(
      filename,
      slow,
      Effect.gen(function*() {
        yield* post("x")
        yield* begun.await
        const log = yield* opened(filename, layer, Effect.void, { drain: "1 second" })
        assert.deepEqual([arrived, log.list], [[], []])
        yield* released.open
      })
    )
    assert.deepEqual(yield* statesOf(filename), ["done"])
  }))

it.live("what the channel could not take is told by each start, and delivered by one with a channel that can", () =>
  Effect.gen(function*() {
    const filename = yield* fileOf
    const closed = channel(down)
    const options = { retry: Schedule.spaced("20 millis"), drain: "50 millis" } as const
    for (const use of [post("x"), Effect.void]) {
      const log = yield* opened(filename, closed.layer, use, options)
      assert.match(kept(log), /1 alert stays in the outbox/)
    }
    const { arrived, layer } = channel()
    const { list } = yield* opened(filename, layer)
    assert.deepEqual([arrived, list], [["x"], []])
  }))

// -----------------------------------------------------------------------------
// policies inside
// -----------------------------------------------------------------------------

it.live("an alert whose next attempt was set while the clock was ahead is delivered once the clock is right", () =>
  Effect.gen(function*() {
    const filename = yield* fileOf
    yield* opened(filename, channel(down).layer, post("x"), { drain: 0 })
    const ahead = 2 * 3_600_000
    yield* query(
      filename,
      `UPDATE effect_epilogue_alerts SET due = due + ${ahead}, stored_at = stored_at + ${ahead}, changed_at = changed_at + ${ahead}`
    )
    const next = channel()
    yield* opened(filename, next.layer)
    assert.deepEqual(next.arrived, ["x"])
    assert.deepEqual(yield* statesOf(filename), ["done"])
  }))

it.live("an alert that a policy inside holds stays stored, and goes to the policy again after a crash", () =>
  Effect.gen(function*() {
    for (const policy of [digest({ window: "10 minutes" }), quietHours({ from: "00:00", to: "23:59" })]) {
      const folder = yield* temporaryFolder
      const filename = path.join(folder, "alerts.db")
      const crashed = path.join(folder, "crashed.db")
      const first = channel()
      let taken = false
      yield* opened(
        filename,
        tapped(first.layer.pipe(policy), () => {
          taken = true
        }),
        Effect.gen(function*() {
          yield* post("x")
          yield* until("the policy has it", () => taken)
          assert.deepEqual(yield* statesOf(filename), ["waiting"])
          for (const suffix of ["", "-wal"]) fs.copyFileSync(filename + suffix, crashed + suffix)
        })
      )
      // closing, the policy has posted it
      assert.deepEqual(first.arrived, ["x"])
      assert.deepEqual(yield* statesOf(filename), ["done"])
      const next = channel()
      const { list } = yield* opened(crashed, next.layer.pipe(policy))
      assert.deepEqual([next.arrived, list], [["x"], []])
      assert.deepEqual(yield* statesOf(crashed), ["done"])
    }
  }))

it.live("a policy that has stored an alert itself, or drops it, settles it", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const store = Layer.orDie(Store.layerSqlite({ filename: path.join(folder, "store.db") }))
    const { arrived, layer } = channel()
    const policies = [
      layer.pipe(digest({ window: "10 minutes", persist: "x" }), Layer.provide(store)),
      layer.pipe(dedupe({ window: "1 hour" })),
      layer.pipe(minSeverity("critical"))
    ]
    for (const [index, policy] of policies.entries()) {
      const filename = path.join(folder, `${index}.db`)
      const both = Effect.andThen(post("x", { dedupeKey: "k" }), post("x", { dedupeKey: "k" }))
      const { list } = yield* opened(filename, policy, both, { concurrency: 1 })
      assert.deepEqual(yield* statesOf(filename), ["done", "done"])
      assert.deepEqual(list, [])
    }
    // the policy sums up what it has held back
    assert.deepEqual(arrived, ["x", "1 repeat held back: 1 failed"])
  }))

// -----------------------------------------------------------------------------
// set aside
// -----------------------------------------------------------------------------

it.live("an alert that is refused for good is set aside and told as lost, and by hand it is delivered or dropped", () =>
  Effect.gen(function*() {
    const filename = yield* fileOf
    let refused = true
    const refusal = AlerterErrorReason.Rejected({ status: 400, detail: "too long" })
    const { arrived, layer, tried } = channel(({ title }) => refused && title !== "fine" ? refusal : undefined)
    const lost: Array<string> = []
    const told = onLost((alert: Alert, error: AlerterError) =>
      Effect.sync(() => void lost.push(`${alert.title}: ${error.reason._tag}`))
    )
    const options = { retry: Schedule.spaced("5 millis"), maxRefusals: 2 }
    const log = logs()
    yield* Effect.forEach(["bad", "worse", "fine"], (title) => post(title)).pipe(
      Effect.provide(told(Layer.orDie(Outbox.layer(layer, options).pipe(Layer.provide(client(filename)))))),
      Effect.provide(log.layer)
    )
    assert.deepEqual(tried.filter((title) => title === "bad").length, 2)
    assert.deepEqual(lost.toSorted(), ["bad: Rejected", "worse: Rejected"])
    assert.match(kept(log), /2 alerts are set aside in the outbox: "epilogue outbox list" shows them/)

    const onFile = <A, E>(effect: Effect.Effect<A, E, SqlClient>) => Effect.provide(effect, client(filename))
    const entries = yield* onFile(Outbox.list())
    assert.deepEqual(
      entries.map((
        { alert, attempts, failure, isClaimed, state }
      ) => [alert.title, state, attempts, failure, isClaimed]).toSorted(),
      ["bad", "worse"].map((title) => [title, "aside", 2, "test: the alert was rejected (400): too long", false])
    )
    // a later start leaves them, and says so
    const later = yield* opened(filename, layer, Effect.void, options)
    assert.match(kept(later), /2 alerts are set aside in the outbox/)
    assert.equal(tried.length, 5)

    const worse = entries.find(({ alert }) => alert.title === "worse")!.id
    assert.equal((yield* onFile(Outbox.drop(worse)))?.alert.title, "worse")
    assert.equal(yield* onFile(Outbox.drop(worse)), undefined)
    assert.deepEqual(yield* onFile(Outbox.retry(["none"])), [])
    assert.deepEqual((yield* onFile(Outbox.retry())).map(({ alert }) => alert.title), ["bad"])
    refused = false
    yield* opened(filename, layer, Effect.void, options)
    assert.deepEqual(arrived, ["fine", "bad"])
    assert.deepEqual(yield* onFile(Outbox.list()), [])
  }))

it.live("an alert that kills its process at each attempt is set aside after maxAttempts", () =>
  Effect.gen(function*() {
    const filename = yield* fileOf
    const { layer, tried } = channel()
    yield* opened(filename, layer, post("x"), { deliver: false })
    yield* query(filename, "UPDATE effect_epilogue_alerts SET attempts = 3")
    const log = yield* opened(filename, layer, Effect.void, { maxAttempts: 3 })
    assert.deepEqual(tried, [])
    assert.deepEqual(yield* statesOf(filename), ["aside"])
    assert.match(kept(log), /set aside after 3 attempts.*\n?.*the process ended during the last attempt/)
  }))

// -----------------------------------------------------------------------------
// repeats
// -----------------------------------------------------------------------------

it.live("an alert that is posted again has the same bytes and the same key", () =>
  Effect.gen(function*() {
    const filename = yield* fileOf
    const server = yield* channelServer({ status: 400 }, { status: 200 })
    const webhook = Webhook.layer({ url: Redacted.make(server.url) })
    yield* opened(filename, Layer.orDie(webhook), post("x", { idempotencyKey: "k" }), {
      retry: Schedule.spaced("100 millis")
    })
    const [first, second, ...more] = server.requests
    assert.equal(more.length, 0)
    assert.equal(first?.headers["idempotency-key"], "k")
    assert.deepEqual([second?.body, second?.headers["idempotency-key"]], [first?.body, "k"])
  }))
