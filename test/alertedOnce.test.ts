import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { fanOut, minSeverity } from "../src/delivery/index.ts"
import { type Alert, Alerter, AlerterHooks, Hook, Pipeline, Step } from "../src/index.ts"
import { TestAlerter } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"
import { forAll } from "./support/property.ts"

const it = makeIt(test)

class LoadError extends Data.TaggedError("LoadError")<{ readonly cause: unknown }> {}

/** Makes a pipeline whose steps, and whose run, have the standard failure hook. */
const alerting = <A, E, R>(body: Effect.Effect<A, E, R>) =>
  Pipeline.make("nightly", body).pipe(Pipeline.stepHooks(AlerterHooks.failure), Pipeline.hooks(AlerterHooks.failure))

/** Runs an effect with `TestAlerter` and returns the titles of the alerts. */
const titles = <A, E>(effect: Effect.Effect<A, E, Alerter>) =>
  Effect.andThen(Effect.exit(effect), TestAlerter.sent).pipe(
    Effect.map((alerts) => alerts.map(({ title }) => title)),
    Effect.provide(TestAlerter.layer)
  )

const fails = (name: string, error: unknown = new Error(name)) => Step.make(name, Effect.fail(error))

it.effect("an error is alerted by the innermost step alone, with the step's path", () =>
  Effect.gen(function*() {
    const epoch = Step.make("train", Step.make("epoch", fails("batch")))
    assert.deepEqual(yield* titles(alerting(epoch)), ["nightly › train › epoch › batch failed"])
  }))

for (
  const [how, rethrow] of Object.entries<(error: unknown) => Effect.Effect<never, unknown>>({
    "unchanged": (error) => Effect.fail(error),
    "as a defect": (error) => Effect.die(error),
    "as the cause of another error": (error) => Effect.fail(new LoadError({ cause: error })),
    "as the cause of a cause": (error) =>
      Effect.fail(new Error("outer", { cause: new Error("inner", { cause: error }) })),
    "in a field of another error": (error) => Effect.fail(Object.assign(new Error("x"), { original: error })),
    "in a field of a plain object with a tag": (error) =>
      Effect.fail({ _tag: "NotLoaded", original: error, rows: [1] }),
    "as the only member of an AggregateError": (error) => Effect.fail(new AggregateError([error])),
    "in a list": (error) => Effect.fail([error]),
    "as a Cause in an error": (error) => Effect.fail(new LoadError({ cause: Cause.fail(error) }))
  })
) {
  it.effect(`an error that an outer step passes on ${how} is alerted once`, () =>
    Effect.gen(function*() {
      const outer = Step.make("outer", Effect.catch(fails("inner"), rethrow))
      assert.deepEqual(yield* titles(alerting(outer)), ["nightly › outer › inner failed"])
    }))
}

for (
  const [how, made] of Object.entries<(told: unknown, untold: Error) => unknown>({
    "in a field": (told, untold) => Object.assign(new Error("outer", { cause: told }), { rollback: untold }),
    "as the cause": (told, untold) => Object.assign(new Error("outer", { cause: untold }), { original: told }),
    "in a list": (told, untold) => Object.assign(new Error("outer", { cause: told }), { others: [told, untold] })
  })
) {
  it.effect(`an error that holds an alerted one and, ${how}, another one is alerted`, () =>
    Effect.gen(function*() {
      const rethrow = (error: unknown) => Effect.fail(made(error, new Error("the rollback failed")))
      const outer = Step.make("outer", Effect.catch(fails("inner"), rethrow))
      assert.deepEqual(yield* titles(alerting(outer)), [
        "nightly › outer › inner failed",
        "nightly › outer failed"
      ])
    }))
}

it.effect("an alerted error without a class is known in a field of another one, and other objects there are no errors", () =>
  Effect.gen(function*() {
    for (const outer of [(fields: object) => Object.assign(new Error("outer"), fields), (fields: object) => fields]) {
      const rethrow = (original: unknown) =>
        Effect.fail(outer({ _tag: "NotLoaded", original, state: { _tag: "Some", value: 1 } }))
      const step = Step.make("outer", Effect.catch(fails("inner", { _tag: "Refused", status: 403 }), rethrow))
      assert.deepEqual(yield* titles(alerting(step)), ["nightly › outer › inner failed"])
      const beside = (original: unknown) =>
        Effect.fail(outer({ _tag: "NotLoaded", original, other: new Error("other") }))
      const two = Step.make("outer", Effect.catch(fails("inner", { _tag: "Refused", status: 403 }), beside))
      assert.deepEqual(yield* titles(alerting(two)), ["nightly › outer › inner failed", "nightly › outer failed"])
    }
  }))

it.effect("of a long list in a field of an error only a bounded part is looked at for errors", () =>
  Effect.gen(function*() {
    let looks = 0
    const rows: Array<unknown> = []
    for (let i = 0; i < 100_000; i++) {
      Object.defineProperty(rows, i, { get: () => looks++, enumerable: true, configurable: true })
    }
    const rethrow = (error: unknown) => Effect.fail(Object.assign(new Error("outer", { cause: error }), { rows }))
    yield* titles(alerting(Step.make("outer", Effect.catch(fails("inner"), rethrow))))
    assert.ok(looks > 0 && looks < 50_000, `${looks}`)
  }))

it.effect("an outer step that takes the cause out of an alerted error is not alerted", () =>
  Effect.gen(function*() {
    const inner = fails("inner", new LoadError({ cause: new Error("root") }))
    const outer = Step.make("outer", Effect.mapError(inner, (error) => (error as LoadError).cause))
    assert.deepEqual(yield* titles(alerting(outer)), ["nightly › outer › inner failed"])
  }))

it.effect("texts that are equal are one error in the steps around, and two in steps beside each other", () =>
  Effect.gen(function*() {
    const a = Step.make("a", fails("inner", "no"))
    const b = fails("b", "no")
    assert.deepEqual(yield* titles(alerting(Effect.andThen(Effect.exit(a), b))), [
      "nightly › a › inner failed",
      "nightly › b failed"
    ])
  }))

it.effect("an error of its own is alerted though the errors of inner steps have been", () =>
  Effect.gen(function*() {
    const outer = Step.make("outer", Effect.andThen(Effect.exit(fails("inner")), Effect.fail(new Error("own"))))
    assert.deepEqual(yield* titles(alerting(outer)), ["nightly › outer › inner failed", "nightly › outer failed"])
  }))

it.effect("an alert about errors of which some have been told is about the others", () =>
  Effect.gen(function*() {
    const own = new Error("own")
    const outer = Step.make(
      "outer",
      Effect.catchCause(fails("inner"), (cause) => Effect.failCause(Cause.combine(cause, Cause.fail(own))))
    )
    const alerts = yield* Effect.andThen(Effect.exit(alerting(outer)), TestAlerter.sent).pipe(
      Effect.provide(TestAlerter.layer)
    )
    assert.deepEqual(alerts.map(({ title }) => title), ["nightly › outer › inner failed", "nightly › outer failed"])
    assert.match(alerts[1]!.body!, /own/)
    assert.doesNotMatch(alerts[1]!.detail!, /inner/)
  }))

it.effect("an AggregateError is alerted where one of its members has not been", () =>
  Effect.gen(function*() {
    const both = Effect.gen(function*() {
      const told = yield* Effect.flip(fails("inner"))
      return yield* Effect.fail(new AggregateError([told, new Error("untold")]))
    })
    assert.deepEqual(yield* titles(alerting(both)), ["nightly › inner failed", "nightly failed"])
  }))

it.effect("each step of Effect.all is alerted, and the run is not", () =>
  Effect.gen(function*() {
    const all = Effect.all([fails("a"), Step.make("b", Effect.yieldNow), fails("c")].map(Effect.exit))
    const rethrown = Effect.flatMap(all, (exits) => exits.find((exit) => exit._tag === "Failure")!)
    assert.deepEqual(yield* titles(alerting(rethrown)), ["nightly › a failed", "nightly › c failed"])
    assert.deepEqual(yield* titles(alerting(Effect.validate(["a", "b"], (name) => fails(name)))), [
      "nightly › a failed",
      "nightly › b failed"
    ])
  }))

it.effect("the run inside of a step is one with the run around it", () =>
  Effect.gen(function*() {
    const inner = Pipeline.make("inner", fails("step")).pipe(Pipeline.hooks(AlerterHooks.failure))
    assert.deepEqual(yield* titles(alerting(Step.make("outer", inner))), ["inner failed"])
  }))

it.effect("all failure hooks of one step post", () =>
  Effect.gen(function*() {
    const twice = fails("load").pipe(
      Step.hooks(AlerterHooks.failure),
      Step.hooks(AlerterHooks.failureWith((alert) => alert.with({ title: "page" })))
    )
    assert.deepEqual(yield* titles(alerting(twice)), ["nightly › load failed", "page"])
  }))

it.effect("a hook with nested: \"each\" posts about errors that have been alerted", () =>
  Effect.gen(function*() {
    const each = AlerterHooks.failureWith((alert) => alert, { nested: "each" })
    const run = Pipeline.make("nightly", Step.make("outer", fails("inner"))).pipe(
      Pipeline.stepHooks(AlerterHooks.failure),
      Pipeline.hooks(each)
    )
    assert.deepEqual(yield* titles(run), ["nightly › outer › inner failed", "nightly failed"])
  }))

it.effect("the outer step is alerted where the alert of the inner one was not delivered", () =>
  Effect.gen(function*() {
    const run = Effect.exit(alerting(Step.make("outer", fails("inner"))))
    const alerts = yield* Effect.andThen(run, TestAlerter.sent).pipe(
      Effect.provide(TestAlerter.layerFailing({ times: 1 }))
    )
    assert.deepEqual(alerts.map(({ title }) => title), ["nightly › outer failed"])
  }))

it.effect("the outer step is alerted where a policy dropped the alert of the inner one", () =>
  Effect.gen(function*() {
    const mild = AlerterHooks.failureWith((alert) => alert.with({ severity: "warning" }))
    const run = Pipeline.make("nightly", fails("load")).pipe(
      Pipeline.stepHooks(mild),
      Pipeline.hooks(AlerterHooks.failure)
    )
    const sent: Array<Alert> = []
    const channel = Alerter.layer((alert) => Effect.sync(() => sent.push(alert)))
    yield* Effect.provide(Effect.exit(run), minSeverity(channel, "error"))
    assert.deepEqual(sent.splice(0).map(({ title }) => title), ["nightly failed"])
    yield* Effect.provide(Effect.exit(run), fanOut([minSeverity(channel, "error"), minSeverity(channel, "critical")]))
    assert.deepEqual(sent.splice(0).map(({ title }) => title), ["nightly failed"])
    yield* Effect.provide(Effect.exit(run), fanOut([minSeverity(channel, "error"), channel]))
    assert.deepEqual(sent.map(({ title }) => title), ["nightly › load failed"])
  }))

it.effect("the outer step waits for an inner alert that is being posted, and is alerted if that fails", () =>
  Effect.gen(function*() {
    for (
      const [outcome, expected] of [["fails", ["nightly › outer failed"]], ["arrives", [
        "nightly › outer › inner failed"
      ]]] as const
    ) {
      const answer = yield* Deferred.make<void, string>()
      const sent: Array<string> = []
      const channel = Alerter.layer(({ title }) =>
        Effect.andThen(
          title.includes("inner") ? Deferred.await(answer) : Effect.void,
          Effect.sync(() => sent.push(title))
        )
      )
      const inner = fails("inner").pipe(Step.hooks(Hook.background(AlerterHooks.failure)))
      const outer = Step.make("outer", inner).pipe(Step.hooks(AlerterHooks.failure))
      const fiber = yield* Effect.forkChild(Effect.provide(Effect.exit(Pipeline.make("nightly", outer)), channel))
      yield* TestClock.adjust("1 second")
      assert.deepEqual(sent, [])
      yield* outcome === "fails" ? Deferred.fail(answer, "no") : Deferred.succeed(answer, undefined)
      yield* Fiber.join(fiber)
      assert.deepEqual(sent, expected)
    }
  }))

it.effect("a step value that fails again with the very same object is alerted once, and with another one again", () =>
  Effect.gen(function*() {
    const same = fails("same")
    let n = 0
    const fresh = Step.make("fresh", Effect.suspend(() => Effect.fail(new Error(`attempt ${++n}`))))
    const retried = Effect.all([Effect.retry(same, { times: 2 }), Effect.retry(fresh, { times: 2 })].map(Effect.exit))
    assert.deepEqual(yield* titles(alerting(retried)), [
      "nightly › same failed",
      "nightly › fresh failed",
      "nightly › fresh failed",
      "nightly › fresh failed"
    ])
  }))

it.effect("what is around a step value that fails again with the very same object is not alerted in its place", () =>
  Effect.gen(function*() {
    const load = Step.make("load", fails("same"))
    assert.deepEqual(yield* titles(alerting(Effect.all([load, load].map(Effect.exit)))), [
      "nightly › load › same failed"
    ])
  }))

it.effect("a step value that fails with the very same object once more, after it has succeeded, is alerted again", () =>
  Effect.gen(function*() {
    const error = new Error("down")
    let n = 0
    const poll = Step.make("poll", Effect.suspend(() => n++ === 1 ? Effect.void : Effect.fail(error)))
    const around = Step.make("around", poll)
    for (const step of [poll, Step.key(poll, 1), around]) {
      n = 0
      const all = yield* titles(alerting(Effect.all([step, step, step, step].map(Effect.exit))))
      assert.equal(all.length, 2, String(all))
      assert.equal(all[0], all[1])
    }
  }))

it.effect("each run of a pipeline in the body of another one is alerted, also with the very same object", () =>
  Effect.gen(function*() {
    const inner = alerting(fails("same"))
    const outer = Pipeline.make("outer", Effect.all([inner, inner].map(Effect.exit)))
    assert.deepEqual(yield* titles(outer), ["nightly › same failed", "nightly › same failed"])
  }))

it.effect("two steps that fail with one object are both alerted", () =>
  Effect.gen(function*() {
    const error = new Error("down")
    const both = Effect.all([Step.make("a", fails("x", error)), Step.make("b", fails("x", error))].map(Effect.exit))
    assert.deepEqual(yield* titles(alerting(both)), ["nightly › a › x failed", "nightly › b › x failed"])
  }))

it.effect("errors that can't be read are alerted once", () =>
  Effect.gen(function*() {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const hostile = Object.defineProperties(new Error("x"), {
      cause: {
        get() {
          throw new Error("no")
        }
      }
    })
    const cyclic = new Error("a")
    cyclic.cause = new Error("b", { cause: cyclic })
    let deep = new Error("root")
    for (let i = 0; i < 20_000; i++) deep = new Error("link", { cause: deep })
    for (const error of [cyclic, Symbol("s"), null, undefined]) {
      assert.deepEqual(yield* titles(alerting(Step.make("outer", fails("inner", error)))), [
        "nightly › outer › inner failed"
      ])
    }
    // only that nothing throws: how such errors are rendered is tested elsewhere
    for (const error of [hostile, proxy, deep]) yield* titles(alerting(Step.make("outer", fails("inner", error))))
  }))

it.effect("the alert of a run names the innermost steps that failed, ten at most", () =>
  Effect.gen(function*() {
    const named = (body: Effect.Effect<unknown, unknown>) =>
      Effect.andThen(
        Effect.exit(Pipeline.make("nightly", body).pipe(Pipeline.hooks(AlerterHooks.failure))),
        TestAlerter.sent
      ).pipe(
        Effect.map((alerts) => alerts.flatMap(({ fields }) => fields.filter(({ name }) => name.startsWith("failed")))),
        Effect.provide(TestAlerter.layer)
      )
    assert.deepEqual(
      yield* named(Step.make("train", Effect.mapError(fails("batch"), (cause) => new LoadError({ cause })))),
      [
        { name: "failed step", value: "train › batch" }
      ]
    )
    const many = Effect.validate(Array.from({ length: 100 }, (_, i) => `s${i}`), (name) => fails(name))
    const [field] = yield* named(many)
    assert.equal(field!.name, "failed steps")
    assert.match(field!.value, /^s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, … and \d+ more$/)
  }))

// -----------------------------------------------------------------------------
// the law
// -----------------------------------------------------------------------------

interface Tree {
  readonly how: "fail" | "die" | "succeed" | "rethrow" | "wrap" | "to defect" | "catch" | "retry" | "all" | "validate"
  readonly inner: ReadonlyArray<Tree>
  readonly step: boolean
}

const Tree: Schema.Codec<Tree> = Schema.Struct({
  how: Schema.Literals([
    "fail",
    "die",
    "succeed",
    "rethrow",
    "wrap",
    "to defect",
    "catch",
    "retry",
    "all",
    "validate"
  ]),
  inner: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree)).check(Schema.isMaxLength(3)),
  step: Schema.Boolean
})

/** Builds an effect of a tree. Each evaluation of a leaf fails with an error of its own, which is counted. */
const build = (tree: Tree, failed: () => Error): Effect.Effect<unknown, unknown> => {
  const inner = tree.inner.map((tree) => build(tree, failed))
  const [first] = inner
  const leaf = tree.how === "die"
    ? Effect.suspend(() => Effect.die(failed()))
    : tree.how === "fail"
    ? Effect.suspend(() => Effect.fail(failed()))
    : Effect.void
  const body = first === undefined ? Step.make("leaf", leaf) : combine(tree, first, inner)
  return tree.step ? Step.make("step", body) : body
}

const combine = (
  { how }: Tree,
  first: Effect.Effect<unknown, unknown>,
  inner: ReadonlyArray<Effect.Effect<unknown, unknown>>
): Effect.Effect<unknown, unknown> => {
  switch (how) {
    case "wrap":
      return Effect.mapError(first, (cause) => new LoadError({ cause }))
    case "to defect":
      return Effect.orDie(first)
    case "catch":
      return Effect.exit(first)
    case "retry":
      return Effect.retry(first, { times: 2 })
    case "all":
      return Effect.all(inner, { concurrency: 2 })
    case "validate":
      return Effect.validate(inner, (effect) => effect)
    default:
      return first
  }
}

it.effect("there is one alert for each error, in any tree of steps, retries and catches", () =>
  forAll(
    Tree,
    (tree) =>
      Effect.gen(function*() {
        const errors: Array<string> = []
        const body = build(tree, () => {
          errors.push(`error ${errors.length}`)
          return new Error(errors.at(-1))
        })
        const alerts = yield* Effect.andThen(Effect.exit(alerting(body)), TestAlerter.sent).pipe(
          Effect.provide(TestAlerter.layer)
        )
        const told = alerts.map(({ body }) => /error \d+/.exec(body ?? "")?.[0])
        assert.deepEqual(told.toSorted(), errors.toSorted())
      }),
    200
  ))
