/** Runs that resume with code that has changed since they started. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { Durable } from "../../../src/durable/index.ts"
import { Hook, Hooks, Pipeline, Step } from "../../../src/index.ts"
import {
  type Engine,
  inProcess,
  job,
  type Recorder,
  recorder,
  run,
  type Storage,
  suiteOf,
  suspendRun,
  until
} from "../support/engine.ts"

/** Makes a pipeline of one step with success hooks of these names; those in `hanging` never end. */
const withHooks = (
  seen: Recorder,
  value: number,
  names: ReadonlyArray<string>,
  hanging: ReadonlyArray<string> = []
) => {
  const hooks = names.map((name) =>
    Hook.onSuccess(() => Effect.andThen(seen.note(name), hanging.includes(name) ? Effect.never : Effect.void)).pipe(
      Hook.named(name)
    )
  )
  const step = Step.make("a", Effect.as(seen.note("body"), value)).pipe(
    Step.hooks(Hooks.make(...hooks)),
    Durable.step({ success: Schema.Int })
  )
  return job(() => step)
}

/**
 * Ends a process while the first hook of a run runs, and resumes the run in another process with other hooks. Returns
 * what that process called and warned of.
 */
const resumeWithHooks = (storage: Storage, before: ReadonlyArray<string>, after: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const seen = recorder()
    const { layer, workflow } = withHooks(seen, 1, before, before.slice(0, 1))
    yield* inProcess(
      storage,
      Layer.provide(layer, seen.layer),
      Effect.andThen(
        workflow.execute({ id: "1" }, { discard: true }),
        until("the first hook runs", () => seen.list.includes(before[0]!))
      )
    )
    const later = recorder()
    // the recorded value, and not that of the changed code
    assert.deepEqual(yield* run(storage, later, withHooks(later, 2, after)), Exit.succeed(1))
    const warnings = later.log.list.filter(({ level }) => level === "Warn").map(({ message }) => message)
    return { calls: later.list, warnings }
  })

const skipped = (hook: string) =>
  `effect-epilogue: Step "a" skips pending hooks that the code no longer has: ${hook} (success)`

export const codeChangesSuite = (engine: Engine): void => {
  if (!engine.survives) return
  const test = suiteOf(engine)

  test("a pending hook that the code no longer has is skipped with a warning, and the others run", (storage) =>
    Effect.gen(function*() {
      assert.deepEqual(
        yield* resumeWithHooks(storage, ["first", "second", "third"], ["first", "second", "renamed"]),
        { calls: ["first", "second"], warnings: [skipped("third")] }
      )
    }))

  test("a hook that was added after the step had ended does not run", (storage) =>
    Effect.gen(function*() {
      assert.deepEqual(
        yield* resumeWithHooks(storage, ["first", "second"], ["first", "second", "new"]),
        { calls: ["first", "second"], warnings: [] }
      )
    }))

  test("pending hooks run although the hook before them was removed", (storage) =>
    Effect.gen(function*() {
      assert.deepEqual(
        yield* resumeWithHooks(storage, ["first", "second", "third"], ["second", "third"]),
        { calls: ["second", "third"], warnings: [skipped("first")] }
      )
    }))

  test("added steps run, and recorded steps do not run again", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = (seen: Recorder, name: string) => Durable.step(Step.make(name, seen.note(name)))
      const before = job(() =>
        Effect.gen(function*() {
          yield* step(seen, "a")
          yield* step(seen, "c")
          yield* Effect.andThen(seen.note("first"), Effect.never)
        })
      )
      yield* inProcess(
        storage,
        Layer.provide(before.layer, seen.layer),
        Effect.andThen(
          before.workflow.execute({ id: "1" }, { discard: true }),
          until("the body waits", () => seen.list.includes("first"))
        )
      )
      const later = recorder()
      const after = job(() =>
        Pipeline.make(
          "x",
          Effect.gen(function*() {
            yield* step(later, "a")
            yield* step(later, "b")
            yield* suspendRun("1")
            yield* step(later, "c")
            yield* step(later, "d")
          })
        ).pipe(Pipeline.onSuccess(() => later.note("run success")))
      )
      assert.deepEqual(yield* run(storage, later, after), Exit.void)
      assert.deepEqual(later.list, ["b", "d", "run success"])
    }))
}
