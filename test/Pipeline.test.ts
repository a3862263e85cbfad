import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Hooks, Pipeline, Step, StepContext } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { brief, calls, events, kinds, logs, noting, plain } from "./support/observe.ts"

const it = makeIt(test)

it.effect("a pipeline is an Effect whose hooks run once a run", () =>
  Effect.gen(function*() {
    const seen = calls()
    const step = Step.make("s", seen.note("step"))
    const ends: ReadonlyArray<readonly [Effect.Effect<unknown, string>, string]> = [
      [Effect.succeed(1), "success"],
      [Effect.fail("no"), "failure"],
      [Effect.die("boom"), "failure"],
      [Effect.interrupt, "interrupt"]
    ]
    for (const [end, outcome] of ends) {
      seen.list.length = 0
      const pipeline = Pipeline.make("p", Effect.andThen(Effect.andThen(step, step), end)).pipe(
        Pipeline.onStart(seen.note("start")),
        Pipeline.onSuccess((value) => seen.note(`success ${value}`)),
        Pipeline.onFailure((cause) => seen.note(`failure ${Cause.squash(cause)}`)),
        Pipeline.onInterrupt(() => seen.note("interrupt")),
        Pipeline.onExit((exit) => seen.note(`exit ${exit._tag}`))
      )
      assert.ok(Pipeline.isPipeline(pipeline) && Effect.isEffect(pipeline))
      assert.equal(Pipeline.isPipeline(step), false)
      assert.deepEqual(plain(yield* Effect.exit(pipeline)), plain(yield* Effect.exit(end)))
      const [start, first, second, terminal, exit, ...rest] = seen.list
      assert.deepEqual([start, first, second, rest], ["start", "step", "step", []])
      assert.ok(terminal!.startsWith(outcome), terminal)
      assert.equal(exit, outcome === "success" ? "exit Success" : "exit Failure")
    }
  }))

it.effect("Pipeline.onFailureTag runs once, for the error with its tag only, in both forms", () =>
  Effect.gen(function*() {
    class NoData extends Data.TaggedError("NoData")<{ readonly day: string }> {}
    class Slow extends Data.TaggedError("Slow") {}
    for (const error of [new NoData({ day: "monday" }), new Slow()]) {
      const seen = calls()
      const failing: Effect.Effect<void, NoData | Slow> = Effect.fail(error)
      const piped = Pipeline.make("p", Step.make("s", failing)).pipe(
        Pipeline.onFailureTag("NoData", ({ day }) => seen.note(`no data on ${day}`))
      )
      const direct = Pipeline.onFailureTag(piped, "Slow", () => seen.note("slow"))
      assert.deepEqual(yield* Effect.exit(direct), Exit.fail(error))
      assert.deepEqual(seen.list, error._tag === "Slow" ? ["slow"] : ["no data on monday"])
    }
  }))

it.effect("Pipeline.named makes a pipeline of that name, in both forms", () =>
  Effect.gen(function*() {
    const name = Effect.map(StepContext, ({ pipelineName }) => pipelineName)
    assert.equal(yield* name.pipe(Pipeline.named("etl")), "etl")
    assert.equal(yield* Pipeline.named(name, "etl"), "etl")
    assert.ok(Pipeline.isPipeline(Pipeline.named(name, "etl")))
  }))

it.effect("each call of a Pipeline.fn makes a pipeline, and its combinators receive the arguments", () =>
  Effect.gen(function*() {
    const seen = calls()
    const train = Pipeline.fn("train")(
      function*(epochs: number) {
        const { annotations } = yield* StepContext
        return [epochs, annotations["epochs"]] as const
      },
      (pipeline, epochs) => Pipeline.annotate(pipeline, { epochs }),
      Pipeline.onSuccess(([epochs]) => seen.note(`success ${epochs}`))
    )
    assert.deepEqual(yield* train(3), [3, 3])
    assert.deepEqual(yield* Pipeline.fn("plain")((n: number) => Effect.succeed(n))(4), 4)
    assert.deepEqual(seen.list, ["success 3"])
  }))

it.effect("Pipeline.onSuccess runs for the run only, and Pipeline.stepHooks for its steps only", () =>
  Effect.gen(function*() {
    const seen = calls()
    yield* Pipeline.make("p", Effect.andThen(Step.make("a", Effect.void), Step.make("b", Effect.void))).pipe(
      Pipeline.onSuccess(() => seen.note("run")),
      Pipeline.stepHooks(Hook.onSuccess(() => Effect.flatMap(StepContext, ({ stepName }) => seen.note(stepName))))
    )
    assert.deepEqual(seen.list, ["a", "b", "run"])
  }))

it.effect("Pipeline.stepHooks adds to earlier step hooks", () =>
  Effect.gen(function*() {
    const seen = calls()
    yield* Pipeline.make("p", Step.make("s", Effect.void)).pipe(
      Pipeline.stepHooks(noting(seen, "success", "first")),
      Pipeline.stepHooks(Hooks.make(noting(seen, "success", "second")))
    )
    assert.deepEqual(seen.list, ["first", "second"])
  }))

it.effect("a pipeline's hook that fails in any way is logged and does not change the run's exit", () =>
  Effect.gen(function*() {
    const [seen, log] = [calls(), logs()]
    const pipeline = Pipeline.make("p", Effect.succeed(1)).pipe(
      Pipeline.onStart(Effect.die("x")),
      Pipeline.onSuccess(() => Effect.fail("x")),
      Pipeline.onSuccess(() => Effect.never),
      Pipeline.onSuccess(() => seen.note("after")),
      Pipeline.onExit(() => Effect.interrupt),
      Effect.provide(log.layer)
    )
    const fiber = yield* Effect.forkChild(pipeline)
    yield* TestClock.adjust("30 seconds")
    assert.deepEqual(fiber.pollUnsafe(), Exit.succeed(1))
    assert.deepEqual(seen.list, ["after"])
    assert.deepEqual(log.list.map(({ level, message }) => [level, message]), [
      ["Error", `hook "onStart" (start) of "p" failed`],
      ["Error", `hook "onSuccess" (success) of "p" failed`],
      ["Error", `hook "onSuccess" (success) of "p" failed`],
      ["Error", `hook "onExit" (exit) of "p" failed`]
    ])
  }))

it.effect("a pipeline inside another starts a run of its own, whose steps have the inner pipeline's hooks", () =>
  Effect.gen(function*() {
    const seen = calls()
    const step = Step.make(
      "s",
      Effect.flatMap(
        StepContext,
        ({ pipelineName, runId, stepPath }) => Effect.as(seen.note(`${pipelineName} ${stepPath}`), runId)
      )
    )
    const inner = Pipeline.make("inner", step).pipe(Pipeline.stepHooks(noting(seen, "success", "inner hook")))
    const outer = Pipeline.make("outer", Step.make("outer step", Effect.all([step, inner, step]))).pipe(
      Pipeline.stepHooks(noting(seen, "success", "outer hook"))
    )
    const [before, within, after] = yield* outer
    assert.equal(before, after)
    assert.notEqual(before, within)
    assert.deepEqual(seen.list, [
      "outer outer step,s",
      "outer hook",
      "inner s",
      "inner hook",
      "outer outer step,s",
      "outer hook",
      "outer hook"
    ])
  }))

// -----------------------------------------------------------------------------
// steps outside a pipeline
// -----------------------------------------------------------------------------

it.effect("a step outside any pipeline is a run of its own, named like the step", () =>
  Effect.gen(function*() {
    const emitted = events()
    const ids: Array<string> = []
    const step = Step.make(
      "alone",
      Effect.flatMap(StepContext, ({ pipelineName, runId }) => {
        ids.push(runId)
        return Effect.succeed(pipelineName)
      })
    ).pipe(Effect.provide(emitted.layer))
    assert.equal(yield* step, "alone")
    yield* step
    assert.notEqual(ids[0], ids[1])
    const once = ["RunStarted alone", "StepStarted alone", "StepEnded alone success", "RunEnded alone success"]
    assert.deepEqual(emitted.list.map(brief), [...once, ...once])
    assert.deepEqual(new Set(emitted.list.slice(0, 4).map(({ runId }) => runId)), new Set([ids[0]]))
  }))

it.effect("steps nested in a step outside any pipeline belong to that step's run", () =>
  Effect.gen(function*() {
    const inner = Step.make(
      "inner",
      Effect.flatMap(
        StepContext,
        ({ pipelineName, runId, stepPath }) => Effect.succeed({ pipelineName, runId, stepPath })
      )
    )
    const outer = Step.make("outer", Effect.zip(inner, Effect.map(StepContext, ({ runId }) => runId)))
    const [within, runId] = yield* outer
    assert.deepEqual(within, { pipelineName: "outer", runId, stepPath: ["outer", "inner"] })
  }))

// -----------------------------------------------------------------------------
// steps in hooks and in other fibers
// -----------------------------------------------------------------------------

it.effect("a step inside a hook belongs to the run but does not inherit the pipeline's hooks", () =>
  Effect.gen(function*() {
    const [seen, emitted] = [calls(), events()]
    const cleanUp = Step.make("clean up", Effect.fail("no")).pipe(Step.onFailure(() => seen.note("clean up failed")))
    const bare = Step.make("bare", Effect.fail("no"))
    for (const kind of kinds) {
      seen.list.length = emitted.list.length = 0
      const hook = noting(seen, kind, kind, Effect.andThen(Effect.exit(bare), Effect.exit(cleanUp)))
      const body: Effect.Effect<void, string | Step.StepSkipped> = kind === "interrupt"
        ? Effect.interrupt
        : kind === "skip"
        ? Step.skip()
        : kind === "failure" || kind === "retry"
        ? Effect.fail("no")
        : Effect.void
      yield* Effect.exit(
        Pipeline.make("p", Step.make("s", body).pipe(Step.retry({ times: 1 }), Step.overdue(0))).pipe(
          Pipeline.stepHooks(hook),
          Effect.provide(emitted.layer)
        )
      )
      // exactly once: a hook that its own step inherited would call itself for ever
      assert.deepEqual(seen.list, [kind, "clean up failed"])
      const started = emitted.list.filter((event) => event._tag === "StepStarted")
      assert.deepEqual(started.map(({ stepPath }) => stepPath), [["s"], ["s", "bare"], ["s", "clean up"]])
      assert.equal(new Set(emitted.list.map(({ runId }) => runId)).size, 1)
    }
  }))

it.effect("a step nested in a step inside a hook does not inherit the pipeline's hooks either", () =>
  Effect.gen(function*() {
    const seen = calls()
    const deep = Step.make("outer", Step.make("deep", Effect.fail("no")))
    const failing = Pipeline.make("p", Step.make("s", Effect.fail("no"))).pipe(
      Pipeline.stepHooks(
        noting(seen, "failure", "failure", Effect.suspend(() => seen.list.length < 20 ? deep : Effect.void))
      ),
      Effect.provide(logs().layer)
    )
    yield* Effect.exit(failing)
    assert.deepEqual(seen.list, ["failure"])
  }))

it.effect("steps on forked fibers belong to the run that forked them", () =>
  Effect.gen(function*() {
    const [seen, emitted] = [calls(), events()]
    const step = (name: string) => Step.make(name, Effect.sleep("1 second"))
    yield* Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(
        Pipeline.make(
          "p",
          Effect.gen(function*() {
            const child = yield* Effect.forkChild(step("child"))
            yield* Effect.all([step("a"), step("b")], { concurrency: 2 })
            yield* Fiber.join(child)
          })
        ).pipe(Pipeline.stepHooks(Hook.onSuccess(() => Effect.flatMap(StepContext, (c) => seen.note(c.stepName)))))
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
    }).pipe(Effect.provide(emitted.layer))
    assert.deepEqual([...seen.list].toSorted(), ["a", "b", "child"])
    const ended = emitted.list.at(-1)!
    assert.ok(ended._tag === "RunEnded" && ended.steps === 3)
    assert.equal(new Set(emitted.list.map(({ runId }) => runId)).size, 1)
  }))

it.effect("a step on a detached fiber that outlives its run keeps the run's context and hooks", () =>
  Effect.gen(function*() {
    const [seen, gate] = [calls(), yield* Deferred.make<void>()]
    const daemon = Step.make("daemon", Deferred.await(gate))
    const [fiber, runId] = yield* Pipeline.make(
      "p",
      Effect.zip(
        Effect.forkDetach(daemon, { startImmediately: true }),
        Effect.map(StepContext, ({ runId }) => runId)
      )
    ).pipe(
      Pipeline.stepHooks(
        Hook.onSuccess(() =>
          Effect.flatMap(StepContext, (c) => seen.note(`${c.pipelineName} ${c.stepName} ${c.runId}`))
        )
      ),
      Pipeline.onSuccess(() => seen.note("run"))
    )
    assert.deepEqual(seen.list, ["run"])
    yield* Deferred.succeed(gate, undefined)
    yield* Fiber.join(fiber)
    assert.deepEqual(seen.list, ["run", `p daemon ${runId}`])
  }))

it.effect("a step on a scoped fiber that the end of the run interrupts runs its interrupt hook", () =>
  Effect.gen(function*() {
    const seen = calls()
    const child = Step.make("child", Effect.never).pipe(Step.onInterrupt(() => seen.note("interrupted")))
    yield* Pipeline.make("p", Effect.scoped(Effect.forkScoped(child, { startImmediately: true })))
    assert.deepEqual(seen.list, ["interrupted"])
  }))

// -----------------------------------------------------------------------------
// no global state
// -----------------------------------------------------------------------------

it.effect("two concurrent runs of one pipeline share no annotations", () =>
  Effect.gen(function*() {
    const seen = new Map<string, Set<string>>()
    const step = (name: string, who: string) =>
      Step.make(name, Effect.andThen(Effect.sleep("1 second"), StepContext.annotate("who", who))).pipe(
        Step.onExit(() =>
          Effect.flatMap(StepContext, ({ annotations, runId, stepName }) =>
            Effect.sync(() => {
              const of = seen.get(runId) ?? new Set()
              seen.set(runId, of.add(`${annotations["run"]} ${annotations["who"]} ${stepName}`))
            }))
        )
      )
    const run = (who: string) =>
      Pipeline.make("p", Effect.all([step("a", who), step("b", who)], { concurrency: 2 })).pipe(
        Pipeline.annotate({ run: who })
      )
    const fiber = yield* Effect.forkChild(Effect.all([run("x"), run("y")], { concurrency: 2 }))
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(fiber)
    assert.deepEqual([...seen.values()].map((of) => [...of].toSorted()).toSorted(), [["x x a", "x x b"], [
      "y y a",
      "y y b"
    ]])
  }))

it.effect("a step in a finalizer of an ended run is a run of its own, with the same hooks, and waits for them", () =>
  Effect.gen(function*() {
    const [seen, emitted] = [calls(), events()]
    const cleanup = Step.make("cleanup", Effect.void).pipe(
      Step.hooks(Hook.background(Hook.onExit(() => Effect.andThen(Effect.sleep("1 second"), seen.note("background")))))
    )
    const run = Pipeline.make("p", Effect.addFinalizer(() => cleanup)).pipe(
      Pipeline.stepHooks(noting(seen, "success", "inherited")),
      Effect.scoped,
      Effect.provide(emitted.layer)
    )
    const fiber = yield* Effect.forkChild(run)
    yield* TestClock.adjust("999 millis")
    assert.equal(fiber.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 millis")
    yield* Fiber.join(fiber)
    assert.deepEqual(seen.list, ["inherited", "background"])
    assert.deepEqual(emitted.list.map(brief), [
      "RunStarted p",
      "RunEnded p success",
      "RunStarted p",
      "StepStarted cleanup",
      "StepEnded cleanup success",
      "HookEnded inherited",
      "HookStarted onExit",
      "HookEnded onExit",
      "RunEnded p success"
    ])
    assert.equal(new Set(emitted.list.map(({ runId }) => runId)).size, 2)
  }))
