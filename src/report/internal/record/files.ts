/**
 * Opens and writes the files of records, synchronously, since an observer can't wait.
 *
 * `node:fs` is loaded when a record is written or read, so that importing this module needs no file system.
 */
import * as Effect from "effect/Effect"
import type * as NodeFs from "node:fs"
import type * as NodePath from "node:path"
import type * as NodeTimers from "node:timers"
import * as privately from "../../../internal/files/private.ts"
import { codeOf } from "../../../internal/files/private.ts"
import { RecordError, RecordErrorReason } from "../../RecordError.ts"
import { headerStart, version } from "./format.ts"

/** @internal */
export interface Modules {
  readonly fs: typeof NodeFs
  readonly path: typeof NodePath
  /** Node's timers, since those of Deno's global scope have no `unref`. */
  readonly timers: typeof NodeTimers
}

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

/** Opens a file for appending, so that several processes may write to it. Makes its folder again if it is gone. */
export const openToAppend = (path: string): number => {
  try {
    return privately.openToAppend(path)
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw cause
    privately.makeFolder(process.getBuiltinModule("node:path").dirname(path))
    return privately.openToAppend(path)
  }
}

/** How often the end of a file is looked at: the line may be one that another process is about to have written. */
const looks = 5

/** Returns whether the file ends with a whole line. A crash or a full disk may have left half of one. */
export const endsLine = (modules: Modules, path: string, fd: number): boolean => {
  for (let look = 1; look < looks; look++) if (endsLineNow(modules, path, fd)) return true
  return endsLineNow(modules, path, fd)
}

const endsLineNow = ({ fs }: Modules, path: string, fd: number): boolean => {
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

/** The first bytes of a file that is read, which has the random id of a recorder in them. */
export type Head = Uint8Array

/** How many bytes of a file tell it from others: a header has less, and the time of the first event follows. */
export const headSize = 512

/** Reads the first bytes of a file. */
export const headOf = async (file: NodeFs.promises.FileHandle): Promise<Head> => {
  const first = new Uint8Array(headSize)
  return first.subarray(0, (await file.read(first, 0, headSize, 0)).bytesRead)
}

/**
 * Returns whether a file has only been appended to since it was read up to `offset`: another one may have its path by now,
 * and it may have been truncated.
 */
export const isAppended = (before: Head, now: Head, offset: number, size: number): boolean =>
  size >= offset && before.every((byte, i) => byte === now[i])

/** More bytes than the beginning of a header and its version. */
const versionEnd = headerStart.length + 20

/**
 * Returns why a file can't be a record that is continued, or `undefined` where it may be one: it is missing or empty, or
 * begins with a header of this version, of which a crash may have left only a part. A file that can't be read counts as
 * one, since it may be writable all the same.
 */
export const whyNoRecord = ({ fs }: Modules, path: string): RecordErrorReason | undefined => {
  try {
    if (!fs.statSync(path).isFile()) return undefined
    const file = fs.openSync(path, "r")
    try {
      const bytes = new Uint8Array(versionEnd)
      const [line = ""] = new TextDecoder().decode(bytes.subarray(0, fs.readSync(file, bytes))).split("\n")
      if (headerStart.startsWith(line)) return undefined
      if (!line.startsWith(headerStart)) return notARecord
      const found = /^(\d+)[,}]/.exec(line.slice(headerStart.length))?.[1]
      return found === undefined || Number(found) === version
        ? undefined
        : RecordErrorReason.OtherVersion({ line: 1, expected: version, found: Number(found) })
    } finally {
      fs.closeSync(file)
    }
  } catch {
    return undefined
  }
}

const notARecord = RecordErrorReason.NotARecord({ line: 1, expected: `a line that begins with ${headerStart}` })

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
