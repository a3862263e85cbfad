/** What a policy remembers: in memory, or in a store that outlives the process. */
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"

/** Entries by key. Never fails: a store that does is worth a warning, and no alert. */
export interface State<A> {
  /** Reads, and writes back what `f` has changed. One at a time. */
  readonly modify: <B>(f: (entries: Map<string, A>) => B) => Effect.Effect<B>
}

/** The store, where the state is given a name there. */
export type Persisted<P> = P extends string ? KeyValueStore.KeyValueStore : never

/**
 * The state of a policy, under the name `persist` in the store, or in memory where
 * that is undefined. The whole of it is one entry of the store, read anew each time,
 * since another process may have written meanwhile.
 */
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
  return { modify: (f) => Effect.sync(() => f(entries)) }
}

const inStore = <A>(
  store: KeyValueStore.KeyValueStore,
  key: string,
  schema: Schema.Codec<A, unknown>
): State<A> => {
  const Document = Schema.fromJsonString(Schema.Array(Schema.Tuple([Schema.String, schema])))
  const encode = Schema.encodeEffect(Document)
  const decode = Schema.decodeUnknownEffect(Document)
  const lock = Semaphore.makeUnsafe(1)
  // what was read or written last, and whether the store has it too
  let known: { readonly text: string; readonly entries: ReadonlyArray<readonly [string, A]> } = {
    text: "[]",
    entries: []
  }
  let saved = true

  const warn = (what: string) => (error: unknown) =>
    Effect.logWarning(`effect-epilogue: the state "${key}" could not be ${what}`, String(error))

  const read = Effect.gen(function*() {
    if (!saved) return
    const text = yield* store.get(key)
    if (text !== undefined && text !== known.text) known = { text, entries: yield* decode(text) }
  }).pipe(Effect.catch(warn("read")))

  const write = (entries: ReadonlyArray<readonly [string, A]>) =>
    Effect.gen(function*() {
      const text = yield* encode(entries)
      if (saved && text === known.text) return
      known = { text, entries }
      saved = false
      yield* store.set(key, text)
      saved = true
    }).pipe(Effect.catch(warn("written")))

  return {
    modify: (f) =>
      Effect.gen(function*() {
        yield* read
        const entries = new Map(known.entries)
        const result = f(entries)
        yield* write([...entries])
        return result
      }).pipe(Effect.uninterruptible, lock.withPermits(1))
  }
}
