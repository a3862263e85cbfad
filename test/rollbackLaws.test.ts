/** Tests what holds for every rollback, and what a run remembers for it. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Pipeline, Step } from "../src/index.ts"
import { collectGarbage } from "./support/eventLoop.ts"
import { makeIt } from "./support/it.ts"
import { logs, plain } from "./support/observe.ts"
import { forAll } from "./support/property.ts"

const it = makeIt(test)

const aliveOf = (refs: ReadonlyArray<WeakRef<object>>) => refs.filter((ref) => ref.deref() !== undefined).length

it.live("a run keeps the values of steps with a rollback hook until it ends, and of no others", () =>
  Effect.gen(function*() {
    const [plain, kept]: [Array<WeakRef<object>>, Array<WeakRef<object>>] = [[], []]
    const value = (refs: Array<WeakRef<object>>) =>
      Effect.sync(() => {
        const made = { big: Array.from({ length: 1000 }, () => 0) }
        refs.push(new WeakRef(made))
        return made
      })
    const undone = Step.make("undone", value(kept)).pipe(Step.onRollback(() => Effect.void))
    const body = Effect.gen(function*() {
      for (let i = 0; i < 200; i++) {
        yield* Step.make("plain", value(plain))
        yield* undone
      }
      if (!(yield* collectGarbage)) return
      assert.ok(aliveOf(plain) < 20, `${aliveOf(plain)} of 200 are alive`)
      assert.equal(aliveOf(kept), 200)
    })
    yield* Pipeline.make("p", body)
    // the stack of the machine may hold the last of them for some turns
    for (let turn = 0; turn < 20 && aliveOf(kept) >= 20; turn++) {
      if (!(yield* collectGarbage)) return
    }
    assert.ok(aliveOf(kept) < 20, `${aliveOf(kept)} of 200 are alive`)
  }))

const Tree = Schema.Struct({
  /** For each step: whether it fails and is caught, how often it runs, whether it is inside of another, and what its hook does. */
  steps: Schema.Array(Schema.Struct({
    fails: Schema.Boolean,
    nested: Schema.Boolean,
    concurrent: Schema.Boolean,
    times: Schema.Literals([1, 2]),
    hook: Schema.Literals(["none", "ends", "waits", "fails", "dies", "interrupts"])
  })).check(Schema.isMaxLength(8)),
  end: Schema.Literals(["succeeds", "fails", "dies", "interrupts"])
})

const undoings = {
  ends: Effect.void,
  waits: Effect.yieldNow,
  fails: Effect.fail("undo"),
  dies: Effect.die("undo"),
  interrupts: Effect.interrupt
}

const endings = {
  succeeds: Effect.void,
  fails: Effect.fail("end"),
  dies: Effect.die("end"),
  interrupts: Effect.interrupt
}

it.effect("whatever runs and however hooks end, what succeeded is undone once, in reverse order, and the exit stays", () =>
  forAll(Tree, ({ end, steps }) =>
    Effect.gen(function*() {
      const succeeded: Array<string> = []
      const undone: Array<string> = []
      const one = (index: number, time: number): Effect.Effect<unknown> => {
        const { fails, hook, nested } = steps[index]!
        const id = `${index}.${time}`
        const inside = nested && index + 1 < steps.length ? one(index + 1, time + 10) : Effect.void
        const plain = Step.make(`s${index}`, Effect.andThen(inside, fails ? Effect.fail("step") : Effect.succeed(id)))
        if (hook === "none") return Effect.ignore(plain)
        const step = Step.onRollback(plain, (id) => Effect.andThen(Effect.sync(() => undone.push(id)), undoings[hook]))
        return Effect.ignore(Step.onSuccess(step, (id) => Effect.sync(() => succeeded.push(id))))
      }
      const all = steps.flatMap(({ concurrent, times }, index) => {
        const evaluations = Array.from({ length: times }, (_, time) => one(index, time))
        return concurrent ? [Effect.all(evaluations, { concurrency: 2, discard: true })] : evaluations
      })
      const body = Effect.andThen(Effect.all(all, { discard: true }), endings[end])
      const exit = yield* Effect.exit(Pipeline.make("p", body))
      assert.deepEqual(plain(exit), plain(yield* Effect.exit(endings[end])))
      assert.deepEqual(undone, end === "succeeds" ? [] : succeeded.toReversed())
    }).pipe(Effect.provide(logs().layer))))
