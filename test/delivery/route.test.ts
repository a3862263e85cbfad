import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { type Criteria, route } from "../../src/delivery/index.ts"
import { Alert, Alerter, type AlertSource, type Severity } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { build, inner } from "../support/policies.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const source = (pipeline: string, ...stepPath: ReadonlyArray<string>): AlertSource => ({
  pipeline,
  runId: "1",
  runName: "run",
  stepPath
})

const takes = (when: Criteria | ((alert: Alert) => boolean), alert: Alert) =>
  Effect.gen(function*() {
    const [here, elsewhere] = [yield* inner(), yield* inner()]
    const post = yield* build(route([{ when, to: here.layer }], { otherwise: elsewhere.layer }))
    yield* post(alert)
    const counts = [yield* here.attempts, yield* elsewhere.attempts]
    assert.equal(counts[0]! + counts[1]!, 1)
    return counts[0] === 1
  })

it.effect("an alert matches a route if all of its criteria hold", () =>
  Effect.gen(function*() {
    const alert = Alert.make({
      title: "t",
      severity: "error",
      tags: ["DiskFull", "Retry"],
      source: source("nightly", "load", "parse")
    })
    const yes: ReadonlyArray<Criteria> = [
      {},
      { severity: "error" },
      { severity: ["warning", "error"] },
      { atLeast: "warning" },
      { atLeast: "error" },
      { tag: "Retry" },
      { tag: ["Other", "DiskFull"] },
      { pipeline: "nightly" },
      { step: "parse" },
      { step: "load" },
      { severity: "error", atLeast: "info", tag: "Retry", pipeline: "nightly", step: "load" }
    ]
    const no: ReadonlyArray<Criteria> = [
      { severity: "critical" },
      { severity: [] },
      { atLeast: "critical" },
      { tag: "Other" },
      { tag: [] },
      { pipeline: "hourly" },
      { step: "nightly" },
      { severity: "error", atLeast: "info", tag: "Retry", pipeline: "nightly", step: "other" },
      { severity: "info", pipeline: "nightly" }
    ]
    for (const when of yes) assert.ok(yield* takes(when, alert), JSON.stringify(when))
    for (const when of no) assert.ok(!(yield* takes(when, alert)), JSON.stringify(when))
    const bare = Alert.make("by hand")
    for (const when of [{ pipeline: "nightly" }, { step: "load" }, { tag: "Retry" }, { atLeast: "warning" }] as const) {
      assert.ok(!(yield* takes(when, bare)), JSON.stringify(when))
    }
  }))

it.effect("a predicate selects alerts, and one that throws or returns a promise selects none and is logged", () =>
  Effect.gen(function*() {
    assert.ok(yield* takes((alert) => alert.title.startsWith("a"), Alert.make("abc")))
    assert.ok(!(yield* takes((alert) => alert.title.startsWith("b"), Alert.make("abc"))))
    const logged = logs()
    const bad = () => {
      throw new Error("bug")
    }
    assert.ok(!(yield* Effect.provide(takes(bad, Alert.make("abc")), logged.layer)))
    assert.match(logged.list[0]!.message, /route.*bug/)
    // as code without types may: a promise holds as a condition
    const late = () => Promise.resolve(true) as unknown as boolean
    assert.ok(!(yield* Effect.provide(takes(late, Alert.make("abc")), logged.layer)))
    assert.match(logged.list[1]!.message, /route failed .*expected a boolean, and it returned: promise/)
  }))

it.effect("an alert whose delivery fails is not posted to another route", () =>
  Effect.gen(function*() {
    const [broken, other] = [yield* inner(TestAlerter.layerFailing()), yield* inner()]
    const post = yield* build(route([{ when: {}, to: broken.layer }], { otherwise: other.layer }))
    const error = yield* Effect.flip(post("hello"))
    assert.equal(error.message, "test: could not be reached")
    assert.equal(yield* other.attempts, 0)
  }))

it.effect("a layer in several routes is built once, and without routes all alerts go to otherwise", () =>
  Effect.gen(function*() {
    let builds = 0
    const shared = Layer.effect(
      Alerter,
      Effect.sync(() => {
        builds++
        return Alerter.of({ post: () => Effect.void })
      })
    )
    yield* build(
      route([{ when: { tag: "a" }, to: shared }, { when: { tag: "b" }, to: shared }], { otherwise: shared })
    )
    assert.equal(builds, 1)
    const other = yield* inner()
    const post = yield* build(route([], { otherwise: other.layer }))
    yield* post("hello")
    assert.deepEqual(yield* other.titles, ["hello"])
  }))

const severities: ReadonlyArray<Severity> = ["info", "success", "warning", "error", "critical"]
const Criterion = Schema.Struct({
  severity: Schema.UndefinedOr(Schema.Literals(severities)),
  tag: Schema.UndefinedOr(Schema.Literals(["x", "y"]))
})
const Case = Schema.Struct({
  routes: Schema.Array(Criterion).check(Schema.isMaxLength(4)),
  severity: Schema.Literals(severities),
  tags: Schema.Array(Schema.Literals(["x", "y"])).check(Schema.isMaxLength(2))
})

it.effect("each alert goes to the first route that matches, and to no other", () =>
  forAll(Case, ({ routes, severity, tags }) =>
    Effect.scoped(Effect.gen(function*() {
      const got: Array<number> = []
      const to = (i: number) => Alerter.layer(() => Effect.sync(() => got.push(i)))
      const post = yield* build(route(routes.map((when, i) => ({ when, to: to(i) })), { otherwise: to(-1) }))
      yield* post(Alert.make({ title: "t", severity, tags }))
      const matches = routes.map((when) =>
        (when.severity ?? severity) === severity && (when.tag === undefined || tags.includes(when.tag))
      )
      assert.deepEqual(got, [matches.indexOf(true)])
    }))))
