/** Mailboxes: pace, order, pauses, folding, what happens when nobody waits any more, and when the layer closes. */
import { Cause, Context, Duration, Effect, Exit, Fiber, Layer, Schema, Scope } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { fanOut, mailbox, type MailboxOptions, onLost } from "../../src/delivery/index.ts"
import { Alert, Alerter, AlerterError, AlerterErrorReason, type Severity } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { failure } from "../support/policies.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const limited = (retryAfter?: number) =>
  new AlerterError({
    channel: "test",
    reason: AlerterErrorReason.RateLimited(retryAfter === undefined ? {} : { retryAfter: Duration.millis(retryAfter) })
  })

const named = (title: string, severity: Severity = "error", dedupeKey = title): Alert =>
  Alert.make({ title, severity, dedupeKey })

interface Sent {
  readonly at: number
  readonly title: string
}

/** Opens a mailbox around an alerter that answers as `answer` says, and records what has arrived. */
const open = (
  options: MailboxOptions = {},
  answer: (alert: Alert, attempt: number) => Effect.Effect<unknown, AlerterError> = () => Effect.void
) =>
  Effect.gen(function*() {
    const sent: Array<Sent> = []
    const alerts: Array<Alert> = []
    let attempts = 0
    const channel = Alerter.layer((alert) =>
      Effect.gen(function*() {
        yield* answer(alert, ++attempts)
        const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
        sent.push({ at: now, title: alert.title })
        alerts.push(alert)
      })
    )
    const scope = yield* Scope.make()
    const { post } = Context.get(yield* Layer.buildWithScope(mailbox(channel, options), scope), Alerter)
    return {
      sent,
      alerts,
      post,
      titles: () => sent.map(({ title }) => title),
      attempts: () => attempts,
      /** Posts without waiting for the delivery. */
      leave: (alert: Alert | string) =>
        Effect.flatMap(
          Effect.forkDetach(post(alert), { startImmediately: true }),
          (fiber) => Effect.sync(() => fiber.interruptUnsafe())
        ),
      close: Scope.close(scope, Exit.void),
      closeWith: (exit: Exit.Exit<unknown, unknown>) => Scope.close(scope, exit)
    }
  })

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
// the end of the layer
// -----------------------------------------------------------------------------

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
    assert.deepEqual(box.sent.map(({ at }) => at), [40_000, 40_000, 40_000])
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

// -----------------------------------------------------------------------------
// laws
// -----------------------------------------------------------------------------

const Posted = Schema.Struct({
  subject: Schema.Literals(["a", "b", "c"]),
  severity: Schema.Literals(["info", "success", "warning", "error", "critical"]),
  /** The answer of the channel to one of the attempts. */
  answer: Schema.Literals(["ok", "slow", "refused", "refusedLong", "down"]),
  /** Whether the caller is interrupted, and how long it waits before. */
  leaves: Schema.Boolean,
  wait: Schema.Literals([0, 100, 5000])
})

const Storm = Schema.Struct({
  posts: Schema.NonEmptyArray(Posted),
  capacity: Schema.Literals([2, 1000]),
  drain: Schema.Literals([0, 30_000])
})

/** Returns how many alerts a title stands for. */
const sizeOf = (title: string): number =>
  Number(/^(\d+) alerts/.exec(title)?.[1] ?? 1) + Number(/, and (\d+) more/.exec(title)?.[1] ?? 0)

it.effect("whatever the channel answers, each alert arrives once and in order, or is told as lost", () =>
  forAll(Storm, ({ capacity, drain, posts }) =>
    Effect.gen(function*() {
      const arrived: Array<Alert> = []
      const lost: Array<string> = []
      let attempts = 0
      const channel = Alerter.layer((alert) =>
        Effect.suspend(() => {
          const { answer } = posts[attempts++ % posts.length]!
          const taken = Effect.sync(() => arrived.push(alert))
          return answer === "ok"
            ? taken
            : answer === "slow"
            ? Effect.andThen(Effect.sleep("3 seconds"), taken)
            : Effect.fail(answer === "down" ? failure("test") : limited(answer === "refused" ? 500 : 45_000))
        })
      )
      const layer = channel.pipe(
        mailbox({ capacity, drain, pace: [{ count: 2, per: "1 second" }] }),
        onLost(({ title }) => Effect.sync(() => lost.push(title)))
      )
      const scope = yield* Scope.make()
      const { post } = Context.get(yield* Layer.buildWithScope(layer, scope), Alerter)
      for (const [i, { leaves, severity, subject, wait }] of posts.entries()) {
        const alert = Alert.make({ title: `${subject}-${i}`, severity, dedupeKey: subject })
        const fiber = yield* Effect.forkDetach(post(alert), { startImmediately: true })
        yield* TestClock.adjust(wait)
        if (leaves) fiber.interruptUnsafe()
      }
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(closing)

      const shown = arrived.flatMap(({ detail, title }) =>
        /^\d+ alerts/.test(title) ? (detail ?? "").match(/\b[abc]-\d+/g) ?? [] : [title.replace(/, and .*/, "")]
      )
      assert.equal(new Set(shown).size, shown.length, `twice: ${shown.join()}`)
      const told = [...arrived.map(({ title }) => title), ...lost].reduce((sum, title) => sum + sizeOf(title), 0)
      assert.ok(
        told >= posts.length,
        `${told} of ${posts.length}: ${arrived.map(({ title }) => title).join()}; ${lost.join()}`
      )
      for (const subject of ["a", "b", "c"]) {
        const numbers = shown.flatMap((title) => title.startsWith(subject) ? [Number(title.slice(2))] : [])
        assert.deepEqual(numbers, numbers.toSorted((x, y) => x - y))
      }
    })))
