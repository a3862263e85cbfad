/**
 * Files, as a record needs them: written at once, since an observer can't wait, and read piece by piece.
 *
 * `node:fs` is loaded when a record is made or read, so that whoever imports the module for something else needs none.
 */
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type * as NodeFs from "node:fs"
import type * as NodePath from "node:path"
import type * as NodeTimers from "node:timers"
import { RecordError, RecordErrorReason } from "../../RecordError.ts"
import { headerStart } from "./format.ts"

/** @internal */
export interface Modules {
  readonly fs: typeof NodeFs
  readonly path: typeof NodePath
  /** Since not all runtimes have timers of their own that keep no process alive. */
  readonly timers: typeof NodeTimers
}

/** The system's own, as in ENOSPC. Its message has the path a second time. */
export const codeOf = (cause: unknown): string =>
  hasProperty(cause, "code") && typeof cause.code === "string"
    ? cause.code
    : cause instanceof Error
    ? cause.message
    : String(cause)

/** @internal */
export const failure = (path: string, operation: string, cause: unknown): RecordError =>
  new RecordError({ path, reason: RecordErrorReason.Inaccessible({ operation, code: codeOf(cause) }) })

/** @internal */
export const modules = (path: string): Effect.Effect<Modules, RecordError> =>
  Effect.try({
    // typed as if they were there always
    try: () => ({
      fs: process.getBuiltinModule("node:fs"),
      path: process.getBuiltinModule("node:path"),
      timers: process.getBuiltinModule("node:timers")
    }),
    catch: () => new Error("node:fs is missing: it needs Bun, Deno, or Node 22.19 or later")
  }).pipe(Effect.mapError((cause) => failure(path, "load node:fs for", cause)))

/** For its owner alone, since parameters and causes may tell more than others should read. */
const fileMode = 0o600
const folderMode = 0o700

const retried = (modules: Modules, path: string, open: () => number): number => {
  try {
    return open()
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw cause
    makeFolder(modules, modules.path.dirname(path))
    return open()
  }
}

/** Not by `recursive`, with which Node never ends where nothing can be made, as in `/proc`. */
export const makeFolder = (modules: Modules, folder: string): void => {
  const { fs, path } = modules
  const make = () => fs.mkdirSync(folder, { mode: folderMode })
  try {
    make()
  } catch (cause) {
    const code = codeOf(cause)
    if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return
    if (code !== "ENOENT" || path.dirname(folder) === folder) throw cause
    makeFolder(modules, path.dirname(folder))
    try {
      make()
    } catch (cause) {
      // somebody else was faster
      if (codeOf(cause) !== "EEXIST") throw cause
    }
  }
}

/** To append only, whoever else does so. */
export const openToAppend = (modules: Modules, path: string): number =>
  retried(modules, path, () => modules.fs.openSync(path, "a", fileMode))

/** Whether what is added begins a line. It does not after half a line, as a crash or a full disk leaves it. */
export const endsLine = ({ fs }: Modules, path: string, fd: number): boolean => {
  const stat = fs.fstatSync(fd)
  if (!stat.isFile() || stat.size === 0) return true
  // what is open to append can't be read
  let reading: number
  try {
    reading = fs.openSync(path, "r")
  } catch {
    // better an empty line than a torn one
    return false
  }
  try {
    const last = new Uint8Array(1)
    return fs.readSync(reading, last, 0, 1, stat.size - 1) === 1 && last[0] === newline
  } finally {
    fs.closeSync(reading)
  }
}

/**
 * Whether a file is empty, is not there, or begins as a record does, of which a crash may have left the beginning. What
 * can't be read is taken for one: it may be allowed to be written to all the same.
 */
export const mayBeRecord = ({ fs }: Modules, path: string): boolean => {
  try {
    if (!fs.statSync(path).isFile()) return true
    const file = fs.openSync(path, "r")
    try {
      const bytes = new Uint8Array(headerStart.length)
      const [line = ""] = new TextDecoder().decode(bytes.subarray(0, fs.readSync(file, bytes))).split("\n")
      return headerStart.startsWith(line)
    } finally {
      fs.closeSync(file)
    }
  } catch {
    return true
  }
}

/** @internal */
export const newline = 10

/** In one write, unless the system takes but a part of it. `onPart` is told when something is in the file. */
export const writeAll = (
  { fs }: Modules,
  fd: number,
  { bytes, length }: { readonly bytes: Uint8Array; readonly length: number },
  onPart: () => void
): void => {
  let written = fs.writeSync(fd, bytes, 0, length)
  while (written < length) {
    onPart()
    written += fs.writeSync(fd, bytes, written, length - written)
  }
}
