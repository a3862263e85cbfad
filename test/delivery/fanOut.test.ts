import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Slack } from "../../src/alerters/index.ts"
import { fanOut } from "../../src/delivery/index.ts"
import { Alerter, AlerterErrorReason } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { bare, build, failure, inner } from "../support/policies.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

it.effect("each alerter gets the same alert", () =>
  Effect.gen(function*() {
    const [a, b] = [yield* inner(), yield* inner()]
    const post = yield* build(fanOut([a.layer, b.layer]))
    yield* post("hello")
    const [[first], [second]] = [yield* a.sent, yield* b.sent]
    assert.equal(first?.title, "hello")
    assert.equal(first, second)
  }))

it.effect("the post fails with the only error, after all alerters have ended", () =>
  Effect.gen(function*() {
    const slow = yield* inner()
    const broken = yield* inner(TestAlerter.layerFailing({ reason: AlerterErrorReason.Unauthorized({}) }))
    const late = Alerter.layer((alert) =>
      Effect.andThen(
        Effect.sleep("20 seconds"),
        Effect.flatMap(Alerter, ({ post }) => post(alert))
      )
    ).pipe(Layer.provide(slow.layer))
    const post = yield* build(fanOut([broken.layer, late]))
    const fiber = yield* Effect.forkChild(Effect.flip(post("hello")), { startImmediately: true })
    yield* TestClock.adjust("19 seconds")
    assert.equal(fiber.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 second")
    const error = yield* Fiber.join(fiber)
    assert.equal(error.message, "test: the credentials were not accepted")
    assert.deepEqual(yield* slow.titles, ["hello"])
  }))

it.effect("several failures, defects and interruptions become one error with all messages", () =>
  Effect.gen(function*() {
    const works = yield* inner()
    const post = yield* build(fanOut([
      bare(() => Effect.fail(failure("slack"))),
      works.layer,
      bare(() => Effect.die(new Error("bug at https://hooks.example.org/secret"))),
      bare(() => {
        throw new Error("thrown")
      }),
      bare(() => Effect.interrupt)
    ]))
    const error = yield* Effect.flip(post("hello"))
    assert.equal(error.channel, "fanOut")
    assert.equal(error.reason._tag, "Rejected")
    for (const part of ["slack: could not be reached: no route", "bug at <url>", "thrown", "interrupted"]) {
      assert.ok(error.message.includes(part), error.message)
    }
    assert.ok(!error.message.includes("secret"))
    assert.deepEqual(yield* works.titles, ["hello"])
  }))

it.effect("with succeeds: any one delivery is enough, and the other errors are logged", () =>
  Effect.gen(function*() {
    const [works, logged] = [yield* inner(), logs()]
    const post = yield* build(fanOut([bare(() => Effect.fail(failure("slack"))), works.layer], { succeeds: "any" }))
    yield* Effect.provide(post("hello"), logged.layer)
    assert.deepEqual(yield* works.titles, ["hello"])
    assert.equal(logged.list.length, 1)
    assert.equal(logged.list[0]?.level, "Warn")
    assert.match(logged.list[0]!.message, /slack: could not be reached: no route/)
  }))

it.effect("a layer that is listed twice gets the alert twice and is built once", () =>
  Effect.gen(function*() {
    let builds = 0
    const titles: Array<string> = []
    const layer = Layer.effect(
      Alerter,
      Effect.sync(() => {
        builds++
        return Alerter.of({ post: (alert) => Effect.sync(() => void titles.push(String(alert))) })
      })
    )
    const post = yield* build(fanOut([layer, fanOut([layer])]))
    yield* post("hello")
    assert.equal(titles.length, 2)
    assert.equal(builds, 1)
  }))

it.effect("the scopes of the alerters close in parallel", () =>
  Effect.gen(function*() {
    const flushing = () =>
      Layer.effect(
        Alerter,
        Effect.as(
          Effect.addFinalizer(() => Effect.sleep("1 second")),
          Alerter.of({ post: () => Effect.void })
        )
      )
    const fiber = yield* Effect.forkChild(Effect.scoped(Layer.build(fanOut([flushing(), flushing()]))), {
      startImmediately: true
    })
    yield* TestClock.adjust("1 second")
    assert.equal(fiber.pollUnsafe()?._tag, "Success")
  }))

it.effect("interrupting the post interrupts all alerters", () =>
  Effect.gen(function*() {
    let interrupted = 0
    const hanging = () => bare(() => Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++)))
    const post = yield* build(fanOut([hanging(), hanging()]))
    const fiber = yield* Effect.forkChild(post("hello"), { startImmediately: true })
    yield* Fiber.interrupt(fiber)
    assert.equal(interrupted, 2)
  }))

it.effect("if a layer of the list fails to build, fanOut fails with its error", () =>
  Effect.gen(function*() {
    class Own extends Error {
      readonly _tag = "Own" as const
    }
    const failing: Layer.Layer<Alerter, Own> = Layer.effect(Alerter, Effect.fail(new Own()))
    const both: Layer.Layer<Alerter, Config.ConfigError | Own> = fanOut([
      Slack.layerConfig({ webhookUrl: Config.Redacted("NONE") }),
      failing
    ])
    const none = ConfigProvider.layer(ConfigProvider.fromUnknown({}))
    const error = yield* Effect.flip(Effect.provide(build(both), none))
    assert.ok(error._tag === "ConfigError" || error._tag === "Own")
  }))

const Outcomes = Schema.NonEmptyArray(Schema.Literals(["works", "fails", "dies", "slow", "slow to fail"])).check(
  Schema.isMaxLength(6)
)

it.effect("every alerter is tried, and the post succeeds if all or any of them do", () =>
  forAll(
    Schema.Struct({ outcomes: Outcomes, succeeds: Schema.Literals(["all", "any"]) }),
    ({ outcomes, succeeds }) =>
      Effect.scoped(Effect.gen(function*() {
        const ended: Array<number> = []
        const layers = outcomes.map((outcome, i) =>
          bare(() =>
            Effect.gen(function*() {
              if (outcome.startsWith("slow")) yield* Effect.sleep(i + 1)
              ended.push(i)
              if (outcome === "dies") return yield* Effect.die("bug")
              if (outcome.endsWith("fail") || outcome === "fails") return yield* Effect.fail(failure(`c${i}`))
            })
          )
        )
        const [first, ...rest] = layers
        const post = yield* build(fanOut([first!, ...rest], { succeeds }))
        const fiber = yield* Effect.forkChild(Effect.exit(post("hello")), { startImmediately: true })
        yield* TestClock.adjust("1 second")
        const exit = yield* Fiber.join(fiber)
        const good = outcomes.map((outcome) => outcome === "works" || outcome === "slow")
        assert.equal(exit._tag === "Success", succeeds === "all" ? good.every(Boolean) : good.some(Boolean))
        assert.deepEqual(ended.toSorted(), outcomes.map((_, i) => i))
      })).pipe(Effect.provide(logs().layer)),
    60
  ))
