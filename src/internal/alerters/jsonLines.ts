/** Alerts as lines of a file. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as PlatformError from "effect/PlatformError"
import type * as Semaphore from "effect/Semaphore"
import type { Alert } from "../../Alert.ts"
import { AlerterError, Reason } from "../../Alerter.ts"
import { toJson } from "../alertJson.ts"
import { fitJson } from "./fitAlert.ts"

const failure = (reason: Reason): AlerterError => new AlerterError({ channel: "file", reason })

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
  return failure(final.has(reason._tag) ? Reason.Rejected({ detail: code }) : Reason.Unreachable({ detail: code }))
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

/** @internal */
export const post = (
  alert: Alert,
  { maxBytes, path }: { readonly path: string; readonly maxBytes: number },
  lock: Semaphore.Semaphore
): Effect.Effect<void, AlerterError, FileSystem.FileSystem> => {
  const json = fitJson(alert, maxBytes - 1, toJson)
  if (json === undefined) {
    return Effect.fail(failure(Reason.InvalidAlert({ detail: `it has more than ${maxBytes} bytes` })))
  }
  // interrupted in the middle, it would leave half a line, to which the next alert would be added
  return Effect.mapError(append(path, `${json}\n`), errorOf).pipe(Effect.uninterruptible, lock.withPermits(1))
}
