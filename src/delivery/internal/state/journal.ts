/** What one user of a store has changed there, so that nothing of it is lost where others write too. */

/** What changed at once: what was set, and `undefined` for what was deleted. */
interface Write<A> {
  readonly seq: number
  readonly at: number
  readonly changes: Map<string, A | undefined>
}

/** How many writes of whom the store has seen, the latest writer first. */
export type Seen = ReadonlyArray<readonly [writer: string, seq: number]>

/** More than write to one entry of a store within a minute. */
const maxWriters = 100

/** How long a write may be lost to another, which had read before it and wrote after it. In milliseconds. */
const memory = 60_000

export interface Journal<A> {
  /** Whether there is something that the store has not seen, or has not kept. */
  readonly missing: (seen: Seen) => ReadonlyMap<string, A | undefined>
  /** The entries of the store, with what is missing there. */
  readonly apply: (entries: ReadonlyArray<readonly [string, A]>, seen: Seen) => Map<string, A>
  /** Notes what has changed. `forget` says which deleted keys the store can't have. */
  readonly note: (options: {
    readonly before: ReadonlyMap<string, A>
    readonly after: ReadonlyMap<string, A>
    readonly seen: Seen
    readonly now: number
    readonly forget: (key: string) => boolean
  }) => void
  /** What the store has seen once all of this is written. */
  readonly sign: (seen: Seen) => Seen
}

/** Numbers what it writes, so that what comes back from the store shows which of it is there. */
export const make = <A>(): Journal<A> => {
  const me = globalThis.crypto.randomUUID().slice(0, 13)
  let seq = 0
  let writes: ReadonlyArray<Write<A>> = []

  const unseen = (seen: Seen): ReadonlyArray<Write<A>> => {
    const last = seen.find(([writer]) => writer === me)?.[1] ?? 0
    return writes.filter((write) => write.seq > last)
  }

  const missing = (seen: Seen): Map<string, A | undefined> => {
    const all = new Map<string, A | undefined>()
    for (const { changes } of unseen(seen)) for (const [key, entry] of changes) put(all, key, entry)
    return all
  }

  return {
    missing,
    apply: (entries, seen) => {
      const all = new Map(entries)
      for (const [key, entry] of missing(seen)) {
        if (entry === undefined) all.delete(key)
        else put(all, key, entry)
      }
      return all
    },
    note: ({ after, before, forget, now, seen }) => {
      const changes = new Map<string, A | undefined>()
      for (const [key, entry] of after) if (before.get(key) !== entry) changes.set(key, entry)
      for (const key of before.keys()) if (!after.has(key)) changes.set(key, undefined)
      const waiting = missing(seen)
      const kept = writes.filter((write) => now - write.at < memory)
      if (changes.size === 0 && waiting.size === 0) {
        writes = kept
        return
      }
      // one write for all that the store has not seen, however long it can't be written
      for (const [key, entry] of changes) put(waiting, key, entry)
      for (const [key, entry] of waiting) if (entry === undefined && forget(key)) waiting.delete(key)
      const late = new Set(unseen(seen))
      if (changes.size > 0) seq++
      writes = [...kept.filter((write) => !late.has(write)), { seq, at: now, changes: waiting }]
    },
    sign: (seen) => [[me, seq] as const, ...seen.filter(([writer]) => writer !== me)].slice(0, maxWriters)
  }
}

/** As the newest. */
const put = <A>(entries: Map<string, A>, key: string, entry: A): void => {
  entries.delete(key)
  entries.set(key, entry)
}
