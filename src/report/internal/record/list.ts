/** Lists the runs recorded in a folder. Reads only the beginning and the end of each file. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as NodeFs from "node:fs"
import { refuseLinkedFolder } from "../../../internal/files/private.ts"
import type { Recorded } from "../../Recorded.ts"
import { RecordError, RecordErrorReason } from "../../RecordError.ts"
import { failure, type Modules, modules } from "./files.ts"
import { abandonedAfter, Header, version } from "./format.ts"
import { isRecordName, mayBe, recordNames } from "./names.ts"

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
      if (Exit.isSuccess(header)) return header.value.version <= version ? header.value : undefined
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
    const ended = events.findLast((event) => hasProperty(event, "_tag") && event._tag === "RunEnded")
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

const number = (value: object, key: string): number | undefined => {
  const field = hasProperty(value, key) ? value[key] : undefined
  return typeof field === "number" && Number.isFinite(field) ? field : undefined
}

const outcomeOf = (value: object): "success" | "failure" | "interrupt" | undefined => {
  if (!hasProperty(value, "_tag") || value._tag !== "RunEnded" || !hasProperty(value, "outcome")) return undefined
  const { outcome } = value
  return outcome === "success" || outcome === "failure" || outcome === "interrupt" ? outcome : undefined
}

/** Reads the summary of a run, or returns `undefined` for a file that can't be read or is no record of one run. */
const look = async ({ fs, path }: Modules, folder: string, name: string): Promise<Recorded | undefined> => {
  const place = path.join(folder, name)
  let file: NodeFs.promises.FileHandle | undefined
  try {
    // to open a pipe waits until somebody writes to it
    if (!(await fs.promises.stat(place)).isFile()) return undefined
    file = await fs.promises.open(place, "r")
    const { mtimeMs, size } = await file.stat()
    const header = await headerOf(file, size)
    if (header?.runId === undefined || header.pipelineName === undefined || header.runName === undefined) {
      return undefined
    }
    const last = await lastOf(file, size) ?? {}
    const at = number(last, "at") ?? header.at ?? mtimeMs
    const startedAt = header.at ?? at
    const outcome = outcomeOf(last)
    // not effect's clock, which tests replace: files have their times from the machine's clock
    const now = Date.now()
    const alive = now - mtimeMs < abandonedAfter
    return {
      path: place,
      pipelineName: header.pipelineName,
      runId: header.runId,
      runName: header.runName,
      status: outcome ?? (alive ? "running" : "cutOff"),
      startedAt: DateTime.makeUnsafe(startedAt),
      duration: Duration.millis(
        outcome === undefined
          ? Math.max(0, (alive ? now : at) - startedAt)
          : number(last, "durationMillis") ?? Math.max(0, at - startedAt)
      ),
      steps: number(last, "steps") ?? 0,
      hookFailures: outcome === undefined ? undefined : number(last, "hookFailures") ?? 0
    }
  } catch {
    // the file was removed meanwhile, say
    return undefined
  } finally {
    await file?.close().catch(() => undefined)
  }
}

const lookAll = (
  modules: Modules,
  folder: string,
  names: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Recorded>> =>
  Effect.map(
    Effect.forEach(names, (name) => Effect.promise(() => look(modules, folder, name)), { concurrency: 16 }),
    (all) => all.filter((one) => one !== undefined)
  )

/** @internal */
export const list = (folder: string, limit: number): Effect.Effect<ReadonlyArray<Recorded>, RecordError> =>
  Effect.gen(function*() {
    const loaded = yield* modules(folder)
    const names = yield* namesIn(loaded, folder)
    const found: Array<Recorded> = []
    // a file may be no record in spite of its name, so further ones are read until there are enough
    for (let from = 0; from < names.length && found.length < limit;) {
      const to = Math.min(names.length, from + Math.max(limit - found.length, 1))
      found.push(...(yield* lookAll(loaded, folder, names.slice(from, to))))
      from = to
    }
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

/** Returns the runs that pruning removes, of all runs, the newest first: never one that is running. */
const prunable = (all: ReadonlyArray<Recorded>, keep: number): ReadonlyArray<Recorded> =>
  all.slice(keep).filter(({ status }) => status !== "running")

/** The runs whose records pruning has removed, and the symbolic links among the records, which it leaves alone. */
export interface Pruned {
  readonly removed: ReadonlyArray<Recorded>
  readonly links: ReadonlyArray<string>
}

/** Says that pruning has left a link alone. */
export const leftAlone = (link: string): string =>
  `${link} is a symbolic link, which is not followed, and is left alone`

/** Removes the records of all but the newest runs, or only returns what it would remove. */
export const prune = (folder: string, keep: number, dryRun = false): Effect.Effect<Pruned, RecordError> =>
  Effect.gen(function*() {
    if (!Number.isInteger(keep) || keep < 0) {
      return yield* Effect.die(new TypeError(`Report.prune: keep is ${keep} (expected a whole number, 0 or more)`))
    }
    const loaded = yield* modules(folder)
    const { fs, path } = loaded
    // through a link, the files of another folder would be removed
    yield* Effect.try({
      try: () => refuseLinkedFolder(folder),
      catch: (cause) => failure(folder, "remove records in", cause)
    })
    const old = prunable(yield* list(folder, Infinity), keep)
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
