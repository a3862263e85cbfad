/**
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import type { Alert, AlertSource } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { callSafely } from "./internal/entries.ts"
import { around } from "./internal/policy.ts"
import { runUrlOf } from "./internal/runUrlOf.ts"

/**
 * Gives alerts the address of a page about their run, such as one of a dashboard or of a log search, which channels
 * show as a link.
 *
 * **Details**
 *
 * The address is a text with `{pipeline}`, `{runId}`, `{runName}` and `{step}` in it, which are replaced by those of
 * the alert's source, encoded for URLs, or a function of the source. `{step}` is the path of the step with `/` between
 * the names, and empty for a run. An alert that has an address keeps it. One without a source, or for which the
 * function returns `undefined`, gets the address of the job in GitHub Actions, GitLab, Buildkite, CircleCI and Jenkins,
 * as all alerts do without this policy.
 *
 * **Gotchas**
 *
 * Everybody who gets the alert sees the address: it must not contain secrets.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { runUrl } from "effect-epilogue/delivery"
 *
 * const linked = Slack.layerConfig().pipe(runUrl("https://logs.example.com/?run={runId}"))
 * ```
 *
 * @see `Alert.url` for the address of one alert
 *
 * @category policies
 * @since 0.1.0
 */
export const runUrl: {
  (
    url: string | ((source: AlertSource) => string | undefined)
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R>
  <E, R>(
    self: Layer.Layer<Alerter, E, R>,
    url: string | ((source: AlertSource) => string | undefined)
  ): Layer.Layer<Alerter, E, R>
} = dual(
  2,
  <E, R>(
    self: Layer.Layer<Alerter, E, R>,
    url: string | ((source: AlertSource) => string | undefined)
  ): Layer.Layer<Alerter, E, R> =>
    around((post) => {
      const find = typeof url === "string" ? runUrlOf(url) : url
      return Effect.succeed((alert: Alert) => {
        const { source } = alert
        if (alert.url !== undefined || source === undefined) return post(alert)
        return Effect.flatMap(
          callSafely("runUrl", () => find(source), alert, undefined),
          (url) => post(url === undefined ? alert : alert.with({ url }))
        )
      })
    })(self)
)
