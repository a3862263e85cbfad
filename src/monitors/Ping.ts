/**
 * Tells anything that has an address of runs.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as Layer from "effect/Layer"
import * as variable from "../alerters/internal/channel/config.ts"
import * as monitor from "./internal/monitor.ts"
import * as internal from "./internal/request.ts"
import type { MonitorError } from "./MonitorError.ts"

export type { PingOptions } from "./internal/request.ts"

/**
 * Requests an address of its own for each move of a run.
 *
 * **When to use**
 *
 * For services that have no module here: most have an address that is requested on success, and many another one for
 * failures.
 *
 * **Details**
 *
 * The body of a `POST` says how long the run took, names the steps that failed, and shows the error and the last lines of
 * the log, in at most 10,000 bytes. An answer with a status of 2xx means that the ping has arrived.
 *
 * @example
 * ```ts
 * import { Ping } from "effect-epilogue/monitors"
 * import { Redacted } from "effect"
 *
 * const monitor = Ping.layer({
 *   success: Redacted.make("https://watch.example.com/jobs/41/done?key=Xn3vQ7kTz1"),
 *   failure: Redacted.make("https://watch.example.com/jobs/41/failed?key=Xn3vQ7kTz1"),
 *   method: "POST"
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: internal.PingOptions): Layer.Layer<never, MonitorError> =>
  monitor.layer(internal.make(options))

/**
 * Like {@link layer}, with the address for a success from `PING_URL` and, if they are set, those for a start from
 * `PING_START_URL` and for a failure from `PING_FAILURE_URL`; or the options from a config.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (config: Config.Wrap<internal.PingOptions> = fromEnvironment): Layer.Layer<
  never,
  Config.ConfigError | MonitorError
> => variable.layerOf(config, layer)

const fromEnvironment: Config.Wrap<internal.PingOptions> = {
  success: variable.secret("PING_URL"),
  start: variable.optionalSecret("PING_START_URL"),
  failure: variable.optionalSecret("PING_FAILURE_URL")
}
