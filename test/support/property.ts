/** Tests properties as Effects, with inputs from a Schema and counterexamples that are shrunk. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import process from "node:process"

/**
 * The seed of all inputs. It is the same in every run of `npm test`, so that a change is not held against a fault that was
 * there before it. `SEED=random` and `SEED=<text>` look further.
 */
export const seed = process.env["SEED"] === "random" ? crypto.randomUUID() : process.env["SEED"] ?? "epilogue"

/** Asserts that a property neither fails nor dies for any input of the Schema. */
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
      { runs, seed }
    ),
    (result) => assert.equal(Arbitrary.formatCheckFailure(result), undefined)
  )
