/** The entries that a policy remembers, and the variant that lives in memory. */
import * as Effect from "effect/Effect"

/**
 * Entries by key, in the order in which they were set. Its effects never fail: a broken store costs a warning, not an
 * alert.
 */
export interface State<A> {
  /** Reads the entries, runs `f` on them and writes back what it changed. Concurrent calls run one after another. */
  readonly modify: <B>(f: (entries: Map<string, A>) => B) => Effect.Effect<B>
  /** Retries writes that failed, then returns the keys whose entries or deletions the next process will not see. */
  readonly unsaved: Effect.Effect<ReadonlySet<string>>
}

/** Returns a state that ends with the process: all of its keys are `unsaved`. */
export const inMemory = <A>(): State<A> => {
  const entries = new Map<string, A>()
  return { modify: (f) => Effect.sync(() => f(entries)), unsaved: Effect.sync(() => new Set(entries.keys())) }
}
