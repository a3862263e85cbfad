/** Steps, their hooks and those of the run, on a durable engine. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as assert from "node:assert/strict"
import { Approval, Durable } from "../../../src/durable/index.ts"
import { Hook, Hooks, Pipeline, Step } from "../../../src/index.ts"
import { brief, kinds, noting } from "../../support/observe.ts"
import {
  Bad,
  endWait,
  type Engine,
  inProcess,
  job,
  recorder,
  run,
  suiteOf,
  suspendRun,
  until
} from "../support/engine.ts"

export const stepsSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("a step and its run call hooks and report events in order", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      let n = 0
      const step = Step.make("load", Effect.suspend(() => ++n < 3 ? Effect.fail(new Bad({ n })) : Effect.succeed(n)))
        .pipe(
          Step.retry({ times: 3 }),
          Step.hooks(Hooks.make(...kinds.map((kind) => noting(seen, kind, kind)))),
          Durable.step({ success: Schema.Int, error: Bad })
        )
      const runHooks = Hooks.make(...kinds.filter((kind) => kind !== "retry").map((k) => noting(seen, k, `run ${k}`)))
      const exit = yield* run(storage, seen, job(() => Pipeline.make("any", step).pipe(Pipeline.hooks(runHooks))))
      assert.deepEqual(exit, Exit.succeed(3))
      assert.deepEqual(seen.list, [
        "run start",
        "start",
        "retry",
        "retry",
        "success",
        "exit",
        "run success",
        "run exit"
      ])
      assert.deepEqual(seen.events.list.map(brief), [
        "RunStarted job",
        "HookEnded run start",
        "StepStarted load",
        "HookEnded start",
        "AttemptFailed load 1",
        "HookEnded retry",
        "AttemptFailed load 2",
        "HookEnded retry",
        "StepEnded load success",
        "HookEnded success",
        "HookEnded exit",
        "HookEnded run success",
        "HookEnded run exit",
        "RunEnded job success"
      ])
      assert.deepEqual(seen.log.list, [])
    }))

  test("a failed required hook fails the step with a HookError that can be caught by its tag, at a replay too", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const audit = Hook.onSuccess(() => Effect.fail(new Bad({ n: 7 }))).pipe(Hook.named("audit"), Hook.required)
      const step = Step.make("load", Effect.succeed(1)).pipe(
        Step.hooks(audit),
        Step.onSuccess(() => seen.note("success")),
        Step.onFailureTag("HookError", ({ hook }) => seen.note(`failure ${hook}`)),
        Durable.step({ success: Schema.Int })
      )
      const caught: Array<Hook.HookError> = []
      const { layer, workflow } = job(() =>
        Effect.gen(function*() {
          yield* Effect.catchTag(step, "HookError", (error) => Effect.sync(() => void caught.push(error)))
          yield* suspendRun("a")
          return "done"
        })
      )
      assert.deepEqual(yield* run(storage, seen, { layer, workflow }), Exit.succeed("done"))
      assert.deepEqual(seen.list, ["failure audit"])
      assert.equal(caught.length, 2)
      for (const error of caught) {
        assert.ok(error instanceof Hook.HookError)
        const { hook, kind, pipelineName, stepName } = error
        assert.deepEqual({ hook, kind, pipelineName, stepName }, {
          hook: "audit",
          kind: "success",
          pipelineName: "job",
          stepName: "load"
        })
        assert.ok(error.cause instanceof Error, String(error.cause))
      }
    }))

  test("a failed required hook of the run fails the run", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const audit = Hook.onSuccess(() => Effect.fail("no")).pipe(Hook.named("audit"), Hook.required)
      const pipeline = Pipeline.make("x", Effect.succeed(1)).pipe(
        Pipeline.hooks(audit),
        Pipeline.onFailure(() => seen.note("failure")),
        Pipeline.onSuccess(() => seen.note("success"))
      )
      const exit = yield* run(storage, seen, job(() => pipeline))
      assert.ok(Exit.isFailure(exit))
      const error = Cause.squash(exit.cause)
      assert.ok(error instanceof Hook.HookError && error.hook === "audit" && error.cause === "no")
      assert.deepEqual(seen.list, ["failure"])
    }))

  test("a failed required start hook keeps the body from running, and a required retry hook ends the retries", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const broken = Effect.fail("no")
      const first = Step.make("first", seen.note("body")).pipe(
        Step.hooks(Hook.onStart(broken).pipe(Hook.named("gate"), Hook.required)),
        Step.onStart(seen.note("start")),
        Step.onFailure(() => seen.note("first failed")),
        Durable.step()
      )
      const second = Step.make("second", Effect.andThen(seen.note("attempt"), Effect.fail(new Bad({ n: 1 })))).pipe(
        Step.retry({ times: 5 }),
        Step.hooks(Hook.onRetry(() => broken).pipe(Hook.named("gate"), Hook.required)),
        Step.onFailureTag("Bad", () => seen.note("Bad")),
        Step.onFailureTag("HookError", () => seen.note("HookError")),
        Durable.step({ error: Bad })
      )
      const pipeline = job(() =>
        Effect.gen(function*() {
          const exits = [yield* Effect.exit(first), yield* Effect.exit(second)]
          yield* suspendRun("a")
          return exits.map((exit) =>
            Exit.isFailure(exit) ? exit.cause.reasons.map((r) => Cause.isFailReason(r) ? r.error._tag : r._tag) : []
          )
        })
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.succeed([["HookError"], ["Bad", "HookError"]]))
      assert.deepEqual(seen.list, ["first failed", "attempt", "Bad", "HookError"])
    }))

  test("a background hook does not delay the next step, and the run waits for it", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const slow = Effect.andThen(until("b has ended", () => seen.count("b success") > 0), seen.note("background"))
      const step = Step.make("a", Effect.void).pipe(Step.hooks(Hook.onSuccess(() => slow).pipe(Hook.background)))
      const pipeline = Pipeline.make("x", Effect.andThen(Durable.step(step), Durable.step(noted(seen, "b")))).pipe(
        Pipeline.onExit(() => seen.note("run exit"))
      )
      yield* run(storage, seen, job(() => pipeline))
      assert.deepEqual(seen.list, ["b", "b success", "background", "run exit"])
    }))

  test("bodies and hooks run once and are reported once, however often the body is evaluated", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      let evaluations = 0
      let waiting = false
      const deferred = DurableDeferred.make("signal", { success: Schema.Int })
      let n = 0
      const retried = Step.make("retried", Effect.suspend(() => ++n < 3 ? Effect.fail(new Bad({ n })) : Effect.void))
        .pipe(Step.retry({ times: 5 }), Step.onRetry(({ attempt }) => seen.note(`retry ${attempt}`)))
      const { layer, workflow } = job(() =>
        Pipeline.make(
          "x",
          Effect.gen(function*() {
            evaluations++
            yield* Durable.step(noted(seen, "a"))
            yield* suspendRun("1", "100 millis")
            yield* Durable.step(retried, { error: Bad })
            yield* suspendRun("2", "100 millis")
            waiting = true
            const signal = yield* DurableDeferred.await(deferred)
            yield* Effect.all(
              ["p", "q", "r"].map((name) =>
                Effect.andThen(Durable.step(noted(seen, name)), suspendRun(name, "100 millis"))
              ),
              { concurrency: "unbounded" }
            )
            yield* Durable.step(noted(seen, "z"))
            yield* suspendRun("3", "100 millis")
            return signal
          })
        ).pipe(
          Pipeline.onStart(seen.note("run start")),
          Pipeline.onExit(() => seen.note("run exit")),
          Pipeline.stepHooks(Hook.onExit(() => seen.note("step hook")))
        )
      )
      const exit = yield* inProcess(
        storage,
        Layer.provide(layer, seen.layer),
        Effect.gen(function*() {
          const executionId = yield* workflow.execute({ id: "1" }, { discard: true })
          yield* until("the body waits for the signal", () => waiting)
          yield* endWait(workflow, executionId, deferred, 5)
          return yield* Effect.exit(workflow.execute({ id: "1" }))
        })
      )
      assert.deepEqual(exit, Exit.succeed(5))
      assert.ok(evaluations > 5)
      for (const name of ["a", "p", "q", "r", "z"]) {
        assert.deepEqual([name, seen.count(name), seen.count(`${name} success`)], [name, 1, 1])
      }
      assert.deepEqual([seen.count("retry 1"), seen.count("retry 2"), n], [1, 1, 3])
      assert.deepEqual([seen.count("run start"), seen.count("run exit"), seen.count("step hook")], [1, 1, 6])
      const tags = seen.events.list.map(brief)
      const twice = tags.filter((tag, i) => !tag.startsWith("HookEnded") && tags.indexOf(tag) !== i)
      assert.deepEqual(twice, [])
      assert.deepEqual(tags.filter((tag) => tag.startsWith("Step")).length, 12)
      assert.equal(tags.filter((tag) => tag.startsWith("HookEnded")).length, 5 + 2 + 2 + 6)
    }))

  test("a step that the code around it interrupts ends once with an interruption, and the run continues", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const hanging = Step.make("hanging", Effect.andThen(seen.note("body"), Effect.never)).pipe(
        Step.onInterrupt(() => seen.note("interrupt")),
        Step.onExit((exit) => seen.note(`exit ${exit._tag}`)),
        Durable.step()
      )
      const begun = until("the body runs", () => seen.list.includes("body"))
      const failing = Step.make("failing", Effect.andThen(begun, Effect.fail(new Bad({ n: 1 })))).pipe(
        Durable.step({ error: Bad })
      )
      const pipeline = job(() =>
        Effect.gen(function*() {
          const exit = yield* Effect.exit(Effect.all([hanging, failing], { concurrency: 2 }))
          yield* suspendRun("1")
          yield* Durable.step(noted(seen, "after"))
          yield* suspendRun("2")
          return Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof Bad
        })
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.succeed(true))
      assert.deepEqual(seen.list, ["body", "interrupt", "exit Failure", "after", "after success"])
    }))

  test("a step is interrupted by a timeout of the code around it", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const hanging = Step.make("hanging", Effect.andThen(seen.note("body"), Effect.never)).pipe(
        Step.onInterrupt(() => seen.note("interrupt")),
        Durable.step()
      )
      const pipeline = job(() =>
        Effect.gen(function*() {
          yield* Effect.timeoutOption(hanging, 500)
          yield* suspendRun("1")
          return "done"
        })
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.succeed("done"))
      assert.deepEqual(seen.list, ["body", "interrupt"])
    }))

  test("the hooks of a step that loses a race while they run are not interrupted", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const begun = Deferred.makeUnsafe<void>()
      const winner = Step.make("winner", Deferred.await(begun)).pipe(Durable.step())
      const loser = Step.make("loser", seen.note("body")).pipe(
        // goes on for longer than the winner takes to be recorded and to interrupt it
        Step.onSuccess(() =>
          Deferred.done(begun, Exit.void).pipe(Effect.andThen(Effect.sleep(120)), Effect.andThen(seen.note("success")))
        ),
        Step.onInterrupt(() => seen.note("interrupt")),
        Step.onExit((exit) => seen.note(`exit ${exit._tag}`)),
        Durable.step()
      )
      const pipeline = job(() => Effect.asVoid(Effect.race(winner, loser)))
      yield* run(storage, seen, pipeline)
      assert.deepEqual(seen.list, ["body", "success", "exit Success"])
    }))

  test("a waiting step that loses a durable race is interrupted before the run ends", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const waiting = Step.make("waiting", seen.note("body")).pipe(
        Step.onStart(seen.note("start")),
        Step.requireApproval({ title: "Go on?", timeout: "1 day" }),
        Step.onInterrupt(() => seen.note("interrupt")),
        Durable.step()
      )
      const asked = until("the question is asked", () => seen.alerts.length > 0)
      const winner = Step.make("winner", Effect.andThen(asked, Effect.sleep(50))).pipe(Durable.step())
      const { layer, workflow } = job(() =>
        Pipeline.make(
          "x",
          Effect.gen(function*() {
            yield* DurableDeferred.raceAll({
              name: "race",
              success: Schema.Void,
              error: Schema.Never,
              effects: [Effect.orDie(waiting), winner]
            })
            yield* Durable.step(noted(seen, "after"))
          })
        ).pipe(Pipeline.onExit((exit) => seen.note(`run ${exit._tag}`)))
      )
      const pipeline = { workflow, layer: Layer.provide(layer, Approval.layer()) }
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.void)
      assert.deepEqual(seen.list.toSorted(), ["after", "after success", "interrupt", "run Success", "start"])
      assert.equal(seen.list.at(-1), "run Success")
    }))

  test("a step's body that waits runs again from its beginning, and ends once", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const deferred = DurableDeferred.make("signal")
      const waits = DurableDeferred.await(deferred)
      const step = Step.make("a", Effect.andThen(seen.note("body"), Effect.andThen(waits, seen.note("end")))).pipe(
        Step.onSuccess(() => seen.note("success")),
        Durable.step()
      )
      const { layer, workflow } = job(() => Effect.tap(step, () => suspendRun("1")))
      const exit = yield* inProcess(
        storage,
        Layer.provide(layer, seen.layer),
        Effect.gen(function*() {
          const executionId = yield* workflow.execute({ id: "1" }, { discard: true })
          yield* endWait(workflow, executionId, deferred, undefined)
          return yield* Effect.exit(workflow.execute({ id: "1" }))
        })
      )
      assert.deepEqual(exit, Exit.void)
      assert.deepEqual(seen.list, ["body", "body", "end", "success"])
      const ends = seen.events.list.map(brief).filter((event) => event.startsWith("StepEnded"))
      assert.deepEqual(ends, ["StepEnded a success"])
    }))

  test("a child workflow is a run of its own", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const child = Durable.pipeline("child", {
        payload: { id: Schema.String },
        success: Schema.Int,
        idempotencyKey: ({ id }) => id
      }, () =>
        Pipeline.make(
          "x",
          Effect.gen(function*() {
            yield* Durable.step(noted(seen, "inner"))
            yield* suspendRun("child")
            return 4
          })
        ).pipe(Pipeline.onExit(() => seen.note("child exit"))))
      const parent = job(() =>
        Pipeline.make(
          "x",
          Effect.gen(function*() {
            yield* suspendRun("before")
            const n = yield* child.workflow.execute({ id: "c" })
            yield* Durable.step(noted(seen, "outer"))
            return n
          })
        ).pipe(Pipeline.onExit(() => seen.note("parent exit")))
      )
      const both = { workflow: parent.workflow, layer: Layer.merge(parent.layer, child.layer) }
      assert.deepEqual(yield* run(storage, seen, both), Exit.succeed(4))
      assert.deepEqual(seen.list, ["inner", "inner success", "child exit", "outer", "outer success", "parent exit"])
      assert.equal(new Set(seen.events.list.map(({ runId }) => runId)).size, 2)
    }))

  test("hooks with nothing to do leave their place to the pipeline's, at a replay too", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const failing = (name: string, n: number, hook: Hook.Hook<unknown, unknown, never>) =>
        Step.make(name, Effect.fail(new Bad({ n }))).pipe(Step.hooks(hook), Durable.step({ error: Bad }), Effect.exit)
      const when = (name: string, answer: Effect.Effect<boolean, string>) =>
        Hook.when(noting(seen, "failure", name), () => answer)
      const pipeline = job(() =>
        Pipeline.make(
          "any",
          Effect.gen(function*() {
            yield* failing("a", 1, when("own a", Effect.succeed(false)))
            yield* failing("b", 2, when("own b", Effect.succeed(true)))
            yield* failing("c", 3, when("own c", Effect.fail("predicate")))
            yield* failing("d", 4, Hook.background(when("own d", Effect.delay(Effect.succeed(false), "5 millis"))))
            yield* suspendRun("1")
          })
        ).pipe(Pipeline.stepHooks(Hook.onFailure((cause) => seen.note(`pipeline ${(Cause.squash(cause) as Bad).n}`))))
      )
      yield* run(storage, seen, pipeline)
      assert.deepEqual(seen.list, ["pipeline 1", "own b", "pipeline 3", "pipeline 4"])
    }))
}

const noted = ({ note }: { readonly note: (call: string) => Effect.Effect<void> }, name: string) =>
  Step.make(name, note(name)).pipe(Step.onSuccess(() => note(`${name} success`)))
