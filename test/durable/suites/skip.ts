/** Durable steps that are skipped: the skip, and the answer of a predicate, are recorded. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { Durable } from "../../../src/durable/index.ts"
import { AlerterHooks, Hook, Pipeline, Step } from "../../../src/index.ts"
import { brief, plain } from "../../support/observe.ts"
import { Bad, type Engine, inProcess, job, recorder, run, suiteOf, suspendRun } from "../support/engine.ts"

export const skipSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("a step that its predicate skips is skipped once, and its predicate is not asked again when the run resumes", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      let asked = 0
      const load = Step.make("load", Effect.as(seen.note("body"), 1)).pipe(
        // another answer would be given the second time
        Step.when(Effect.sync(() => asked++ > 0), { reason: "not yet" }),
        Step.onSkip(({ reason }) => seen.note(`skip ${reason}`)),
        Step.onExit(() => seen.note("exit")),
        Durable.step({ success: Schema.Option(Schema.Int) })
      )
      const pipeline = job(() =>
        Effect.gen(function*() {
          const value = yield* load
          yield* suspendRun("1")
          return Option.isNone(value)
        })
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.succeed(true))
      assert.deepEqual([asked, ...seen.list], [1, "skip not yet", "exit"])
      assert.deepEqual(seen.events.list.map(brief).filter((line) => !line.startsWith("Hook")), [
        "RunStarted job",
        "StepStarted load",
        "StepSkipped load: not yet",
        "RunEnded job success"
      ])
    }))

  test("a step that its predicate lets run keeps that answer, and its value is stored as its callers get it", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      let asked = 0
      const isFirst = Effect.sync(() => asked++ === 0)
      const inside = Step.make("inside", Effect.succeed(1)).pipe(
        Step.onSuccess((value) => seen.note(`value ${value}`)),
        Step.when(isFirst),
        Step.onSuccess((value) => seen.note(`option ${Option.getOrNull(value)}`)),
        Durable.step({ success: Schema.Option(Schema.Int) })
      )
      const around = Step.make("around", Effect.succeed(2)).pipe(
        Durable.step({ success: Schema.Int }),
        Step.when(Effect.sync(() => asked++ === 1))
      )
      const pipeline = job(() =>
        Effect.gen(function*() {
          const values = [yield* inside, yield* around]
          yield* suspendRun("1")
          return values.map(Option.getOrNull)
        })
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.succeed([1, 2]))
      assert.deepEqual([asked, ...seen.list], [2, "value 1", "option 1"])
    }))

  test("a skip from the body is recorded, is not retried, and its handler gives callers a value", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const load = Step.make("load", Effect.andThen(seen.note("body"), Step.skip("no rows"))).pipe(
        Step.retry({ times: 3 }),
        Step.onSkip(({ reason }) => seen.note(`skip ${reason}`)),
        Step.onRetry(() => seen.note("retry")),
        Step.whenSkipped(({ reason }) => `none: ${reason}`),
        Durable.step({ success: Schema.String })
      )
      const pipeline = job(() => Effect.tap(load, () => suspendRun("1")))
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.succeed("none: no rows"))
      assert.deepEqual(seen.list, ["body", "skip no rows"])
    }))

  test("a run that is skipped runs its skip hooks once, and undoes nothing", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const first = Step.make("first", Effect.void).pipe(Step.onRollback(() => seen.note("undo")), Durable.step())
      const load = Step.make("load", Step.skip("no rows")).pipe(Durable.step({ success: Schema.Never }))
      const pipeline = job(() =>
        Pipeline.make("x", Effect.andThen(first, Effect.andThen(suspendRun("1"), load))).pipe(
          Pipeline.onSkip(({ reason }) => seen.note(`run skip ${reason}`)),
          Pipeline.hooks(AlerterHooks.all),
          Pipeline.stepHooks(AlerterHooks.skip)
        )
      )
      const exit = yield* run(storage, seen, pipeline)
      assert.deepEqual(plain(exit), [{ fail: new Step.StepSkipped({ reason: "no rows" }) }])
      assert.deepEqual(seen.list, ["run skip no rows"])
      assert.deepEqual(seen.alerts.map(({ title }) => title), ["job › load was skipped"])
      assert.equal(brief(seen.events.list.at(-1)!), "RunEnded job skip")
    }))

  test("a predicate that fails is recorded as the failure of the step, and a required skip hook fails it", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      let asked = 0
      const failing = Step.make("failing", Effect.void).pipe(
        Step.when(Effect.suspend(() => (asked++, Effect.fail(new Bad({ n: 1 }))))),
        Step.onFailure(() => seen.note("failure")),
        Durable.step({ success: Schema.Option(Schema.Void), error: Bad })
      )
      const required = Step.make("required", Step.skip()).pipe(
        Step.hooks(Hook.onSkip(() => Effect.fail("no network")).pipe(Hook.named("note"), Hook.required)),
        Step.whenSkipped(() => undefined),
        Durable.step()
      )
      const pipeline = job(() =>
        Effect.gen(function*() {
          const first = yield* Effect.catch(failing, ({ _tag }) => Effect.succeed(_tag))
          yield* suspendRun("1")
          const second = yield* Effect.catch(required, ({ _tag }) => Effect.succeed(_tag))
          return [first, second]
        })
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.succeed(["Bad", "HookError"]))
      assert.deepEqual([asked, ...seen.list], [1, "failure"])
    }))

  if (!engine.survives) return

  test("a skipped run, and a skipped step, are stored as such, and a retry needs a step to run again from", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const load = Step.make("load", Step.skip("no rows")).pipe(Durable.step({ success: Schema.Never }))
      const { layer, workflow } = job(() => load)
      const stored = Effect.gen(function*() {
        yield* Effect.exit(workflow.execute({ id: "1" }))
        const [listed] = yield* Durable.list({ statuses: ["skip"] })
        const details = yield* Durable.show(listed!.runId)
        const refused = yield* Effect.flip(Durable.retry(listed!.runId))
        return { listed: listed!, details, refused }
      })
      const { details, listed, refused } = yield* inProcess(storage, Layer.provide(layer, seen.layer), stored)
      assert.deepEqual([listed.status, listed.why], ["skip", "no rows"])
      assert.deepEqual(details.steps.map(({ name, status, why }) => `${name} ${status} ${why}`), ["load skip no rows"])
      assert.match(String(refused), /was skipped: name the step/)
    }))
}
