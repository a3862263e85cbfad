/**
 * Tells heartbeats of Better Stack of runs.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as Layer from "effect/Layer"
import * as variable from "../alerters/internal/channel/config.ts"
import * as internal from "./internal/betterStack.ts"
import * as monitor from "./internal/monitor.ts"
import type { MonitorError } from "./MonitorError.ts"

export type { BetterStackOptions } from "./internal/betterStack.ts"

/**
 * Requests the URL of a heartbeat (https://betterstack.com/docs/uptime/cron-and-heartbeat-monitor/) when a run has
 * succeeded, and `/fail` when it has failed or was interrupted.
 *
 * **Details**
 *
 * - The body says how long the run took, names the steps that failed, and shows the error and the last lines of the log,
 *   in at most 10,000 bytes.
 * - Where a supervised process crashes, `epilogue run` sends its exit code (`/137`), or `/fail` with the signal.
 * - A heartbeat knows no start: that a run has begun is not sent. With `every`, a run that goes on requests the URL, so
 *   that the heartbeat is not missed meanwhile.
 *
 * @example
 * ```ts
 * import { BetterStack } from "effect-epilogue/monitors"
 * import { Redacted } from "effect"
 *
 * const monitor = BetterStack.layer({
 *   url: Redacted.make("https://uptime.betterstack.com/api/v1/heartbeat/Xn3vQ7kTz1")
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: internal.BetterStackOptions): Layer.Layer<never, MonitorError> =>
  monitor.layer(internal.make(options))

/**
 * Like {@link layer}, with the URL from `BETTER_STACK_URL`, or the options from a config.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<internal.BetterStackOptions> = { url: variable.secret("BETTER_STACK_URL") }
): Layer.Layer<never, Config.ConfigError | MonitorError> => variable.layerOf(config, layer)
