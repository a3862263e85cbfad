/** Makes a table before the first statement on it. */
import * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"

/** Returns a function that adds to an effect on a table that the table is made, until it has been. */
export const onceMade = (
  make: Effect.Effect<unknown, SqlError>
): <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, SqlError> => {
  let made = false
  // Postgres may fail where two processes make the table at once
  const making = Effect.map(Effect.retry(make, { times: 3 }), () => {
    made = true
  })
  return (effect) => Effect.suspend(() => made ? effect : Effect.andThen(making, effect))
}
