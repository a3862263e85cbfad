import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Hooks, Pipeline, Step } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { calls, kinds, noting } from "./support/observe.ts"
import { forAll } from "./support/property.ts"

const it = makeIt(test)

const modes: ReadonlyArray<Hooks.InheritMode> = ["override", "append", "prepend", "off"]

/** Returns a body that, with one retry, makes hooks of the given kind run. */
const bodyFor = (kind: Hook.Kind): Effect.Effect<unknown, string | Step.StepSkipped> =>
  kind === "interrupt"
    ? Effect.interrupt
    : kind === "skip"
    ? Step.skip()
    : kind === "failure" || kind === "retry"
    ? Effect.fail("no")
    : Effect.void

const expected = (mode: Hooks.InheritMode, own: ReadonlyArray<string>, inherited: ReadonlyArray<string>) =>
  mode === "append"
    ? [...inherited, ...own]
    : mode === "prepend"
    ? [...own, ...inherited]
    : mode === "off"
    ? own
    : own.length > 0
    ? own
    : inherited

// -----------------------------------------------------------------------------
// precedence
// -----------------------------------------------------------------------------

it.effect("a step with its own onFailure still inherits the pipeline's onSuccess", () =>
  Effect.gen(function*() {
    const seen = calls()
    const defaults = Hooks.make(
      noting(seen, "success", "pipeline success"),
      noting(seen, "failure", "pipeline failure")
    )
    const run = (body: Effect.Effect<void, string>) =>
      Effect.exit(
        Pipeline.make("p", Step.make("s", body).pipe(Step.onFailure(() => seen.note("step failure")))).pipe(
          Pipeline.stepHooks(defaults)
        )
      )
    yield* run(Effect.void)
    yield* run(Effect.fail("no"))
    assert.deepEqual(seen.list, ["pipeline success", "step failure"])
  }))

it.effect("onFailureTag takes precedence over the pipeline's failure hooks for its tag alone", () =>
  Effect.gen(function*() {
    const seen = calls()
    const failing = (body: Effect.Effect<void, { _tag: "A" } | { _tag: "B" }>) =>
      Step.make("s", body).pipe(Step.onFailureTag("A", () => seen.note("A")))
    const run = (step: Effect.Effect<unknown, unknown>) =>
      Effect.gen(function*() {
        seen.list.length = 0
        yield* Effect.exit(Pipeline.make("p", step).pipe(Pipeline.stepHooks(noting(seen, "failure", "pipeline"))))
        return seen.list.slice()
      })
    const [a, b] = [failing(Effect.fail({ _tag: "A" })), failing(Effect.fail({ _tag: "B" }))]
    assert.deepEqual(yield* run(a), ["A"])
    assert.deepEqual(yield* run(b), ["pipeline"])
    assert.deepEqual(yield* run(failing(Effect.die(new Error("bug")))), ["pipeline"])
    assert.deepEqual(yield* run(b.pipe(Step.inherit("append", "failure"))), ["pipeline"])
    assert.deepEqual(yield* run(a.pipe(Step.inherit("append", "failure"))), ["pipeline", "A"])
    assert.deepEqual(yield* run(b.pipe(Step.inherit("off", "failure"))), [])
    assert.deepEqual(yield* run(a.pipe(Step.onFailure(() => seen.note("any")))), ["A", "any"])
    assert.deepEqual(yield* run(b.pipe(Step.onFailure(() => seen.note("any")))), ["any"])
  }))

for (const mode of modes) {
  it.effect(`Step.inherit("${mode}") applies to the kinds that it names, or to all where it names none`, () =>
    Effect.gen(function*() {
      for (const kind of kinds) {
        for (const named of [[kind], [], kinds.filter((other) => other !== kind)]) {
          for (const own of [[], ["own 1", "own 2"]]) {
            const seen = calls()
            const step = Step.make("s", bodyFor(kind)).pipe(
              Step.retry({ times: 1 }),
              Step.overdue(0),
              Step.hooks(Hooks.make(...own.map((name) => noting(seen, kind, name))))
            )
            for (const inheriting of [Step.inherit(step, mode, ...named), step.pipe(Step.inherit(mode, ...named))]) {
              seen.list.length = 0
              yield* Effect.exit(
                Pipeline.make("p", inheriting).pipe(
                  Pipeline.stepHooks(Hooks.make(noting(seen, kind, "inherited 1"), noting(seen, kind, "inherited 2")))
                )
              )
              const held = named.length === 0 || named.includes(kind) ? mode : "override"
              const order = expected(held, own, ["inherited 1", "inherited 2"])
              assert.deepEqual(seen.list, order, `${kind} ${named} ${own}`)
            }
          }
        }
      }
    }))
}

it.effect("the last Step.inherit for a kind wins", () =>
  Effect.gen(function*() {
    const seen = calls()
    const step = Step.make("s", Effect.void).pipe(
      Step.onSuccess(() => seen.note("own")),
      Step.inherit("off"),
      Step.inherit("append", "success")
    )
    yield* Pipeline.make("p", step).pipe(
      Pipeline.stepHooks(Hooks.make(noting(seen, "success", "inherited"), noting(seen, "exit", "exit")))
    )
    assert.deepEqual(seen.list, ["inherited", "own"])
  }))

it.effect("a step that several pipelines share inherits the hooks of the pipeline that evaluates it", () =>
  Effect.gen(function*() {
    const seen = calls()
    const step = Step.make("s", Effect.void)
    const under = (name: string) => Pipeline.make(name, step).pipe(Pipeline.stepHooks(noting(seen, "success", name)))
    yield* under("a")
    yield* under("b")
    yield* step
    yield* Effect.all([under("a"), under("b"), under("a")], { concurrency: "unbounded" })
    assert.deepEqual(seen.list, ["a", "b", "a", "b", "a"])
  }))

// -----------------------------------------------------------------------------
// Hooks.explain
// -----------------------------------------------------------------------------

const Level = Schema.Array(Schema.Literals(kinds)).check(Schema.isMaxLength(6))
const Setup = Schema.Struct({
  own: Level,
  inherited: Level,
  modes: Schema.Array(Schema.Struct({ mode: Schema.Literals(modes), kinds: Schema.Array(Schema.Literals(kinds)) }))
    .check(
      Schema.isMaxLength(3)
    ),
  end: Schema.Literals(["success", "failure", "interrupt", "skip"])
})

it.effect("Hooks.explain lists exactly the hooks that run, in their order", () =>
  forAll(Setup, ({ end, inherited, modes, own }) =>
    Effect.gen(function*() {
      const seen = calls()
      const level = (name: string, of: ReadonlyArray<Hook.Kind>) =>
        Hooks.make(...of.map((kind, i) => noting(seen, kind, `${name} ${kind} ${i}`)))
      let step = Step.make("s", bodyFor(end)).pipe(Step.retry({ times: 1 }), Step.hooks(level("step", own)))
      for (const { kinds, mode } of modes) step = step.pipe(Step.inherit(mode, ...kinds))
      const pipeline = Pipeline.make("p", step).pipe(Pipeline.stepHooks(level("pipeline", inherited)))
      const explained = Hooks.explain(step, pipeline)
      assert.deepEqual(explained, Hooks.explain(step, level("pipeline", inherited)))
      for (const { level, name, reason } of explained) {
        assert.ok(name.startsWith(level))
        assert.ok(reason.length > 0)
      }
      yield* Effect.exit(pipeline)
      const happened = (kind: Hook.Kind) =>
        kind === "start" || kind === "exit" || kind === end || (kind === "retry" && end === "failure")
      assert.deepEqual(seen.list, explained.filter(({ kind }) => happened(kind)).map(({ name }) => name))
    })))

it.effect("Hooks.explain gives level, mode, policies and reason of each hook, without the hooks of the run", () =>
  Effect.gen(function*() {
    const step = Step.make("s", Effect.fail("no")).pipe(
      Step.hooks(Hook.onFailure(() => Effect.void).pipe(Hook.named("own"), Hook.required))
    )
    const pipeline = Pipeline.make("p", step).pipe(
      Pipeline.onExit(() => Effect.void),
      Pipeline.stepHooks(Hooks.make(
        Hook.onFailure(() => Effect.void).pipe(Hook.named("not this")),
        Hook.onSuccess(() => Effect.void).pipe(Hook.named("inherited"), Hook.background)
      ))
    )
    assert.deepEqual(Hooks.explain(step, pipeline), [
      {
        kind: "success",
        name: "inherited",
        level: "pipeline",
        mode: "override",
        required: false,
        background: true,
        reason: "the step has no success hook of its own, so it inherits the pipeline's"
      },
      {
        kind: "failure",
        name: "own",
        level: "step",
        mode: "override",
        required: true,
        background: false,
        reason: "the step's own failure hooks take precedence over the pipeline's"
      }
    ])
    assert.deepEqual(Hooks.explain(step).map(({ name, reason }) => [name, reason]), [["own", "the step's own"]])
    const appended = Hooks.explain(step.pipe(Step.inherit("append")), pipeline)
    assert.deepEqual(appended.map(({ name, reason }) => [name, reason]).slice(1), [
      ["not this", "the step asked for the pipeline's failure hooks too (inherit: append)"],
      ["own", "the step's own"]
    ])
  }))

it.effect("Hooks.explain says where the pipeline's hooks run because the step's may have nothing to do", () =>
  Effect.sync(() => {
    const step = Step.make("s", Effect.fail({ _tag: "A" } as const)).pipe(
      Step.hooks(Hook.onFailureTag("A", () => Effect.void).pipe(Hook.named("own")))
    )
    const explained = Hooks.explain(step, Hooks.make(Hook.onFailure(() => Effect.void).pipe(Hook.named("all"))))
    assert.deepEqual(explained.map(({ level, name, reason }) => [level, name, reason]), [
      [
        "step",
        "own",
        "the step's own takes precedence over the pipeline's failure hooks where its tag or predicate matches"
      ],
      ["pipeline", "all", "the pipeline's, for where none of the step's own failure hooks has something to do"]
    ])
  }))
