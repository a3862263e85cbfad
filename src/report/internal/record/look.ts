/** Looks at one record, of which it reads only the beginning and the end. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as NodeFs from "node:fs"
import type { Recorded } from "../../Recorded.ts"
import { noteCrash, processLives } from "./crash.ts"
import type { Modules } from "./files.ts"
import { abandonedAfter, Header, headerStart, version } from "./format.ts"
import { type Ended, isEnded, type Summary, wholeMillis } from "./summaries.ts"

/** @internal */
export const decodeHeader = Schema.decodeUnknownExit(Header)

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

/** @internal */
export const parse = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** How many bytes are read first. The window grows until it has whole lines with what is looked for. */
const first = 4 * 1024

/** How many bytes are read at most. A record whose header ends later is none. */
export const mostWindow: number = 16 * 1024 * 1024

const headerOf = async (file: NodeFs.promises.FileHandle, size: number): Promise<Header | undefined> => {
  for (let window = first;; window *= 8) {
    const text = await readAt(file, 0, Math.min(window, size))
    // a header of which a crash left only the beginning is followed by a whole one
    for (const line of text.split("\n").slice(0, -1)) {
      const header = decodeHeader(parse(line))
      if (Exit.isSuccess(header)) return header.value.version === version ? header.value : undefined
      if (line !== "" && !line.startsWith("{\"_tag\":\"Record\"")) return undefined
    }
    if (window >= Math.min(size, mostWindow)) return undefined
  }
}

/** Returns the end of the run if it is among the last events, and the last event otherwise. */
const lastOf = async (file: NodeFs.promises.FileHandle, size: number): Promise<object | undefined> => {
  for (let window = first;; window *= 8) {
    const from = Math.max(0, size - window)
    const lines = (await readAt(file, from, size - from)).split("\n")
    // the window may begin in the middle of a line
    const events = (from > 0 ? lines.slice(1) : lines).map(parse).filter((event) => hasProperty(event, "at"))
      .filter((event) => !isOfAlert(event))
    const is = (tag: string) => (event: unknown) => hasProperty(event, "_tag") && event._tag === tag
    // a durable run that is retried begins anew in the same file
    const ended = events.slice(events.findLastIndex(is("RunStarted")) + 1).findLast(is("RunEnded"))
    const last = ended ?? events.at(-1)
    // Steps that outlived their run may have ended after it, so one larger window is read before the end counts as
    // missing.
    if (last !== undefined && (ended !== undefined || from === 0 || window > first)) return withSteps(last, events)
    if (from === 0 || window >= mostWindow) return undefined
  }
}

/** Whether a line tells of an alert, of which any number may follow the end of the run. It says nothing of the run. */
export const isOfAlert = (line: unknown): boolean => hasProperty(line, "_tag") && line._tag === "AlertPosted"

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
    if (from === 0 || window >= mostWindow) return undefined
  }
}

/** @internal */
export const number = (value: object, key: string): number | undefined => {
  const field = hasProperty(value, key) ? value[key] : undefined
  return typeof field === "number" && Number.isFinite(field) ? field : undefined
}

/** Returns the time of a line, unless no `Date` can hold it (https://tc39.es/ecma262/#sec-time-values-and-time-range). */
export const time = (value: object | undefined): number | undefined => {
  const at = value === undefined ? undefined : number(value, "at")
  return at !== undefined && Math.abs(at) <= 8.64e15 ? at : undefined
}

/** @internal */
export const outcomeOf = (value: object): Ended | undefined => {
  if (!hasProperty(value, "_tag") || value._tag !== "RunEnded" || !hasProperty(value, "outcome")) return undefined
  const { outcome } = value
  return isEnded(outcome) ? outcome : undefined
}

/** Describes a run that has ended. */
export const describe = (
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
export const look = async (
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
 * Whether a run that counts as cut off has a process all the same: one whose thread is blocked, or which goes on after
 * the machine has slept. It would write the rest of the run to a file that is gone.
 */
export const isHeld = async ({ fs }: Modules, { path, status }: Recorded): Promise<boolean> => {
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
