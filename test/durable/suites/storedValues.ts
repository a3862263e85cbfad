/** Stored values and errors, and how hooks and bodies see them after a replay. */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { Durable } from "../../../src/durable/index.ts"
import { Pipeline, Step } from "../../../src/index.ts"
import { Bad, type Engine, errorOf, inProcess, job, recorder, run, suiteOf, suspendRun } from "../support/engine.ts"

class Row extends Schema.Class<Row>("Row")({ id: Schema.Int, at: Schema.Date }) {
  get next(): number {
    return this.id + 1
  }
}

const Values = Schema.Struct({
  row: Row,
  at: Schema.DateTimeUtcFromString,
  some: Schema.Option(Schema.Int),
  map: Schema.ReadonlyMap(Schema.String, Schema.Int),
  big: Schema.BigInt
})

class Gone extends Schema.TaggedError<Gone>()("Gone", { since: Schema.Date, row: Row }) {
  override get message(): string {
    return `gone since ${this.since.toISOString()}`
  }
}

export const storedValuesSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("hooks, the body and a replay get the values and errors that the schemas decode", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const row = new Row({ id: 1, at: new Date(0) })
      const value: typeof Values.Type = {
        row,
        at: DateTime.makeUnsafe(5),
        some: Option.some(3),
        map: new Map([["a", 1]]),
        big: 10n ** 30n
      }
      const values: Array<typeof Values.Type> = []
      const errors: Array<unknown> = []
      const keep = (error: unknown) => Effect.sync(() => void errors.push(error))
      const good = Step.make("good", Effect.succeed(value)).pipe(
        Step.onSuccess((value) => Effect.sync(() => void values.push(value))),
        Durable.step({ success: Values })
      )
      const bad = Step.make("bad", Effect.fail(new Gone({ since: new Date(7), row }))).pipe(
        Step.onFailureTag("Gone", keep),
        Durable.step({ error: Schema.Union([Bad, Gone]) })
      )
      const pipeline = Durable.pipeline("job", {
        payload: { id: Schema.String },
        success: Row,
        error: Gone,
        idempotencyKey: ({ id }) => id
      }, () =>
        Effect.gen(function*() {
          values.push(yield* good)
          yield* Effect.catchTag(bad, "Gone", keep)
          yield* suspendRun("1")
          return values[0]!.row
        }))
      const exit = yield* run(storage, seen, pipeline)
      assert.ok(Exit.isSuccess(exit) && exit.value instanceof Row && exit.value.next === 2)
      assert.equal(values.length, 3)
      for (const got of values) {
        assert.ok(got.row instanceof Row)
        assert.deepEqual(got, value)
      }
      assert.equal(errors.length, 3)
      for (const error of errors) {
        assert.ok(error instanceof Gone && error.row instanceof Row)
        assert.equal(error.message, "gone since 1970-01-01T00:00:00.007Z")
      }
    }))

  test("a result that its schema does not fit is a defect, for which failure hooks run", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const wrong = (name: string, body: Effect.Effect<number, Bad>) =>
        Step.make(name, Effect.andThen(seen.note(name), body)).pipe(
          Step.onSuccess(() => seen.note(`${name} success`)),
          Step.onFailure((cause) => seen.note(`${name} failure ${cause.reasons.map(({ _tag }) => _tag).join()}`)),
          Step.onExit((exit) => seen.note(`${name} exit ${exit._tag}`)),
          Durable.step({ success: Schema.Int, error: Bad })
        )
      const pipeline = Pipeline.make(
        "x",
        Effect.gen(function*() {
          const exit = yield* Effect.exit(wrong("half", Effect.succeed(0.5)))
          yield* suspendRun("1")
          yield* Effect.exit(wrong("undefined", Effect.succeed(undefined as unknown as number)))
          yield* suspendRun("2")
          assert.ok(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
          return yield* Effect.die("no result")
        })
      ).pipe(
        Pipeline.onSuccess(() => seen.note("run success")),
        Pipeline.onFailure(() => seen.note("run failure")),
        Pipeline.onExit(() => seen.note("run exit"))
      )
      const exit = yield* run(storage, seen, job(() => pipeline))
      assert.ok(Exit.isFailure(exit) && Cause.hasDies(exit.cause), String(exit))
      assert.deepEqual(seen.list, [
        ...["half", "undefined"].flatMap((name) => [name, `${name} failure Die`, `${name} exit Failure`]),
        "run failure",
        "run exit"
      ])
    }))

  test("the defect of an error or a result that its schema does not fit says what is expected, and the error", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const Row = Schema.Struct({ id: Schema.Int })
      const step = (name: string, body: Effect.Effect<{ readonly id: number }, { readonly id: number } | Bad>) =>
        Step.make(name, body).pipe(
          // of an error that is not stored no attempt follows
          Step.retry({ times: 1 }),
          Step.onFailure((cause) => seen.note(String(Object(Cause.squash(cause)).message))),
          Durable.step({ success: Row, error: Schema.Union([Row, Bad]) }),
          Effect.exit
        )
      const pipeline = Pipeline.make(
        "x",
        Effect.gen(function*() {
          yield* step("result", Effect.succeed({ id: 0.5 }))
          yield* step("error", Effect.fail({ id: 1.5 }))
          yield* suspendRun("1")
          // as a cast or a program without types gives it
          yield* step("other", Effect.fail(new Error("disk full") as unknown as Bad))
          yield* Step.make("when", Effect.void).pipe(
            Step.when(Effect.fail(new Error("no database") as unknown as Bad)),
            Step.onFailure((cause) => seen.note(String(Object(Cause.squash(cause)).message))),
            Durable.step({ success: Schema.Option(Schema.Void), error: Bad }),
            Effect.exit
          )
        })
      )
      yield* run(storage, seen, job(() => pipeline))
      assert.deepEqual(seen.list, [
        "\"result\": its result does not fit its schema: Expected an integer at id",
        "\"error\": its error does not fit its schema: Expected an integer at id. The error: {\"id\":1.5}",
        "\"other\": its error does not fit its schema: Missing key at id. The error: disk full",
        "\"when\": its error does not fit its schema. The error: no database"
      ])
    }))

  test("a result or an error without JSON fails its step with an Unstorable that says where, for which hooks run", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const cycle: Record<string, unknown> = { name: "a" }
      cycle["parts"] = [cycle]
      const results: ReadonlyArray<
        readonly [value: unknown, path: string, found: string, schema?: typeof Schema.Unknown]
      > = [
        [{ rows: [{ id: 3n }] }, "rows[0].id", "a bigint"],
        [{ rows: [{ id: 3n }] }, "rows[0].id", "a bigint", Schema.Unknown],
        [cycle, "parts[0]", "a reference to what it is in"],
        [() => 1, "", "a function"],
        [{ "a b": Symbol("x") }, `["a b"]`, "a symbol"],
        [
          {
            toJSON: () => {
              throw new Error("no")
            }
          },
          "",
          "a value whose toJSON throws: no"
        ]
      ]
      const steps = results.map(([value, , , success], index) =>
        Step.make(`s${index}`, Effect.andThen(seen.note(`s${index}`), Effect.sync((): unknown => value))).pipe(
          Step.retry({ times: 2 }),
          Step.onSuccess(() => seen.note("success")),
          Step.onFailure((cause) => seen.note(String(Object(Cause.squash(cause))._tag))),
          Step.onExit(() => seen.note("exit")),
          Durable.step({ success: success ?? Schema.Any, error: Schema.Any })
        )
      )
      const failing = Step.make("fails", Effect.fail({ _tag: "Boom", message: "boom", rows: 3n })).pipe(
        Step.onFailure((cause) => seen.note(String(Object(Cause.squash(cause))._tag))),
        Durable.step({ error: Schema.Any })
      )
      const ends: Array<ReadonlyArray<string>> = []
      const pipeline = job(() =>
        Pipeline.make(
          "x",
          Effect.gen(function*() {
            const messages: Array<string> = []
            for (const step of [...steps, failing]) {
              const error = errorOf(yield* Effect.exit(step))
              messages.push(error instanceof Durable.Unstorable ? error.message : String(error))
            }
            ends.push(messages)
            yield* suspendRun("1")
            return 3n
          })
        ).pipe(Pipeline.onFailure(() => seen.note("run failure")))
      )
      const error = errorOf(yield* run(storage, seen, pipeline))
      assert.ok(error instanceof Durable.Unstorable)
      assert.deepEqual([error.stepName, error.value, error.path, error.found], ["job", "result", "", "a bigint"])
      assert.deepEqual(seen.list, [
        ...results.flatMap((_, index) => [`s${index}`, "Unstorable", "exit"]),
        "Unstorable",
        "run failure"
      ])
      const expected = [
        ...results.map(([, path, found], index) =>
          `"s${index}": its result can't be stored: result${
            path === "" || path.startsWith("[") ? "" : "."
          }${path} is ${found}`
        ),
        "\"fails\": its error can't be stored: error.rows is a bigint. The error: boom"
      ]
      // also as they are read at the replay
      assert.deepEqual(ends, [expected, expected])
    }))

  test("a payload without JSON is refused with an Unstorable before its run is submitted", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const { layer, workflow } = Durable.pipeline("any", {
        payload: { id: Schema.String, more: Schema.Any },
        idempotencyKey: ({ id }) => id
      }, () => seen.note("body"))
      const exit = yield* inProcess(
        storage,
        Layer.provide(layer, seen.layer),
        Effect.exit(workflow.execute({ id: "1", more: { rows: [3n] } }))
      )
      const error = errorOf(exit)
      assert.ok(error instanceof Durable.Unstorable, String(exit))
      assert.equal(error.message, "\"any\": its payload can't be stored: payload.more.rows[0] is a bigint")
      assert.deepEqual(seen.list, [])
    }))

  test("a value that JSON changes is the same for the body before and after a replay", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const values: Array<unknown> = []
      const step = Durable.step(
        Step.make(
          "a",
          Effect.sync((): unknown => ({
            at: new Date(0),
            n: Number.NaN,
            list: [undefined],
            holes: Object.assign([], { length: 1 }),
            none: undefined
          }))
        ),
        { success: Schema.Any }
      )
      const pipeline = job(() =>
        Effect.gen(function*() {
          values.push(yield* step)
          yield* suspendRun("1")
        })
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.void)
      const expected = { at: "1970-01-01T00:00:00.000Z", n: null, list: [null], holes: [null] }
      assert.deepEqual(values, [expected, expected])
    }))

  test("defects of any type stay defects at a replay", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const defects: ReadonlyArray<unknown> = [new TypeError("boom"), "text", 5, { a: 1 }, null, undefined, Symbol("s")]
      const results: Array<Array<unknown>> = []
      const pipeline = job(() =>
        Effect.gen(function*() {
          const result: Array<unknown> = []
          results.push(result)
          for (const [i, defect] of defects.entries()) {
            const exit = yield* Effect.exit(Durable.step(Step.make(`s${i}`, Effect.die(defect))))
            result.push(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
          }
          const first = yield* Effect.exit(Durable.step(Step.make("t", Effect.die(defects[0]))))
          const error = Exit.isFailure(first) ? Cause.squash(first.cause) : undefined
          result.push(error instanceof Error && `${error.name}: ${error.message}`)
          yield* suspendRun("1")
        })
      )
      assert.deepEqual(yield* run(storage, seen, pipeline), Exit.void)
      assert.equal(results.length, 2)
      for (const result of results) assert.deepEqual(result, [...defects.map(() => true), "TypeError: boom"])
    }))
}
