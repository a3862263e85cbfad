/** What a policy remembers: in memory, or in a store that outlives the process. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"

/** How long a store may take, since whoever waits for it can't be interrupted. */
const limit = "5 seconds"

/** Entries by key. Never fails: a store that does is worth a warning, and no alert. */
export interface State<A> {
  /** Reads, and writes back what `f` has changed. One at a time. */
  readonly modify: <B>(f: (entries: Map<string, A>) => B) => Effect.Effect<B>
  /** Whether all of it will be there in the next process too. Writes what could not be written before. */
  readonly kept: Effect.Effect<boolean>
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
  return { modify: (f) => Effect.sync(() => f(entries)), kept: Effect.succeed(false) }
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

  const warn = (what: string) => (cause: Cause.Cause<unknown>) =>
    Effect.logWarning(`effect-epilogue: the state "${key}" could not be ${what}`, String(Cause.squash(cause)))

  const read = Effect.gen(function*() {
    if (!saved) return
    const text = yield* Effect.timeout(store.get(key), limit)
    if (text !== undefined && text !== known.text) known = { text, entries: yield* decode(text) }
  }).pipe(Effect.catchCause(warn("read")))

  const write = (entries: ReadonlyArray<readonly [string, A]>) =>
    Effect.gen(function*() {
      const text = yield* encode(entries)
      if (saved && text === known.text) return
      known = { text, entries }
      saved = false
      yield* Effect.timeout(store.set(key, text), limit)
      saved = true
    }).pipe(Effect.catchCause(warn("written")))

  const modify = <B>(f: (entries: Map<string, A>) => B): Effect.Effect<B> =>
    Effect.gen(function*() {
      yield* read
      const entries = new Map(known.entries)
      const result = f(entries)
      yield* write([...entries])
      return result
    }).pipe(Effect.uninterruptible, lock.withPermits(1))

  return { modify, kept: Effect.map(modify(() => undefined), () => saved) }
}
