/** The choice between a state in memory and one in a `Store`, made by the option `persist`. */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { Store } from "../../Store.ts"
import { inMemory, type State } from "./state.ts"

/**
 * The service that a policy needs for the option `persist`: a `Store` where it is a name, none otherwise.
 *
 * @category models
 * @since 0.1.0
 */
export type Persisted<P> = P extends string ? Store : never

/**
 * Makes the state of a policy: `effect-epilogue/<policy>/<persist>` in the store, or in memory without `persist`.
 */
export const makeState = <A, P extends string | undefined>(
  policy: string,
  persist: P,
  schema: Schema.Codec<A, unknown>
): Effect.Effect<State<A>, never, Persisted<P>> =>
  // a cast, since TypeScript does not narrow a conditional type by a value
  (persist === undefined
    ? Effect.sync(inMemory<A>)
    : Effect.map(Store, ({ state }) => state(`effect-epilogue/${policy}/${persist}`, schema))) as Effect.Effect<
      State<A>,
      never,
      Persisted<P>
    >
