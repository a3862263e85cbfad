/** Tests standard hooks whose post fails. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Alerter, AlerterError, AlerterErrorReason, AlerterHooks, Hook, Step } from "../src/index.ts"
import { TestAlerter } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"
import { events, logs } from "./support/observe.ts"

const it = makeIt(test)

const lost = new AlerterError({ channel: "pager", reason: AlerterErrorReason.Unreachable({}) })

const broken = {
  "fails": Layer.succeed(Alerter, Alerter.of({ post: () => Effect.fail(lost) })),
  "dies": Layer.succeed(Alerter, Alerter.of({ post: () => Effect.die(new Error("boom")) })),
  "throws": Layer.succeed(
    Alerter,
    Alerter.of({
      post: () => {
        throw new Error("boom")
      }
    })
  ),
  "interrupts itself": Layer.succeed(Alerter, Alerter.of({ post: () => Effect.interrupt })),
  "hangs": TestAlerter.layerHanging
}

const counted = (hook: string, kind: string) =>
  Effect.map(
    Metric.value(
      Metric.withAttributes(
        Metric.counter("epilogue_hook_failures_total", {
          description: "Hooks that failed, died or timed out",
          incremental: true
        }),
        { hook, kind }
      )
    ),
    ({ count }) => Number(count)
  )

for (const [how, layer] of Object.entries(broken)) {
  for (
    const [outcome, body, expected] of [
      ["success", Effect.succeed(42), Exit.succeed(42)],
      ["failure", Effect.fail("no"), Exit.fail("no")]
    ] as const
  ) {
    it.effect(`a post that ${how} leaves a ${outcome} unchanged, and is logged, counted and reported as HookFailed`, () =>
      Effect.gen(function*() {
        const log = logs()
        const seen = events()
        let after = 0
        const name = `AlerterHooks.${outcome}`
        const step = Step.make("load", body).pipe(
          Step.hooks(AlerterHooks.all),
          Step.hooks(Hook.onExit(() => Effect.sync(() => after++)))
        )
        const before = yield* counted(name, outcome)
        const fiber = yield* Effect.forkChild(
          Effect.exit(step).pipe(Effect.provide([layer, log.layer, seen.layer])),
          { startImmediately: true }
        )
        yield* TestClock.adjust("30 seconds")
        assert.deepEqual(yield* Fiber.join(fiber), expected)
        assert.equal(after, 1)
        assert.deepEqual(log.list.map(({ level, message }) => [level, message]), [
          ["Error", `hook "${name}" (${outcome}) of "load" failed`]
        ])
        assert.equal(log.list[0]!.annotations["hook"], name)
        assert.equal(yield* counted(name, outcome), before + 1)
        const failed = seen.list.filter((event) => event._tag === "HookFailed")
        assert.deepEqual(failed.map(({ hook, kind }) => [hook, kind]), [[name, outcome]])
        const ended = seen.list.find((event) => event._tag === "RunEnded")
        assert.equal(ended?.hookFailures, 1)
        assert.equal(ended?.outcome, outcome)
      }))
  }
}

it.effect("Hook.retry posts an alert again after a failed post", () =>
  Effect.gen(function*() {
    const step = Step.make("load", Effect.fail("no")).pipe(
      Step.hooks(AlerterHooks.failure.pipe(Hook.retry({ times: 1 })))
    )
    const [titles, attempts] = yield* Effect.gen(function*() {
      yield* Effect.exit(step)
      return [(yield* TestAlerter.sent).map(({ title }) => title), yield* TestAlerter.attempts] as const
    }).pipe(Effect.provide(TestAlerter.layerFailing({ times: 1 })))
    assert.deepEqual(titles, ["load failed"])
    assert.equal(attempts, 2)
  }))
