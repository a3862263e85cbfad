/** Lists the runs recorded in a folder. Reads only the beginning and the end of each file. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as NodeFs from "node:fs"
import { refuseLinkedFolder } from "../../../internal/files/private.ts"
import type { Recorded } from "../../Recorded.ts"
import { RecordError, RecordErrorReason } from "../../RecordError.ts"
import { noteCrash, processLives } from "./crash.ts"
import { failure, type Modules, modules } from "./files.ts"
import { abandonedAfter, Header, headerStart, version } from "./format.ts"
import { isRecordName, mayBe, recordNames } from "./names.ts"
import { type Ended, isEnded, Summaries, type Summary, wholeMillis } from "./summaries.ts"

const decodeHeader = Schema.decodeUnknownExit(Header)

/** Returns what is in the folder, or nothing if it is missing. */
const entriesIn = ({ fs }: Modules, folder: string): Effect.Effect<ReadonlyArray<NodeFs.Dirent>, RecordError> =>
  Effect.tryPromise({
    try: () => fs.promises.readdir(folder, { withFileTypes: true }),
    catch: (cause) => failure(folder, "read", cause)
  }).pipe(
    Effect.catch((error) =>
      error.reason._tag === "Inaccessible" && error.reason.code === "ENOENT" ? Effect.succeed([]) : Effect.fail(error)
    )
  )

/** Returns the names of records, the newest first, or none if the folder is missing. */
const namesIn = (modules: Modules, folder: string): Effect.Effect<ReadonlyArray<string>, RecordError> =>
  Effect.map(entriesIn(modules, folder), (entries) => recordNames(entries).toSorted().toReversed())

const readAt = async (file: NodeFs.promises.FileHandle, from: number, length: number): Promise<string> => {
  const bytes = new Uint8Array(length)
  let read = 0
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, from + read)
    if (bytesRead === 0) break
    read += bytesRead
  }
  return new TextDecoder().decode(bytes.subarray(0, read))
}

const parse = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** How many bytes are read first, and at most: the window grows until it has whole lines with what is looked for. */
const first = 4 * 1024
const most = 16 * 1024 * 1024

const headerOf = async (file: NodeFs.promises.FileHandle, size: number): Promise<Header | undefined> => {
  for (let window = first;; window *= 8) {
    const text = await readAt(file, 0, Math.min(window, size))
    // a header of which a crash left only the beginning is followed by a whole one
    for (const line of text.split("\n").slice(0, -1)) {
      const header = decodeHeader(parse(line))
      if (Exit.isSuccess(header)) return header.value.version === version ? header.value : undefined
      if (line !== "" && !line.startsWith("{\"_tag\":\"Record\"")) return undefined
    }
    if (window >= Math.min(size, most)) return undefined
  }
}

/** Returns the end of the run if it is among the last events, and the last event otherwise. */
const lastOf = async (file: NodeFs.promises.FileHandle, size: number): Promise<object | undefined> => {
  for (let window = first;; window *= 8) {
    const from = Math.max(0, size - window)
    const lines = (await readAt(file, from, size - from)).split("\n")
    // the window may begin in the middle of a line
    const events = (from > 0 ? lines.slice(1) : lines).map(parse).filter((event) => hasProperty(event, "at"))
    const is = (tag: string) => (event: unknown) => hasProperty(event, "_tag") && event._tag === tag
    // a durable run that is retried begins anew in the same file
    const ended = events.slice(events.findLastIndex(is("RunStarted")) + 1).findLast(is("RunEnded"))
    const last = ended ?? events.at(-1)
    // Steps that outlived their run may have ended after it, so one larger window is read before the end counts as
    // missing.
    if (last !== undefined && (ended !== undefined || from === 0 || window > first)) return withSteps(last, events)
    if (from === 0 || window >= most) return undefined
  }
}

/** Adds the number of steps, for an event that lacks it: the highest index among the last events, plus one. */
const withSteps = (last: object, events: ReadonlyArray<unknown>): object => {
  // Math.max(...) would exceed the number of arguments
  const steps = events.reduce<number>(
    (most, event) => hasProperty(event, "index") ? Math.max(most, Number(event.index) + 1) : most,
    0
  )
  return { steps, ...last }
}

/** Returns the header that the last process wrote which recorded the run. */
const lastHeaderOf = async (file: NodeFs.promises.FileHandle, size: number): Promise<Header | undefined> => {
  for (let window = first;; window *= 8) {
    const from = Math.max(0, size - window)
    const lines = (await readAt(file, from, size - from)).split("\n")
    for (const line of lines.toReversed()) {
      if (!line.startsWith(headerStart)) continue
      const header = decodeHeader(parse(line))
      if (Exit.isSuccess(header)) return header.value
    }
    if (from === 0 || window >= most) return undefined
  }
}

const number = (value: object, key: string): number | undefined => {
  const field = hasProperty(value, key) ? value[key] : undefined
  return typeof field === "number" && Number.isFinite(field) ? field : undefined
}

/** Returns the time of a line, unless no `Date` can hold it (https://tc39.es/ecma262/#sec-time-values-and-time-range). */
const time = (value: object | undefined): number | undefined => {
  const at = value === undefined ? undefined : number(value, "at")
  return at !== undefined && Math.abs(at) <= 8.64e15 ? at : undefined
}

const outcomeOf = (value: object): Ended | undefined => {
  if (!hasProperty(value, "_tag") || value._tag !== "RunEnded" || !hasProperty(value, "outcome")) return undefined
  const { outcome } = value
  return isEnded(outcome) ? outcome : undefined
}

/** Describes a run that has ended. */
const describe = (
  { durationMillis, hookFailures, pipelineName, runId, runName, startedAt, status, steps }: Omit<Summary, "name">,
  path: string
): Recorded => ({
  path,
  pipelineName,
  runId,
  runName,
  status,
  startedAt: DateTime.makeUnsafe(startedAt),
  duration: Duration.millis(durationMillis),
  steps,
  hookFailures
})

/**
 * Says whether the last process that recorded a run lives; `undefined` where that can't be known. `header` is the first
 * one, which is that of another process where a durable run was continued.
 */
const hasProcess = async (
  file: NodeFs.promises.FileHandle,
  size: number,
  header: Header | undefined
): Promise<boolean | undefined> => {
  const first = header?.process === undefined ? undefined : processLives(header.process)
  if (first !== false) return first
  const last = await lastHeaderOf(file, size)
  return last?.process === undefined ? undefined : processLives(last.process)
}

/** Reads the beginning and the end of a record. Returns `undefined` for a file that is no record of one run. */
const look = async (
  modules: Modules,
  place: string,
  again = false
): Promise<Recorded | Omit<Summary, "name"> | undefined> => {
  const file = await modules.fs.promises.open(place, "r")
  try {
    const stat = await file.stat()
    const { size } = stat
    const mtimeMs = wholeMillis(stat)
    const header = await headerOf(file, size)
    const { pipelineName, runId, runName } = header ?? {}
    if (runId === undefined || pipelineName === undefined || runName === undefined) return undefined
    const last = await lastOf(file, size) ?? {}
    const at = time(last) ?? time(header) ?? mtimeMs
    const startedAt = time(header) ?? at
    const steps = number(last, "steps") ?? 0
    const tag = hasProperty(last, "_tag") ? last._tag : undefined
    const outcome = tag === "RunCrashed" ? "crashed" : outcomeOf(last)
    if (outcome !== undefined) {
      const durationMillis = number(last, "durationMillis") ?? Math.max(0, at - startedAt)
      const hookFailures = outcome === "crashed" ? undefined : number(last, "hookFailures") ?? 0
      return {
        size,
        mtimeMs,
        pipelineName,
        runId,
        runName,
        status: outcome,
        startedAt,
        durationMillis,
        steps,
        hookFailures
      }
    }
    // not effect's clock, which tests replace: files have their times from the machine's clock
    const now = Date.now()
    const open = async (): Promise<"running" | "suspended" | "crashed" | "cutOff"> => {
      if (tag === "RunSuspended") return "suspended"
      return (await hasProcess(file, size, header)) === false
        ? "crashed"
        : now - mtimeMs < abandonedAfter
        ? "running"
        : "cutOff"
    }
    const status = await open()
    // the process may have written the end of the run after that was read, and before it ended
    if (status === "crashed" && !again) return await look(modules, place, true)
    if (status === "crashed") {
      try {
        noteCrash(modules, place, { at: Math.max(at, mtimeMs) })
      } catch {
        // the record of somebody else, say: it is looked at again the next time
      }
    }
    return {
      path: place,
      pipelineName,
      runId,
      runName,
      status,
      startedAt: DateTime.makeUnsafe(startedAt),
      duration: Duration.millis(Math.max(0, (status === "running" ? now : at) - startedAt)),
      steps,
      hookFailures: undefined
    }
  } finally {
    await file.close().catch(() => undefined)
  }
}

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

/** @internal */
export const list = (folder: string, limit: number): Effect.Effect<ReadonlyArray<Recorded>, RecordError> =>
  Effect.gen(function*() {
    const loaded = yield* modules(folder)
    const names = yield* namesIn(loaded, folder)
    let found: ReadonlyArray<Recorded> = []
    const summaries = Math.min(names.length, limit) < few ? undefined : new Summaries(loaded, folder)
    // a file may be no record in spite of its name, so further ones are read until there are enough
    for (let from = 0; from < names.length && found.length < limit;) {
      const to = Math.min(names.length, from + Math.max(limit - found.length, 1))
      found = [...found, ...(yield* lookAll(loaded, folder, names.slice(from, to), summaries))]
      from = to
    }
    summaries?.save(names)
    return found.toSorted((a, b) => DateTime.toEpochMillis(b.startedAt) - DateTime.toEpochMillis(a.startedAt))
  })

/** @internal */
export const find = (folder: string, idOrPrefix: string): Effect.Effect<Recorded, RecordError> =>
  Effect.gen(function*() {
    const loaded = yield* modules(folder)
    const names = (yield* namesIn(loaded, folder)).filter((name) => mayBe(name, idOrPrefix))
    const found = (yield* lookAll(loaded, folder, names)).filter(({ runId }) => runId.startsWith(idOrPrefix))
    const exact = found.find(({ runId }) => runId === idOrPrefix)
    if (exact !== undefined) return exact
    const [only, ...more] = found
    if (only !== undefined && more.length === 0) return only
    return yield* new RecordError({
      path: folder,
      reason: only === undefined
        ? RecordErrorReason.NotFound({ id: idOrPrefix })
        : RecordErrorReason.Ambiguous({ id: idOrPrefix, ids: found.map(({ runId }) => runId) })
    })
  })

/** The limits that decide which records are kept. At least one is set. */
export interface Limits {
  /** How many of the newest runs are within the limit. */
  readonly runs: number | undefined
  /** How long ago a run within the limit began, at most. */
  readonly age: Duration.Duration | undefined
  /** Whether a run is kept within both limits only, or within either of them. */
  readonly within: "both" | "either"
}

/** Checks the limits. Throws a `TypeError` that names the option of the caller that is wrong. */
export const limitsOf = (
  { age, runs, within }: Omit<Limits, "age"> & { readonly age: Duration.Input | undefined },
  names: { readonly runs: string; readonly age: string }
): Limits => {
  if (runs !== undefined && (!Number.isInteger(runs) || runs < 0)) {
    throw new TypeError(`${names.runs} is ${runs} (expected a whole number, 0 or more)`)
  }
  const limit = age === undefined ? undefined : Option.getOrUndefined(Duration.fromInput(age))
  if (age !== undefined && (limit === undefined || Duration.isNegative(limit))) {
    throw new TypeError(`${names.age} is ${String(age)} (expected a duration, 0 or more)`)
  }
  if (runs === undefined && limit === undefined) {
    throw new TypeError(`neither ${names.runs} nor ${names.age} is set (expected one of them, or both)`)
  }
  return { runs, age: limit, within }
}

/** Returns the runs that pruning removes, of all runs, the newest first: never one that is running. */
const prunable = (all: ReadonlyArray<Recorded>, { age, runs, within }: Limits): ReadonlyArray<Recorded> => {
  // not effect's clock: the times of records are the machine's
  const oldest = age === undefined ? undefined : Date.now() - Duration.toMillis(age)
  return all.filter(({ startedAt, status }, i) => {
    const kept = [
      ...(runs === undefined ? [] : [i < runs]),
      ...(oldest === undefined ? [] : [DateTime.toEpochMillis(startedAt) >= oldest])
    ]
    return status !== "running" && !(within === "both" ? kept.every((is) => is) : kept.some((is) => is))
  })
}

/**
 * Whether a run that counts as cut off has a process all the same: one whose thread is blocked, or which goes on after
 * the machine has slept. It would write the rest of the run to a file that is gone.
 */
const isHeld = async ({ fs }: Modules, { path, status }: Recorded): Promise<boolean> => {
  if (status !== "cutOff") return false
  const file = await fs.promises.open(path, "r").catch(() => undefined)
  if (file === undefined) return false
  try {
    const { size } = await file.stat()
    return (await hasProcess(file, size, await headerOf(file, size))) === true
  } catch {
    return false
  } finally {
    await file.close().catch(() => undefined)
  }
}

/** The runs whose records pruning has removed, and the symbolic links among the records, which it leaves alone. */
export interface Pruned {
  readonly removed: ReadonlyArray<Recorded>
  readonly links: ReadonlyArray<string>
}

/** Says that pruning has left a link alone. */
export const leftAlone = (link: string): string =>
  `${link} is a symbolic link, which is not followed, and is left alone`

/** Removes the records of runs beyond the limits, or only returns what it would remove. */
export const prune = (folder: string, limits: Limits, dryRun = false): Effect.Effect<Pruned, RecordError> =>
  Effect.gen(function*() {
    const loaded = yield* modules(folder)
    const { fs, path } = loaded
    // through a link, the files of another folder would be removed
    yield* Effect.try({
      try: () => refuseLinkedFolder(folder),
      catch: (cause) => failure(folder, "remove records in", cause)
    })
    const beyond = prunable(yield* list(folder, Infinity), limits)
    const held = yield* Effect.filter(beyond, (run) => Effect.promise(() => isHeld(loaded, run)))
    const old = beyond.filter((run) => !held.includes(run))
    const remove = ({ path }: Recorded) =>
      Effect.tryPromise({
        try: () => fs.promises.unlink(path),
        catch: (cause) => failure(path, "remove", cause)
      }).pipe(
        Effect.as(true),
        // another process has removed it meanwhile
        Effect.catch((error) =>
          error.reason._tag === "Inaccessible" && error.reason.code === "ENOENT"
            ? Effect.succeed(false)
            : Effect.fail(error)
        )
      )
    const links = (yield* entriesIn(loaded, folder)).flatMap((entry) =>
      entry.isSymbolicLink() && isRecordName(entry.name) ? [path.join(folder, entry.name)] : []
    )
    return { removed: dryRun ? old : yield* Effect.filter(old, remove), links }
  })
