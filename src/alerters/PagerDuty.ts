/**
 * Alerts in PagerDuty: incidents of failures, resolved by the success that follows.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type Alerter, AlerterErrorReason } from "../Alerter.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import { readable } from "./internal/channel/readable.ts"
import * as internal from "./internal/pagerDuty/event.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface PagerDutyOptions extends ChannelOptions {
  /** The integration key of a service's "Events API v2" integration: 32 characters. */
  readonly routingKey: Redacted.Redacted<string>
  /** The part of the system that has failed. The path of the step unless set. */
  readonly component?: string | undefined
  /** What the pipeline belongs to, as in `"nightly-jobs"`. */
  readonly group?: string | undefined
  /** The system that has failed, for alerts that come from no pipeline. The name of the machine unless set. */
  readonly source?: string | undefined
  /**
   * Whether alerts that are about no problem become change events. If not, they are
   * dropped, as integration keys that begin with `R` need it: those take no change
   * events. True unless set.
   */
  readonly changeEvents?: boolean | undefined
  /** `https://events.pagerduty.com` unless set. In the EU it is `https://events.eu.pagerduty.com`. */
  readonly baseUrl?: string | undefined
}

/**
 * Sends events to the Events API v2 (https://developer.pagerduty.com/docs/events-api-v2-overview).
 *
 * - `warning`, `error` and `critical` trigger an alert, and so page somebody. Those of
 *   the same `dedupeKey` are one alert as long as it is open.
 * - `success` with a `dedupeKey` resolves the alert of that key. Where there is none,
 *   PagerDuty drops the event.
 * - `info`, and `success` without a `dedupeKey`, become change events: they stand beside
 *   the incidents of the service, and page nobody.
 *
 * An alert without a `dedupeKey` that pages somebody has its `idempotencyKey` for it: a
 * repeat of the post, with the same one, is added to the alert as long as that is open
 * (https://support.pagerduty.com/main/docs/event-management#deduplicate-alerts). A change
 * event has no key, so one that is repeated is there twice.
 *
 * A summary has at most 1,024 characters, a key 255 (a longer one ends with a digest of
 * all of it), and an event 512 KB: what is too much is left out, of the detail first.
 *
 * @example
 * ```ts
 * import { PagerDuty } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = PagerDuty.layer({
 *   routingKey: Redacted.make("0123456789abcdef0123456789abcdef"),
 *   group: "nightly-jobs"
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: PagerDutyOptions): Layer.Layer<Alerter> => {
  const routingKey = Redacted.value(options.routingKey)
  const baseUrl = withoutTrailingSlashes(options.baseUrl ?? "https://events.pagerduty.com")
  const { changeEvents, component, group, source } = options
  return channel.layer(
    "pagerduty",
    options,
    [routingKey],
    ({ error, http, time }) =>
      Effect.succeed((alert) =>
        Effect.gen(function*() {
          const action = internal.actionOf(alert)
          if (action === "change" && changeEvents === false) return
          const key = yield* internal.dedupKey(alert)
          const body = internal.body(alert, key, { routingKey, component, group, source }, time)
          if (body === undefined) {
            return yield* Effect.fail(error(AlerterErrorReason.InvalidAlert({ detail: "it has more than 512 KB" })))
          }
          const request = HttpClientRequest.post(`${baseUrl}${internal.paths[action]}`)
          yield* Effect.mapError(
            http.send(HttpClientRequest.bodyText(request, body, "application/json")),
            (refused) => readable(refused, internal.said)
          )
        })
      )
  )
}

/**
 * {@link layer} with the key from `PAGERDUTY_ROUTING_KEY`, or from the config given.
 *
 * @example
 * ```ts
 * import { PagerDuty } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = PagerDuty.layerConfig()
 * const ofTeam = PagerDuty.layerConfig({
 *   routingKey: Config.Redacted("TEAM_PAGERDUTY"),
 *   group: Config.String("TEAM")
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<PagerDutyOptions> = { routingKey: Config.Redacted("PAGERDUTY_ROUTING_KEY") }
): Layer.Layer<Alerter, Config.ConfigError> => Layer.unwrap(Effect.map(Config.unwrap(config), layer))
