/** Tests properties as Effects, with inputs from a Schema and counterexamples that are shrunk. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"

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
      { runs }
    ),
    (result) => assert.equal(Arbitrary.formatCheckFailure(result), undefined)
  )
