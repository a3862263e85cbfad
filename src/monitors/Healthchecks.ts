/**
 * Tells Healthchecks.io of runs, or a server of one's own with the same API.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as Layer from "effect/Layer"
import * as variable from "../alerters/internal/channel/config.ts"
import * as internal from "./internal/healthchecks.ts"
import * as monitor from "./internal/monitor.ts"
import type { MonitorError } from "./MonitorError.ts"

export type { HealthchecksOptions } from "./internal/healthchecks.ts"

/**
 * Pings a check of Healthchecks.io (https://healthchecks.io/docs/http_api/): `/start` when a run begins, the URL itself
 * when it has succeeded, and `/fail` when it has failed or was interrupted.
 *
 * **Details**
 *
 * - The id of the run is the `rid` of its pings, so that runs which overlap are told apart. An id that is no UUID, as
 *   that of a durable run, becomes one.
 * - The body says how long the run took, names the steps that failed, and shows the error and the last lines of the log.
 *   It has as many bytes as the server says that it keeps (`Ping-Body-Limit`), 10,000 before it has said so.
 * - Where a supervised process crashes, `epilogue run` sends its exit code (`/137`), or `/fail` with the signal.
 * - With `every`, a run that goes on sends `/start` again, which begins the grace time of the check anew.
 * - It sends 10 pings a minute, more than which the hosted service may drop.
 *
 * **Gotchas**
 *
 * Healthchecks.io measures a run from its last `/start`: with `every` it shows the time since the last heartbeat. The
 * body has the duration of the whole run.
 *
 * @example
 * ```ts
 * import { Pipeline, Step } from "effect-epilogue"
 * import { Healthchecks } from "effect-epilogue/monitors"
 * import { Effect, Redacted } from "effect"
 *
 * const nightly = Pipeline.make("nightly", Step.make("load", Effect.void))
 *
 * const main = Effect.provide(
 *   nightly,
 *   Healthchecks.layer({
 *     url: Redacted.make("https://hc-ping.com/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"),
 *     every: "10 minutes"
 *   })
 * )
 * ```
 *
 * @see {@link layerConfig} to read the URL from the environment
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: internal.HealthchecksOptions): Layer.Layer<never, MonitorError> =>
  monitor.layer(internal.make(options))

/**
 * Like {@link layer}, with the URL from `HEALTHCHECKS_URL`, or the options from a config.
 *
 * @example
 * ```ts
 * import { Healthchecks } from "effect-epilogue/monitors"
 * import { Config } from "effect"
 *
 * const monitor = Healthchecks.layerConfig()
 * const ofTeam = Healthchecks.layerConfig({ url: Config.Redacted("TEAM_CHECK"), pipeline: Config.String("PIPELINE") })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<internal.HealthchecksOptions> = { url: variable.secret("HEALTHCHECKS_URL") }
): Layer.Layer<never, Config.ConfigError | MonitorError> => variable.layerOf(config, layer)
