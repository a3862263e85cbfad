/** Observers: what a fault, a delay or a second layer of one changes, and when its events are handled. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { type Alerter, AlerterHooks, Hook, Hooks, Pipeline, RunEvent, Step } from "../src/index.ts"
import { alertsOf, fieldsOf } from "./support/alertsOf.ts"
import { makeIt } from "./support/it.ts"
import { brief, calls, events, logs } from "./support/observe.ts"

const it = makeIt(test)

it.effect("an observer that throws is logged and affects neither the run nor other observers", () =>
  Effect.gen(function*() {
    const [log, before, after] = [logs(), events(), events()]
    const bad = RunEvent.layer(() => {
      throw new Error("observer broke")
    })
    const observers = after.layer.pipe(Layer.provideMerge(bad), Layer.provideMerge(before.layer))
    const value = yield* Step.make("s", Effect.succeed(1)).pipe(Effect.provide(observers), Effect.provide(log.layer))
    assert.equal(value, 1)
    const all = ["RunStarted", "StepStarted", "StepEnded", "RunEnded"]
    assert.deepEqual(before.list.map(({ _tag }) => _tag), all)
    assert.deepEqual(after.list.map(({ _tag }) => _tag), all)
    // errors of observers are logged on fibers of their own: let these run
    yield* TestClock.adjust(0)
    assert.deepEqual(
      log.list.map(({ level, message }) => [level, message.includes("observer failed on")]),
      all.map(() => [
        "Error",
        true
      ])
    )
  }))

it.effect("RunEvent.layer adds to the observers that are already provided, in order", () =>
  Effect.gen(function*() {
    const seen = calls()
    const tell = (name: string) => (event: RunEvent.RunEvent) => void seen.list.push(`${name} ${event._tag}`)
    yield* Step.make("s", Effect.void).pipe(
      Effect.provide(RunEvent.layer(tell("c"))),
      Effect.provide(RunEvent.layer(tell("a"), tell("b")))
    )
    assert.deepEqual(seen.list.slice(0, 3), ["a RunStarted", "b RunStarted", "c RunStarted"])
    assert.equal(seen.list.length, 12)
  }))

it.effect("an observer layer that is provided twice receives each event once and hides no layer in between", () =>
  Effect.gen(function*() {
    const emitted: Array<string> = []
    const outer = RunEvent.layer(({ _tag }) => void emitted.push(`outer ${_tag}`))
    const slow = RunEvent.layerEffect(({ _tag }) => Effect.sync(() => void emitted.push(`slow ${_tag}`)))
    const between = RunEvent.layer(({ _tag }) => void emitted.push(`between ${_tag}`))
    yield* Pipeline.make("p", Effect.void).pipe(
      Effect.provide(slow),
      Effect.provide(outer),
      Effect.provide(between),
      Effect.provide(slow),
      Effect.provide(outer)
    )
    const tags = ["RunStarted", "RunEnded"]
    assert.deepEqual(
      emitted.toSorted(),
      ["between", "outer", "slow"].flatMap((who) => tags.map((tag) => `${who} ${tag}`)).toSorted()
    )
  }))

it.effect("layerEffect handles events in order without delaying the run, and finishes them when its scope closes", () =>
  Effect.gen(function*() {
    const seen = calls()
    const Target = Context.Service<"Target", { readonly name: string }>("Target")
    const slow = RunEvent.layerEffect((event) =>
      Effect.gen(function*() {
        yield* Effect.sleep("1 second")
        const { name } = yield* Target
        yield* seen.note(`${name} ${event._tag}`)
      })
    ).pipe(Layer.provide(Layer.succeed(Target, { name: "db" })))
    const program = Step.make("s", Effect.void).pipe(Effect.andThen(seen.note("run over")), Effect.provide(slow))
    const fiber = yield* Effect.forkChild(program)
    yield* TestClock.adjust(0)
    assert.deepEqual(seen.list, ["run over"])
    assert.equal(fiber.pollUnsafe(), undefined)
    yield* TestClock.adjust("4 seconds")
    yield* Fiber.join(fiber)
    assert.deepEqual(seen.list, ["run over", "db RunStarted", "db StepStarted", "db StepEnded", "db RunEnded"])
  }))

it.effect("layerEffect logs an observer's failure and delivers the events after it", () =>
  Effect.gen(function*() {
    const [seen, log] = [calls(), logs()]
    const flaky = RunEvent.layerEffect((event) => {
      if (event._tag === "RunStarted") throw new Error("thrown")
      if (event._tag === "StepStarted") return Effect.fail("failed")
      if (event._tag === "StepEnded") return Effect.die("died")
      return seen.note(event._tag)
    })
    yield* Step.make("s", Effect.void).pipe(Effect.provide(flaky.pipe(Layer.provideMerge(log.layer))))
    assert.deepEqual(seen.list, ["RunEnded"])
    assert.equal(log.list.filter(({ level }) => level === "Error").length, 3)
  }))

it.effect("an interrupted run emits StepEnded and RunEnded with the outcome interrupt", () =>
  Effect.gen(function*() {
    const emitted = events()
    const fiber = yield* Effect.forkChild(
      Pipeline.make("p", Effect.all([Step.make("a", Effect.never), Step.make("b", Effect.never)], { concurrency: 2 }))
        .pipe(
          Effect.provide(emitted.layer)
        )
    )
    yield* TestClock.adjust(0)
    yield* Fiber.interrupt(fiber)
    assert.deepEqual(emitted.list.map(brief), [
      "RunStarted p",
      "StepStarted a",
      "StepStarted b",
      "StepEnded a interrupt",
      "StepEnded b interrupt",
      "RunEnded p interrupt"
    ])
  }))

it.effect("an alert and an event tell the duration of a step's body, without the time of its hooks and of observers", () =>
  Effect.gen(function*() {
    let now = 0
    const takes = (millis: number) => Effect.sync(() => void (now += millis))
    const clock: Clock.Clock = {
      ...(yield* Clock.Clock),
      currentTimeMillisUnsafe: () => now,
      currentTimeMillis: Effect.sync(() => now),
      monotonicTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
      monotonicTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n)
    }
    const told = (step: Effect.Effect<void, unknown, Alerter>) =>
      Effect.gen(function*() {
        const emitted = events()
        const slow = RunEvent.layer(({ _tag }) =>
          void (now += _tag === "StepStarted" || _tag === "StepEnded" ? 5_000 : 0)
        )
        const alerts = yield* alertsOf(
          step.pipe(
            Effect.provide(slow.pipe(Layer.provideMerge(emitted.layer))),
            Effect.provideService(Clock.Clock, clock)
          )
        )
        const took = emitted.list.flatMap((event) =>
          event._tag === "StepEnded" || event._tag === "RunEnded" ? [Duration.toMillis(event.duration)] : []
        )
        return [fieldsOf(alerts[0]!)["duration"], ...took]
      })
    const step = Step.make("s", Effect.andThen(takes(2_000), Effect.fail("no"))).pipe(Step.hooks(AlerterHooks.failure))
    assert.deepEqual(yield* told(step), ["2 s", 2_000, 12_000])
    const hooks = Hooks.make(
      Hook.onStart(takes(300)),
      Hook.required(Hook.onStart(takes(40))),
      Hook.required(Hook.onFailure(() => takes(6_000))),
      Hook.onExit(() => takes(7))
    )
    assert.deepEqual(yield* told(Step.hooks(step, hooks)), ["2 s", 2_000, 18_347])
  }))
