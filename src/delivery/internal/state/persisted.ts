/** The choice between a state in memory and one in a `KeyValueStore`, made by the option `persist`. */
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type * as Schema from "effect/Schema"
import { inMemory, type State } from "./state.ts"
import { inStore } from "./store.ts"

/** The service that a policy needs for the option `persist`: a `KeyValueStore` where it is a name, none otherwise. */
export type Persisted<P> = P extends string ? KeyValueStore.KeyValueStore : never

/**
 * Makes the state of a policy: in the store's entry `effect-epilogue/<policy>/<persist>`, or in memory without
 * `persist`.
 */
export const makeState = <A, P extends string | undefined>(
  policy: string,
  persist: P,
  schema: Schema.Codec<A, unknown>
): Effect.Effect<State<A>, never, Persisted<P>> =>
  // a cast, since TypeScript does not narrow a conditional type by a value
  (persist === undefined
    ? Effect.sync(inMemory<A>)
    : Effect.map(KeyValueStore.KeyValueStore, (store) =>
      inStore(store, `effect-epilogue/${policy}/${persist}`, schema))) as Effect.Effect<State<A>, never, Persisted<P>>
