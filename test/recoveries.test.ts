/** Tests that a failure which a hook has told is told to be over, whether a hook tells of successes or not. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { afterConsecutive, recovered } from "../src/delivery/index.ts"
import { Alerter, AlerterHooks, Hook, Hooks, Pipeline, RunEvent, Step } from "../src/index.ts"
import { TestAlerter } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"

const it = makeIt(test)

type Night = (isBroken: boolean) => Effect.Effect<unknown, unknown, Alerter>

/** Runs two nights that fail, one that succeeds, and one that does so again, and returns the titles of what is posted. */
const told = (
  night: Night,
  policy: (channel: Layer.Layer<Alerter>) => Layer.Layer<Alerter> = recovered({ successes: "drop" })
) =>
  Effect.gen(function*() {
    const titles: Array<string> = []
    const channel = Alerter.layer(({ title }) => Effect.sync(() => void titles.push(title)))
    const nights = [true, true, false, false]
    yield* Effect.provide(Effect.forEach(nights, (isBroken) => Effect.exit(night(isBroken))), policy(channel))
    return titles
  })

const body = (isBroken: boolean) => isBroken ? Effect.fail("no such file") : Effect.void
const load = (isBroken: boolean) => Step.make("load", body(isBroken))
const nightly = (isBroken: boolean, of: (isBroken: boolean) => Step.Step<void, string, Alerter> = load) =>
  Pipeline.make("nightly", of(isBroken))

const isTold = ["nightly › load failed", "nightly › load failed", "nightly › load recovered"]
const runIsTold = ["nightly failed", "nightly failed", "nightly recovered"]

/** A step that runs in a hook, of a step or of the run. */
const publish = (isBroken: boolean) => Step.make("publish", body(isBroken)).pipe(Step.hooks(AlerterHooks.failure))
const isToldOf = (path: string) => isTold.map((title) => title.replace("load", path))

const nights: ReadonlyArray<readonly [hooks: string, night: Night, titles: ReadonlyArray<string>]> = [
  ["of all steps", (b) => nightly(b).pipe(Pipeline.stepHooks(AlerterHooks.failure)), isTold],
  ["of one step", (b) => nightly(b, (b) => load(b).pipe(Step.hooks(AlerterHooks.failure))), isTold],
  [
    "of a step with a key",
    (b) => nightly(b, (b) => load(b).pipe(Step.key(7))).pipe(Pipeline.stepHooks(AlerterHooks.failure)),
    isTold.map((title) => title.replace("load", "load[7]"))
  ],
  [
    "of a step in a hook of a step",
    (b) =>
      nightly(b, (b) => Step.make("load", Effect.void).pipe(Step.onSuccess(() => Effect.ignore(publish(b))))).pipe(
        Pipeline.stepHooks(Hook.onStart(Effect.void))
      ),
    isToldOf("load › publish")
  ],
  [
    "of a step in a hook of the run",
    (b) =>
      Pipeline.make("nightly", Effect.void).pipe(
        Pipeline.stepHooks(Hook.onStart(Effect.void)),
        Pipeline.onSuccess(() => Effect.ignore(publish(b)))
      ),
    isToldOf("publish")
  ],
  ["of the run", (b) => nightly(b).pipe(Pipeline.hooks(AlerterHooks.failure)), runIsTold],
  [
    "of a layer",
    (b) => nightly(b).pipe(Effect.provide(Hooks.layerDefault(AlerterHooks.failure))),
    isTold
  ],
  [
    "with words of their own",
    (b) =>
      nightly(b).pipe(Pipeline.stepHooks(AlerterHooks.failureWith((alert) => alert.with({ severity: "critical" })))),
    isTold
  ],
  [
    "of all steps, with success hooks of the step that alert nobody",
    (b) =>
      nightly(b, (b) => load(b).pipe(Step.onSuccess(() => Effect.void))).pipe(
        Pipeline.stepHooks(AlerterHooks.failure)
      ),
    isTold
  ],
  [
    "of all steps, with a success hook that has nothing to do",
    (b) =>
      nightly(b).pipe(
        Pipeline.stepHooks(AlerterHooks.failure),
        Pipeline.stepHooks(AlerterHooks.success.pipe(Hook.when(() => false)))
      ),
    isTold
  ],
  [
    "of all steps, with a success hook that tells it itself",
    (b) => nightly(b).pipe(Pipeline.stepHooks(AlerterHooks.failure), Pipeline.stepHooks(AlerterHooks.success)),
    isTold
  ],
  [
    "of all steps, and a summary of the run",
    (b) => nightly(b).pipe(Pipeline.stepHooks(AlerterHooks.failure), Pipeline.hooks(AlerterHooks.summary)),
    [
      "nightly › load failed",
      "nightly failed: 1 of 1 step failed",
      "nightly › load failed",
      "nightly failed: 1 of 1 step failed",
      "nightly recovered",
      "nightly › load recovered"
    ]
  ],
  [
    "of all steps but one, which tells nobody",
    (b) =>
      nightly(b, (b) => load(b).pipe(Step.onFailure(() => Effect.void))).pipe(
        Pipeline.stepHooks(AlerterHooks.failure)
      ),
    []
  ],
  [
    "of all steps, where a hook of the step has nothing to do",
    (b) =>
      nightly(b, (b) =>
        load(b).pipe(
          Step.hooks(Hook.onFailure(() => Effect.void).pipe(Hook.when(() => false)))
        )).pipe(
          Pipeline.stepHooks(AlerterHooks.failure)
        ),
    isTold
  ]
]

for (const [hooks, night, titles] of nights) {
  it.effect(`failure hooks ${hooks}: a recovery is told where a failure was, once`, () =>
    Effect.gen(function*() {
      assert.deepEqual(yield* told(night), titles)
    }))
}

it.effect("a run that was interrupted is told to have recovered by the interrupt hook alone", () =>
  Effect.gen(function*() {
    const night: Night = (isBroken) =>
      Pipeline.make("nightly", isBroken ? Effect.interrupt : Effect.void).pipe(
        Pipeline.hooks(AlerterHooks.interrupt),
        (run) => Effect.flatMap(Effect.forkChild(run, { startImmediately: true }), Fiber.await)
      )
    assert.deepEqual(yield* told(night), ["nightly was interrupted", "nightly was interrupted", "nightly recovered"])
  }))

it.effect("a step that was late and failed is told to have recovered by the overdue hook alone", () =>
  Effect.gen(function*() {
    const night: Night = (isBroken) =>
      Effect.gen(function*() {
        const run = nightly(isBroken, (b) => Step.make("load", Effect.delay(body(b), b ? "2 minutes" : "1 second")))
          .pipe(
            Pipeline.stepHooks(AlerterHooks.overdue.pipe(Hook.overdueAfter("1 minute")))
          )
        const fiber = yield* Effect.forkChild(run, { startImmediately: true })
        yield* TestClock.adjust("5 minutes")
        yield* Fiber.await(fiber)
      })
    const late = ["nightly › load is still running after 1 min", "nightly › load failed"]
    assert.deepEqual(yield* told(night), [...late, ...late, "nightly › load recovered"])
  }))

it.effect("a late step that succeeds is told once to be over", () =>
  Effect.gen(function*() {
    const night: Night = (isBroken) =>
      Effect.gen(function*() {
        const run = nightly(
          false,
          () => Step.make("load", Effect.sleep(isBroken ? "2 minutes" : "1 second")).pipe(Step.key(7))
        ).pipe(
          Pipeline.stepHooks(AlerterHooks.overdue.pipe(Hook.overdueAfter("1 minute")))
        )
        const fiber = yield* Effect.forkChild(run, { startImmediately: true })
        yield* TestClock.adjust("5 minutes")
        yield* Fiber.await(fiber)
      })
    const late = ["nightly › load[7] is still running after 1 min", "nightly › load[7] recovered"]
    assert.deepEqual(yield* told(night), [...late, ...late])
  }))

it.effect("a success ends the row that afterConsecutive counts, with a failure hook alone", () =>
  Effect.gen(function*() {
    const titles: Array<string> = []
    const channel = Alerter.layer(({ title }) => Effect.sync(() => void titles.push(title)))
    const run = (isBroken: boolean) => Effect.exit(nightly(isBroken).pipe(Pipeline.stepHooks(AlerterHooks.failure)))
    yield* Effect.forEach([true, false, true, false, true], run).pipe(
      Effect.provide(afterConsecutive(channel, 2))
    )
    assert.deepEqual(titles, [])
  }))

it.effect("no hook runs after a success where the alerter keeps no failures", () =>
  Effect.gen(function*() {
    const events: Array<string> = []
    const observer = RunEvent.layer(({ _tag }) => void events.push(_tag))
    yield* nightly(false).pipe(
      Pipeline.stepHooks(AlerterHooks.failure),
      Effect.provide([TestAlerter.layer, observer])
    )
    assert.deepEqual(events, ["RunStarted", "StepStarted", "StepEnded", "RunEnded"])
  }))

it.effect("a step whose name has a slash has not recovered when a step inside another one succeeds", () =>
  Effect.gen(function*() {
    const titles: Array<string> = []
    const channel = Alerter.layer(({ title }) => Effect.sync(() => void titles.push(title)))
    const outer = (step: Step.Step<void, string>) =>
      Pipeline.make("nightly", step).pipe(Pipeline.stepHooks(AlerterHooks.failure), Effect.exit)
    yield* Effect.provide(
      Effect.gen(function*() {
        yield* outer(Step.make("db/load", body(true)))
        yield* outer(Step.make("db", load(false)))
        yield* outer(Step.make("db/load", body(false)))
      }),
      recovered({ successes: "drop" })(channel)
    )
    assert.deepEqual(titles, ["nightly › db/load failed", "nightly › db/load recovered"])
  }))
