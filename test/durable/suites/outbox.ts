/** Alerts that are stored first. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import * as Schedule from "effect/Schedule"
import type { SqlClient } from "effect/sql/SqlClient"
import * as assert from "node:assert/strict"
import { Durable, Outbox } from "../../../src/durable/index.ts"
import { Alert, Alerter, AlerterHooks, Hook, Pipeline, Step } from "../../../src/index.ts"
import { failure } from "../../support/policies.ts"
import { type Engine, job, park, type Place, suiteOf, until, watch, within } from "../support/engine.ts"

/** A channel that is down for its first posts, or while it is told to be. */
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

/** A pipeline with steps whose hooks post, each of them twice. */
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
        yield* park("1")
        yield* Durable.step(Step.make("b", Effect.flatMap(Alerter, ({ post }) => post("of a body"))))
        yield* park("2")
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

/** An outbox that looks for what is due all the time, as one in a database does each second. */
const inMemory = (...args: Parameters<typeof Outbox.layerQueue<never, never>>) =>
  Outbox.layerQueue(...args).pipe(
    Layer.provide(PersistedQueue.layer.pipe(Layer.provide(PersistedQueue.layerStoreMemory)))
  )

export const outboxSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  const through = (
    place: Place,
    outbox: Layer.Layer<Alerter, unknown, SqlClient>,
    id = "1",
    and: Effect.Effect<unknown, never, SqlClient> = Effect.void
  ) => {
    const { layer, workflow } = posting()
    return within(
      place,
      Layer.orDie(layer.pipe(Layer.provide(outbox), Layer.provide(watch().log.layer))),
      Effect.gen(function*() {
        const executionId = yield* workflow.executionId({ id })
        assert.deepEqual(yield* Effect.exit(workflow.execute({ id })), Exit.void)
        yield* and
        return executionId
      })
    )
  }

  test("an outbox delivers all that hooks and bodies post, each once, by the end of the process", (place) =>
    Effect.gen(function*() {
      const { layer, sent } = channel()
      const id = yield* through(place, Outbox.layer(layer))
      assert.deepEqual(keysOf(sent), expected(id).toSorted())
      const mine = sent.filter(({ title }) => title === "two")
      assert.deepEqual(mine.map(({ dedupeKey }) => dedupeKey), ["mine", "mine"])
      assert.ok(sent.every(({ at, dedupeKey }) => at !== undefined && dedupeKey !== undefined))
    }))

  test("on a queue of one's own", (place) =>
    Effect.gen(function*() {
      const { layer, sent } = channel()
      const id = yield* through(place, inMemory(layer))
      assert.deepEqual(keysOf(sent), expected(id).toSorted())
    }))

  test("while the channel is down, deliveries are tried again, ever less often", () =>
    Effect.gen(function*() {
      const { attempts, layer, sent } = channel(3)
      const outbox = inMemory(layer, { retry: Schedule.exponential("20 millis"), concurrency: 1 })
      yield* Effect.flatMap(Alerter, ({ post }) => post("x")).pipe(
        Effect.provide(Layer.provideMerge(outbox, watch().log.layer))
      )
      assert.deepEqual(sent.map(({ title }) => title), ["x"])
      const delays = attempts.slice(1).map((at, i) => at - attempts[i]!)
      assert.equal(delays.length, 3)
      for (const [i, least] of [20, 40, 80].entries()) assert.ok(delays[i]! >= least - 2, delays.join())
    }))

  test("what can't be delivered is given up, and said; the others are not held up", () =>
    Effect.gen(function*() {
      const seen = watch()
      const sent: Array<string> = []
      const selective = Alerter.layer(({ title }) =>
        Effect.suspend(() => title === "bad" ? Effect.fail(failure("test")) : Effect.sync(() => void sent.push(title)))
      )
      const outbox = inMemory(selective, { retry: Schedule.spaced("5 millis"), maxAttempts: 3, drain: "50 millis" })
      yield* Effect.flatMap(Alerter, ({ post }) => Effect.forEach(["bad", "good", "better"], post)).pipe(
        Effect.andThen(
          until("it is given up", () => seen.log.list.some(({ message }) => message.includes("given up")))
        ),
        Effect.provide(Layer.provideMerge(outbox, seen.log.layer))
      )
      assert.deepEqual(sent.toSorted(), ["better", "good"])
      const said = seen.log.list.filter(({ level }) => level === "Error").map(({ message }) => message)
      assert.equal(said.length, 1)
      assert.match(said[0]!, /an alert is given up after 3 attempts/)
    }))

  test("the same key is stored once, others are not", (place) =>
    Effect.gen(function*() {
      const { layer, sent } = channel()
      const same = Alert.make({ title: "same", idempotencyKey: "k" })
      yield* within(
        place,
        Layer.empty,
        Effect.flatMap(Alerter, ({ post }) => Effect.forEach([same, same, "other", "other"], post)).pipe(
          Effect.provide(Outbox.layer(layer))
        )
      )
      assert.deepEqual(sent.map(({ title }) => title).toSorted(), ["other", "other", "same"])
    }))

  test("a name longer than a database's keys are", (place) =>
    Effect.gen(function*() {
      const { layer, sent } = channel()
      const name = "x".repeat(400)
      const step = Step.make(name, Effect.void).pipe(Step.hooks(AlerterHooks.success), Durable.step())
      const pipeline = job(() => step)
      const exit = yield* within(
        place,
        Layer.orDie(pipeline.layer.pipe(Layer.provide(Outbox.layer(layer)))),
        Effect.exit(pipeline.workflow.execute({ id: "1" }))
      )
      assert.deepEqual(exit, Exit.void)
      assert.equal(sent.length, 1)
    }))

  if (!engine.survives) return

  test("what is not delivered is kept, and delivered by the next process", (place) =>
    Effect.gen(function*() {
      const { layer, sent } = channel(1_000)
      const seen = watch()
      const id = yield* through(
        place,
        Outbox.layer(layer, { retry: Schedule.spaced("20 millis"), drain: "10 millis" }).pipe(
          Layer.provide(seen.log.layer)
        )
      )
      assert.deepEqual(sent, [])
      // one that only stores adds to it
      yield* through(place, Outbox.layer(layer, { deliver: false }))
      const next = channel()
      yield* within(
        place,
        Layer.empty,
        until("all is delivered", () => next.sent.length >= 6).pipe(Effect.provide(Outbox.layer(next.layer)))
      )
      assert.deepEqual(keysOf(next.sent), expected(id).toSorted())
      assert.ok(
        seen.log.list.some(({ message }) => message.includes("stay in the outbox, to be delivered by the next process"))
      )
      // and it is not delivered again
      const last = channel()
      yield* within(place, Layer.empty, Effect.provide(Effect.sleep(150), Outbox.layer(last.layer)))
      assert.deepEqual(last.sent, [])
    }))
}
