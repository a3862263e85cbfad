/**
 * Tells push monitors of Uptime Kuma of runs.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as Layer from "effect/Layer"
import * as variable from "../alerters/internal/channel/config.ts"
import * as monitor from "./internal/monitor.ts"
import * as internal from "./internal/uptimeKuma.ts"
import type { MonitorError } from "./MonitorError.ts"

export type { UptimeKumaOptions } from "./internal/uptimeKuma.ts"

/**
 * Requests the push URL of a monitor of the type "Push"
 * (https://github.com/louislam/uptime-kuma/wiki/API-Documentation#push-monitor): `status=up` when a run has succeeded,
 * `status=down` when it has failed or was interrupted.
 *
 * **Details**
 *
 * - `msg` says how long the run took, and names the steps that failed, in at most 1,000 characters.
 * - `ping` is the duration of the run in milliseconds. It is left empty for a run of more than a day, since Uptime Kuma
 *   refuses more.
 * - That a run has begun is not sent: the monitor would be up for it. With `every`, a run that goes on sends `status=up`,
 *   as the interval of a push monitor is often shorter than a run.
 *
 * @example
 * ```ts
 * import { UptimeKuma } from "effect-epilogue/monitors"
 * import { Redacted } from "effect"
 *
 * const monitor = UptimeKuma.layer({
 *   url: Redacted.make("https://kuma.example.com/api/push/4Gdp9cHeNu7MHZ6P?status=up&msg=OK&ping="),
 *   every: "50 seconds"
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: internal.UptimeKumaOptions): Layer.Layer<never, MonitorError> =>
  monitor.layer(internal.make(options))

/**
 * Like {@link layer}, with the URL from `UPTIME_KUMA_URL`, or the options from a config.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<internal.UptimeKumaOptions> = { url: variable.secret("UPTIME_KUMA_URL") }
): Layer.Layer<never, Config.ConfigError | MonitorError> => variable.layerOf(config, layer)
