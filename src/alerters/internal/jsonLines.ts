/** Alerts as lines of a file. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as PlatformError from "effect/PlatformError"
import * as Semaphore from "effect/Semaphore"
import type { Alert } from "../../Alert.ts"
import { AlerterError, AlerterErrorReason } from "../../Alerter.ts"
import { toBriefJson } from "../../internal/alerts/json.ts"
import { anySize, fitAttachments } from "./channel/attachments.ts"
import { fitJson } from "./channel/fitAlert.ts"

const failure = (reason: AlerterErrorReason): AlerterError => new AlerterError({ channel: "file", reason })

/** What another try would not change. */
const final: ReadonlySet<string> = new Set([
  "AlreadyExists",
  "BadArgument",
  "BadResource",
  "InvalidData",
  "PermissionDenied"
])

/** The system's code alone (ENOSPC, say), since its message holds the path. */
const errorOf = ({ reason }: PlatformError.PlatformError): AlerterError => {
  const { cause } = reason
  const named = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined
  const code = typeof named === "string" && /^[A-Z][A-Z0-9_]*$/.test(named) ? named : reason._tag
  return failure(
    final.has(reason._tag)
      ? AlerterErrorReason.Rejected({ detail: code })
      : AlerterErrorReason.Unreachable({ detail: code })
  )
}

/** Undefined where the path is a name alone. */
const folderOf = (path: string): string | undefined => {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"))
  return end <= 0 ? undefined : path.slice(0, end)
}

/** For its owner alone, since errors may tell more than others should read. */
const append = (path: string, line: string): Effect.Effect<void, PlatformError.PlatformError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (files) => {
    const write = files.writeFileString(path, line, { flag: "a", mode: 0o600 })
    const folder = folderOf(path)
    return Effect.catch(write, (error) =>
      // the folder is only made where it is missing: it may have been moved away since the last alert
      error.reason._tag === "NotFound" && folder !== undefined
        ? Effect.andThen(files.makeDirectory(folder, { recursive: true, mode: 0o700 }), write)
        : Effect.fail(error))
  })

/**
 * Whether what is added begins a line. It does not after half a line, as a process that was killed leaves it. What is
 * no file, or can't be read, is not looked at.
 */
const isEnded = (path: string): Effect.Effect<boolean, never, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const { size, type } = yield* files.stat(path)
    if (type !== "File" || size === 0n) return true
    const file = yield* files.open(path, { flag: "r" })
    const last = new Uint8Array(1)
    yield* file.seek(size - 1n, "start")
    return (yield* file.read(last)) === 0 || last[0] === 10
  }).pipe(Effect.scoped, Effect.orElseSucceed(() => true))

/** @internal */
export const make = (
  { maxBytes, path }: { readonly path: string; readonly maxBytes: number }
): (alert: Alert) => Effect.Effect<void, AlerterError, FileSystem.FileSystem> => {
  const lock = Semaphore.makeUnsafe(1)
  // looked at again only after a failure: another process may be in the middle of its line
  let ended = false
  const write = (line: string) =>
    Effect.gen(function*() {
      const begun = ended || (yield* isEnded(path)) ? line : `\n${line}`
      ended = false
      yield* append(path, begun)
      ended = true
    })
  return (alert) => {
    if (!(maxBytes > 0)) {
      return Effect.fail(failure(AlerterErrorReason.Rejected({ detail: "its maxBytes is no number above 0" })))
    }
    const json = fitJson(fitAttachments(alert, anySize), maxBytes - 1, toBriefJson)
    if (json === undefined) {
      return Effect.fail(failure(AlerterErrorReason.InvalidAlert({ detail: `it has more than ${maxBytes} bytes` })))
    }
    // interrupted in the middle, it would leave half a line
    return Effect.mapError(write(`${json}\n`), errorOf).pipe(Effect.uninterruptible, lock.withPermits(1))
  }
}
