/** Tests properties as Effects, with inputs from a Schema and counterexamples that are shrunk. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import process from "node:process"

const given = process.env["SEED"]

/**
 * The seed of all inputs. It is the same in every run of `npm test`, so that a change is not held against a fault that was
 * there before it. `SEED=random` and `SEED=<text>` look further.
 */
export const seed = given === "random" ? crypto.randomUUID() : given ?? "epilogue"

/** The part of the inputs that is checked. Inputs that were checked yesterday, too, need not be as many. */
const part = given === undefined ? 0.3 : 1

/** Asserts that a property neither fails nor dies for any input of the Schema. Without `SEED`, for 3 of 10 `runs`. */
export const forAll = <S extends Schema.Constraint>(
  schema: S,
  property: (input: S["Type"]) => Effect.Effect<unknown, unknown>,
  runs = 100
): Effect.Effect<void> =>
  Effect.map(
    Arbitrary.checkEffect(
      Arbitrary.schema(schema),
      // a failed assertion is a defect, and only failures are shrunk: the sandbox turns it into one
      (input) => Effect.as(Effect.sandbox(Effect.suspend(() => property(input))), true),
      { runs: Math.ceil(runs * part), seed }
    ),
    (result) => assert.equal(Arbitrary.formatCheckFailure(result), undefined)
  )
