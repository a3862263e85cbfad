/** Code that changed while runs were under way. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { Durable } from "../../../src/durable/index.ts"
import { Hook, Hooks, Pipeline, Step } from "../../../src/index.ts"
import {
  type Engine,
  job,
  park,
  type Place,
  run,
  suiteOf,
  until,
  type Watch,
  watch,
  within
} from "../support/engine.ts"

const hook = (seen: Watch, name: string, and: Effect.Effect<unknown> = Effect.void) =>
  Hook.onSuccess(() => Effect.andThen(seen.note(name), and)).pipe(Hook.named(name))

/** A run whose step has ended, while its first hook runs. */
const cut = (place: Place, seen: Watch, hooks: ReadonlyArray<Hook.Hook<unknown, unknown, never>>) => {
  const step = Step.make("a", Effect.as(seen.note("body"), 1)).pipe(
    Step.hooks(Hooks.make(...hooks)),
    Durable.step({ success: Schema.Int })
  )
  const { layer, workflow } = job(() => step)
  return within(
    place,
    Layer.provide(layer, seen.layer),
    Effect.andThen(
      workflow.execute({ id: "1" }, { discard: true }),
      until("the hook runs", () => seen.list.includes("first"))
    )
  )
}

const warnings = ({ log }: Watch) => log.list.filter(({ level }) => level === "Warn").map(({ message }) => message)

export const changesSuite = (engine: Engine): void => {
  if (!engine.survives) return
  const test = suiteOf(engine)

  const again = (place: Place, seen: Watch, hooks: ReadonlyArray<Hook.Hook<unknown, unknown, never>>) => {
    const step = Step.make("a", Effect.as(seen.note("body"), 2)).pipe(
      Step.hooks(Hooks.make(...hooks)),
      Durable.step({ success: Schema.Int })
    )
    return run(place, seen, job(() => step))
  }

  test("a hook that was owed and is gone by now is warned of; the others run", (place) =>
    Effect.gen(function*() {
      const seen = watch()
      yield* cut(place, seen, [hook(seen, "first", Effect.never), hook(seen, "second"), hook(seen, "third")])
      const later = watch()
      const exit = yield* again(place, later, [hook(later, "first"), hook(later, "second"), hook(later, "renamed")])
      assert.deepEqual(exit, Exit.succeed(1))
      assert.deepEqual(later.list, ["first", "second"])
      assert.deepEqual(warnings(later), [
        `effect-epilogue: Step "a" skips pending hooks that the code no longer has: third (success)`
      ])
    }))

  test("a hook that was added later is not owed", (place) =>
    Effect.gen(function*() {
      const seen = watch()
      yield* cut(place, seen, [hook(seen, "first", Effect.never), hook(seen, "second")])
      const later = watch()
      const added = [hook(later, "first"), hook(later, "second"), hook(later, "new")]
      assert.deepEqual(yield* again(place, later, added), Exit.succeed(1))
      assert.deepEqual([later.list, warnings(later)], [["first", "second"], []])
    }))

  test("the first of several is removed, or one is put before them", (place) =>
    Effect.gen(function*() {
      const seen = watch()
      yield* cut(place, seen, [hook(seen, "first", Effect.never), hook(seen, "second"), hook(seen, "third")])
      const later = watch()
      const moved = [hook(later, "second"), hook(later, "third")]
      assert.deepEqual(yield* again(place, later, moved), Exit.succeed(1))
      assert.deepEqual(later.list, ["second", "third"])
      assert.deepEqual(warnings(later), [
        `effect-epilogue: Step "a" skips pending hooks that the code no longer has: first (success)`
      ])
    }))

  test("steps that are added run, those that are there do not run again", (place) =>
    Effect.gen(function*() {
      const seen = watch()
      const step = (seen: Watch, name: string) => Durable.step(Step.make(name, seen.note(name)))
      const before = job(() =>
        Effect.gen(function*() {
          yield* step(seen, "a")
          yield* step(seen, "c")
          yield* Effect.andThen(seen.note("first"), Effect.never)
        })
      )
      yield* within(
        place,
        Layer.provide(before.layer, seen.layer),
        Effect.andThen(
          before.workflow.execute({ id: "1" }, { discard: true }),
          until("it waits", () => seen.list.includes("first"))
        )
      )
      const later = watch()
      const after = job(() =>
        Pipeline.make(
          "x",
          Effect.gen(function*() {
            yield* step(later, "a")
            yield* step(later, "b")
            yield* park("1")
            yield* step(later, "c")
            yield* step(later, "d")
          })
        ).pipe(Pipeline.onSuccess(() => later.note("run success")))
      )
      assert.deepEqual(yield* run(place, later, after), Exit.void)
      assert.deepEqual(later.list, ["b", "d", "run success"])
    }))
}
