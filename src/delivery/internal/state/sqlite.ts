/** A state in a file of SQLite. Each change is a transaction, so that processes that share the file lose none. */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import type { DatabaseSync } from "node:sqlite"
import * as Writer from "../../../internal/text/writer.ts"
import { explain, iso, monotonicMillis } from "../entries.ts"
import type { Database } from "./database.ts"
import { setNewest, type State } from "./state.ts"

/** For how many milliseconds a file is not used that has failed. Otherwise each post would wait for it. */
const pause = 60_000

/** The most entries that could not be read and are kept. */
const maxUnreadable = 1000

/** An entry as it is in the file. `place` gives the order. */
interface Row<A> {
  readonly entry: A
  readonly place: number
}

/** A change that is not in the file yet. */
interface Change<A> {
  /** The entry, or `undefined` where it was deleted. */
  readonly entry: A | undefined
  /** Whether the file has never had the entry. Another process may have deleted one that it had, and it stays so. */
  readonly isNew: boolean
}

/** Makes the state of that name. */
export const inSqlite = <A>(database: Database, name: string, schema: Schema.Codec<A, unknown>): State<A> => {
  const Json = Schema.fromJsonString(schema)
  const encode = Schema.encodeSync(Json)
  const decode = Schema.decodeUnknownExit(Json)
  const Key = Schema.decodeUnknownExit(Schema.fromJsonString(Schema.String))

  // the rows that were read or written last, and the version of the state at that time
  let rows: ReadonlyMap<string, Row<A>> = new Map()
  let version = -1
  let generation = 0
  // the changes that could not be written
  let pending: ReadonlyMap<string, Change<A>> = new Map()
  // whether the last use of the file failed, and the time of the next
  const lock = Semaphore.makeUnsafe(1)
  let isFailing = false
  let notBefore = -Infinity

  const withPending = (): Map<string, A> => {
    const entries = new Map(Array.from(rows, ([key, { entry }]) => [key, entry]))
    for (const [key, { entry, isNew }] of pending) {
      if (entry === undefined) entries.delete(key)
      else if (isNew || entries.has(key)) setNewest(entries, key, entry)
    }
    return entries
  }

  /** Returns what is to be written so that the file has these entries. */
  const changesTo = (entries: ReadonlyMap<string, A>): Map<string, Change<A>> => {
    const changes = new Map<string, Change<A>>()
    for (const [key, entry] of entries) {
      if (rows.get(key)?.entry !== entry) changes.set(key, { entry, isNew: !rows.has(key) })
    }
    for (const key of rows.keys()) if (!entries.has(key)) changes.set(key, { entry: undefined, isNew: false })
    return changes
  }

  /** Reads the rows, unless they are known. Sets those aside that are invalid, and returns how many these are. */
  const read = (db: DatabaseSync, now: number): number => {
    const found = Number(
      db.prepare("SELECT version FROM effect_epilogue_states WHERE name = ?").get(name)?.["version"] ?? 0
    )
    if (found === version) return 0
    const read = new Map<string, Row<A>>()
    const invalid: Array<unknown> = []
    const stored = db.prepare("SELECT key, place, entry FROM effect_epilogue_entries WHERE state = ? ORDER BY place")
    for (const { entry: json, key, place } of stored.all(name)) {
      const [own, entry] = [Key(key), decode(json)]
      if (own._tag === "Success" && entry._tag === "Success") {
        read.set(own.value, { entry: entry.value, place: Number(place) })
      } else invalid.push(key)
    }
    for (const key of invalid) setAside(db, String(key), now)
    rows = read
    version = found
    return invalid.length
  }

  const setAside = (db: DatabaseSync, key: string, now: number) => {
    db.prepare(
      `INSERT INTO effect_epilogue_unreadable (state, key, entry, at)
        SELECT state, key, entry, ? FROM effect_epilogue_entries WHERE state = ? AND key = ?`
    ).all(iso(now), name, key)
    db.prepare("DELETE FROM effect_epilogue_entries WHERE state = ? AND key = ?").all(name, key)
    db.prepare(
      "DELETE FROM effect_epilogue_unreadable WHERE id <= (SELECT max(id) FROM effect_epilogue_unreadable) - ?"
    ).all(maxUnreadable)
  }

  /** Writes the entries that differ from the rows, and returns the rows with them. */
  const write = (db: DatabaseSync, entries: ReadonlyMap<string, A>): ReadonlyMap<string, Row<A>> => {
    const next = new Map<string, Row<A>>()
    let last = 0
    let top = 0
    for (const { place } of rows.values()) top = Math.max(top, place)
    let changed = false
    const set = db.prepare(
      "INSERT OR REPLACE INTO effect_epilogue_entries (state, key, place, entry) VALUES (?, ?, ?, ?)"
    )
    for (const [key, entry] of entries) {
      const before = rows.get(key)
      const place = before !== undefined && before.place > last ? before.place : ++top
      if (before?.entry !== entry || before.place !== place) {
        // as JSON, since some runtimes read a text up to its first NUL only
        set.all(name, JSON.stringify(key), place, encode(entry))
        changed = true
      }
      next.set(key, { entry, place })
      last = place
    }
    const remove = db.prepare("DELETE FROM effect_epilogue_entries WHERE state = ? AND key = ?")
    for (const key of rows.keys()) {
      if (next.has(key)) continue
      remove.all(name, JSON.stringify(key))
      changed = true
    }
    if (!changed) return rows
    db.prepare("INSERT OR REPLACE INTO effect_epilogue_states (name, version) VALUES (?, ?)").all(name, version + 1)
    return next
  }

  const begin = (current: number) => {
    if (current === generation) return
    // The file was deleted, and all that is known of it is to be written again.
    pending = new Map(Array.from(withPending(), ([key, entry]) => [key, { entry, isNew: true }]))
    rows = new Map()
    version = -1
    generation = current
  }

  /** Logs the first of several failures only, or a broken file would flood the log. */
  const tellFailed = (cause: Cause.Cause<unknown>) => {
    if (isFailing) return Effect.void
    isFailing = true
    return Writer.logWarning(
      `effect-epilogue: the state "${name}" could not be kept in ${database.filename}`,
      explain(cause).slice(0, 1000)
    )
  }

  const tellUnreadable = (count: number) =>
    Writer.logWarning(
      `effect-epilogue: ${
        count === 1 ? "1 entry" : `${count} entries`
      } of the state "${name}" in ${database.filename} could not be read`,
      "see its table effect_epilogue_unreadable"
    )

  /** Changes the file, and returns what `f` has returned and changed, as it stands in the file or in memory. */
  const attempt = <B>(f: (entries: Map<string, A>) => B) =>
    Effect.gen(function*() {
      const at = yield* Clock.currentTimeMillis
      const made: { result?: readonly [B]; entries: ReadonlyMap<string, A>; unreadable: number } = {
        entries: new Map(),
        unreadable: 0
      }
      const exit = yield* Effect.exit(database.transact((db, current) => {
        begin(current)
        made.unreadable = read(db, at)
        const entries = withPending()
        made.result = [f(entries)]
        made.entries = entries
        return write(db, entries)
      }))
      return { ...made, exit }
    })

  const change = <B>(f: (entries: Map<string, A>) => B, needsFile: boolean, isPatient = false) =>
    Effect.gen(function*() {
      const now = yield* monotonicMillis
      const tried = isPatient || now >= notBefore ? yield* attempt(f) : undefined
      if (tried?.exit._tag === "Success") {
        if (tried.exit.value !== rows) version++
        rows = tried.exit.value
        pending = new Map()
        isFailing = false
        notBefore = -Infinity
        if (tried.unreadable > 0) yield* tellUnreadable(tried.unreadable)
        return tried.result
      }
      let result: readonly [B] | undefined
      if (!needsFile) {
        // `f` has run already where only the write has failed
        const entries = tried?.result === undefined ? withPending() : tried.entries
        result = tried?.result ?? [f(entries as Map<string, A>)]
        pending = changesTo(entries)
      }
      if (tried !== undefined) {
        notBefore = (yield* monotonicMillis) + pause
        yield* tellFailed(tried.exit.cause)
      }
      return result
    }).pipe(Effect.uninterruptible, lock.withPermits(1))

  return {
    // never `undefined`: without the file, the change is made in memory
    modify: (f) => Effect.map(change(f, false), (result) => result![0]),
    commit: (f) => Effect.map(change(f, true), (result) => result?.[0]),
    unsaved: Effect.map(change(() => true, false, true), () => new Set(pending.keys()))
  }
}
