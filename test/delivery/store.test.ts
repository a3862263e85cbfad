/** No alert is lost, whether the store fails, hangs, is emptied, or is written by other processes. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { dedupe, digest, Store, throttle } from "../../src/delivery/index.ts"
import { Alert, type Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { listed, open } from "./support.ts"

const it = makeIt(test)

interface Faults {
  readonly get?: () => Effect.Effect<void, KeyValueStore.KeyValueStoreError>
  readonly set?: () => Effect.Effect<void, KeyValueStore.KeyValueStoreError>
}

const failed = (message: string, cause?: Error) =>
  Effect.fail(new KeyValueStore.KeyValueStoreError({ method: "any", message, cause }))

/** Returns a store whose data other stores may share, as those of several processes do. */
const keyValuesOver = (data: Map<string, string>, faults: Faults): Layer.Layer<KeyValueStore.KeyValueStore> =>
  Layer.sync(KeyValueStore.KeyValueStore, () =>
    KeyValueStore.makeStringOnly({
      get: (key) =>
        Effect.andThen(Effect.suspend(() => faults.get?.() ?? Effect.void), Effect.sync(() => data.get(key))),
      set: (key, value) =>
        Effect.andThen(
          Effect.suspend(() => faults.set?.() ?? Effect.void),
          Effect.sync(() => void data.set(key, value))
        ),
      remove: (key) => Effect.sync(() => void data.delete(key)),
      clear: Effect.sync(() => data.clear()),
      keys: Effect.sync(() => [...data.keys()]),
      size: Effect.sync(() => data.size)
    }))

const storeOver = (data: Map<string, string>, faults: Faults = {}): Layer.Layer<Store> =>
  Layer.provide(Store.layerKeyValueStore, keyValuesOver(data, faults))

const weekly = (store: Layer.Layer<Store>) => (self: Layer.Layer<Alerter>) =>
  digest(self, { window: "7 days", persist: "weekly" }).pipe(Layer.provide(store))

const key = "effect-epilogue/digest/weekly"

for (const operation of ["get", "set"] as const) {
  it.effect(`a store whose ${operation} hangs and ignores interruption delays posts and the scope by seconds only`, () =>
    Effect.gen(function*() {
      const log = logs()
      const store = storeOver(new Map(), { [operation]: () => Effect.uninterruptible(Effect.never) })
      const { close, post, sent } = yield* open(weekly(store))
      const posting = yield* Effect.forkChild(Effect.provide(Effect.forEach(["a", "b", "c"], post), log.layer))
      yield* TestClock.adjust("6 seconds")
      yield* Fiber.join(posting)
      const closing = yield* Effect.forkChild(Effect.provide(close, log.layer))
      yield* TestClock.adjust("6 seconds")
      yield* Fiber.join(closing)
      assert.deepEqual((yield* sent).map(listed), [["a", "b", "c"]])
    }))
}

it.effect("alerts that a hanging store could not save are posted as the scope closes", () =>
  Effect.gen(function*() {
    const data = new Map<string, string>()
    let hangs = false
    const hang = () => hangs ? Effect.uninterruptible(Effect.never) : Effect.void
    const store = storeOver(data, { get: hang, set: hang })
    const first = yield* open(weekly(store))
    yield* first.post("a")
    hangs = true
    const posting = yield* Effect.forkChild(first.post("b"))
    yield* TestClock.adjust("5 seconds")
    yield* Fiber.join(posting)
    const closing = yield* Effect.forkChild(first.close)
    yield* TestClock.adjust("5 seconds")
    yield* Fiber.join(closing)
    // "a" is in the store, so the next process posts it
    assert.deepEqual(yield* first.titles, ["b"])
    const next = yield* open(weekly(storeOver(data)))
    yield* TestClock.adjust("7 days")
    assert.deepEqual(yield* next.titles, ["a"])
  }).pipe(Effect.provide(logs().layer)))

it.effect("entries are not overwritten while they can't be read", () =>
  Effect.gen(function*() {
    const data = new Map<string, string>()
    const first = yield* open(weekly(storeOver(data)))
    yield* first.post("night 1")
    yield* first.close
    let reads = 0
    const second = yield* open(weekly(storeOver(data, { get: () => ++reads <= 2 ? failed("busy") : Effect.void })))
    yield* Effect.provide(second.post("night 2"), logs().layer)
    yield* second.close
    const third = yield* open(weekly(storeOver(data)))
    yield* TestClock.adjust("7 days")
    const all = [...yield* second.sent, ...yield* third.sent].flatMap(listed)
    assert.deepEqual(all, ["night 1", "night 2"])
  }).pipe(Effect.provide(logs().layer)))

it.effect("when the store fails, only alerts that it does not contain are posted as the scope closes", () =>
  Effect.gen(function*() {
    const data = new Map<string, string>()
    const first = yield* open(weekly(storeOver(data)))
    yield* first.post("night 1")
    yield* first.close
    const second = yield* open(weekly(storeOver(data, { set: () => failed("disk full") })))
    yield* second.post("night 2")
    yield* second.close
    assert.deepEqual(yield* second.titles, ["night 2"])
    const third = yield* open(weekly(storeOver(data)))
    yield* TestClock.adjust("7 days")
    assert.deepEqual(yield* third.titles, ["night 1"])
  }).pipe(Effect.provide(logs().layer)))

const slow = { get: () => Effect.sleep("10 millis"), set: () => Effect.sleep("10 millis") }

for (const how of ["one store", "two stores over the same data"]) {
  it.effect(`concurrent writes through ${how} lose nothing`, () =>
    Effect.gen(function*() {
      const data = new Map<string, string>()
      const keyValues = Context.get(yield* Layer.build(keyValuesOver(data, slow)), KeyValueStore.KeyValueStore)
      const store = Layer.provide(Store.layerKeyValueStore, Layer.succeed(KeyValueStore.KeyValueStore, keyValues))
      const one = yield* open(weekly(how === "one store" ? store : storeOver(data, slow)))
      const other = yield* open(weekly(how === "one store" ? store : storeOver(data, slow)))
      for (let i = 0; i < 3; i++) {
        const both = yield* Effect.forkChild(
          Effect.all([one.post(`one ${i}`), other.post(`other ${i}`)], { concurrency: 2 })
        )
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(both)
      }
      const closing = yield* Effect.forkChild(Effect.all([one.close, other.close], { concurrency: 2 }))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      const next = yield* open(weekly(storeOver(data)))
      yield* TestClock.adjust("7 days")
      const all = (yield* next.sent).flatMap(listed)
      assert.deepEqual(all.toSorted(), ["one 0", "one 1", "one 2", "other 0", "other 1", "other 2"])
    }))
}

it.effect("entries that were deleted from the store during a run are written again", () =>
  Effect.gen(function*() {
    const data = new Map<string, string>()
    const first = yield* open(weekly(storeOver(data)))
    yield* first.post("a")
    data.clear()
    yield* first.close
    assert.deepEqual(yield* first.titles, [])
    const next = yield* open(weekly(storeOver(data)))
    yield* TestClock.adjust("7 days")
    assert.deepEqual(yield* next.titles, ["a"])
  }))

it.effect("a half-written text is read again, and an invalid one is copied before it is replaced", () =>
  Effect.gen(function*() {
    const log = logs()
    yield* Effect.gen(function*() {
      const data = new Map<string, string>()
      const store = storeOver(data)
      const first = yield* open(weekly(store))
      yield* first.post("a")
      yield* first.close
      const text = data.get(key)!
      data.set(key, text.slice(0, 50))
      const second = yield* open(weekly(store))
      const posting = yield* Effect.forkChild(second.post("b"))
      yield* TestClock.adjust("50 millis")
      data.set(key, text)
      yield* TestClock.adjust("50 millis")
      yield* Fiber.join(posting)
      yield* second.close
      assert.equal(log.list.length, 0)
      data.set(key, "{ https://user:secret@x.test")
      const third = yield* open(weekly(store))
      yield* TestClock.adjust("7 days")
      yield* third.post("c")
      yield* third.close
      assert.equal(data.get(`${key}/unreadable`), "{ https://user:secret@x.test")
      assert.match(data.get(key)!, /"c"/)
    }).pipe(Effect.provide(log.layer))
    assert.deepEqual(log.list.map(({ message }) => message), [
      `effect-epilogue: the state "${key}" could not be decoded the stored text is invalid, a copy is kept as "${key}/unreadable"`
    ])
  }))

it.effect("a text that mixes the writes of two processes is rejected by its checksum", () =>
  Effect.gen(function*() {
    const data = new Map<string, string>()
    const first = yield* open(weekly(storeOver(data)))
    yield* first.post("a")
    yield* first.close
    const text = data.get(key)!
    data.set(key, text.replace("\"a\"", "\"b\""))
    const second = yield* open(weekly(storeOver(data)))
    yield* TestClock.adjust("50 millis")
    data.set(key, text)
    yield* TestClock.adjust("7 days")
    assert.deepEqual(yield* second.titles, ["a"])
  }))

it.effect("a store that keeps failing is logged once, with the reason and without URLs", () =>
  Effect.gen(function*() {
    const log = logs()
    let broken = true
    const faults = {
      set: () => broken ? failed("no way to redis://:secret@x.test", new Error("ENOSPC")) : Effect.void
    }
    yield* Effect.gen(function*() {
      const { close, post } = yield* open((self) =>
        dedupe(self, { window: "1 hour", persist: "x" }).pipe(Layer.provide(storeOver(new Map(), faults)))
      )
      for (let i = 0; i < 50; i++) yield* post(`${i}`)
      broken = false
      yield* post("works")
      broken = true
      yield* post("again")
      yield* close
    }).pipe(Effect.provide(log.layer))
    const message =
      "effect-epilogue: the state \"effect-epilogue/dedupe/x\" could not be written no way to <url>: ENOSPC"
    assert.deepEqual(log.list.map(({ level, message }) => `${level} ${message}`), [
      `Warn ${message}`,
      `Warn ${message}`
    ])
  }))

it.effect("after the scope has closed, alerts pass through if the store has failed", () =>
  Effect.gen(function*() {
    const store = storeOver(new Map(), { set: () => failed("disk full") })
    const held = yield* open(weekly(store))
    yield* held.post("a")
    yield* held.close
    assert.match(String(yield* Effect.exit(held.post("late"))), /posted too late/)
    const counted = yield* open((self) =>
      throttle(self, { limit: 1, window: "1 hour", persist: "x" }).pipe(Layer.provide(store))
    )
    yield* counted.post(Alert.make("a"))
    yield* counted.close
    assert.match(String(yield* Effect.exit(counted.post("late"))), /posted too late/)
  }).pipe(Effect.provide(logs().layer)))

it.effect("an alert that passes a throttle changes its own entry in the store, and those whose counts it reports", () =>
  Effect.gen(function*() {
    // the entries that differ after each change, by which a store knows what to write
    const changes: Array<ReadonlyArray<string>> = []
    const state = <A>() => {
      const entries = new Map<string, A>()
      const modify = <B>(f: (entries: Map<string, A>) => B) =>
        Effect.sync(() => {
          const before = new Map(entries)
          const result = f(entries)
          changes.push([...entries.keys()].filter((key) => entries.get(key) !== before.get(key)))
          return result
        })
      return { modify, commit: modify, unsaved: Effect.sync(() => new Set(entries.keys())) }
    }
    const layer = (self: Layer.Layer<Alerter>) =>
      throttle(self, { limit: 4, window: "1 hour", perKey: { limit: 1, window: "10 minutes" }, persist: "x" }).pipe(
        Layer.provide(Layer.succeed(Store, Store.of({ state })))
      )
    const { post } = yield* open(layer)
    const about = (dedupeKey: string) =>
      Effect.map(post(Alert.make({ title: dedupeKey, dedupeKey })), () => [...new Set(changes.splice(0).flat())])
    for (const key of ["a", "b", "c"]) assert.deepEqual(yield* about(key), [`of:${key}`])
    // held back by its own limit
    assert.deepEqual(yield* about("b"), ["of:b"])
    yield* TestClock.adjust("11 minutes")
    changes.length = 0
    assert.deepEqual(yield* about("b"), ["of:b"])
    // held back by the limit of all
    assert.deepEqual(yield* about("d"), ["of:d"])
    yield* TestClock.adjust("50 minutes")
    changes.length = 0
    // the first slot of b has left the window
    assert.deepEqual(yield* about("e"), ["of:b", "of:d", "of:e"])
  }))
