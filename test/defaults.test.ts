/** `Hooks.layerDefault` and `Pipeline.layerDefault`: hooks for all steps, and for all runs, that have no others. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Alerter, AlerterHooks, Hook, Hooks, Pipeline, Secrets, Step, StepContext } from "../src/index.ts"
import { TestAlerter } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"
import { calls, events, kinds, logs, noting } from "./support/observe.ts"
import { forAll } from "./support/property.ts"

const it = makeIt(test)

const ok = Step.make("s", Effect.void)
const failing = Step.make("s", Effect.fail("no"))

// -----------------------------------------------------------------------------
// precedence
// -----------------------------------------------------------------------------

it.effect("a step runs the default hooks of a kind where neither it nor its pipeline has one", () =>
  Effect.gen(function*() {
    const seen = calls()
    const defaults = Hooks.layerDefault(Hooks.make(noting(seen, "success", "default"), noting(seen, "exit", "exit")))
    const own = ok.pipe(Step.onSuccess(() => seen.note("own")))
    const under = (step: Step.Step<void>) =>
      Pipeline.make("p", step).pipe(Pipeline.stepHooks(noting(seen, "success", "pipeline")))
    const ran = (effect: Effect.Effect<unknown>) =>
      Effect.sync(() => void (seen.list.length = 0)).pipe(
        Effect.andThen(Effect.provide(effect, defaults)),
        Effect.map(() => seen.list.slice())
      )
    assert.deepEqual(yield* ran(ok), ["default", "exit"])
    assert.deepEqual(yield* ran(Pipeline.make("p", ok)), ["default", "exit"])
    assert.deepEqual(yield* ran(under(ok)), ["pipeline", "exit"])
    assert.deepEqual(yield* ran(own), ["own", "exit"])
    assert.deepEqual(yield* ran(under(own)), ["own", "exit"])
    assert.deepEqual(yield* ran(own.pipe(Step.inherit("append", "success"))), ["default", "own", "exit"])
    assert.deepEqual(yield* ran(own.pipe(Step.inherit("off"))), ["own"])
    assert.deepEqual(yield* ran(Effect.andThen(ok, ok)), ["default", "exit", "default", "exit"])
    yield* ok
    assert.equal(seen.list.length, 4)
  }))

it.effect("what has nothing to do leaves its place: of the step to the pipeline's, of both to the default", () =>
  Effect.gen(function*() {
    const seen = calls()
    const of = (tag: string) =>
      Step.make("s", Effect.fail({ _tag: tag as "A" | "B" | "C" })).pipe(
        Step.onFailureTag("A", () => seen.note("step"))
      )
    const pipeline = (tag: string) =>
      Pipeline.make("p", of(tag)).pipe(Pipeline.stepHooks(Hook.onFailureTag("B", () => seen.note("pipeline"))))
    for (const tag of ["A", "B", "C"]) {
      yield* Effect.exit(pipeline(tag)).pipe(Effect.provide(Hooks.layerDefault(noting(seen, "failure", "default"))))
    }
    assert.deepEqual(seen.list, ["step", "pipeline", "default"])
  }))

const Level = Schema.Array(Schema.Struct({
  kind: Schema.Literals(kinds),
  // the hook runs for errors with this tag alone, or always
  tag: Schema.Literals(["always", "A", "B"])
}))

it.effect("property: of each kind the first level with a hook that applies runs, and with it no other", () =>
  forAll(
    Schema.Struct({
      step: Level,
      pipeline: Level,
      inner: Level,
      outer: Level,
      error: Schema.Literals(["A", "B", "C"])
    }),
    ({ error, ...levels }) =>
      Effect.gen(function*() {
        const seen = calls()
        const hooksOf = (level: keyof typeof levels) =>
          Hooks.make(...levels[level].map(({ kind, tag }, i) => {
            const hook = noting(seen, kind, `${level} ${kind} ${i}`)
            return tag === "always" ? hook : hook.pipe(Hook.when(() => tag === error))
          }))
        const step = Step.make("s", Effect.fail(error)).pipe(
          Step.retry({ times: 1 }),
          Step.overdue(0),
          Step.hooks(hooksOf("step"))
        )
        yield* Effect.exit(Pipeline.make("p", step).pipe(Pipeline.stepHooks(hooksOf("pipeline")))).pipe(
          Effect.provide(Hooks.layerDefault(hooksOf("inner"))),
          Effect.provide(Hooks.layerDefault(hooksOf("outer")))
        )
        const expected = ["start", "retry", "failure", "exit"].flatMap((kind) => {
          for (const level of ["step", "pipeline", "inner", "outer"] as const) {
            const applying = levels[level].flatMap((hook, i) =>
              hook.kind === kind && (hook.tag === "always" || hook.tag === error) ? [`${level} ${kind} ${i}`] : []
            )
            if (applying.length > 0) return applying
          }
          return []
        })
        assert.deepEqual(seen.list.filter((name) => !name.includes("overdue")), expected)
        const overdue = new Set(seen.list.filter((name) => name.includes("overdue")).map((name) => name.split(" ")[0]))
        assert.ok(overdue.size <= 1)
      })
  ))

it.effect("of nested layers the inner hooks of a kind stand in for the outer ones where one applies", () =>
  Effect.gen(function*() {
    const seen = calls()
    const outer = Hooks.layerDefault(Hooks.make(noting(seen, "failure", "outer"), noting(seen, "exit", "outer exit")))
    const inner = Hooks.layerDefault(Hook.onFailureTag("A", () => seen.note("inner")))
    const both = (step: Effect.Effect<unknown, unknown>) =>
      Effect.exit(step).pipe(Effect.provide(inner), Effect.provide(outer))
    yield* both(Step.make("s", Effect.fail({ _tag: "A" })))
    yield* both(Step.make("s", Effect.fail({ _tag: "B" })))
    assert.deepEqual(seen.list, ["inner", "outer exit", "outer", "outer exit"])
  }))

it.effect("a layer inside of a run is for the steps inside of it", () =>
  Effect.gen(function*() {
    const seen = calls()
    const layer = Hooks.layerDefault(noting(seen, "exit", "default"))
    const one = (name: string) => Step.make(name, Effect.void)
    yield* Pipeline.make("p", Effect.all([one("a"), Effect.provide(one("b"), layer), one("c")]))
    assert.deepEqual(seen.list, ["default"])
    yield* Pipeline.make("p", Step.make("outer", Effect.forkChild(one("inner")).pipe(Effect.flatMap(Fiber.join)))).pipe(
      Pipeline.provide(layer)
    )
    assert.deepEqual(seen.list, ["default", "default", "default"])
  }))

// -----------------------------------------------------------------------------
// runs
// -----------------------------------------------------------------------------

it.effect("Pipeline.layerDefault is for runs of pipelines, those inside of others included, and for no step", () =>
  Effect.gen(function*() {
    const seen = calls()
    const layer = Pipeline.layerDefault(
      Hook.onExit(() => Effect.flatMap(StepContext, ({ stepName }) => seen.note(stepName)))
    )
    const inner = Pipeline.make("inner", ok)
    const own = Pipeline.make("own", ok).pipe(Pipeline.onExit(() => seen.note("own hook")))
    yield* Effect.provide(Effect.all([ok, Pipeline.make("outer", Effect.andThen(ok, inner)), own]), layer)
    assert.deepEqual(seen.list, ["inner", "outer", "own hook"])
  }))

it.effect("the layers of both stand side by side", () =>
  Effect.gen(function*() {
    const seen = calls()
    yield* Effect.exit(Pipeline.make("p", failing)).pipe(
      Effect.provide([
        Hooks.layerDefault(noting(seen, "failure", "step")),
        Pipeline.layerDefault(noting(seen, "failure", "run"))
      ])
    )
    assert.deepEqual(seen.list, ["step", "run"])
  }))

it.effect("a default overdue hook runs at the limit of the step, or at its own", () =>
  Effect.gen(function*() {
    const seen = calls()
    const slow = Step.make("slow", Effect.sleep("1 hour"))
    const layer = Hooks.layerDefault(Hooks.make(
      noting(seen, "overdue", "at the step's limit"),
      Hook.onOverdue("30 minutes", () => seen.note("at its own"))
    ))
    const fiber = yield* Effect.forkChild(Effect.provide(slow.pipe(Step.overdue("10 minutes")), layer))
    yield* TestClock.adjust("1 hour")
    yield* Fiber.join(fiber)
    assert.deepEqual(seen.list, ["at the step's limit", "at its own"])
  }))

// -----------------------------------------------------------------------------
// services
// -----------------------------------------------------------------------------

class Mail extends Context.Service<Mail, string>()("Mail") {}

it.effect("the hooks use the services of the layer, and the context, the log and the secrets of the step", () =>
  Effect.gen(function*() {
    const seen = calls()
    const written = logs()
    const hook = Hook.onFailure((cause) =>
      Effect.gen(function*() {
        const { stepPath } = yield* StepContext
        yield* seen.note(`${yield* Mail} ${stepPath.join("/")}`)
        yield* Effect.logError("failed", cause)
      })
    )
    const layer = Hooks.layerDefault(hook).pipe(Layer.provide(Layer.succeed(Mail, "of the layer")))
    yield* Effect.exit(Pipeline.make("p", Step.make("outer", Step.make("inner", Effect.fail("pa55w0rd"))))).pipe(
      Effect.provide([Layer.succeed(Mail, "of the step"), Secrets.layer("pa55w0rd")]),
      Effect.annotateLogs("day", "monday"),
      Effect.provide(written.layer),
      Effect.provide(layer)
    )
    assert.deepEqual(seen.list, ["of the layer outer/inner", "of the layer outer"])
    assert.equal(written.list.length, 2)
    assert.equal(written.list[0]?.annotations["day"], "monday")
    assert.doesNotMatch(JSON.stringify(written.list), /pa55w0rd/)
  }))

it.effect("an alert of a default hook goes to the alerter of the layer, once for nested steps", () =>
  Effect.gen(function*() {
    const layer = Hooks.layerDefault(AlerterHooks.failure)
    yield* Effect.exit(Pipeline.make("nightly", Step.make("load", Step.make("fetch", Effect.fail("404"))))).pipe(
      Effect.provide(Alerter.layerNone),
      Effect.provide(layer)
    )
    assert.deepEqual((yield* TestAlerter.sent).map(({ title }) => title), ["nightly › load › fetch failed"])
  }).pipe(Effect.provide(TestAlerter.layer)))

it.effect("a default hook that evaluates a step or a pipeline that fails does not run itself", () =>
  Effect.gen(function*() {
    const seen = calls()
    const hook = Hook.onFailure(() =>
      Effect.andThen(seen.note("hook"), Effect.exit(Effect.all([failing, Pipeline.make("inner", failing)])))
    )
    yield* Effect.exit(Pipeline.make("p", failing)).pipe(
      Effect.provide([Hooks.layerDefault(hook), Pipeline.layerDefault(hook)])
    )
    assert.deepEqual(seen.list, ["hook", "hook"])
  }))

it.effect("a step that a hook evaluates gets the default hooks of a layer in the hook alone", () =>
  Effect.gen(function*() {
    for (const around of [Hooks.layerDefault(Hooks.empty), Hooks.layerDefault(Hook.onStart(Effect.die("around")))]) {
      for (const stepHooks of [Hooks.empty, Hook.onInterrupt(() => Effect.void)]) {
        const seen = calls()
        const inside = Effect.provide(ok, Hooks.layerDefault(noting(seen, "success", "inside")))
        const step = Step.make("s", Effect.void).pipe(
          Step.onStart(Effect.void),
          Step.onSuccess(() => Effect.andThen(ok, inside))
        )
        yield* Effect.provide(Pipeline.make("p", step).pipe(Pipeline.stepHooks(stepHooks)), around)
        assert.deepEqual(seen.list, ["inside"])
      }
    }
  }))

it.effect("a mistaken policy is a defect of the layer", () =>
  Effect.gen(function*() {
    for (const layerDefault of [Hooks.layerDefault, Pipeline.layerDefault]) {
      const layer = layerDefault(Hook.onExit(() => Effect.void).pipe(Hook.timeout(-1)))
      const exit = yield* Effect.exit(Effect.provide(Effect.void, layer))
      assert.match(String(Exit.isFailure(exit) && exit.cause), /layerDefault: .*time limit|layerDefault: .*-1/)
    }
  }))

// -----------------------------------------------------------------------------
// what is told of them
// -----------------------------------------------------------------------------

it.effect("events and Hooks.explain tell of the level", () =>
  Effect.gen(function*() {
    const seen = events()
    const defaults = Hooks.make(
      Hook.named(Hook.onSuccess(() => Effect.void), "tell"),
      Hook.named(Hook.onFailure(() => Effect.void), "alert")
    )
    const step = ok.pipe(Step.hooks(Hook.onFailureTag("A", () => Effect.void) as Hook.Hook<unknown, unknown, never>))
    yield* Effect.provide(step, [Hooks.layerDefault(defaults), seen.layer])
    assert.deepEqual(
      seen.list.flatMap((event) => event._tag === "HookEnded" ? [[event.hook, event.level]] : []),
      [["tell", "default"]]
    )
    const explained = Hooks.explain(step, undefined, defaults)
    assert.deepEqual(explained.map(({ level, name, reason }) => [name, level, reason]), [
      ["tell", "default", "neither the step nor the pipeline has a hook of kind success, so it inherits the default"],
      [
        "onFailure",
        "step",
        "the step's own takes precedence over the default failure hooks where its tag or predicate matches"
      ],
      ["alert", "default", "the default, for where none of the step's own failure hooks has something to do"]
    ])
    const pipeline = Hook.named(Hook.onSuccess(() => Effect.void), "count")
    assert.deepEqual(Hooks.explain(ok, pipeline, defaults).map(({ level, name }) => [name, level]), [
      ["count", "pipeline"],
      ["alert", "default"]
    ])
  }))
