/** Mailboxes whose layer closes: what is still sent, what is folded, and what is told to be lost. */
import { Effect, Exit, Fiber } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { makeIt } from "../support/it.ts"
import { limited, named, open, sizeOf } from "../support/mailboxes.ts"

const it = makeIt(test)

it.effect("the closing layer waits until the mailbox is empty", () =>
  Effect.gen(function*() {
    const box = yield* open({ pace: [{ count: 1, per: "1 second" }] })
    for (const n of [1, 2, 3, 4]) yield* box.leave(`${n}`)
    const closing = yield* Effect.forkChild(box.close, { startImmediately: true })
    yield* TestClock.adjust("2999 millis")
    assert.equal(closing.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 millis")
    yield* Fiber.join(closing)
    assert.deepEqual(box.titles(), ["1", "2", "3", "4"])
  }))

it.effect("when the layer closes, alerts that the pace allows no time for are folded into fewer", () =>
  Effect.gen(function*() {
    const box = yield* open({ drain: "10 seconds", pace: [{ count: 1, per: "1 second" }] })
    yield* box.leave("first")
    for (let n = 0; n < 100; n++) yield* box.leave(named(`step ${n}`, n === 50 ? "critical" : "error"))
    const closing = yield* Effect.forkChild(box.close, { startImmediately: true })
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(closing)
    assert.ok(box.titles().includes("step 50"))
    const said = box.alerts.map(({ detail, title }) => `${title}\n${detail}`).join("\n")
    for (let n = 0; n < 100; n++) assert.match(said, new RegExp(`\\bstep ${n}\\b`))
  }))

it.effect("when the layer closes, alerts for which a channel is too slow are folded into fewer, whatever its pace", () =>
  Effect.gen(function*() {
    for (const slow of [() => 2000, (attempt: number) => attempt < 20 ? 200 : 3000]) {
      const box = yield* open({ drain: "30 seconds" }, (_, attempt) => Effect.sleep(slow(attempt)))
      for (let n = 0; n < 60; n++) yield* box.leave(named(`step ${n}`))
      const closing = yield* Effect.forkChild(box.close, { startImmediately: true })
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(closing)
      const said = box.alerts.map(({ detail, title }) => `${title}\n${detail}`).join("\n")
      for (let n = 0; n < 60; n++) assert.match(said, new RegExp(`\\bstep ${n}\\b|and \\d+ more`))
      assert.equal(box.alerts.reduce((sum, { title }) => sum + sizeOf(title), 0), 60)
    }
  }))

it.effect("when the layer closes, a bucket that is empty allows time for no burst", () =>
  Effect.gen(function*() {
    for (const [used, fewer] of [[0, false], [20, true]] as const) {
      const box = yield* open({ drain: "10 seconds", pace: [{ count: 1, per: "1 second", burst: 20 }] })
      for (let n = 0; n < used; n++) yield* box.leave(`before ${n}`)
      for (let n = 0; n < 25; n++) yield* box.leave(named(`step ${n}`))
      const closing = yield* Effect.forkChild(box.close, { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(closing)
      const said = box.alerts.map(({ detail, title }) => `${title}\n${detail}`).join("\n")
      for (let n = 0; n < 25; n++) assert.match(said, new RegExp(`\\bstep ${n}\\b`))
      assert.equal(box.sent.length < used + 25, fewer)
    }
  }))

it.effect("when the channel says to wait for longer than drain, the waiting posts fail at once, with the reason", () =>
  Effect.gen(function*() {
    const box = yield* open({}, () => Effect.fail(limited(10 * 60_000)))
    const posts = yield* Effect.forEach(
      ["a", "b"],
      (title) => Effect.forkChild(Effect.flip(box.post(title)), { startImmediately: true })
    )
    yield* box.close
    const [a, b] = yield* Effect.forEach(posts, Fiber.join)
    assert.equal(a?.reason._tag, "RateLimited")
    assert.deepEqual(b?.reason, a?.reason)
  }))

it.effect("when the layer closes, an alert that the pace allows too late is sent all the same, with all that wait", () =>
  Effect.gen(function*() {
    const box = yield* open({ pace: [{ count: 3, per: "1 hour" }] })
    for (const n of [1, 2, 3, 4, 5]) yield* box.leave(named(`step ${n}`))
    assert.deepEqual(box.titles(), ["step 1", "step 2", "step 3"])
    yield* box.close
    assert.deepEqual(box.titles().slice(3), ["2 alerts: 2 failed"])
    assert.match(box.alerts[3]?.detail ?? "", /step 4\n.*step 5/)
  }))

it.effect("a closing mailbox has a minute, 30 seconds if it was interrupted, and any time that is set", () =>
  Effect.gen(function*() {
    for (
      const [exit, options, seconds] of [
        [Exit.void, {}, 60],
        [Exit.fail("disk full"), {}, 60],
        [Exit.interrupt(1), {}, 30],
        [Exit.interrupt(1), { drain: "45 seconds" }, 45]
      ] as const
    ) {
      const box = yield* open({ pace: [{ count: 1, per: "1 second" }], ...options })
      for (let n = 0; n < 200; n++) yield* box.leave(named(`step ${n}`))
      const closing = yield* Effect.forkChild(box.closeWith(exit), { startImmediately: true })
      const began = box.sent[0]!.at
      yield* TestClock.adjust("2 minutes")
      yield* Fiber.join(closing)
      const last = (box.sent.at(-1)!.at - began) / 1000
      assert.ok(last > seconds * 0.8 && last <= seconds, `${last} of ${seconds} s`)
      const said = box.alerts.map(({ detail, title }) => `${title}\n${detail}`).join("\n")
      for (let n = 0; n < 200; n += 20) assert.match(said, new RegExp(`\\bstep ${n}\\b|more`))
    }
  }))

it.effect("a wait that the channel asks for is not prolonged beyond the time in which the mailbox must be empty", () =>
  Effect.gen(function*() {
    const box = yield* open(
      { drain: "30 seconds" },
      (_, attempt) => attempt === 1 ? Effect.fail(limited(40_000)) : Effect.void
    )
    for (const n of [1, 2, 3]) yield* box.leave(`${n}`)
    yield* TestClock.adjust("10100 millis")
    const closing = yield* Effect.forkChild(box.close, { startImmediately: true })
    yield* TestClock.adjust("30 seconds")
    yield* Fiber.join(closing)
    assert.deepEqual(box.titles(), ["1", "2", "3"])
    // at random up to five seconds later, where there is time for that
    for (const { at } of box.sent) assert.ok(at >= 40_000 && at <= 40_100, `${at}`)
  }))

it.effect("an attempt that outlasts drain is interrupted, and logged as lost where nobody waits", () =>
  Effect.gen(function*() {
    const box = yield* open({ drain: "2 seconds" }, () => Effect.never)
    yield* box.leave("stuck")
    const closing = yield* Effect.forkChild(box.close, { startImmediately: true })
    yield* TestClock.adjust("2 seconds")
    yield* Fiber.join(closing)
    assert.match(String(yield* TestConsole.logLines), /1 alert did not arrive.*\n?.*stuck: custom: no answer/)
  }))

it.effect("a post to a closed mailbox is sent directly", () =>
  Effect.gen(function*() {
    const box = yield* open()
    yield* box.close
    yield* box.post("late")
    assert.deepEqual(box.titles(), ["late"])
  }))
