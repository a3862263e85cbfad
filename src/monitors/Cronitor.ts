/**
 * Tells Cronitor of runs.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as Layer from "effect/Layer"
import * as variable from "../alerters/internal/channel/config.ts"
import * as internal from "./internal/cronitor.ts"
import * as monitor from "./internal/monitor.ts"
import type { MonitorError } from "./MonitorError.ts"

export type { CronitorOptions } from "./internal/cronitor.ts"

/**
 * Sends events to the Telemetry API (https://cronitor.io/docs/telemetry-api): `state=run` when a run begins,
 * `state=complete` when it has succeeded, `state=fail` when it has failed or was interrupted.
 *
 * **Details**
 *
 * - `series` is the id of the run, so that runs which overlap are told apart.
 * - `message` says how long the run took, and names the steps that failed. It has at most 2,000 characters, as Cronitor
 *   documents, and fewer where they take more room in an address.
 * - The metrics of an end are `count` (steps), `error_count` (steps that failed) and `duration` (in seconds), and the
 *   annotations of the run that `metrics` names.
 * - `status_code` is the exit code of a supervised process that has crashed.
 * - With `every`, a run that goes on sends an event without a state.
 *
 * @example
 * ```ts
 * import { Cronitor } from "effect-epilogue/monitors"
 * import { Redacted } from "effect"
 *
 * const monitor = Cronitor.layer({
 *   apiKey: Redacted.make("8f14e45fceea167a5a36dedd4bea2543"),
 *   monitor: "nightly-job",
 *   environment: "production",
 *   metrics: ["rows"]
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: internal.CronitorOptions): Layer.Layer<never, MonitorError> =>
  monitor.layer(internal.make(options))

/**
 * Like {@link layer}, with the key from `CRONITOR_API_KEY` and the monitor from `CRONITOR_MONITOR`, or the options from
 * a config.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (config: Config.Wrap<internal.CronitorOptions> = fromEnvironment): Layer.Layer<
  never,
  Config.ConfigError | MonitorError
> => variable.layerOf(config, layer)

const fromEnvironment: Config.Wrap<internal.CronitorOptions> = {
  apiKey: variable.secret("CRONITOR_API_KEY"),
  monitor: variable.text("CRONITOR_MONITOR")
}
