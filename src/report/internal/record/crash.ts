/** Notes in the record of a run that its process ended before the run did. */
import { identifyQuietly, lives } from "../../../internal/files/identity.ts"
import { openExisting } from "../../../internal/files/private.ts"
import type { EventJson } from "../events/eventJson.ts"
import { endsLine, type Modules, writeAll } from "./files.ts"
import type { ProcessJson, RunNames } from "./format.ts"
import { existing } from "./names.ts"

/** How a process ended, as far as it is known. */
export interface Crash {
  /** In milliseconds since 1970. */
  readonly at: number
  readonly signal?: string | undefined
  readonly exitCode?: number | undefined
}

/** Says whether a process lives; `undefined` where that can't be known, as of one on another machine. */
export const processLives = (process: ProcessJson): boolean | undefined => {
  const own = identifyQuietly()
  if (own === undefined) return undefined
  const { namespace, pid, start, system } = process
  if (pid === own.pid && start === own.start && system === own.system && namespace === own.namespace) return true
  return lives({ ...process, thread: 0 }, { ...own, thread: 0 })
}

/**
 * Adds the end to a record. `run` is given for a file of several runs. Throws a system error, also where the record was
 * removed meanwhile.
 */
export const noteCrash = (modules: Modules, path: string, crash: Crash, run?: RunNames): void => {
  const { at, exitCode, signal } = crash
  const line = JSON.stringify({
    _tag: "RunCrashed",
    ...(run === undefined ? {} : { pipelineName: run.pipelineName, runId: run.runId, runName: run.runName }),
    at,
    ...(signal === undefined ? {} : { signal }),
    ...(exitCode === undefined ? {} : { exitCode })
  })
  append(modules, path, line)
}

/** Adds a line to a record. Throws a system error, also where the record was removed meanwhile. */
const append = (modules: Modules, path: string, line: string): void => {
  const fd = openExisting(path)
  try {
    const bytes = new TextEncoder().encode(`${endsLine(modules, path, fd) ? "" : "\n"}${line}\n`)
    writeAll(modules, fd, { bytes, length: bytes.length }, () => {})
  } finally {
    modules.fs.closeSync(fd)
  }
}

/** The place to which a process recorded its runs: one file, or a folder with a file for each run. */
export interface RecordPlace {
  readonly path: string
  readonly isFile: boolean
}

const pathOf = (modules: Modules, place: RecordPlace, run: RunNames): string | undefined => {
  if (place.isFile) return place.path
  const name = existing(modules, place.path, run)
  return name === undefined ? undefined : modules.path.join(place.path, name)
}

/** Adds the end to the record of a run that another process recorded. Does nothing where that has none. */
export const noteCrashOf = (modules: Modules, place: RecordPlace, run: RunNames, crash: Crash): void => {
  const path = pathOf(modules, place, run)
  if (path !== undefined) noteCrash(modules, path, crash, place.isFile ? run : undefined)
}

/** Adds an event to the record of a run that another process recorded. Does nothing where that has none. */
export const noteEvent = (modules: Modules, place: RecordPlace, event: EventJson): void => {
  const path = pathOf(modules, place, event)
  if (path !== undefined) append(modules, path, JSON.stringify(event))
}
