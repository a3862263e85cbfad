/**
 * Opens and writes the files of records, synchronously, since an observer can't wait.
 *
 * `node:fs` is loaded when a record is written or read, so that importing this module needs no file system.
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
  /** Node's timers, since those of Deno's global scope have no `unref`. */
  readonly timers: typeof NodeTimers
}

/** Returns the code of a system error, such as ENOSPC: its message would repeat the path. */
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
    // `getBuiltinModule` is typed as if it never returned undefined
    try: () => ({
      fs: process.getBuiltinModule("node:fs"),
      path: process.getBuiltinModule("node:path"),
      timers: process.getBuiltinModule("node:timers")
    }),
    catch: () => new Error("node:fs is missing: it needs Bun, Deno, or Node 22.19 or later")
  }).pipe(Effect.mapError((cause) => failure(path, "load node:fs for", cause)))

/** For the owner alone, since parameters and causes may hold what other users of the machine should not read. */
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

/** Makes a folder and its parents. `recursive` is not used: with it, Node loops forever in places such as `/proc`. */
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
      // another process has made it meanwhile
      if (codeOf(cause) !== "EEXIST") throw cause
    }
  }
}

/** Opens a file for appending, so that several processes may write to it. */
export const openToAppend = (modules: Modules, path: string): number =>
  retried(modules, path, () => modules.fs.openSync(path, "a", fileMode))

/** Returns whether the file ends with a whole line. A crash or a full disk may have left half of one. */
export const endsLine = ({ fs }: Modules, path: string, fd: number): boolean => {
  const stat = fs.fstatSync(fd)
  if (!stat.isFile() || stat.size === 0) return true
  // a descriptor that is open for appending can't be read from
  let reading: number
  try {
    reading = fs.openSync(path, "r")
  } catch {
    // an empty line is harmless, and a torn one is lost
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
 * Returns whether a file may be a record: it is missing or empty, or begins with a header, of which a crash may have
 * left only a part. A file that can't be read counts as one, since it may be writable all the same.
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

/**
 * Writes the bytes in one call, so that lines of several processes do not mix. If the system takes only a part, writes
 * the rest and calls `onPart` before: should that fail, the file ends with half a line.
 */
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
