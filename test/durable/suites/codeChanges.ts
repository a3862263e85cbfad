/** Runs that resume with code that has changed since they started. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { Durable } from "../../../src/durable/index.ts"
import { Hook, Hooks, Step } from "../../../src/index.ts"
import { resumeWith, step, steps } from "../support/changedBodies.ts"
import {
  Bad,
  type Engine,
  errorOf,
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
  `effect-epilogue: Step "a" skips hooks, unless they have run already, that the code no longer has: ${hook} (success)`

/** Evaluates a step of one name for each of some tables, with an annotation that names it. */
const tables = (annotation: string, names: string) => (seen: Recorder) =>
  Effect.forEach(
    names.split(" "),
    (table) => Durable.step(Step.annotate(Step.make("load", seen.note(table)), { [annotation]: table })),
    { discard: true }
  )

export const codeChangesSuite = (engine: Engine): void => {
  if (!engine.survives) return
  const test = suiteOf(engine)
  const isEmbedded = engine.tables.includes("effect_epilogue_runs")

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

  test("steps that are added after the recorded ones run, and recorded steps do not run again", (storage) =>
    Effect.gen(function*() {
      const { calls, exit } = yield* resumeWith(storage, steps("a", "c"), steps("a", "c", "d"))
      assert.deepEqual([calls, exit], [["d"], Exit.void])
    }))

  for (
    const [change, after, recorded, asked, position] of [
      ["was renamed", ["a", "c2"], "c", "c2", 2],
      ["is gone", ["c"], "a", "c", 1],
      ["was added before recorded ones", ["a", "b", "c"], "c", "b", 2],
      ["was moved", ["c", "a"], "a", "c", 1],
      ["at the end is gone", ["a"], "c", undefined, 2],
      ["has another key", ["a", "c[9]"], "c", "c[9]", 2]
    ] as const
  ) {
    test(`a step that ${change} ends the run with an error that names both steps, and no step runs`, (storage) =>
      Effect.gen(function*() {
        const { alerts, calls, exit } = yield* resumeWith(storage, steps("a", "c"), steps(...after))
        assert.deepEqual(calls, [])
        const error = errorOf(exit)
        const found = asked === undefined ? "the body ends" : `the code asks for "${asked}"`
        assert.ok(
          String(error).includes(`as step ${position} ${found}, where "${recorded}" is recorded`),
          String(error)
        )
        // `effect/cluster` stores the message alone
        if (isEmbedded) assert.ok(error instanceof Durable.CodeChanged)
        assert.match(alerts[0]?.body ?? "", /the code of "job" has changed since run [0-9a-f]+ began: as step \d/)
      }))
  }

  for (
    const [change, before, after, asked, recorded] of [
      ["in another order", "orders prices", "prices orders", "load with … of load#2", "load"],
      ["with one before them", "orders prices", "stock orders prices", "load#2 with … of load", "load#2"],
      ["with one before them, of which one had run", "orders", "stock orders", "load#2 with … of load", "load"],
      ["without the first", "orders prices stock", "prices stock", "load with … of load#2", "load"]
    ] as const
  ) {
    test(`steps of one name ${change} end the run where annotations tell them apart, and no step runs`, (storage) =>
      Effect.gen(function*() {
        const { calls, exit } = yield* resumeWith(storage, tables("table", before), tables("table", after))
        const whole = asked.replace("…", "the annotations and parameters")
        assert.ok(
          String(errorOf(exit)).includes(`the code asks for "${whole}", where "${recorded}" is recorded`),
          String(errorOf(exit))
        )
        assert.deepEqual(calls, [])
      }))
  }

  test("steps of one name whose annotations are others now, or the same for all, keep their results", () =>
    Effect.gen(function*() {
      for (
        const [before, after] of [
          [tables("table", "orders prices"), tables("from", "orders prices")],
          [tables("table", "orders prices"), tables("table", "a b")],
          [tables("table", "same same"), tables("table", "same same")],
          [tables("table", "same same"), steps("load", "load")],
          [steps("load", "load"), tables("table", "orders prices")]
        ] as const
      ) {
        yield* Effect.scoped(engine.storage).pipe(
          Effect.flatMap((storage) => resumeWith(storage, before, after)),
          Effect.tap(({ calls, exit }) => Effect.sync(() => assert.deepEqual([calls, exit], [[], Exit.void])))
        )
      }
    }))

  test("a step that is under way is compared, too, once an attempt of it is recorded", (storage) =>
    Effect.gen(function*() {
      const attempts = (name: string) => (seen: Recorder) =>
        Step.make(
          name,
          Effect.suspend(() => seen.count(name) === 1 ? Effect.never : Effect.fail(new Bad({ n: 1 }))).pipe(
            Effect.ensuring(seen.note(name))
          )
        ).pipe(Step.retry({ times: 1 }), Durable.step({ error: Bad }))
      const { calls, exit } = yield* resumeWith(storage, attempts("a"), attempts("b"), ({ list }) => list.includes("a"))
      assert.deepEqual(calls, [])
      assert.match(String(errorOf(exit)), /as step 1 the code asks for "b", where "a" is recorded/)
    }))

  test("steps of several fibers find their results in any order", (storage) =>
    Effect.gen(function*() {
      const pages = (...keys: ReadonlyArray<number>) => (seen: Recorder) =>
        Effect.forEach(
          keys,
          (n) => Step.make("page", seen.note(`page ${n}`)).pipe((step) => Step.key(step, n), Durable.step()),
          { concurrency: 4, discard: true }
        )
      const { calls, exit } = yield* resumeWith(storage, pages(1, 2, 3), pages(3, 4, 1))
      assert.deepEqual([calls, exit], [["page 4"], Exit.void])
    }))

  test("evaluations of a step that only their order tells apart are a warning, once for each name", (storage) =>
    Effect.gen(function*() {
      const told = <R>(body: (seen: Recorder) => Effect.Effect<unknown, Durable.LibraryError, R>, id: string) =>
        Effect.gen(function*() {
          const seen = recorder()
          yield* run(storage, seen, job(() => body(seen)), id)
          return seen.log.list.flatMap(({ level, message }) =>
            level === "Warn" ? [String(message).split(" in a run")[0]] : []
          )
        })
      const warning = (name: string) => `effect-epilogue: step "${name}" of "job" runs more than once`
      assert.deepEqual(yield* told(steps("f", "g", "f", "g", "f"), "1"), [warning("f"), warning("g")])
      assert.deepEqual(yield* told(steps("f", "g", "f[1]", "f[2]"), "2"), [])
      assert.deepEqual(yield* told(tables("table", "orders prices"), "3"), [])
    }))

  test("steps without keys that may have been mixed up are told of where the body's text has changed", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const before = job(() => Effect.andThen(steps("f", "f")(seen), Effect.andThen(seen.note("all"), Effect.never)))
      yield* inProcess(
        storage,
        Layer.provide(before.layer, seen.layer),
        Effect.andThen(
          before.workflow.execute({ id: "1" }, { discard: true }),
          until("both have ended", () => seen.list.includes("all"))
        )
      )
      const later = recorder()
      yield* run(storage, later, job(() => steps("f", "f", "g")(later)))
      assert.deepEqual(later.list, ["g"])
      const [warning, ...others] = later.log.list.filter(({ level }) => level === "Warn")
      assert.match(String(warning?.message), /has changed since run .*, and the evaluations of step "f" have no keys/)
      assert.deepEqual(others, [])
    }))

  test("with a version, runs that were under way take the old branch, and later ones the new", (storage) =>
    Effect.gen(function*() {
      const branches = (seen: Recorder) =>
        Effect.gen(function*() {
          yield* step(seen, "a")
          const version = yield* Durable.version("change", 1)
          yield* version === 0 ? step(seen, "c") : Effect.andThen(step(seen, "b"), step(seen, "c"))
          yield* suspendRun("1")
          yield* step(seen, `after ${yield* Durable.version("change", 2)}`)
        })
      const { calls, exit } = yield* resumeWith(storage, steps("a", "c"), branches)
      assert.deepEqual([calls, exit], [["after 0"], Exit.void])
      const seen = recorder()
      assert.deepEqual(yield* run(storage, seen, job(() => branches(seen)), "2"), Exit.void)
      assert.deepEqual(seen.list, ["a", "b", "c", "after 1"])
    }))
}
