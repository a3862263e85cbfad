/**
 * Sends alerts to PagerDuty: failures open incidents, which the next success resolves.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type Alerter, AlerterErrorReason } from "../Alerter.ts"
import { optionalText } from "../internal/model/options.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { incidentActionOf } from "./internal/channel/incident.ts"
import { readable } from "./internal/channel/readable.ts"
import { secret } from "./internal/channel/secrets.ts"
import * as internal from "./internal/pagerDuty/event.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface PagerDutyOptions extends ChannelOptions {
  /** The integration key of a service's "Events API v2" integration: 32 characters. */
  readonly routingKey: Redacted.Redacted<string>
  /** The event's `component`: the part of the system that failed. The path of the step unless set. */
  readonly component?: string | undefined
  /** The event's `group`: the set of jobs that the pipeline belongs to, as in `"nightly-jobs"`. */
  readonly group?: string | undefined
  /** The event's `source`, for alerts without a pipeline. The name of the machine unless set. */
  readonly source?: string | undefined
  /**
   * Whether alerts that report no problem become change events. If false, they are dropped. Set
   * it to false if the integration key begins with `R`: such keys accept no change events. True
   * unless set.
   */
  readonly changeEvents?: boolean | undefined
  /** The URL of the Events API. `https://events.pagerduty.com` unless set; in the EU, `https://events.eu.pagerduty.com`. */
  readonly baseUrl?: string | undefined
}

/**
 * Sends alerts as events to the Events API v2
 * (https://developer.pagerduty.com/docs/events-api-v2-overview).
 *
 * **Details**
 *
 * - `warning`, `error` and `critical` trigger an alert in PagerDuty, which pages somebody.
 *   Alerts with the same `dedupeKey` are added to it as long as it is open.
 * - An alert with a `dedupeKey` that `resolves` resolves the open alert with that key. If there is
 *   none, PagerDuty ignores the event. For a step without a key (`Step.key`) that is at the end of a
 *   run in which no evaluation of the step failed for good.
 * - That somebody has acknowledged an alert, as the policies `remind` and `escalate` tell it, acknowledges the open
 *   alert.
 * - `success` with a `dedupeKey` that does not resolve is dropped.
 * - `info`, and `success` without a `dedupeKey`, become change events, which are listed beside
 *   the service's incidents and page nobody.
 *
 * An alert that pages somebody and has no `dedupeKey` uses its `idempotencyKey` in its place, so
 * a repeated post is added to the alert as long as that is open
 * (https://support.pagerduty.com/main/docs/event-management#deduplicate-alerts).
 *
 * A summary has at most 1,024 characters, a key 255 (a longer one ends with a digest of the
 * whole), and an event 512 KB: longer alerts are shortened, the detail first.
 *
 * **Gotchas**
 *
 * Change events have no key, so a repeated one appears twice.
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
export const layer = (options: PagerDutyOptions): Layer.Layer<Alerter> =>
  channel.layer("pagerduty", options, own, () => {
    const routingKey = Redacted.value(options.routingKey)
    const baseUrl = withoutTrailingSlashes(options.baseUrl || "https://events.pagerduty.com")
    const { changeEvents, component, group, source } = options
    return {
      secrets: [routingKey],
      start: ({ error, http, time, words }) =>
        Effect.succeed((alert) =>
          Effect.gen(function*() {
            const action = incidentActionOf(alert)
            if (action === undefined || (action === "change" && changeEvents === false)) return
            const key = yield* internal.dedupKey(alert)
            const body = internal.body(alert, key, { routingKey, component, group, source }, { time, words })
            if (body === undefined) {
              return yield* Effect.fail(error(AlerterErrorReason.InvalidAlert({ detail: "it has more than 512 KB" })))
            }
            const request = HttpClientRequest.post(`${baseUrl}${internal.paths[action]}`)
            yield* Effect.mapError(
              http.send(HttpClientRequest.bodyText(request, body, "application/json")),
              (refused) => readable(refused, internal.said)
            )
          })
        ),
      pace: internal.pace,
      keepsState: true
    }
  })

const own: channel.OwnOptions<PagerDutyOptions> = {
  routingKey: secret,
  component: optionalText,
  group: optionalText,
  source: optionalText,
  changeEvents: 0,
  baseUrl: optionalText
}

/**
 * Like {@link layer}, with the key from `PAGERDUTY_ROUTING_KEY`, or the options from a config.
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
  config: Config.Wrap<PagerDutyOptions> = { routingKey: variable.secret("PAGERDUTY_ROUTING_KEY") }
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)
