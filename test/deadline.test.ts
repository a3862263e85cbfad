/** Tests the deadline of a run: a time of day after which it is overdue. */
import { Clock, DateTime, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Pipeline, Step } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { calls } from "./support/observe.ts"
import { minutes, runFor } from "./support/runFor.ts"

const it = makeIt(test)

const deadlineAt = (start: string, time: string, timeZone: string) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse(start))
    const seen: Array<string> = []
    const run = Pipeline.make("nightly", Effect.never).pipe(
      Pipeline.deadline(time, { timeZone }),
      Pipeline.onOverdue(({ deadline }) =>
        Effect.sync(() => seen.push(deadline === undefined ? "" : DateTime.formatIso(deadline)))
      )
    )
    const fiber = yield* Effect.forkDetach(run, { startImmediately: true })
    yield* TestClock.adjust("26 hours")
    const now = yield* Clock.currentTimeMillis
    yield* Fiber.interrupt(fiber)
    assert.ok(now >= Date.parse(seen[0]!))
    return seen
  })

for (
  const [start, time, zone, at] of [
    ["2026-11-28T23:00:00Z", "06:00", "Europe/Berlin", "2026-11-29T05:00:00.000Z"],
    ["2026-11-29T05:00:00Z", "06:00", "Europe/Berlin", "2026-11-30T05:00:00.000Z"],
    ["2026-11-29T04:59:59Z", "6:00", "Europe/Berlin", "2026-11-29T05:00:00.000Z"],
    ["2026-11-29T00:00:00Z", "00:00:30", "UTC", "2026-11-29T00:00:30.000Z"],
    ["2026-11-29T10:00:00Z", "23:30", "-03:30", "2026-11-30T03:00:00.000Z"],
    // clocks go forward, and the night is an hour shorter
    ["2026-03-28T22:00:00Z", "06:00", "Europe/Berlin", "2026-03-29T04:00:00.000Z"],
    // 02:30 does not exist that night: an hour later by the clock
    ["2026-03-28T22:00:00Z", "02:30", "Europe/Berlin", "2026-03-29T01:30:00.000Z"],
    // clocks go back, and 02:30 comes twice
    ["2026-10-24T22:00:00Z", "02:30", "Europe/Berlin", "2026-10-25T00:30:00.000Z"],
    ["2026-10-25T00:45:00Z", "02:30", "Europe/Berlin", "2026-10-25T01:30:00.000Z"],
    ["2026-10-24T22:00:00Z", "06:00", "Europe/Berlin", "2026-10-25T05:00:00.000Z"]
  ] as const
) {
  it.effect(`a run that starts at ${start} has its deadline ${time} (${zone}) at ${at}`, () =>
    Effect.gen(function*() {
      assert.deepEqual(yield* deadlineAt(start, time, zone), [at])
    }))
}

it.effect("a deadline is told to all overdue hooks of the run, and to none of its steps", () =>
  Effect.gen(function*() {
    const seen = calls()
    const note = (name: string) => ({ deadline, elapsed }: Hook.Overdue) =>
      seen.note(`${name} ${minutes(elapsed)}${deadline === undefined ? "" : " deadline"}`)
    const step = Step.make("load", Effect.sleep("3 hours")).pipe(Step.hooks(Hook.onOverdue(note("step"))))
    const run = Pipeline.make("nightly", step).pipe(
      Pipeline.deadline("01:00", { timeZone: "UTC", every: "1 hour" }),
      Pipeline.onOverdue("2 hours", note("limited")),
      Pipeline.onOverdue(note("plain")),
      Pipeline.onSuccess(() => seen.note("success"))
    )
    yield* runFor("4 hours", run)
    assert.deepEqual(seen.list, [
      "limited 60 deadline",
      "plain 60 deadline",
      "limited 120",
      "limited 120 deadline",
      "plain 120 deadline",
      "success"
    ])
  }))

it.effect("a deadline follows the wall clock where that is set", () =>
  Effect.gen(function*() {
    const seen = calls()
    const clock = yield* Clock.clockWith(Effect.succeed)
    let shift = 0
    const wall: Clock.Clock = Object.assign(Object.create(clock), {
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + shift,
      currentTimeMillis: Effect.sync(() => clock.currentTimeMillisUnsafe() + shift)
    })
    const run = Pipeline.make("nightly", Effect.never).pipe(
      Pipeline.deadline("03:00", { timeZone: "UTC" }),
      Pipeline.onOverdue(({ elapsed }) => seen.note(`${minutes(elapsed)}`)),
      Effect.provideService(Clock.Clock, wall)
    )
    const fiber = yield* Effect.forkDetach(run, { startImmediately: true })
    yield* TestClock.adjust("1 hour")
    shift = 3_600_000
    yield* TestClock.adjust("1 hour")
    assert.deepEqual(seen.list, ["120"])
    yield* Fiber.interrupt(fiber)
  }))
