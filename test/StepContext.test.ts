import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Hooks, Pipeline, Step, StepContext } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { calls, events } from "./support/observe.ts"

const it = makeIt(test)

/** Copies the current step context into plain data. */
const snapshot = Effect.map(StepContext, (context) => ({
  pipelineName: context.pipelineName,
  runId: context.runId,
  runName: context.runName,
  stepName: context.stepName,
  stepPath: context.stepPath,
  attempt: context.attempt,
  startedAt: DateTime.toEpochMillis(context.startedAt),
  params: { ...context.params },
  annotations: { ...context.annotations }
}))

it.effect("a step's body and hooks see the same context, with the names of step and run", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.UTC(2026, 10, 23, 9, 42, 6))
    const seen: Array<unknown> = []
    const keep = Effect.flatMap(snapshot, (context) => Effect.sync(() => seen.push(context)))
    const hooks = Hooks.make(Hook.onStart(keep), Hook.onSuccess(() => keep), Hook.onExit(() => keep))
    const run = Pipeline.make("etl", Step.make("load", keep).pipe(Step.hooks(hooks))).pipe(Pipeline.onStart(keep))
    yield* run
    const [ofRun, ...ofStep] = seen as Array<Effect.Success<typeof snapshot>>
    const { runId } = ofRun!
    assert.match(runId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const common = {
      pipelineName: "etl",
      runId,
      runName: "etl-2026_11_23-09_42_06",
      attempt: 1,
      startedAt: Date.UTC(2026, 10, 23, 9, 42, 6),
      params: {},
      annotations: {}
    }
    // the run's own context has the pipeline's name as step name, and an empty path
    assert.deepEqual(ofRun, { ...common, stepName: "etl", stepPath: [] })
    assert.equal(ofStep.length, 4)
    for (const context of ofStep) assert.deepEqual(context, { ...common, stepName: "load", stepPath: ["load"] })
  }))

it.effect("Pipeline.runName sets the run's name", () =>
  Effect.gen(function*() {
    const name = Effect.map(StepContext, ({ runName }) => runName)
    assert.equal(yield* Pipeline.make("p", Step.make("s", name)).pipe(Pipeline.runName("nightly")), "nightly")
  }))

it.effect("nested steps have paths, and an outer step sees its own context again after an inner one", () =>
  Effect.gen(function*() {
    const path = Effect.map(StepContext, ({ stepPath }) => stepPath.join("/"))
    const c = Step.make("c", path)
    const b = Step.make("b", Effect.all([path, c, path]))
    const a = Step.make("a", Effect.all([path, b, path, Effect.exit(Step.make("failing", Effect.fail("no"))), path]))
    const [a1, [b1, c1, b2], a2, , a3] = yield* Pipeline.make("p", a)
    assert.deepEqual([a1, b1, c1, b2, a2, a3], ["a", "a/b", "a/b/c", "a/b", "a", "a"])
  }))

it.effect("StepContext is gone when the step has ended", () =>
  Effect.gen(function*() {
    const outside = Effect.map(Effect.context<never>(), (context) => Context.getOrUndefined(context, StepContext))
    for (const body of [Effect.void, Effect.fail("no"), Effect.die("boom"), Effect.interrupt]) {
      yield* Effect.exit(Step.make("s", body).pipe(Step.onExit(() => Effect.void)))
      assert.equal(yield* outside, undefined)
      const name = yield* Pipeline.make(
        "p",
        Effect.andThen(
          Effect.exit(Step.make("s", body)),
          Effect.map(StepContext, ({ stepName }) => stepName)
        )
      )
      assert.equal(name, "p")
    }
  }))

it.effect("attempt is the number of the current attempt in body and hooks", () =>
  Effect.gen(function*() {
    const attempts: Array<string> = []
    const note = (where: string) =>
      Effect.flatMap(StepContext, ({ attempt }) => Effect.sync(() => attempts.push(`${where} ${attempt}`)))
    yield* Effect.exit(
      Step.make("s", Effect.andThen(note("body"), Effect.fail("no"))).pipe(
        Step.retry({ times: 2 }),
        Step.onRetry(() => note("retry")),
        Step.onFailure(() => note("failure"))
      )
    )
    assert.deepEqual(attempts, ["body 1", "retry 1", "body 2", "retry 2", "body 3", "failure 3"])
  }))

it.effect("startedAt stays fixed, elapsed grows, and elapsed is never negative when the clock is set back", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(10_000)
    const seen: Array<number> = []
    const elapsed = Effect.flatMap(StepContext.elapsed, (d) => Effect.sync(() => seen.push(Duration.toMillis(d))))
    const step = Step.make("s", Effect.andThen(Effect.andThen(elapsed, Effect.sleep("3 seconds")), elapsed)).pipe(
      Step.onSuccess(() => Effect.andThen(TestClock.setTime(1_000), elapsed)),
      Step.onExit(() =>
        Effect.flatMap(StepContext, ({ startedAt }) => Effect.sync(() => seen.push(DateTime.toEpochMillis(startedAt))))
      )
    )
    const fiber = yield* Effect.forkChild(step)
    yield* TestClock.adjust("3 seconds")
    yield* Fiber.join(fiber)
    assert.deepEqual(seen, [0, 3000, 0, 10_000])
  }))

// -----------------------------------------------------------------------------
// annotations
// -----------------------------------------------------------------------------

it.effect("hooks see the body's annotations, steps see the pipeline's, and the step's take precedence", () =>
  Effect.gen(function*() {
    const seen: Array<unknown> = []
    const keep = Effect.flatMap(snapshot, ({ annotations }) => Effect.sync(() => seen.push(annotations)))
    const step = Step.make(
      "s",
      Effect.andThen(
        StepContext.annotate("rows", 1461),
        StepContext.annotate({ file: "a.csv", stage: "done" })
      )
    ).pipe(
      Step.annotate({ owner: "data", stage: "loading" }),
      Step.annotate({ owner: "platform" }),
      Step.onStart(keep),
      Step.onSuccess(() => Effect.andThen(keep, StepContext.annotate("hook", "was here"))),
      Step.onExit(() => keep)
    )
    const run = Pipeline.make("p", Effect.andThen(Effect.andThen(step, step), StepContext.annotate("total", 2))).pipe(
      Pipeline.annotate({ env: "prod", stage: "pipeline" }),
      Pipeline.onSuccess(() => keep)
    )
    yield* run
    const before = { env: "prod", owner: "platform", stage: "loading" }
    const after = { ...before, rows: 1461, file: "a.csv", stage: "done" }
    const once = [before, after, { ...after, hook: "was here" }]
    // the second evaluation starts without the first one's annotations, and the run sees neither
    assert.deepEqual(seen, [...once, ...once, { env: "prod", stage: "pipeline", total: 2 }])
    seen.length = 0
    yield* run
    assert.deepEqual(seen[0], before)
  }))

it.effect("an annotation made in the pipeline's body is visible to later steps", () =>
  Effect.gen(function*() {
    const region = Step.make("s", Effect.map(StepContext, ({ annotations }) => annotations["region"]))
    assert.deepEqual(
      yield* Pipeline.make("p", Effect.all([region, StepContext.annotate("region", "eu"), region])),
      [undefined, undefined, "eu"]
    )
  }))

it.effect("an annotation named __proto__ is kept as an ordinary key", () =>
  Effect.gen(function*() {
    const emitted = events()
    yield* Step.make("s", StepContext.annotate(JSON.parse(`{"__proto__": {"polluted": true}}`))).pipe(
      Step.onSuccess(() =>
        Effect.map(StepContext, ({ annotations }) => {
          assert.equal(annotations["polluted"], undefined)
          assert.ok(Object.hasOwn(annotations, "__proto__"))
        })
      ),
      Effect.provide(emitted.layer)
    )
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined)
    assert.deepEqual(emitted.list.filter(({ _tag }) => _tag === "HookFailed"), [])
  }))

it.effect("JSON.stringify writes every property of a context", () =>
  Effect.gen(function*() {
    const json = yield* Step.make("s", Effect.map(StepContext, (context) => JSON.stringify(context)))
    assert.deepEqual(Object.keys(JSON.parse(json)).toSorted(), [
      "annotations",
      "attempt",
      "params",
      "pipelineName",
      "runId",
      "runName",
      "startedAt",
      "stepLabels",
      "stepName",
      "stepPath"
    ])
  }))

it.effect("a context made with StepContext.of can be provided, and annotating it does nothing", () =>
  Effect.gen(function*() {
    const context = StepContext.of({
      pipelineName: "p",
      runId: "1",
      runName: "r",
      stepName: "s",
      stepKey: undefined,
      stepPath: ["s"],
      stepLabels: ["s"],
      attempt: 1,
      startedAt: DateTime.makeUnsafe(0),
      params: {},
      annotations: {}
    })
    const name = Effect.andThen(StepContext.annotate("a", 1), Effect.map(StepContext, ({ stepName }) => stepName))
    assert.equal(yield* Effect.provideService(name, StepContext, context), "s")
    // such a context belongs to no run, so a step in it is a run of its own
    const inner = Step.make("inner", Effect.map(StepContext, ({ pipelineName }) => pipelineName))
    assert.equal(yield* Effect.provideService(inner, StepContext, context), "inner")
  }))

// -----------------------------------------------------------------------------
// concurrency
// -----------------------------------------------------------------------------

it.effect("ten thousand concurrent steps in two runs never see each other's context", () =>
  Effect.gen(function*() {
    const count = 5_000
    const seen = calls()
    const wrong: Array<string> = []
    const check = (n: number, run: string) =>
      Effect.map(StepContext, ({ annotations, pipelineName, stepName, stepPath }) => {
        const ok = stepName === `step ${n}` && stepPath.join() === stepName && pipelineName === run &&
          annotations["n"] === n
        if (!ok) wrong.push(`${run} ${n}: ${pipelineName} ${stepName} ${annotations["n"]}`)
      })
    const step = (n: number, run: string) =>
      Step.make(
        `step ${n}`,
        Effect.gen(function*() {
          yield* StepContext.annotate("n", n)
          yield* Effect.sleep(n % 7)
          yield* check(n, run)
          yield* Effect.yieldNow
          if (n % 3 === 0) return yield* Effect.fail("no")
        })
      ).pipe(
        Step.onSuccess(() => Effect.andThen(Effect.sleep(n % 5), check(n, run))),
        Step.onExit(() => Effect.andThen(check(n, run), seen.note(run)))
      )
    const run = (name: string) =>
      Pipeline.make(
        name,
        Effect.forEach(Array.from({ length: count }, (_, n) => n), (n) => Effect.exit(step(n, name)), {
          concurrency: "unbounded",
          discard: true
        })
      )
    const fiber = yield* Effect.forkChild(Effect.all([run("x"), run("y")], { concurrency: 2 }))
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(fiber)
    assert.deepEqual(wrong, [])
    assert.equal(seen.list.filter((name) => name === "x").length, count)
    assert.equal(seen.list.length, 2 * count)
  }))

it.effect("a hook that is one synchronous call is in its step's context, and the code after the step is not", () =>
  Effect.gen(function*() {
    const seen: Array<string | undefined> = []
    const look = Effect.sync(() => {
      seen.push(Context.getOrUndefined(Fiber.getCurrent()!.context, StepContext)?.stepName)
    })
    const thrown = new Error("thrown")
    const step = Step.make("load", Effect.void).pipe(
      Step.hooks(Hook.onStart(look)),
      Step.onSuccess(() => look),
      Step.onSuccess(() =>
        Effect.sync(() => {
          throw thrown
        })
      ),
      Step.hooks(Hook.onExit(() => look))
    )
    const failed = yield* Effect.flip(
      Step.make("required", Effect.void).pipe(Step.hooks(Hook.required(Hook.onSuccess(() =>
        Effect.sync(() => {
          throw thrown
        })
      ))))
    )
    assert.equal(failed.cause, thrown)
    yield* Effect.andThen(step, look)
    assert.deepEqual(seen, ["load", "load", "load", undefined])
  }))
