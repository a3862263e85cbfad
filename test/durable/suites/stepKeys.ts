/** The keys of steps, and steps and pipelines that are not allowed in a durable body. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { Durable } from "../../../src/durable/index.ts"
import { Hook, Pipeline, Step, StepContext } from "../../../src/index.ts"
import { brief } from "../../support/observe.ts"
import { forAll } from "../../support/property.ts"
import { type Engine, job, type Recorder, recorder, run, suiteOf, suspendRun } from "../support/engine.ts"

const counting = ({ note }: Recorder, name: string, value: number) =>
  Step.make(name, Effect.as(note(`${name} ${value}`), value)).pipe(Step.onSuccess((n) => note(`success ${n}`)))

const keyed = <A, E, R>(step: Step.Step<A, E, R>, key: string | undefined) =>
  key === undefined ? step : Step.key(step, key)

const int = { success: Schema.Int }

const messageOf = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isFailure(exit) ? String((Cause.squash(exit.cause) as Error).message) : "a success"

export const stepKeysSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("sequential evaluations of one name are each recorded", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const pipeline = job(() =>
        Effect.gen(function*() {
          let sum = 0
          for (const n of [1, 2, 3]) {
            sum += yield* Durable.step(counting(seen, "s", n), int)
            yield* suspendRun(`${n}`)
          }
          const more = yield* Effect.forEach([4, 5], (n) => Durable.step(counting(seen, "s", n), int))
          yield* suspendRun("more")
          return [sum, ...more]
        })
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.succeed([6, 4, 5]))
      assert.deepEqual(seen.list, [1, 2, 3, 4, 5].flatMap((n) => [`s ${n}`, `success ${n}`]))
    }))

  test("concurrent evaluations of one name without keys of their own are a defect of the run", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const at = (key?: string) =>
        job(() =>
          Effect.forEach([1, 2], (n) => Durable.step(keyed(counting(seen, "s", n), key), int), { concurrency: 2 })
        )
      const exit = yield* run(storage, seen, at())
      assert.ok(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.match(
        messageOf(exit),
        /^Step "s": it runs more than once in this run, not one after another: give each a key of its own, as in Step\.key\(step, key\)$/
      )
      assert.match(messageOf(yield* run(storage, seen, at("k"), "2")), /, with the key "k": give each a key/)
    }))

  test("concurrent evaluations with keys are told apart, in any order", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const all = Array.from({ length: 12 }, (_, n) => n)
      let evaluations = 0
      const pipeline = job(() =>
        Effect.gen(function*() {
          const order = evaluations++ % 2 === 0 ? all : all.toReversed()
          const got = yield* Effect.forEach(
            order,
            (n) => Effect.map(Durable.step(Step.key(counting(seen, "s", n), `k${n}`), int), (value) => [n, value]),
            { concurrency: 4 }
          )
          yield* suspendRun("1", "100 millis")
          yield* suspendRun("2", "100 millis")
          return got.every(([n, value]) => n === value)
        })
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.succeed(true))
      assert.ok(evaluations > 2)
      assert.deepEqual(seen.list.toSorted(), all.flatMap((n) => [`s ${n}`, `success ${n}`]).toSorted())
    }))

  test("any two pairs of a name and a key are different steps", (storage) =>
    forAll(
      Schema.Array(Schema.Tuple([Schema.NonEmptyString, Schema.optionalKey(Schema.String)])).check(
        Schema.isMaxLength(8)
      ),
      (pairs) =>
        Effect.gen(function*() {
          const seen = recorder()
          const odd = ["a/b", "a[b]", "a#2", "a%2Fb", "a%2fb", "run", "a/hook/success/0", "x".repeat(300)]
            .concat("é\u{1F600}", "a\0b", "a%00b", "\uD800", "\uDBFF", "\uDC00\uD800", "\u007F")
          const named = [
            ...odd.map((name): readonly [string, string?] => [name]),
            ...pairs,
            ["a", "b"] as const,
            ["a"] as const
          ]
          const once = [...new Map(named.map((pair) => [JSON.stringify(pair), pair])).values()]
          const pipeline = job(() =>
            Effect.gen(function*() {
              const values: Array<number> = []
              for (const [n, [name, key]] of once.entries()) {
                values.push(yield* Durable.step(keyed(counting(seen, name, n), key), int))
              }
              yield* suspendRun("1")
              return values
            })
          )
          const exit = yield* run(storage, seen, pipeline, String(runs++))
          assert.deepEqual(exit, Exit.succeed(once.map((_, n) => n)))
          assert.equal(seen.list.length, 2 * once.length)
        }),
      engine.runs / 2
    ))

  test("a step or a pipeline in the body that is not durable is a defect of the run, and does not run", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const plain = Step.make("plain", seen.note("body")).pipe(Step.onFailure(() => seen.note("failure")))
      const inner = Pipeline.make("inner", seen.note("body")).pipe(Pipeline.onFailure(() => seen.note("failure")))
      const exits = [
        yield* run(storage, seen, job(() => plain), "step"),
        yield* run(storage, seen, job(() => Effect.andThen(suspendRun("1"), inner)), "pipeline")
      ]
      assert.deepEqual(exits.map((exit) => Exit.isFailure(exit) && Cause.hasDies(exit.cause)), [true, true])
      assert.deepEqual(exits.map(messageOf), [
        `Step "plain": in the body of the durable pipeline "job" it would run again at each resumption: make it durable with Durable.step(step, { success })`,
        `Pipeline "inner": in the body of the durable pipeline "job" it would run again at each resumption: make it one of its own with Durable.pipeline, and execute its workflow`
      ])
      assert.deepEqual(seen.list, [])
    }))

  test("a mistake in a step is a defect of the run, whose failure hooks run", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const broken = Step.make("", seen.note("body")).pipe(Durable.step())
      const pipeline = Pipeline.make("x", broken).pipe(Pipeline.onFailure(() => seen.note("run failure")))
      const exit = yield* run(storage, seen, job(() => pipeline))
      assert.match(messageOf(exit), /its name is empty/)
      assert.deepEqual(seen.list, ["run failure"])
    }))

  test("steps and pipelines inside a durable step run as in memory, and steps inherit the pipeline's hooks", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const paths: Array<string> = []
      const inner = Step.make("inner", Effect.map(StepContext, ({ stepPath }) => paths.push(stepPath.join("/"))))
      const nested = Durable.step(Step.make("nested", seen.note("nested")))
      const outer = Step.make(
        "outer",
        Effect.gen(function*() {
          yield* inner
          yield* Effect.all([nested, nested], { concurrency: 2 })
          yield* Pipeline.make("p", seen.note("pipeline"))
        })
      ).pipe(Durable.step())
      const pipeline = Pipeline.make("x", Effect.tap(outer, () => suspendRun("1"))).pipe(
        Pipeline.stepHooks(
          Hook.onSuccess(() => Effect.flatMap(StepContext, ({ stepName }) => seen.note(`hook ${stepName}`)))
        )
      )
      assert.deepEqual(yield* run(storage, seen, job(() => pipeline)), Exit.void)
      assert.deepEqual(paths, ["outer/inner"])
      assert.deepEqual(
        seen.list,
        [
          "hook inner",
          "nested",
          "hook nested",
          "nested",
          "hook nested",
          "pipeline",
          "hook outer"
        ]
      )
    }))

  test("steps and pipelines inside a hook of a step or of the run run as in memory", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const nestedIn = (name: string) =>
        Effect.andThen(
          Step.make(`${name} step`, seen.note(`${name} step`)),
          Effect.andThen(
            Durable.step(Step.make(`${name} durable`, seen.note(`${name} durable`))),
            Pipeline.make("p", seen.note(`${name} pipeline`))
          )
        )
      const step = Step.make("a", Effect.void).pipe(Step.hooks(Hook.onSuccess(() => nestedIn("step"))), Durable.step())
      const pipeline = Pipeline.make("x", Effect.tap(step, () => suspendRun("1"))).pipe(
        Pipeline.hooks(Hook.onStart(Effect.orDie(nestedIn("start")))),
        Pipeline.hooks(Hook.onSuccess(() => nestedIn("run")))
      )
      assert.deepEqual(yield* run(storage, seen, job(() => pipeline)), Exit.void)
      const of = (name: string) => [`${name} step`, `${name} durable`, `${name} pipeline`]
      assert.deepEqual(seen.list, [...of("start"), ...of("step"), ...of("run")])
      assert.deepEqual(seen.events.list.filter(({ _tag }) => _tag === "HookFailed").map(brief), [])
    }))

  test("outside of a durable pipeline a durable step runs as in memory", () =>
    Effect.gen(function*() {
      const seen = recorder()
      const durable = Durable.step(counting(seen, "s", 1), int)
      // the cast: its type requires an engine, which only a durable body uses
      const step = durable as Step.Step<number>
      assert.equal(yield* step, 1)
      assert.equal(yield* Pipeline.make("p", Effect.all([step, step], { concurrency: 2 }).pipe(Effect.as(2))), 2)
      assert.deepEqual(seen.count("s 1"), 3)
      assert.deepEqual(seen.count("success 1"), 3)
    }))
}

let runs = 0
