/** Tests what limits of many steps at once cost, and their order. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Pipeline, Step } from "../src/index.ts"
import { effectIsLinear } from "./support/growth.ts"
import { makeIt } from "./support/it.ts"

const it = makeIt(test)

const each = <A>(items: ReadonlyArray<A>, use: (item: A) => Effect.Effect<void>) =>
  Pipeline.make("nightly", Effect.forEach(items, use, { concurrency: "unbounded", discard: true }))

it.live("limits of tens of thousands of concurrent steps take linear time, also where some are shorter", () => {
  const step = Step.make("load", Effect.sleep(1)).pipe(
    Step.onOverdue("10 minutes", () => Effect.void),
    Step.onOverdue("2 hours", () => Effect.void)
  )
  // a search for the place of each limit took 35 seconds
  return effectIsLinear("steps", 30_000, (count) => each(Array.from({ length: count }, (_, i) => i), () => step))
})

it.effect("limits are told in the order of time, and of one time in the order of the steps, whichever have ended", () =>
  Effect.gen(function*() {
    const told: Array<string> = []
    // minutes after which a step is overdue, in no order, and those after which it ends
    const steps = [...Array(40).keys()].map((i) => ({
      name: `s${i}`,
      after: (i * 7) % 10,
      ends: i % 3 === 0 ? 4.5 : 20
    }))
    const pipeline = each(steps, ({ after, ends, name }) =>
      Step.make(name, Effect.sleep(ends * 60_000)).pipe(
        Step.onOverdue(after * 60_000, () => Effect.sync(() => told.push(name)))
      ))
    const fiber = yield* Effect.forkChild(pipeline)
    for (let i = 0; i < 40; i++) yield* TestClock.adjust("30 seconds")
    yield* Fiber.join(fiber)
    const due = steps.filter(({ after, ends }) => after < ends).toSorted((a, b) => a.after - b.after)
    assert.deepEqual(told, due.map(({ name }) => name))
  }))
