/** Lists the runs recorded in a folder, or in one file. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as NodeFs from "node:fs"
import type { Recorded } from "../../Recorded.ts"
import { RecordError, RecordErrorReason } from "../../RecordError.ts"
import { failure, type Modules, modules, whyNoRecord } from "./files.ts"
import { describe, look } from "./look.ts"
import { mayBe, recordNames, sharedNames } from "./names.ts"
import { runsIn } from "./shared.ts"
import { Summaries } from "./summaries.ts"

/** Returns what is in the folder, or nothing if it is missing. */
export const entriesIn = ({ fs }: Modules, folder: string): Effect.Effect<ReadonlyArray<NodeFs.Dirent>, RecordError> =>
  Effect.tryPromise({
    try: () => fs.promises.readdir(folder, { withFileTypes: true }),
    catch: (cause) => failure(folder, "read", cause)
  }).pipe(
    Effect.catch((error) =>
      error.reason._tag === "Inaccessible" && error.reason.code === "ENOENT" ? Effect.succeed([]) : Effect.fail(error)
    )
  )

/** Returns the names of the records of one run each, the newest first. */
const ownNames = (entries: ReadonlyArray<NodeFs.Dirent>): ReadonlyArray<string> =>
  recordNames(entries).toSorted().toReversed()

/**
 * Returns the runs of these records, by what is known of them where they have not changed, without files that can't be
 * read or are no record of one run.
 */
const lookAll = (
  modules: Modules,
  folder: string,
  names: ReadonlyArray<string>,
  summaries?: Summaries
): Effect.Effect<ReadonlyArray<Recorded>> =>
  Effect.gen(function*() {
    const found: Array<Recorded> = []
    const others: Array<string> = []
    for (const name of names) {
      const place = modules.path.join(folder, name)
      const stat = statOf(modules, place)
      // to open a pipe waits until somebody writes to it
      if (stat === undefined || !stat.isFile()) continue
      const known = summaries?.get(name, stat)
      if (known === undefined) others.push(name)
      else found.push(describe(known, place))
    }
    const looked = yield* Effect.forEach(others, (name) =>
      Effect.promise(async () => {
        const place = modules.path.join(folder, name)
        // the file was removed meanwhile, say
        const run = await look(modules, place).catch(() => undefined)
        if (run === undefined || "path" in run) return run
        summaries?.add({ name, ...run })
        return describe(run, place)
      }), { concurrency: 16 })
    return [...found, ...looked.filter((run) => run !== undefined)]
  })

const statOf = ({ fs }: Modules, place: string): NodeFs.Stats | undefined => {
  try {
    return fs.statSync(place, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** Fewer records than this are looked at one by one: opening them takes no longer than reading the summaries of all. */
const few = 100

/** Lists the runs that have a file of their own, the newest first. */
const listOwnIn = (
  loaded: Modules,
  folder: string,
  entries: ReadonlyArray<NodeFs.Dirent>,
  limit: number
): Effect.Effect<ReadonlyArray<Recorded>> =>
  Effect.gen(function*() {
    const names = ownNames(entries)
    let found: ReadonlyArray<Recorded> = []
    const summaries = Math.min(names.length, limit) < few ? undefined : new Summaries(loaded, folder)
    // a file may be no record in spite of its name, so further ones are read until there are enough
    for (let from = 0; from < names.length && found.length < limit;) {
      const to = Math.min(names.length, from + Math.max(limit - found.length, 1))
      found = [...found, ...(yield* lookAll(loaded, folder, names.slice(from, to), summaries))]
      from = to
    }
    summaries?.save(names)
    return newestFirst(found)
  })

/** Lists the runs that have a file of their own in a folder, the newest first. */
export const listOwn = (folder: string): Effect.Effect<ReadonlyArray<Recorded>, RecordError> =>
  Effect.gen(function*() {
    const loaded = yield* modules(folder)
    return yield* listOwnIn(loaded, folder, yield* entriesIn(loaded, folder), Infinity)
  })

const runsOf = (loaded: Modules, path: string): Effect.Effect<ReadonlyArray<Recorded>, RecordError> =>
  Effect.tryPromise({ try: () => runsIn(loaded, path), catch: (cause) => failure(path, "read", cause) })

/** Lists the runs in the files of several runs in a folder, without files that can't be read. */
const listSharedIn = (
  loaded: Modules,
  folder: string,
  entries: ReadonlyArray<NodeFs.Dirent>
): Effect.Effect<ReadonlyArray<Recorded>> =>
  Effect.map(
    Effect.forEach(
      sharedNames(entries).map((name) => loaded.path.join(folder, name))
        .filter((path) => whyNoRecord(loaded, path) === undefined),
      (path) => Effect.orElseSucceed(runsOf(loaded, path), () => [])
    ),
    (found) => found.flat()
  )

/** Lists the runs in a file. Fails where it is no record. */
const listFile = (loaded: Modules, path: string): Effect.Effect<ReadonlyArray<Recorded>, RecordError> =>
  Effect.suspend(() => {
    const reason = whyNoRecord(loaded, path)
    return reason === undefined ? runsOf(loaded, path) : Effect.fail(new RecordError({ path, reason }))
  })

/** Returns those of the runs that are not known, each once. Of a run that is recorded twice, the file of its own counts. */
const othersIn = (runs: ReadonlyArray<Recorded>, known: ReadonlyArray<Recorded>): ReadonlyArray<Recorded> => {
  const ids = new Set(known.map(({ runId }) => runId))
  return [...new Map(runs.map((run) => [run.runId, run])).values()].filter(({ runId }) => !ids.has(runId))
}

const isFile = (loaded: Modules, place: string): boolean => statOf(loaded, place)?.isFile() === true

const newestFirst = (runs: ReadonlyArray<Recorded>): ReadonlyArray<Recorded> =>
  runs.toSorted((a, b) => DateTime.toEpochMillis(b.startedAt) - DateTime.toEpochMillis(a.startedAt))

/** Lists the runs in a folder, or in a file of several runs, the newest first. */
export const list = (place: string, limit: number): Effect.Effect<ReadonlyArray<Recorded>, RecordError> =>
  Effect.gen(function*() {
    const loaded = yield* modules(place)
    if (isFile(loaded, place)) return newestFirst(yield* listFile(loaded, place)).slice(0, limit)
    const entries = yield* entriesIn(loaded, place)
    const own = yield* listOwnIn(loaded, place, entries, limit)
    return newestFirst([...own, ...othersIn(yield* listSharedIn(loaded, place, entries), own)]).slice(0, limit)
  })

/** Finds the run with an id, or the only one whose id begins so, in a folder or in a file of several runs. */
export const find = (place: string, idOrPrefix: string): Effect.Effect<Recorded, RecordError> =>
  Effect.gen(function*() {
    const loaded = yield* modules(place)
    const found = isFile(loaded, place)
      ? yield* listFile(loaded, place)
      : yield* findIn(loaded, place, idOrPrefix)
    const begin = found.filter(({ runId }) => runId.startsWith(idOrPrefix))
    const exact = begin.find(({ runId }) => runId === idOrPrefix)
    if (exact !== undefined) return exact
    const [only, ...more] = begin
    if (only !== undefined && more.length === 0) return only
    return yield* new RecordError({
      path: place,
      reason: only === undefined
        ? RecordErrorReason.NotFound({ id: idOrPrefix })
        : RecordErrorReason.Ambiguous({ id: idOrPrefix, ids: begin.map(({ runId }) => runId) })
    })
  })

/** Returns runs of a folder, with all those among them that an id may mean. */
const findIn = (
  loaded: Modules,
  folder: string,
  idOrPrefix: string
): Effect.Effect<ReadonlyArray<Recorded>, RecordError> =>
  Effect.gen(function*() {
    const entries = yield* entriesIn(loaded, folder)
    const own = yield* lookAll(loaded, folder, ownNames(entries).filter((name) => mayBe(name, idOrPrefix)))
    // files of several runs have to be read as a whole
    return own.some(({ runId }) => runId === idOrPrefix)
      ? own
      : [...own, ...othersIn(yield* listSharedIn(loaded, folder, entries), own)]
  })
