/** A state that is one entry of a `KeyValueStore`. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Hash from "effect/Hash"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { explain, monotonicMillis } from "../entries.ts"
import * as Journal from "./journal.ts"
import type { State } from "./state.ts"

/** How long a store may take, since whoever waits for it can't be interrupted. */
const limit = "5 seconds"

/** For how long a store that took too long is left alone, or all would have to wait for it. In milliseconds. */
const pause = 60_000

/** How long a text that makes no sense may be one that another process is writing. */
const halfWritten = "100 millis"

/** How long another process may take from its reading to its writing. */
const settled = "250 millis"

const locks = new WeakMap<KeyValueStore.KeyValueStore, Map<string, Semaphore.Semaphore>>()

/** One for all that use the same entry, since a policy may be built more than once. */
const lockOf = (store: KeyValueStore.KeyValueStore, key: string): Semaphore.Semaphore => {
  const ofStore = locks.get(store) ?? new Map<string, Semaphore.Semaphore>()
  locks.set(store, ofStore)
  const lock = ofStore.get(key) ?? Semaphore.makeUnsafe(1)
  ofStore.set(key, lock)
  return lock
}

/** With a sum, since two that write a file at once may leave a text that is half of each. */
const summed = (json: string): string => `${json}\n${Hash.string(json)}`

const checked = (text: string): string => {
  const [json = "", sum] = text.split("\n")
  if (sum !== undefined && sum !== String(Hash.string(json))) throw new Error("the sum is not that of the text")
  return json
}

/**
 * Read anew each time, since another process may have written meanwhile. While the store
 * can't be read it isn't written either, which would cost what is in it: what has
 * changed is kept, and added once it can. So is what another process has overwritten.
 */
export const inStore = <A>(
  store: KeyValueStore.KeyValueStore,
  key: string,
  schema: Schema.Codec<A, unknown>
): State<A> => {
  const Document = Schema.fromJsonString(Schema.Struct({
    seen: Schema.Array(Schema.Tuple([Schema.String, Schema.Natural])),
    entries: Schema.Array(Schema.Tuple([Schema.String, schema]))
  }))
  const encode = (document: typeof Document.Type) => Effect.map(Schema.encodeEffect(Document)(document), summed)
  const decode = (text: string | undefined) =>
    Effect.flatMap(Effect.try({ try: () => checked(text ?? ""), catch: identity }), Schema.decodeEffect(Document))
  const lock = lockOf(store, key)
  const journal = Journal.make<A>()
  // what was read or written last
  let known: typeof Document.Type = { seen: [], entries: [] }
  let text: string | undefined
  // the store has lost what is known
  let lost = false
  // a write has been tried that may have been done
  let uncertain = false
  // somebody else has written meanwhile
  let shared = false
  let slow: { readonly since: number; readonly fiber: Fiber.Fiber<unknown, unknown> } | undefined
  const troubles = new Set<string>()

  /** Ends in time, also where the store can't be interrupted. */
  const limited = <B, E>(effect: Effect.Effect<B, E>) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkDetach(Effect.interruptible(effect), { startImmediately: true })
      const done = fiber.pollUnsafe()
      if (done !== undefined) return yield* done
      const since = yield* monotonicMillis
      return yield* Effect.timeoutOrElse(Fiber.join(fiber), {
        duration: limit,
        orElse: () => {
          slow = { since, fiber }
          fiber.interruptUnsafe()
          return Effect.fail(new Error(`no answer within ${limit}`))
        }
      })
    })

  /** Told once, until it is well again: a broken store must not flood the log. */
  const told = (what: string, effect: Effect.Effect<unknown, unknown>): Effect.Effect<boolean> =>
    Effect.matchCauseEffect(effect, {
      onSuccess: () => Effect.sync(() => (troubles.delete(what), true)),
      onFailure: (cause) => {
        if (troubles.has(what)) return Effect.succeed(false)
        troubles.add(what)
        return Effect.as(
          Effect.logWarning(`effect-epilogue: the state "${key}" could not be ${what}`, explain(cause).slice(0, 1_000)),
          false
        )
      }
    })

  const setAside = (unreadable: string) =>
    Effect.gen(function*() {
      const aside = `${key}/unreadable`
      const exit = yield* Effect.exit(limited(store.set(aside, unreadable)))
      const kept = exit._tag === "Success" ? `, and is kept as "${aside}"` : ""
      return yield* Effect.fail(new Error(`it makes no sense${kept}`))
    })

  const read = Effect.gen(function*() {
    let found = yield* limited(store.get(key))
    if (text !== undefined && found !== undefined && found !== text) shared = true
    if (found !== undefined && found !== text) {
      let document = yield* Effect.exit(decode(found))
      if (document._tag === "Failure") {
        yield* Effect.sleep(halfWritten)
        found = yield* limited(store.get(key))
        document = yield* Effect.exit(decode(found))
      }
      if (document._tag === "Success") {
        known = document.value
        lost = false
        troubles.delete("understood")
      } else {
        lost = true
        if (found !== undefined) yield* told("understood", setAside(found))
      }
    }
    if (found === undefined) lost = known.entries.length > 0
    text = found
    uncertain = false
  })

  const write = (entries: ReadonlyArray<readonly [string, A]>) =>
    Effect.gen(function*() {
      const document = { seen: journal.sign(known.seen), entries }
      const encoded = yield* encode(document)
      uncertain = true
      yield* limited(store.set(key, encoded))
      known = document
      text = encoded
      lost = false
    })

  const change = <B>(f: (entries: Map<string, A>) => B, isPatient: boolean): Effect.Effect<B> =>
    Effect.gen(function*() {
      const now = yield* monotonicMillis
      // never two at once, which might be done in the wrong order
      if (slow?.fiber.pollUnsafe() !== undefined && (isPatient || now - slow.since >= pause)) slow = undefined
      const isRead = slow === undefined && (yield* told("read", read))
      const before = journal.apply(known.entries, known.seen)
      const after = new Map(before)
      const result = f(after)
      const stored = new Set(known.entries.map(([key]) => key))
      const forget = (key: string) => !uncertain && !stored.has(key)
      journal.note({ before, after, seen: known.seen, now, forget })
      const isBehind = lost || journal.missing(known.seen).size > 0
      if (isRead && slow === undefined && isBehind) yield* told("written", write([...after]))
      return result
    }).pipe(Effect.uninterruptible, lock.withPermits(1))

  const check = change((entries) => [...entries.keys()], true)

  return {
    modify: (f) => change(f, false),
    unsaved: Effect.gen(function*() {
      let keys = yield* check
      if (shared) {
        // who has read before our last write may write yet
        shared = false
        yield* Effect.sleep(settled)
        keys = yield* check
      }
      return new Set(lost ? keys : journal.missing(known.seen).keys())
    })
  }
}
