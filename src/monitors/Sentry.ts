/**
 * Tells Sentry Crons of runs.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as Layer from "effect/Layer"
import * as variable from "../alerters/internal/channel/config.ts"
import * as monitor from "./internal/monitor.ts"
import * as internal from "./internal/sentry.ts"
import type { MonitorError } from "./MonitorError.ts"

export type { Interval, SentryOptions } from "./internal/sentry.ts"

/**
 * Sends check-ins to Sentry (https://docs.sentry.io/product/crons/getting-started/http/): `in_progress` when a run
 * begins, `ok` when it has succeeded, `error` when it has failed or was interrupted.
 *
 * **Details**
 *
 * - The id of the run is that of the check-in, so that runs which overlap are told apart. An id that is no UUID, as that
 *   of a durable run, becomes one.
 * - With `schedule`, each check-in holds the configuration of the monitor (`monitor_config`), by which Sentry creates or
 *   updates it. So the schedule stays where the script is.
 * - With `every`, a run that goes on sends `in_progress` again, which extends the time that it may take.
 * - It sends 6 check-ins a minute, since Sentry drops more, and says nothing of it.
 *
 * **Gotchas**
 *
 * A check-in holds no text: that steps failed, and why, is not in it. A job whose pipeline could not be loaded is told
 * only where `slug` is set.
 *
 * @example
 * ```ts
 * import { Sentry } from "effect-epilogue/monitors"
 * import { DateTime, Redacted } from "effect"
 *
 * const monitor = Sentry.layer({
 *   dsn: Redacted.make("https://b7645b8eb47d4398be9ad16b0dac31cb@o0.ingest.sentry.io/42"),
 *   schedule: "0 3 * * *",
 *   timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
 *   checkInMargin: "10 minutes",
 *   maxRuntime: "2 hours"
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: internal.SentryOptions): Layer.Layer<never, MonitorError> =>
  monitor.layer(internal.make(options))

/**
 * Like {@link layer}, with the DSN from `SENTRY_DSN` and, if they are set, the slug from `SENTRY_MONITOR_SLUG` and the
 * environment from `SENTRY_ENVIRONMENT`; or the options from a config.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (config: Config.Wrap<internal.SentryOptions> = fromEnvironment): Layer.Layer<
  never,
  Config.ConfigError | MonitorError
> => variable.layerOf(config, layer)

const fromEnvironment: Config.Wrap<internal.SentryOptions> = {
  dsn: variable.secret("SENTRY_DSN"),
  slug: variable.textOr("SENTRY_MONITOR_SLUG", undefined),
  environment: variable.textOr("SENTRY_ENVIRONMENT", undefined)
}
