/** Recent changes of one process to a shared store, so that it can repeat those that another process overwrote. */
import { setNewest } from "./state.ts"

/** Changes that were written together: entries that were set, and `undefined` for keys that were deleted. */
interface Write<A> {
  readonly seq: number
  readonly at: number
  readonly changes: Map<string, A | undefined>
}

/** The number of the last write by each writer that the stored entries include, the latest writer first. */
type Seen = ReadonlyArray<readonly [writer: string, seq: number]>

/** More processes than write to one entry of a store within a minute. */
const maxWriters = 100

/** For how many milliseconds another process that read before a write of this one may still overwrite it. */
const memory = 60_000

/** Numbers the writes of one process and compares them with what is stored. */
export interface Journal<A> {
  /** Returns the changes of this process that are not in the store, or no longer. */
  readonly missing: (seen: Seen) => ReadonlyMap<string, A | undefined>
  /** Returns the stored entries with the missing changes applied. */
  readonly apply: (entries: ReadonlyArray<readonly [string, A]>, seen: Seen) => Map<string, A>
  /**
   * Records the difference between two states. `forget` returns whether a deleted key is certainly not in the store.
   */
  readonly note: (options: {
    readonly before: ReadonlyMap<string, A>
    readonly after: ReadonlyMap<string, A>
    readonly seen: Seen
    readonly now: number
    readonly forget: (key: string) => boolean
  }) => void
  /** Returns what to store as `seen` with a write that includes all changes of this process. */
  readonly sign: (seen: Seen) => Seen
}

/** Makes an empty journal for a new writer. */
export const make = <A>(): Journal<A> => {
  const writer = globalThis.crypto.randomUUID().slice(0, 13)
  let seq = 0
  let writes: ReadonlyArray<Write<A>> = []

  const unseen = (seen: Seen): ReadonlyArray<Write<A>> => {
    const last = seen.find(([other]) => other === writer)?.[1] ?? 0
    return writes.filter((write) => write.seq > last)
  }

  const missing = (seen: Seen): Map<string, A | undefined> => {
    const all = new Map<string, A | undefined>()
    for (const { changes } of unseen(seen)) for (const [key, entry] of changes) setNewest(all, key, entry)
    return all
  }

  return {
    missing,
    apply: (entries, seen) => {
      const all = new Map(entries)
      for (const [key, entry] of missing(seen)) {
        if (entry === undefined) all.delete(key)
        else setNewest(all, key, entry)
      }
      return all
    },
    note: ({ after, before, forget, now, seen }) => {
      const changes = new Map<string, A | undefined>()
      for (const [key, entry] of after) if (before.get(key) !== entry) changes.set(key, entry)
      for (const key of before.keys()) if (!after.has(key)) changes.set(key, undefined)
      const unwritten = missing(seen)
      const kept = writes.filter((write) => now - write.at < memory)
      if (changes.size === 0 && unwritten.size === 0) {
        writes = kept
        return
      }
      // All unwritten changes become one write. Otherwise the list would grow for as long as the store is broken.
      for (const [key, entry] of changes) setNewest(unwritten, key, entry)
      for (const [key, entry] of unwritten) if (entry === undefined && forget(key)) unwritten.delete(key)
      const replaced = new Set(unseen(seen))
      if (changes.size > 0) seq++
      writes = [...kept.filter((write) => !replaced.has(write)), { seq, at: now, changes: unwritten }]
    },
    sign: (seen) => [[writer, seq] as const, ...seen.filter(([other]) => other !== writer)].slice(0, maxWriters)
  }
}
