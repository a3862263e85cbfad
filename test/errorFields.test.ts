/** Tests what people are told of the fields of errors. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { StepContext } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { ownFields, told } from "./support/told.ts"

const it = makeIt(test)

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number; readonly url: string }> {}

class CsvError extends Data.TaggedError("CsvError")<{ readonly line: number; readonly text: string }> {}

class Misspelt extends Schema.TaggedError<Misspelt>()("Misspelt", { line: Schema.Int, column: Schema.Int }) {}

class BadCell extends Data.TaggedError("BadCell")<{ readonly column: string }> {}

it.effect("fields named line and column are told, though Bun has such properties of its own", () =>
  Effect.gen(function*() {
    const body = (error: unknown) => Effect.map(told(Effect.fail(error)), ({ alert }) => alert.body)
    assert.equal(yield* body(new CsvError({ line: 100_004, text: "twelve" })), "CsvError: line 100004, text twelve")
    assert.equal(yield* body(new Misspelt({ line: 100_004, column: 0 })), "Misspelt: line 100004, column 0")
    assert.equal(yield* body(new BadCell({ column: "price" })), "BadCell: column price")
    // the place of an error without such fields is in its stack
    assert.equal(yield* body(new HttpError({ status: 503, url: "/prices" })), "HttpError: status 503, url /prices")
    const made = yield* Effect.flip(Effect.try({ try: () => JSON.parse("{"), catch: (error) => error }))
    const { alert } = yield* told(Effect.fail(made))
    assert.deepEqual(ownFields(alert), {})
  }))

it.effect("where an aborted request was made is no field of its error, which Bun makes it", () =>
  Effect.gen(function*() {
    const aborted = yield* Effect.flip(Effect.tryPromise({
      try: () => fetch("http://127.0.0.1", { signal: AbortSignal.abort() }),
      catch: (error) => error
    }))
    const { alert } = yield* told(Effect.fail(aborted))
    assert.match(alert.body!, /^AbortError: /)
    assert.deepEqual(ownFields(alert), {})
  }))

class Diverged extends Data.TaggedError("Diverged")<{ readonly loss: number; readonly last: ReadonlyArray<number> }> {}

it.effect("numbers that JSON lacks are told as they are: as errors, in their fields and as annotations", () =>
  Effect.gen(function*() {
    const error = new Diverged({ loss: NaN, last: [0.5, Infinity, -Infinity] })
    const { alert, recorded } = yield* told(
      Effect.andThen(StepContext.annotate("rate", -Infinity), Effect.fail(error))
    )
    assert.equal(alert.body, `Diverged: loss NaN, last [0.5,"Infinity","-Infinity"]`)
    assert.match(recorded, /^Diverged: loss NaN/)
    assert.deepEqual(alert.fields.find(({ name }) => name === "rate"), { name: "rate", value: "-Infinity" })
    assert.equal((yield* told(Effect.fail(NaN))).alert.body, "NaN")
  }))

class Unpaid extends Data.TaggedError("Unpaid")<{
  readonly coupon: Option.Option<string>
  readonly payment: { readonly iban: Option.Option<string>; readonly euros: Option.Option<number> }
}> {}

it.effect("an Option in a field is told by its value, and one without a value as none", () =>
  Effect.gen(function*() {
    const payment = { iban: Option.none(), euros: Option.some(12) }
    const { alert } = yield* told(Effect.fail(new Unpaid({ coupon: Option.none(), payment })))
    assert.equal(alert.body, `Unpaid: coupon none, payment {"iban":"none","euros":12}`)
  }))

it.effect("an attempt that an error tells of is told as its own, and not as that of the step", () =>
  Effect.gen(function*() {
    class GaveUp extends Data.TaggedError("GaveUp")<{ readonly message: string; readonly attempt: number }> {}
    const { alert } = yield* told(Effect.fail(new GaveUp({ message: "the server is busy", attempt: 9 })))
    assert.deepEqual(ownFields(alert), { "error's attempt": "9" })
  }))
