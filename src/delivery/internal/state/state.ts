/** The entries that a policy remembers, and the variant that lives in memory. */
import * as Effect from "effect/Effect"

/**
 * The state of a policy: entries by key, in the order in which they were set. Its effects never fail: a broken store costs
 * a warning, not an alert.
 *
 * @category models
 * @since 0.1.0
 */
export interface State<A> {
  /**
   * Reads the entries, runs `f` on them and writes back what it changed. Concurrent calls run one after another. Where
   * the store fails, `f` runs on the entries that are known, and its changes are written later.
   */
  readonly modify: <B>(f: (entries: Map<string, A>) => B) => Effect.Effect<B>
  /**
   * Does the same for a change that must not be made without the store, such as the claim of entries that other
   * processes see. Where the store fails, returns `undefined`, and nothing has changed.
   */
  readonly commit: <B extends {}>(f: (entries: Map<string, A>) => B) => Effect.Effect<B | undefined>
  /** Retries writes that failed, then returns the keys whose entries or deletions the next process will not see. */
  readonly unsaved: Effect.Effect<ReadonlySet<string>>
}

/** Returns a state that ends with the process: all of its keys are `unsaved`. */
export const inMemory = <A>(): State<A> => {
  const entries = new Map<string, A>()
  const modify = <B>(f: (entries: Map<string, A>) => B) => Effect.sync(() => f(entries))
  return { modify, commit: modify, unsaved: Effect.sync(() => new Set(entries.keys())) }
}

/** Sets an entry and moves its key to the end of the map. */
export const setNewest = <A>(entries: Map<string, A>, key: string, entry: A): void => {
  entries.delete(key)
  entries.set(key, entry)
}
