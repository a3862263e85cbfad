/**
 * Appends alerts to a file, as lines of JSON.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as PlatformError from "effect/PlatformError"
import * as Semaphore from "effect/Semaphore"
import type { Alert } from "../Alert.ts"
import { Alerter, AlerterError, AlerterErrorReason } from "../Alerter.ts"
import { toBriefJson } from "../internal/alerts/json.ts"
import { CurrentWords } from "../internal/alerts/words.ts"
import { hasReader, LinkError, makeOwnFolderOf } from "../internal/files/private.ts"
import { checked, type Known, numberMistakes, text } from "../internal/model/options.ts"
import { anySize, fitAttachments } from "./internal/channel/attachments.ts"
import * as variable from "./internal/channel/config.ts"
import { fitJson } from "./internal/channel/fitAlert.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface JsonLinesOptions {
  /** The path of the file. A missing file or folder is created, readable by its owner only. */
  readonly path: string
  /** The longest line, in bytes. 512 KiB unless set, which the runtimes write in one piece. */
  readonly maxBytes?: number | undefined
}

/**
 * Appends each alert to a file (https://jsonlines.org), with effect's `FileSystem`, such as
 * `NodeFileSystem.layer` of `@effect/platform-node`.
 *
 * **Details**
 *
 * Each line is written in one piece, so the lines of several processes do not mix. If a killed
 * process or a full disk left half a line, the next alert begins on a new one. An alert that is
 * longer than `maxBytes` is shortened, its detail first.
 *
 * A line has `title`, `severity`, `fields` (a list of `name` and `value`), `tags`, and `at` as
 * ISO 8601; and if the alert has them, `body`, `detail`, `dedupeKey`, `idempotencyKey`, `source`,
 * `url`, `actions` (the `label` and `url` of each) and `attachments` (the `name`, `mediaType` and
 * `size` of each, in bytes, without the content).
 *
 * **Gotchas**
 *
 * A repeated post adds another line, with the same `idempotencyKey`.
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
export const layer = (options: JsonLinesOptions): Layer.Layer<Alerter, never, FileSystem.FileSystem> =>
  Layer.suspend(() => {
    const { maxBytes = 512 * 1024, path } = checked("file", options, known)
    return Alerter.layer(make({ path, maxBytes }), { channel: "file" })
  })

const known: Known<JsonLinesOptions> = {
  path: text,
  maxBytes: (what, value) => numberMistakes(what, value, "above 0")
}

/**
 * Like {@link layer}, with the path from `ALERT_FILE`, or the options from a config.
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
  config: Config.Wrap<JsonLinesOptions> = { path: variable.text("ALERT_FILE") }
): Layer.Layer<Alerter, Config.ConfigError, FileSystem.FileSystem> => variable.layerOf(config, layer)

// -----------------------------------------------------------------------------
// writing
// -----------------------------------------------------------------------------

const failure = (reason: AlerterErrorReason): AlerterError => new AlerterError({ channel: "file", reason })

/** The errors that another attempt would not change. */
const permanent: ReadonlySet<string> = new Set([
  "AlreadyExists",
  "BadArgument",
  "BadResource",
  "InvalidData",
  "PermissionDenied"
])

/** Takes the system's code alone (ENOSPC, say): its message contains the path, which may be private. */
const errorOf = ({ reason }: PlatformError.PlatformError): AlerterError => {
  const { cause } = reason
  const named = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined
  const code = typeof named === "string" && /^[A-Z][A-Z0-9_]*$/.test(named) ? named : reason._tag
  return failure(
    permanent.has(reason._tag)
      ? AlerterErrorReason.Rejected({ detail: code })
      : AlerterErrorReason.Unreachable({ detail: code })
  )
}

/** Returns the folder of a path, or `undefined` if the path is a mere name. */
const folderOf = (path: string): string | undefined => {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"))
  return end <= 0 ? undefined : path.slice(0, end)
}

/** Appends a line. A new file is readable by its owner only, since errors may contain private data. */
const append = (path: string, line: string): Effect.Effect<void, PlatformError.PlatformError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (files) => {
    const write = files.writeFileString(path, line, { flag: "a", mode: 0o600 })
    const folder = folderOf(path)
    return Effect.catch(write, (error) =>
      // tried again after each such error: the folder may have been moved away since the last alert
      error.reason._tag === "NotFound" && folder !== undefined
        ? Effect.andThen(files.makeDirectory(folder, { recursive: true, mode: 0o700 }), write)
        : Effect.fail(error))
  })

/** Makes a folder of the library private. Of the errors only that of a link counts: to write the file says more about others. */
const protect = (path: string): Effect.Effect<void, AlerterError> =>
  Effect.suspend(() => {
    try {
      makeOwnFolderOf(path)
    } catch (cause) {
      if (cause instanceof LinkError) {
        return Effect.fail(failure(AlerterErrorReason.Rejected({ detail: cause.message })))
      }
    }
    return Effect.void
  })

/** Tells what a line is appended to: a file that ends in the middle of a line is torn. */
type Place = "file" | "torn" | "pipe"

/**
 * Returns what is there. A killed process may have left half a line, to which the next one would be glued. What is
 * neither a file nor a pipe, or can't be read, counts as a file that is not torn.
 */
const placeOf = (path: string): Effect.Effect<Place, never, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const { size, type } = yield* files.stat(path)
    if (type === "FIFO") return "pipe"
    if (type !== "File" || size === 0n) return "file"
    const file = yield* files.open(path, { flag: "r" })
    const last = new Uint8Array(1)
    yield* file.seek(size - 1n, "start")
    return (yield* file.read(last)) === 0 || last[0] === 10 ? "file" : "torn"
  }).pipe(Effect.scoped, Effect.orElseSucceed((): Place => "file"))

/** Returns the function that appends an alert to the file. */
const make = (
  { maxBytes, path }: { readonly path: string; readonly maxBytes: number }
): (alert: Alert) => Effect.Effect<void, AlerterError, FileSystem.FileSystem> => {
  const lock = Semaphore.makeUnsafe(1)
  // checked at the beginning and after a failure only: at other times another process may be in the middle of its line
  let place: Place | undefined
  const write = (line: string) =>
    Effect.gen(function*() {
      if (place === undefined) yield* protect(path)
      const known = place ?? (yield* placeOf(path))
      place = undefined
      // neither the post nor the process would end
      if (known === "pipe" && !hasReader(path)) {
        return yield* failure(AlerterErrorReason.Unreachable({ detail: "it is a pipe that nobody reads" }))
      }
      yield* Effect.mapError(append(path, known === "torn" ? `\n${line}` : line), errorOf)
      place = known === "torn" ? "file" : known
    })
  return (alert) => {
    return Effect.flatMap(CurrentWords, (words) => {
      const json = fitJson(fitAttachments(alert, anySize, words), maxBytes - 1, toBriefJson, words)
      if (json === undefined) {
        return Effect.fail(failure(AlerterErrorReason.InvalidAlert({ detail: `it has more than ${maxBytes} bytes` })))
      }
      // an interruption in the middle would leave half a line
      return write(`${json}\n`).pipe(Effect.uninterruptible, lock.withPermits(1))
    })
  }
}
