/** A state that is kept as one entry of a `KeyValueStore`. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Hash from "effect/Hash"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Writer from "../../../internal/text/writer.ts"
import { explain, monotonicMillis } from "../entries.ts"
import * as Journal from "./journal.ts"
import type { State } from "./state.ts"

/** The time limit of one operation of the store. Posts wait for it uninterruptibly, so it is short. */
const timeLimit = "5 seconds"

/**
 * For how many milliseconds a store that exceeded the time limit is not used. Otherwise each post would wait for it.
 */
const pause = 60_000

/** The delay before an invalid text is read again: another process may be in the middle of writing it. */
const halfWritten = "100 millis"

/** The time that another process may take between its read and its write. */
const settleTime = "250 millis"

/** The lock and the text that the states of one entry share in this process. */
interface Shared {
  readonly lock: Semaphore.Semaphore
  /** The text that one of them wrote last. */
  written: string | undefined
}

const entries = new WeakMap<KeyValueStore.KeyValueStore, Map<string, Shared>>()

/**
 * Returns what is shared by the states of an entry, since a layer with the same `persist` may be built more than once.
 */
const sharedOf = (store: KeyValueStore.KeyValueStore, key: string): Shared => {
  const ofStore = entries.get(store) ?? new Map<string, Shared>()
  entries.set(store, ofStore)
  const shared = ofStore.get(key) ?? { lock: Semaphore.makeUnsafe(1), written: undefined }
  ofStore.set(key, shared)
  return shared
}

/** Appends a checksum. Two processes that write a file at the same time may leave a text with parts of both. */
const withChecksum = (json: string): string => `${json}\n${Hash.string(json)}`

const verified = (text: string): string => {
  const [json = "", sum] = text.split("\n")
  if (sum !== undefined && sum !== String(Hash.string(json))) throw new Error("the checksum does not match")
  return json
}

/**
 * Makes a state that is stored under one key, and may be shared with other processes.
 *
 * Each `modify` reads the store again, since another process may have written. If the read fails, nothing is written,
 * which would overwrite entries of others: changes stay in memory and are written once the store can be read again.
 * Changes that another process has overwritten are written again too.
 */
export const inKeyValueStore = <A>(
  store: KeyValueStore.KeyValueStore,
  key: string,
  schema: Schema.Codec<A, unknown>
): State<A> => {
  const Document = Schema.fromJsonString(Schema.Struct({
    seen: Schema.Array(Schema.Tuple([Schema.String, Schema.Natural])),
    entries: Schema.Array(Schema.Tuple([Schema.String, schema]))
  }))
  const encode = (document: typeof Document.Type) => Effect.map(Schema.encodeEffect(Document)(document), withChecksum)
  const decode = (text: string | undefined) =>
    Effect.flatMap(Effect.try({ try: () => verified(text ?? ""), catch: identity }), Schema.decodeEffect(Document))
  const ours = sharedOf(store, key)
  const journal = Journal.make<A>()
  // the document that was read or written last, and its text
  let known: typeof Document.Type = { seen: [], entries: [] }
  let text: string | undefined
  // whether the store has lost the known entries: it was emptied, or its text is invalid
  let lost = false
  // whether a write was started that may or may not have reached the store
  let uncertain = false
  // whether another process has written since this one did, and whether that was logged
  let shared = false
  let isTold = false
  // the operation that exceeded the time limit
  let stuck: { readonly since: number; readonly fiber: Fiber.Fiber<unknown, unknown> } | undefined
  // the operations whose last attempt failed
  const failing = new Set<string>()

  /** Fails after the time limit, even if the store ignores interruption: it runs in a fiber of its own. */
  const limited = <B, E>(effect: Effect.Effect<B, E>) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkDetach(Effect.interruptible(effect), { startImmediately: true })
      const done = fiber.pollUnsafe()
      if (done !== undefined) return yield* done
      const since = yield* monotonicMillis
      return yield* Effect.timeoutOrElse(Fiber.join(fiber), {
        duration: timeLimit,
        orElse: () => {
          stuck = { since, fiber }
          fiber.interruptUnsafe()
          return Effect.fail(new Error(`no answer within ${timeLimit}`))
        }
      })
    })

  /**
   * Returns whether the effect succeeded. Logs the first of several failures only, or a broken store would flood the
   * log.
   */
  const succeeds = (done: "read" | "written" | "decoded", effect: Effect.Effect<unknown, unknown>) =>
    Effect.matchCauseEffect(effect, {
      onSuccess: () => Effect.sync(() => (failing.delete(done), true)),
      onFailure: (cause) => {
        if (failing.has(done)) return Effect.succeed(false)
        failing.add(done)
        return Effect.as(
          Writer.logWarning(`effect-epilogue: the state "${key}" could not be ${done}`, explain(cause).slice(0, 1_000)),
          false
        )
      }
    })

  const tellShared = Effect.suspend(() => {
    if (isTold) return Effect.void
    isTold = true
    return Writer.logWarning(
      `effect-epilogue: another process writes to the state "${key}" at the same time`,
      "a KeyValueStore can't keep them apart, so alerts may be lost or posted twice; Store.layerSqlite can"
    )
  })

  const setAside = (invalid: string) =>
    Effect.gen(function*() {
      const aside = `${key}/unreadable`
      const exit = yield* Effect.exit(limited(store.set(aside, invalid)))
      const copy = exit._tag === "Success" ? `, a copy is kept as "${aside}"` : ""
      return yield* Effect.fail(new Error(`the stored text is invalid${copy}`))
    })

  const read = Effect.gen(function*() {
    let found = yield* limited(store.get(key))
    if (text !== undefined && found !== undefined && found !== text && found !== ours.written) {
      shared = true
      yield* tellShared
    }
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
        failing.delete("decoded")
      } else {
        lost = true
        if (found !== undefined) yield* succeeds("decoded", setAside(found))
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
      ours.written = encoded
      lost = false
    })

  const change = <B>(f: (entries: Map<string, A>) => B, isPatient: boolean): Effect.Effect<B> =>
    Effect.gen(function*() {
      const now = yield* monotonicMillis
      // The store is used again only after the stuck operation has ended: of two writes the older might win.
      if (stuck?.fiber.pollUnsafe() !== undefined && (isPatient || now - stuck.since >= pause)) stuck = undefined
      const isRead = stuck === undefined && (yield* succeeds("read", read))
      const before = journal.apply(known.entries, known.seen)
      const after = new Map(before)
      const result = f(after)
      const stored = new Set(known.entries.map(([key]) => key))
      const forget = (key: string) => !uncertain && !stored.has(key)
      journal.note({ before, after, seen: known.seen, now, forget })
      const isBehind = lost || journal.missing(known.seen).size > 0
      if (isRead && stuck === undefined && isBehind) yield* succeeds("written", write([...after]))
      return result
    }).pipe(Effect.uninterruptible, ours.lock.withPermits(1))

  const save = change((entries) => [...entries.keys()], true)

  return {
    modify: (f) => change(f, false),
    // the store has no such operation, and what it can't write now is written later
    commit: (f) => change(f, false),
    unsaved: Effect.gen(function*() {
      let keys = yield* save
      if (shared) {
        // Another process may have read before our last write and overwrite it yet: wait, then look again.
        shared = false
        yield* Effect.sleep(settleTime)
        keys = yield* save
      }
      return new Set(lost ? keys : journal.missing(known.seen).keys())
    })
  }
}
