import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { fallback } from "../../src/delivery/index.ts"
import { Alert, AlerterError, AlerterErrorReason } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { bare, build, failure, field, type Inner, inner, type Post } from "../support/policies.ts"

const it = makeIt(test)

const notDeliveredBy = "not delivered by"

const start = (effect: ReturnType<Post>) => Effect.forkChild(Effect.exit(effect), { startImmediately: true })

/** Returns the alert that the second alerter receives if `first` does not deliver it. */
const toSecond = (first: Inner["layer"]): Effect.Effect<Alert | undefined, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const second = yield* inner()
    const post = yield* build(first.pipe(fallback(second.layer)))
    yield* post(Alert.make({ title: "hello", fields: { rows: 3 } }))
    return (yield* second.sent)[0]
  })

it.effect("the second alerter gets nothing while the first works", () =>
  Effect.gen(function*() {
    const [first, second] = [yield* inner(), yield* inner()]
    const post = yield* build(fallback(first.layer, second.layer))
    yield* post("hello")
    assert.deepEqual(yield* first.titles, ["hello"])
    assert.equal(field((yield* first.sent)[0], notDeliveredBy), undefined)
    assert.equal(yield* second.attempts, 0)
  }))

it.effect("the alert for the second alerter says why the first did not deliver it", () =>
  Effect.gen(function*() {
    const failed = yield* toSecond(bare(() => Effect.fail(failure("slack"))))
    assert.deepEqual(failed?.fields, [
      { name: "rows", value: "3" },
      { name: notDeliveredBy, value: "slack: could not be reached: no route" }
    ])
    const died = yield* toSecond(bare(() => Effect.die(new Error("POST https://hooks.example.org/secret: bug"))))
    assert.equal(field(died, notDeliveredBy), "alerter: the alert was rejected: POST <url>: bug")
    const thrown = yield* toSecond(bare(() => {
      throw new Error("thrown")
    }))
    assert.match(field(thrown, notDeliveredBy)!, /thrown/)
    const reason = AlerterErrorReason.Unreachable({ detail: "POST https://hooks.example.org/secret" })
    const withUrl = yield* toSecond(bare(() => Effect.fail(new AlerterError({ channel: "own", reason }))))
    assert.equal(field(withUrl, notDeliveredBy), "own: could not be reached: POST <url>")
    const stopped = yield* toSecond(bare(() => Effect.interrupt))
    assert.match(field(stopped, notDeliveredBy)!, /interrupted/)
    assert.equal(stopped?.title, "hello")
  }))

it.effect("after the time limit the first alerter is interrupted, and the second gets the alert", () =>
  Effect.gen(function*() {
    let interrupted = false
    const hanging = bare(() => Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted = true)))
    const second = yield* inner()
    const post = yield* build(hanging.pipe(fallback(second.layer)))
    const fiber = yield* start(post("hello"))
    yield* TestClock.adjust("14999 millis")
    assert.equal(yield* second.attempts, 0)
    yield* TestClock.adjust("1 millis")
    assert.equal((yield* Fiber.join(fiber))._tag, "Success")
    assert.equal(interrupted, true)
    assert.match(field((yield* second.sent)[0], notDeliveredBy)!, /no answer within 15 s/)
  }))

it.effect("a post within the time limit `after` is delivered once", () =>
  Effect.gen(function*() {
    const slow = bare(() => Effect.sleep("3 seconds"))
    const second = yield* inner()
    const patient = yield* build(slow.pipe(fallback(second.layer, { after: "4 seconds" })))
    const fiber = yield* start(patient("hello"))
    yield* TestClock.adjust("10 seconds")
    assert.equal((yield* Fiber.join(fiber))._tag, "Success")
    assert.equal(yield* second.attempts, 0)
    const hasty = yield* build(slow.pipe(fallback(second.layer, { after: "2 seconds" })))
    const other = yield* start(hasty("hello"))
    yield* TestClock.adjust("2 seconds")
    yield* Fiber.join(other)
    assert.equal(yield* second.attempts, 1)
  }))

it.effect("a first alerter that ignores interruption does not delay the second", () =>
  Effect.gen(function*() {
    const [gate, second] = [yield* Deferred.make<void>(), yield* inner()]
    const stubborn = bare(() => Effect.uninterruptible(Deferred.await(gate)))
    const post = yield* build(stubborn.pipe(fallback(second.layer)))
    const fiber = yield* start(Effect.uninterruptible(post("hello")))
    yield* TestClock.adjust("15 seconds")
    assert.equal((yield* Fiber.join(fiber))._tag, "Success")
    assert.deepEqual(yield* second.titles, ["hello"])
    yield* Deferred.succeed(gate, undefined)
  }))

it.effect("if both alerters fail, the error contains both messages", () =>
  Effect.gen(function*() {
    const a = bare(() => Effect.fail(failure("slack")))
    const b = bare(() => Effect.die("bug"))
    const error = yield* Effect.flip((yield* build(a.pipe(fallback(b))))("hello"))
    assert.equal(error.channel, "fallback")
    assert.equal(error.reason._tag, "Rejected")
    assert.match(error.message, /slack: could not be reached: no route; alerter: .*bug/)
  }))

it.effect("in a chain each alerter has its own time limit, and the last alert names all errors", () =>
  Effect.gen(function*() {
    const attempted: Array<string> = []
    const hanging = (name: string) => bare(() => Effect.andThen(Effect.sync(() => attempted.push(name)), Effect.never))
    const last = yield* inner()
    const post = yield* build(
      hanging("a").pipe(fallback(hanging("b")), fallback(bare(() => Effect.fail(failure("c")))), fallback(last.layer))
    )
    const fiber = yield* start(post("hello"))
    yield* TestClock.adjust("15 seconds")
    assert.deepEqual(attempted, ["a", "b"])
    yield* TestClock.adjust("14 seconds")
    assert.equal(yield* last.attempts, 0)
    yield* TestClock.adjust("1 second")
    assert.equal((yield* Fiber.join(fiber))._tag, "Success")
    const value = field((yield* last.sent)[0], notDeliveredBy)!
    assert.match(value, /no answer within 15 s.*c: could not be reached/)
  }))

it.effect("a chain ends with the first alerter that works", () =>
  Effect.gen(function*() {
    const [b, c] = [yield* inner(), yield* inner()]
    const post = yield* build(bare(() => Effect.never).pipe(fallback(b.layer), fallback(c.layer)))
    const fiber = yield* start(post("hello"))
    yield* TestClock.adjust("15 seconds")
    assert.equal((yield* Fiber.join(fiber))._tag, "Success")
    assert.deepEqual([yield* b.attempts, yield* c.attempts], [1, 0])
  }))

it.effect("without a cooldown the next alert is posted to the first alerter again", () =>
  Effect.gen(function*() {
    const first = yield* inner(TestAlerter.layerFailing({ times: 1, reason: AlerterErrorReason.RateLimited({}) }))
    const second = yield* inner()
    const post = yield* build(first.layer.pipe(fallback(second.layer)))
    yield* post("one")
    yield* post("two")
    assert.deepEqual(yield* second.titles, ["one"])
    assert.deepEqual(yield* first.titles, ["two"])
  }))

it.effect("during the cooldown the first alerter is skipped", () =>
  Effect.gen(function*() {
    const first = yield* inner(TestAlerter.layerFailing({ times: 2 }))
    const second = yield* inner()
    const post = yield* build(first.layer.pipe(fallback(second.layer, { cooldown: "1 minute" })))
    yield* post("one")
    yield* TestClock.adjust("59 seconds")
    yield* post("two")
    assert.equal(yield* first.attempts, 1)
    assert.equal(field((yield* second.sent)[1], notDeliveredBy), "test: could not be reached")
    yield* TestClock.adjust("1 second")
    yield* post("three")
    yield* TestClock.adjust("30 seconds")
    yield* post("still three")
    assert.equal(yield* first.attempts, 2)
    yield* TestClock.adjust("30 seconds")
    yield* post("four")
    yield* post("five")
    assert.deepEqual(yield* second.titles, ["one", "two", "three", "still three"])
    assert.deepEqual(yield* first.titles, ["four", "five"])
  }))

it.effect("setting the clock back does not extend the cooldown", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-11-23"))
    const first = yield* inner(TestAlerter.layerFailing({ times: 1 }))
    const second = yield* inner()
    const post = yield* build(first.layer.pipe(fallback(second.layer, { cooldown: "1 minute" })))
    yield* post("one")
    yield* TestClock.setTime(Date.parse("2025-11-23"))
    yield* TestClock.adjust("1 minute")
    yield* post("two")
    assert.deepEqual(yield* first.titles, ["two"])
  }))

it.effect("interrupting the post interrupts the alerter that is tried, and no other gets the alert", () =>
  Effect.gen(function*() {
    let interrupted = 0
    const hanging = bare(() => Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++)))
    const second = yield* inner()
    const post = yield* build(hanging.pipe(fallback(second.layer)))
    const fiber = yield* start(post("hello"))
    yield* TestClock.adjust("1 second")
    yield* Fiber.interrupt(fiber)
    assert.equal(interrupted, 1)
    yield* TestClock.adjust("1 minute")
    assert.equal(yield* second.attempts, 0)
    const other = yield* build(fallback(bare(() => Effect.fail(failure("a"))), hanging))
    const waiting = yield* start(other("hello"))
    yield* TestClock.adjust("1 minute")
    yield* Fiber.interrupt(waiting)
    assert.equal(interrupted, 2)
  }))

it.effect("an interruption of the post waits for the finalizers of the first alerter", () =>
  Effect.gen(function*() {
    let cleaned = false
    const careful = bare(() =>
      Effect.onInterrupt(
        Effect.never,
        () => Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => cleaned = true))
      )
    )
    const post = yield* build(careful.pipe(fallback(careful)))
    const fiber = yield* start(post("hello"))
    const leaving = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
    yield* TestClock.adjust("999 millis")
    assert.equal(leaving.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 millis")
    yield* Fiber.join(leaving)
    assert.equal(cleaned, true)
  }))
