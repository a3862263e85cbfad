/** Mailboxes: pace, order, callers that leave, pauses and folding. */
import { Cause, Context, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { fanOut, mailbox } from "../../src/delivery/index.ts"
import { Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { limited, named, open } from "../support/mailboxes.ts"
import { failure } from "../support/policies.ts"

const it = makeIt(test)

// -----------------------------------------------------------------------------
// pace and order
// -----------------------------------------------------------------------------

it.effect("alerts go out at the pace, in bursts as long as it allows", () =>
  Effect.gen(function*() {
    const box = yield* open({ pace: [{ count: 2, per: "2 seconds" }, { count: 3, per: "10 seconds" }] })
    for (const n of [1, 2, 3, 4, 5]) yield* box.leave(`${n}`)
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(box.sent.map(({ at }) => at), [0, 0, 2000, 10_000, 10_000])
    yield* box.close
  }))

for (
  const [what, limit, expected] of [
    ["no count", { per: "1 second" }, "pace.count must be a whole number from 1 on"],
    ["a count of half an alert", { count: 0.5, per: "1 second" }, "pace.count must be a whole number from 1 on"],
    ["a burst of 0", { count: 1, per: "1 second", burst: 0 }, "pace.burst must be a whole number from 1 on"],
    ["no time span", { count: 1 }, "pace.per must be a finite duration from 0 on"],
    ["an infinite time span", { count: 1, per: Infinity }, "pace.per must be a finite duration from 0 on"]
  ] as const
) {
  it.effect(`a pace with ${what} is a defect when the layer is built`, () =>
    Effect.gen(function*() {
      // as from JavaScript
      const pace = [limit] as unknown as NonNullable<Parameters<typeof open>[0]>["pace"]
      const exit = yield* Effect.exit(open({ pace }))
      assert.ok(exit._tag === "Failure" && Cause.hasDies(exit.cause))
      assert.ok(String(Cause.squash(exit.cause)).includes(expected), String(Cause.squash(exit.cause)))
    }))
}

it.effect("the pace counts from the end of an attempt, since the channel may count it that late", () =>
  Effect.gen(function*() {
    const box = yield* open({ pace: [{ count: 1, per: "1 second" }] }, () => Effect.sleep("300 millis"))
    for (const n of [1, 2, 3]) yield* box.leave(`${n}`)
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(box.sent.map(({ at }) => at), [300, 1600, 2900])
    yield* box.close
  }))

it.effect("the most severe alert goes first, and none overtakes another about the same", () =>
  Effect.gen(function*() {
    const box = yield* open({ pace: [{ count: 1, per: "1 second" }] })
    yield* box.leave(named("first", "info"))
    yield* box.leave(named("a", "warning"))
    yield* box.leave(named("b failed", "info", "b"))
    yield* box.leave(named("b failed worse", "critical", "b"))
    yield* box.leave(named("c", "error"))
    yield* box.leave(named("a recovered", "success", "a"))
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(box.titles(), ["first", "b failed", "b failed worse", "c", "a", "a recovered"])
    yield* box.close
  }))

it.effect("a recovery waits for the failures that it is about, whatever their keys", () =>
  Effect.gen(function*() {
    const box = yield* open({ pace: [{ count: 1, per: "1 second" }] })
    yield* box.leave("first")
    yield* box.leave(named("a failed", "warning"))
    yield* box.leave(named("all is well", "critical").with({ recovers: [named("a failed", "warning")] }))
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(box.titles(), ["first", "a failed", "all is well"])
    yield* box.close
  }))

// -----------------------------------------------------------------------------
// callers
// -----------------------------------------------------------------------------

it.effect("a post ends when its alert has been sent, and fails as the alerter does", () =>
  Effect.gen(function*() {
    const box = yield* open({ pace: [{ count: 1, per: "1 second" }] }, ({ title }) =>
      title === "bad" ? Effect.fail(failure("test")) : Effect.void)
    yield* box.post("one")
    const two = yield* Effect.forkChild(box.post("two"), { startImmediately: true })
    assert.equal(two.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 second")
    assert.equal((yield* Fiber.await(two))._tag, "Success")
    const bad = yield* Effect.forkChild(Effect.flip(box.post("bad")), { startImmediately: true })
    yield* TestClock.adjust("1 second")
    assert.equal((yield* Fiber.join(bad)).reason._tag, "Unreachable")
    yield* box.close
  }))

it.effect("an alert whose caller is interrupted is sent all the same, before and during its attempt", () =>
  Effect.gen(function*() {
    const box = yield* open({}, () => Effect.sleep("5 seconds"))
    yield* box.leave("under way")
    yield* box.leave("waiting")
    yield* TestClock.adjust("10 seconds")
    assert.deepEqual(box.titles(), ["under way", "waiting"])
    yield* box.close
  }))

// -----------------------------------------------------------------------------
// refusals
// -----------------------------------------------------------------------------

for (
  const [what, hang] of [
    ["never ends", Effect.never],
    ["never ends and ignores that it is interrupted", Effect.uninterruptible(Effect.never)]
  ] as const
) {
  it.effect(`an attempt that ${what} fails after five minutes, and others are sent`, () =>
    Effect.gen(function*() {
      const box = yield* open({}, ({ title }) => title === "first" ? hang : Effect.void)
      const first = yield* Effect.forkChild(Effect.flip(box.post("first")), { startImmediately: true })
      yield* box.leave("second")
      yield* TestClock.adjust("4 minutes")
      assert.deepEqual(box.titles(), [])
      yield* TestClock.adjust("1 minute")
      assert.deepEqual(box.titles(), ["second"])
      const { channel, reason } = yield* Fiber.join(first)
      assert.deepEqual([channel, reason._tag], ["custom", "TimedOut"])
      yield* box.close
    }))
}

it.effect("an alert that waits in a mailbox inside is waited for", () =>
  Effect.gen(function*() {
    const titles: Array<string> = []
    const channel = Alerter.layer(({ title }) => Effect.sync(() => void titles.push(title)))
    const inside = mailbox(channel, { pace: [{ count: 1, per: "20 minutes" }] })
    const context = yield* Layer.build(mailbox(inside, { drain: 0 }))
    const { post } = Context.get(context, Alerter)
    const posts = yield* Effect.forkChild(Effect.forEach(["a", "b"], (title) => Effect.exit(post(title))))
    yield* TestClock.adjust("30 minutes")
    assert.deepEqual((yield* Fiber.join(posts)).map(({ _tag }) => _tag), ["Success", "Success"])
    assert.deepEqual(titles, ["a", "b"])
  }))

it.effect("after a refusal of the rate, all alerts wait as long as the channel says, and up to a quarter longer", () =>
  Effect.gen(function*() {
    const box = yield* open({}, (_, attempt) => attempt === 2 ? Effect.fail(limited(8000)) : Effect.void)
    for (const n of [1, 2, 3]) yield* box.leave(`${n}`)
    yield* TestClock.adjust("7999 millis")
    assert.deepEqual(box.titles(), ["1"])
    yield* TestClock.adjust("2001 millis")
    assert.deepEqual(box.titles(), ["1", "2", "3"])
    assert.equal(box.attempts(), 4)
    yield* box.close
  }))

it.effect("after a refusal of one of several channels, the others do not get the alert again", () =>
  Effect.gen(function*() {
    const got: Array<string> = []
    let refusals = 1
    const fine = Alerter.layer(({ title }) => Effect.sync(() => got.push(title)))
    const busy = Alerter.layer(({ title }) =>
      Effect.suspend(() => refusals-- > 0 ? Effect.fail(limited(8000)) : Effect.sync(() => got.push(`late ${title}`)))
    )
    const { post } = Context.get(yield* Layer.build(mailbox(fanOut([fine, busy]))), Alerter)
    const fiber = yield* Effect.forkChild(post("a"), { startImmediately: true })
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(fiber)
    assert.deepEqual(got, ["a", "late a"])
  }))

it.effect("a channel that says to come back at once, again and again, is asked ever less often", () =>
  Effect.gen(function*() {
    const box = yield* open({}, (_, attempt) => attempt < 30 ? Effect.fail(limited(attempt % 2)) : Effect.void)
    yield* box.leave("x")
    assert.ok(box.attempts() <= 2, `${box.attempts()} attempts at once`)
    yield* TestClock.adjust("10 seconds")
    assert.ok(box.attempts() <= 6, `${box.attempts()} attempts in 10 s`)
    yield* TestClock.adjust("1 hour")
    assert.deepEqual(box.titles(), ["x"])
    yield* box.close
  }))

it.effect("an alert is given up when the channel has refused for an hour, and its caller learns why", () =>
  Effect.gen(function*() {
    const box = yield* open({}, () => Effect.fail(limited(20 * 60_000)))
    const fiber = yield* Effect.forkChild(Effect.flip(box.post("x")), { startImmediately: true })
    yield* TestClock.adjust("2 hours")
    assert.equal((yield* Fiber.join(fiber)).reason._tag, "RateLimited")
    // the third attempt is made after 40 minutes, and a fourth would be after an hour
    assert.equal(box.attempts(), 3)
    yield* box.close
  }))

it.effect("after a refusal no burst follows, since the bucket of the channel is empty", () =>
  Effect.gen(function*() {
    const box = yield* open(
      { pace: [{ count: 1, per: "1 second", burst: 5 }] },
      (_, attempt) => attempt === 2 ? Effect.fail(limited(2000)) : Effect.void
    )
    for (const n of [1, 2, 3, 4]) yield* box.leave(`${n}`)
    yield* TestClock.adjust("1 minute")
    const [first, ...others] = box.sent.map(({ at }) => at)
    assert.equal(first, 0)
    assert.deepEqual(others.map((at) => at - others[0]!), [0, 1000, 2000])
    // it has filled again
    for (const n of [5, 6, 7]) yield* box.leave(`${n}`)
    assert.deepEqual(box.sent.slice(4).map(({ at }) => at), [60_000, 60_000, 60_000])
    yield* box.close
  }))

// -----------------------------------------------------------------------------
// folding
// -----------------------------------------------------------------------------

it.effect("beyond the capacity, the oldest alerts about one subject become one, and the latest state stays true", () =>
  Effect.gen(function*() {
    const box = yield* open({ capacity: 3, pace: [{ count: 1, per: "1 second" }] })
    yield* box.leave("first")
    for (const n of [1, 2, 3, 4]) yield* box.leave(named(`a failed ${n}`, n === 1 ? "critical" : "error", "a"))
    yield* box.leave(named("b failed", "error", "b"))
    yield* box.leave(named("a is well", "success", "a"))
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(
      box.titles().toSorted(),
      ["a failed 4, and 3 more like it", "a is well", "b failed", "first"].toSorted()
    )
    assert.ok(box.titles().indexOf("a failed 4, and 3 more like it") < box.titles().indexOf("a is well"))
    const folded = box.alerts.find(({ title }) => title.startsWith("a failed"))
    assert.equal(folded?.severity, "critical")
    assert.deepEqual(folded?.fields, [{ name: "not shown", value: "3 alerts: 1 critical, 2 failed" }])
    yield* box.close
  }))

it.effect("where all alerts are about different things, the least severe become a list", () =>
  Effect.gen(function*() {
    const box = yield* open({ capacity: 2, pace: [{ count: 1, per: "1 second" }] })
    yield* box.leave("first")
    yield* box.leave(named("c", "critical"))
    for (const title of ["x", "y", "z"]) yield* box.leave(named(title, "info"))
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(box.titles(), ["first", "c", "3 alerts: 3 info"])
    assert.match(box.alerts[2]?.detail ?? "", /i x\n.*i y\n.*i z/)
    yield* box.close
  }))

it.effect("the posts of folded alerts end with the alert that they became", () =>
  Effect.gen(function*() {
    const box = yield* open({ capacity: 1, pace: [{ count: 1, per: "1 second" }] })
    yield* box.post("first")
    const posts = yield* Effect.forEach(
      [1, 2, 3],
      () => Effect.forkChild(box.post(named("a failed", "error", "a")), { startImmediately: true })
    )
    yield* TestClock.adjust("1 second")
    assert.deepEqual((yield* Effect.forEach(posts, Fiber.await)).map(({ _tag }) => _tag), [
      "Success",
      "Success",
      "Success"
    ])
    assert.deepEqual(box.titles(), ["first", "a failed, and 2 more like it"])
    yield* box.close
  }))

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

it.effect("a wrong option is a defect when the layer is built", () =>
  Effect.gen(function*() {
    for (
      const wrong of [{ pace: [{ count: 0, per: 1 }] }, { pace: [{ count: 1, per: NaN }] }, { drain: NaN }, {
        capacity: 0.5
      }]
    ) {
      const exit = yield* Effect.exit(open(wrong))
      assert.ok(exit._tag === "Failure" && Cause.hasDies(exit.cause), JSON.stringify(wrong))
    }
  }))
