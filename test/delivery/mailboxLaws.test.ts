/** Properties of mailboxes, whatever their channels answer. */
import { Context, Effect, Exit, Fiber, Layer, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { mailbox, onLost } from "../../src/delivery/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { limited, sizeOf } from "../support/mailboxes.ts"
import { failure } from "../support/policies.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

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
