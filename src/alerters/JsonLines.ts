/**
 * Alerts in a file, one a line, as JSON.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as PlatformError from "effect/PlatformError"
import * as Semaphore from "effect/Semaphore"
import type { Alert } from "../Alert.ts"
import { Alerter, AlerterError, AlerterErrorReason } from "../Alerter.ts"
import { toBriefJson } from "../internal/alerts/json.ts"
import { anySize, fitAttachments } from "./internal/channel/attachments.ts"
import { fitJson } from "./internal/channel/fitAlert.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface JsonLinesOptions {
  /** The file. Where it is missing it is made, and its folder, to be read by nobody else. */
  readonly path: string
  /** How long a line may be. 512 KiB unless set, which runtimes write at once. */
  readonly maxBytes?: number | undefined
}

/**
 * Appends each alert to a file (https://jsonlines.org), with effect's `FileSystem`,
 * such as `NodeFileSystem.layer` of `@effect/platform-node`. A line is written at once,
 * so that those of several processes do not mix. After half a line, as a process that
 * was killed or a full disk leaves it, the next one begins anew. Of a line longer than
 * `maxBytes` as much is left out as need be, of the detail first.
 *
 * A line has `title`, `severity`, `fields` (a list of `name` and `value`) and `tags`,
 * `at` as ISO 8601, and where the alert has them `body`, `detail`, `dedupeKey`,
 * `idempotencyKey`, `source` and `attachments`: of each its `name`, `mediaType` and
 * `size` in bytes, and not its content. A post that is repeated is a line more, with the same
 * `idempotencyKey`.
 *
 * @example
 * ```ts
 * import { JsonLines } from "effect-epilogue/alerters"
 * import type { Alerter } from "effect-epilogue"
 * import type { FileSystem, Layer } from "effect"
 *
 * const alerter: Layer.Layer<Alerter, never, FileSystem.FileSystem> = JsonLines.layer({
 *   path: "/var/log/etl/alerts.jsonl"
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: JsonLinesOptions): Layer.Layer<Alerter, never, FileSystem.FileSystem> => {
  const { maxBytes = 512 * 1024, path } = options
  return Alerter.layer(make({ path, maxBytes }), { channel: "file" })
}

/**
 * {@link layer} with the path from `ALERT_FILE`, or from the config given.
 *
 * @example
 * ```ts
 * import { JsonLines } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = JsonLines.layerConfig()
 * const ofTeam = JsonLines.layerConfig({ path: Config.String("TEAM_ALERTS") })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<JsonLinesOptions> = { path: Config.String("ALERT_FILE") }
): Layer.Layer<Alerter, Config.ConfigError, FileSystem.FileSystem> =>
  Layer.unwrap(Effect.map(Config.unwrap(config), layer))

// -----------------------------------------------------------------------------
// writing
// -----------------------------------------------------------------------------

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

/** Returns what writes each alert as a line of the file. */
const make = (
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
