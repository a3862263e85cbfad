/** Properties as Effects: inputs come from a Schema, and what falsifies a property is shrunk. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"

/** Holds where the property neither fails nor throws for any input. */
export const forAll = <S extends Schema.Constraint>(
  schema: S,
  property: (input: S["Type"]) => Effect.Effect<unknown, unknown>,
  runs = 100
): Effect.Effect<void> =>
  Effect.map(
    Arbitrary.checkEffect(
      Arbitrary.schema(schema),
      // sandboxed, so that a failed assertion, which is a defect, is shrunk too
      (input) => Effect.as(Effect.sandbox(Effect.suspend(() => property(input))), true),
      { runs }
    ),
    (result) => assert.equal(Arbitrary.formatCheckFailure(result), undefined)
  )
