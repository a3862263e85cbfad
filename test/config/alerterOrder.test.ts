/** The order of policies in a config file, whatever the order of its keys. */
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { makeIt } from "../support/it.ts"
import { type Inner, inner } from "../support/policies.ts"
import { all, broken, fine, open, opened, type Post } from "./alerterSupport.ts"

const it = makeIt(test)

/** Runs the test with the keys in either order in the file. */
const inEachOrder = (
  policies: Readonly<Record<string, unknown>>,
  expects: (channel: Inner & { readonly post: Post }) => Effect.Effect<void, unknown>
) =>
  Effect.forEach(
    [Object.entries(policies), Object.entries(policies).toReversed()],
    (entries) => Effect.flatMap(opened(Object.fromEntries(entries)), expects)
  )

it.effect("afterConsecutive sees alerts before minSeverity: a success that is dropped ends a row", () =>
  inEachOrder({ afterConsecutive: 2, minSeverity: "error" }, ({ post, titles }) =>
    Effect.gen(function*() {
      yield* all(post, broken("a"), fine("b"), broken("c"))
      assert.deepEqual(yield* titles, [])
      yield* post(broken("d"))
      assert.deepEqual(yield* titles, ["d"])
    })))

it.effect("minSeverity sees alerts before throttle: a dropped alert takes no slot", () =>
  inEachOrder(
    { minSeverity: "error", throttle: { limit: 1, window: "1 hour" } },
    ({ post, titles }) =>
      Effect.gen(function*() {
        yield* all(post, "a", broken("b"))
        assert.deepEqual(yield* titles, ["b"])
      })
  ))

it.effect("throttle sees alerts before recovered: a failure that it holds back has a recovery once its summary has told it", () =>
  inEachOrder(
    {
      throttle: { limit: 1, window: "1 hour", perKey: { limit: 1, window: "1 minute" } },
      recovered: { successes: "drop" }
    },
    ({ post, titles }) =>
      Effect.gen(function*() {
        yield* all(post, "a", broken("b"), fine("c"))
        assert.deepEqual(yield* titles, ["a"])
        yield* TestClock.adjust("3 hours")
        yield* post(fine("d"))
        assert.deepEqual(yield* titles, [
          "a",
          "2 alerts held back: 1 failed, 1 succeeded",
          "nightly › load recovered"
        ])
      })
  ))

it.effect("recovered sees alerts before dedupe: it counts failures that are held back", () =>
  inEachOrder({ recovered: true, dedupe: "1 hour" }, ({ post, sent }) =>
    Effect.gen(function*() {
      yield* all(post, broken("a"), broken("b"), broken("c"), fine("d"))
      assert.equal((yield* sent).length, 2)
      assert.match(JSON.stringify((yield* sent)[1]?.fields), /"3/)
    })))

it.effect("dedupe sees alerts before digest: a digest lists no duplicates", () =>
  inEachOrder({ dedupe: "1 hour", digest: "10 minutes" }, ({ post, titles }) =>
    Effect.gen(function*() {
      yield* all(post, broken("a"), broken("b"), "c")
      yield* TestClock.adjust("10 minutes")
      assert.match((yield* titles)[0] ?? "", /^2 alerts/)
    })))

it.effect("digest sees alerts before quietHours: no digest is posted during quiet hours", () =>
  Effect.gen(function*() {
    const day = 24 * 3_600_000
    yield* TestClock.setTime(100 * day + 21.9 * 3_600_000)
    const quietHours = { from: "22:00", to: "07:00", timeZone: "UTC" }
    const { post, titles } = yield* opened({ quietHours, digest: "30 minutes" })
    yield* all(post, "a", "b")
    yield* TestClock.adjust("8 hours")
    assert.deepEqual(yield* titles, [])
    yield* TestClock.adjust("2 hours")
    assert.equal((yield* titles).length, 1)
  }))

it.effect("remind takes a number or a duration as until, and escalate another alerter, for which reminders are not", () =>
  Effect.gen(function*() {
    for (const [until, expected] of [[2, 2], ["3 hours", 3], [Redacted.make("1"), 1]] as const) {
      const { post, titles } = yield* opened({ remind: { every: "1 hour", until } })
      yield* all(post, broken("a"))
      yield* TestClock.adjust("1 day")
      assert.deepEqual(
        yield* titles,
        ["a", ...Array.from({ length: expected }, (_, i) => `Reminder ${i + 1}: a`)]
      )
    }
    const second = yield* inner()
    const first = yield* inner()
    const post = yield* open({
      use: "#first",
      escalate: { after: "90 minutes", to: { use: "#second", remind: { every: "1 hour", until: 1 } } },
      remind: { every: "1 hour", until: 2 }
    }, { first: first.layer, second: second.layer })
    yield* post(broken("a"))
    yield* TestClock.adjust("1 day")
    assert.deepEqual(yield* first.titles, ["a", "Reminder 1: a", "Reminder 2: a"])
    assert.deepEqual(yield* second.titles, ["Escalated: a", "Reminder 1: Escalated: a"])
  }))
