/** What a policy remembers: in memory, or in a store that outlives the process. */
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type * as Schema from "effect/Schema"
import { inStore } from "./store.ts"

/** Entries by key. Never fails: a store that does is worth a warning, and no alert. */
export interface State<A> {
  /** Reads, and writes back what `f` has changed. One at a time. */
  readonly modify: <B>(f: (entries: Map<string, A>) => B) => Effect.Effect<B>
  /** The keys of what the next process won't know. Writes what could not be written before. */
  readonly unsaved: Effect.Effect<ReadonlySet<string>>
}

/** The store, where the state is given a name there. */
export type Persisted<P> = P extends string ? KeyValueStore.KeyValueStore : never

/** The state of a policy, under the name `persist` in the store, or in memory where that is undefined. */
export const make = <A, P extends string | undefined>(
  policy: string,
  persist: P,
  schema: Schema.Codec<A, unknown>
): Effect.Effect<State<A>, never, Persisted<P>> =>
  // a cast, since TypeScript does not narrow a conditional type by a value
  (persist === undefined
    ? Effect.sync(inMemory<A>)
    : Effect.map(KeyValueStore.KeyValueStore, (store) =>
      inStore(store, `effect-epilogue/${policy}/${persist}`, schema))) as Effect.Effect<State<A>, never, Persisted<P>>

const inMemory = <A>(): State<A> => {
  const entries = new Map<string, A>()
  return { modify: (f) => Effect.sync(() => f(entries)), unsaved: Effect.sync(() => new Set(entries.keys())) }
}
