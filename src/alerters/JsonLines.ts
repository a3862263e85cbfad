/**
 * Alerts in a file, one a line, as JSON.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { Alerter } from "../Alerter.ts"
import * as internal from "./internal/jsonLines.ts"

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
  return Alerter.layer(internal.make({ path, maxBytes }), { channel: "file" })
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
