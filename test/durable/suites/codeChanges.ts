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

const hook = (seen: Recorder, name: string, and: Effect.Effect<unknown> = Effect.void) =>
  Hook.onSuccess(() => Effect.andThen(seen.note(name), and)).pipe(Hook.named(name))

/** Ends the process of a run whose step has ended, while the first hook runs. */
const endDuringFirstHook = (
  storage: Storage,
  seen: Recorder,
  hooks: ReadonlyArray<Hook.Hook<unknown, unknown, never>>
) => {
  const step = Step.make("a", Effect.as(seen.note("body"), 1)).pipe(
    Step.hooks(Hooks.make(...hooks)),
    Durable.step({ success: Schema.Int })
  )
  const { layer, workflow } = job(() => step)
  return inProcess(
    storage,
    Layer.provide(layer, seen.layer),
    Effect.andThen(
      workflow.execute({ id: "1" }, { discard: true }),
      until("the hook runs", () => seen.list.includes("first"))
    )
  )
}

const warnings = ({ log }: Recorder) => log.list.filter(({ level }) => level === "Warn").map(({ message }) => message)

export const codeChangesSuite = (engine: Engine): void => {
  if (!engine.survives) return
  const test = suiteOf(engine)

  /** Resumes the run in another process, with other hooks. */
  const resumeWith = (storage: Storage, seen: Recorder, hooks: ReadonlyArray<Hook.Hook<unknown, unknown, never>>) => {
    const step = Step.make("a", Effect.as(seen.note("body"), 2)).pipe(
      Step.hooks(Hooks.make(...hooks)),
      Durable.step({ success: Schema.Int })
    )
    return run(storage, seen, job(() => step))
  }

  test("a pending hook that the code no longer has is skipped with a warning, and the others run", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      yield* endDuringFirstHook(storage, seen, [
        hook(seen, "first", Effect.never),
        hook(seen, "second"),
        hook(seen, "third")
      ])
      const later = recorder()
      const exit = yield* resumeWith(storage, later, [
        hook(later, "first"),
        hook(later, "second"),
        hook(later, "renamed")
      ])
      assert.deepEqual(exit, Exit.succeed(1))
      assert.deepEqual(later.list, ["first", "second"])
      assert.deepEqual(warnings(later), [
        `effect-epilogue: Step "a" skips pending hooks that the code no longer has: third (success)`
      ])
    }))

  test("a hook that was added after the step had ended does not run", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      yield* endDuringFirstHook(storage, seen, [hook(seen, "first", Effect.never), hook(seen, "second")])
      const later = recorder()
      const added = [hook(later, "first"), hook(later, "second"), hook(later, "new")]
      assert.deepEqual(yield* resumeWith(storage, later, added), Exit.succeed(1))
      assert.deepEqual([later.list, warnings(later)], [["first", "second"], []])
    }))

  test("pending hooks run although the hook before them was removed", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      yield* endDuringFirstHook(storage, seen, [
        hook(seen, "first", Effect.never),
        hook(seen, "second"),
        hook(seen, "third")
      ])
      const later = recorder()
      const moved = [hook(later, "second"), hook(later, "third")]
      assert.deepEqual(yield* resumeWith(storage, later, moved), Exit.succeed(1))
      assert.deepEqual(later.list, ["second", "third"])
      assert.deepEqual(warnings(later), [
        `effect-epilogue: Step "a" skips pending hooks that the code no longer has: first (success)`
      ])
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
