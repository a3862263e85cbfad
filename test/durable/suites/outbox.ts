/** Alerts that are stored in an outbox and delivered from there. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import * as assert from "node:assert/strict"
import { onLost } from "../../../src/delivery/index.ts"
import { Durable, Outbox } from "../../../src/durable/index.ts"
import * as SqliteClient from "../../../src/durable/internal/engine/sqliteClient.ts"
import { Alert, Alerter, AlerterHooks, type AlertSource, Hook, Pipeline, Step } from "../../../src/index.ts"
import { failure } from "../../support/policies.ts"
import { type Engine, inProcess, job, recorder, type Storage, suiteOf, suspendRun, until } from "../support/engine.ts"

/** Makes a channel that fails its first `broken` posts, or until `mend` is called. */
const channel = (broken = 0) => {
  const attempts: Array<number> = []
  const sent: Array<Alert> = []
  let down = broken
  const layer = Alerter.layer((alert) =>
    Effect.suspend(() => {
      attempts.push(Date.now())
      return down-- > 0 ? Effect.fail(failure("test")) : Effect.sync(() => void sent.push(alert))
    })
  )
  return { attempts, sent, layer, mend: () => (down = 0) }
}

/** Makes a pipeline whose step hooks post two alerts each. */
const posting = () => {
  const twice = Hook.onSuccess(() =>
    Effect.flatMap(
      Alerter,
      ({ post }) => Effect.andThen(post("one"), post(Alert.make({ title: "two", dedupeKey: "mine" })))
    )
  )
  return job(() =>
    Pipeline.make(
      "x",
      Effect.gen(function*() {
        yield* Durable.step(Step.make("a", Effect.void))
        yield* suspendRun("1")
        yield* Durable.step(Step.make("b", Effect.flatMap(Alerter, ({ post }) => post("of a body"))))
        yield* suspendRun("2")
      })
    ).pipe(Pipeline.stepHooks(twice), Pipeline.hooks(AlerterHooks.success))
  )
}

const expected = (id: string) => [
  `${id}/step/a/hook/success/0`,
  `${id}/step/a/hook/success/0/2`,
  `${id}/step/b/1`,
  `${id}/step/b/hook/success/0`,
  `${id}/step/b/hook/success/0/2`,
  `${id}/run/hook/success/0`
]

const keysOf = (alerts: ReadonlyArray<Alert>) => alerts.map(({ idempotencyKey }) => idempotencyKey).toSorted()

/** Makes an outbox in a database of its own. */
const inMemory = (...args: Parameters<typeof Outbox.layer<never, never>>) =>
  Layer.orDie(Outbox.layer(...args).pipe(Layer.provide(Layer.fresh(SqliteClient.layer({ filename: ":memory:" })))))

export const outboxSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  /** Runs the pipeline with an outbox, and returns its execution id. */
  const postThrough = (
    storage: Storage,
    outbox: Layer.Layer<Alerter, unknown, SqlClient>,
    id = "1",
    and: Effect.Effect<unknown, never, SqlClient> = Effect.void
  ) => {
    const { layer, workflow } = posting()
    return inProcess(
      storage,
      Layer.orDie(layer.pipe(Layer.provide(outbox), Layer.provide(recorder().log.layer))),
      Effect.gen(function*() {
        const executionId = yield* workflow.executionId({ id })
        assert.deepEqual(yield* Effect.exit(workflow.execute({ id })), Exit.void)
        yield* and
        return executionId
      })
    )
  }

  test("an outbox delivers each alert of hooks and bodies once, before the process ends", (storage) =>
    Effect.gen(function*() {
      const { layer, sent } = channel()
      const id = yield* postThrough(storage, Outbox.layer(layer))
      assert.deepEqual(keysOf(sent), expected(id).toSorted())
      const mine = sent.filter(({ title }) => title === "two")
      assert.deepEqual(mine.map(({ dedupeKey }) => dedupeKey), ["mine", "mine"])
      assert.ok(sent.every(({ at, dedupeKey }) => at !== undefined && dedupeKey !== undefined))
    }))

  test("an alert that is set aside is told as lost, and one that waits is not", () =>
    Effect.gen(function*() {
      for (const maxAttempts of [2, 1000]) {
        const { attempts, layer } = channel(1000)
        const lost: Array<string> = []
        const outbox = onLost(
          inMemory(layer, {
            maxAttempts,
            retry: Schedule.spaced(maxAttempts === 2 ? "1 millis" : "1 hour"),
            drain: "100 millis"
          }),
          (alert, error) => Effect.sync(() => void lost.push(`${alert.title}: ${error.reason._tag}`))
        )
        const tried = until("it was tried", () => attempts.length === (maxAttempts === 2 ? 2 : 1))
        yield* Effect.flatMap(Alerter, ({ post }) => Effect.andThen(post("x"), tried)).pipe(
          Effect.provide(outbox),
          Effect.provide(recorder().log.layer)
        )
        assert.deepEqual(lost, maxAttempts === 2 ? ["x: Unreachable"] : [])
      }
    }))

  test("deliveries are retried with the delays of the schedule while the channel is down", () =>
    Effect.gen(function*() {
      const { attempts, layer, sent } = channel(3)
      const outbox = inMemory(layer, { retry: Schedule.exponential("20 millis"), concurrency: 1 })
      yield* Effect.flatMap(Alerter, ({ post }) => post("x")).pipe(
        Effect.provide(Layer.provideMerge(outbox, recorder().log.layer))
      )
      assert.deepEqual(sent.map(({ title }) => title), ["x"])
      const delays = attempts.slice(1).map((at, i) => at - attempts[i]!)
      assert.equal(delays.length, 3)
      for (const [i, least] of [20, 40, 80].entries()) assert.ok(delays[i]! >= least - 2, delays.join())
    }))

  test("an alert is set aside after maxAttempts with an error in the log, and holds up no other", () =>
    Effect.gen(function*() {
      const seen = recorder()
      const sent: Array<string> = []
      const selective = Alerter.layer(({ title }) =>
        Effect.suspend(() => title === "bad" ? Effect.fail(failure("test")) : Effect.sync(() => void sent.push(title)))
      )
      const outbox = inMemory(selective, { retry: Schedule.spaced("5 millis"), maxAttempts: 3, drain: "50 millis" })
      yield* Effect.flatMap(Alerter, ({ post }) => Effect.forEach(["bad", "good", "better"], post)).pipe(
        Effect.andThen(
          until("the alert is set aside", () => seen.log.list.some(({ message }) => message.includes("is set aside")))
        ),
        Effect.provide(Layer.provideMerge(outbox, seen.log.layer))
      )
      assert.deepEqual(sent.toSorted(), ["better", "good"])
      const errors = seen.log.list.filter(({ level }) => level === "Error").map(({ message }) => message)
      assert.equal(errors.length, 1)
      assert.match(
        errors[0]!,
        /an alert is set aside after 3 attempts; "epilogue outbox retry [0-9a-f]{20}" delivers it/
      )
    }))

  test("alerts with the same key are stored once, and alerts without a key each time", (storage) =>
    Effect.gen(function*() {
      const { layer, sent } = channel()
      const same = Alert.make({ title: "same", idempotencyKey: "k" })
      yield* inProcess(
        storage,
        Layer.empty,
        Effect.flatMap(Alerter, ({ post }) => Effect.forEach([same, same, "other", "other"], post)).pipe(
          Effect.provide(Outbox.layer(layer))
        )
      )
      assert.deepEqual(sent.map(({ title }) => title).toSorted(), ["other", "other", "same"])
    }))

  test("the post of an alert that can't be stored fails its hook, and the run goes on", (storage) =>
    Effect.gen(function*() {
      const { layer, sent } = channel()
      const seen = recorder()
      // as a program without types may give it
      const source = { pipeline: "x" } as AlertSource
      const step = Step.make("load", Effect.succeed(3)).pipe(
        Step.onSuccess(() => Alerter.use(({ post }) => post(Alert.make({ title: "x", source })))),
        Step.onExit(() => seen.note("exit")),
        Durable.step({ success: Schema.Int })
      )
      const pipeline = job(() => Pipeline.make("x", step))
      const exit = yield* inProcess(
        storage,
        Layer.orDie(pipeline.layer.pipe(Layer.provide(Outbox.layer(layer)), Layer.provide(seen.layer))),
        Effect.exit(pipeline.workflow.execute({ id: "1" }))
      )
      assert.deepEqual(exit, Exit.succeed(3))
      assert.deepEqual([seen.list, sent], [["exit"], []])
      const failed = seen.events.list.filter(({ _tag }) => _tag === "HookFailed")
      assert.equal(failed.length, 1)
      const logged = seen.log.list.map(({ cause, message }) => `${message} ${String(cause)}`).join("\n")
      assert.match(logged, /alert\.source\.runId: Missing key/)
    }))

  test("observers are told that the outbox holds an alert of a step, and what has become of it", (storage) =>
    Effect.gen(function*() {
      const { layer } = channel()
      const seen = recorder()
      const say = Alerter.use(({ post }) => post("of the body"))
      const step = Step.make("load", say).pipe(Step.hooks(AlerterHooks.success), Durable.step())
      const pipeline = job(() => Pipeline.make("x", step))
      yield* inProcess(
        storage,
        Layer.orDie(pipeline.layer.pipe(Layer.provide(Outbox.layer(layer)), Layer.provide(seen.layer))),
        pipeline.workflow.execute({ id: "1" })
      )
      const posted = seen.events.list.flatMap((event) =>
        event._tag === "AlertPosted" ? [`${event.step?.stepName}: ${event.title} ${event.result} by ${event.by}`] : []
      )
      assert.deepEqual(posted.toSorted(), [
        "load: job › load succeeded delivered by outbox",
        "load: job › load succeeded held by outbox",
        "load: of the body delivered by outbox",
        "load: of the body held by outbox"
      ])
    }))

  test("an alert that a fiber posts after its hook has ended is delivered", (storage) =>
    Effect.gen(function*() {
      const { layer, sent } = channel()
      const posted = Latch.makeUnsafe()
      const ended = Latch.makeUnsafe()
      const step = Step.make("load", Effect.void).pipe(
        Step.onSuccess(() =>
          Alerter.use(({ post }) =>
            Effect.forkDetach(Effect.andThen(ended.await, Effect.andThen(post("late"), posted.open)))
          )
        ),
        Durable.step()
      )
      const next = Step.make("next", Effect.andThen(ended.open, posted.await)).pipe(Durable.step())
      const pipeline = job(() => Pipeline.make("x", Effect.andThen(step, next)))
      yield* inProcess(
        storage,
        Layer.orDie(pipeline.layer.pipe(Layer.provide(Outbox.layer(layer)))),
        pipeline.workflow.execute({ id: "1" })
      )
      assert.deepEqual(sent.map(({ title }) => title), ["late"])
      assert.match(sent[0]!.idempotencyKey!, /\/step\/load\/hook\/success\/0$/)
    }))

  test("a step with a long name can post", (storage) =>
    Effect.gen(function*() {
      const { layer, sent } = channel()
      const name = "x".repeat(400)
      const step = Step.make(name, Effect.void).pipe(Step.hooks(AlerterHooks.success), Durable.step())
      const pipeline = job(() => step)
      const exit = yield* inProcess(
        storage,
        Layer.orDie(pipeline.layer.pipe(Layer.provide(Outbox.layer(layer)))),
        Effect.exit(pipeline.workflow.execute({ id: "1" }))
      )
      assert.deepEqual(exit, Exit.void)
      assert.equal(sent.length, 1)
    }))

  if (!engine.survives) return

  test("alerts that are not delivered are kept, and the next process delivers them once", (storage) =>
    Effect.gen(function*() {
      const { layer, sent } = channel(1_000)
      const seen = recorder()
      const id = yield* postThrough(
        storage,
        Outbox.layer(layer, { retry: Schedule.spaced("20 millis"), drain: "10 millis" }).pipe(
          Layer.provide(seen.log.layer)
        )
      )
      assert.deepEqual(sent, [])
      // an outbox that only stores uses the same queue
      yield* postThrough(storage, Outbox.layer(layer, { deliver: false }))
      const next = channel()
      yield* inProcess(
        storage,
        Layer.empty,
        until("all alerts are delivered", () => next.sent.length >= 6).pipe(Effect.provide(Outbox.layer(next.layer)))
      )
      assert.deepEqual(keysOf(next.sent), expected(id).toSorted())
      assert.ok(
        seen.log.list.some(({ message }) => message.includes("stay in the outbox, to be delivered by the next process"))
      )
      // a third process finds nothing to deliver
      const last = channel()
      yield* inProcess(storage, Layer.empty, Effect.provide(Effect.sleep(150), Outbox.layer(last.layer)))
      assert.deepEqual(last.sent, [])
    }))
}
