/** The runs recorded in a folder, of each of which no more is read than its beginning and its end. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as NodeFs from "node:fs"
import type { Recorded } from "../../Recorded.ts"
import { RecordError, RecordErrorReason } from "../../RecordError.ts"
import { failure, type Modules, modules } from "./files.ts"
import { abandonedAfter, Header, version } from "./format.ts"
import { isRecordName, mayBe } from "./names.ts"

const decodeHeader = Schema.decodeUnknownExit(Header)

/** Names of records, the newest first. Where there is no folder there are none. */
const namesIn = ({ fs }: Modules, folder: string): Effect.Effect<ReadonlyArray<string>, RecordError> =>
  Effect.tryPromise({
    try: () => fs.promises.readdir(folder),
    catch: (cause) => failure(folder, "read", cause)
  }).pipe(
    Effect.catch((error) =>
      error.reason._tag === "Inaccessible" && error.reason.code === "ENOENT" ? Effect.succeed([]) : Effect.fail(error)
    ),
    Effect.map((names) => names.filter(isRecordName).toSorted().toReversed())
  )

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

/** Of a window that grows until enough is in it. */
const first = 4 * 1024
const most = 16 * 1024 * 1024

const headerOf = async (file: NodeFs.promises.FileHandle, size: number): Promise<Header | undefined> => {
  for (let window = first;; window *= 8) {
    const text = await readAt(file, 0, Math.min(window, size))
    // a first line of which only the beginning was written is followed by another
    for (const line of text.split("\n").slice(0, -1)) {
      const header = decodeHeader(parse(line))
      if (Exit.isSuccess(header)) return header.value.version <= version ? header.value : undefined
      if (line !== "" && !line.startsWith("{\"_tag\":\"Record\"")) return undefined
    }
    if (window >= Math.min(size, most)) return undefined
  }
}

/** The event that was recorded last, or the run's end if that is among the last. */
const lastOf = async (file: NodeFs.promises.FileHandle, size: number): Promise<object | undefined> => {
  for (let window = first;; window *= 8) {
    const from = Math.max(0, size - window)
    const lines = (await readAt(file, from, size - from)).split("\n")
    // the first one need not be whole
    const events = (from > 0 ? lines.slice(1) : lines).map(parse).filter((event) => hasProperty(event, "at"))
    const ended = events.findLast((event) => hasProperty(event, "_tag") && event._tag === "RunEnded")
    const last = ended ?? events.at(-1)
    // steps that outlived their run may have ended after it
    if (last !== undefined && (ended !== undefined || from === 0 || window > first)) return withSteps(last, events)
    if (from === 0 || window >= most) return undefined
  }
}

/** Of a run that goes on, as many steps have begun as the last of them says, by its place. */
const withSteps = (last: object, events: ReadonlyArray<unknown>): object => {
  // not by `Math.max`, which takes no hundred thousand of them
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

/** What can't be read, or is no record, is none. */
const look = async ({ fs, path }: Modules, folder: string, name: string): Promise<Recorded | undefined> => {
  const place = path.join(folder, name)
  let file: NodeFs.promises.FileHandle | undefined
  try {
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
    // the machine's clock, as it is by that that files have their times
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
    // removed meanwhile, say
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
    // a name may be that of no record
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

/** Of all runs, the newest first, those that give way: a run that goes on does not. */
export const prunable = (all: ReadonlyArray<Recorded>, keep: number): ReadonlyArray<Recorded> =>
  all.slice(keep).filter(({ status }) => status !== "running")

/** @internal */
export const prune = (folder: string, keep: number): Effect.Effect<ReadonlyArray<Recorded>, RecordError> =>
  Effect.gen(function*() {
    if (!Number.isInteger(keep) || keep < 0) {
      return yield* Effect.die(new TypeError(`Report.prune: keep is ${keep} (expected a whole number, 0 or more)`))
    }
    const { fs } = yield* modules(folder)
    const old = prunable(yield* list(folder, Infinity), keep)
    return yield* Effect.filter(old, ({ path }) =>
      Effect.tryPromise({
        try: () => fs.promises.unlink(path),
        catch: (cause) => failure(path, "remove", cause)
      }).pipe(
        Effect.as(true),
        // somebody else was faster
        Effect.catch((error) =>
          error.reason._tag === "Inaccessible" && error.reason.code === "ENOENT"
            ? Effect.succeed(false)
            : Effect.fail(error)
        )
      ))
  })
