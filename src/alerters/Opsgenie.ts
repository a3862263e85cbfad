/**
 * Posts alerts to Opsgenie, or to Jira Service Management, which pages people. The next success closes them.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Severity } from "../Alert.ts"
import { type Alerter, AlerterErrorReason } from "../Alerter.ts"
import { optionalText } from "../internal/model/options.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { areHeaders } from "./internal/channel/headers.ts"
import { incidentActionOf } from "./internal/channel/incident.ts"
import { readable } from "./internal/channel/readable.ts"
import { secret } from "./internal/channel/secrets.ts"
import * as internal from "./internal/opsgenie/alert.ts"

export type { Priority } from "./internal/opsgenie/alert.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface OpsgenieOptions extends ChannelOptions {
  /** The key of an API integration. That of a team tells the team. */
  readonly apiKey: Redacted.Redacted<string>
  /**
   * The URL of the API. `https://api.opsgenie.com` unless set; in the EU, `https://api.eu.opsgenie.com`; of Jira Service
   * Management, `https://api.atlassian.com/jsm/ops/integration`.
   */
  readonly baseUrl?: string | undefined
  /** The names of the teams that are told, besides those of the integration. */
  readonly teams?: ReadonlyArray<string> | undefined
  /** The priorities by severity. `P1` for `critical`, `P2` for `error`, `P3` for `warning`, `P5` for others unless set. */
  readonly priorities?: { readonly [severity in Severity]?: internal.Priority | undefined } | undefined
  /**
   * Whether alerts that report no problem become alerts of Opsgenie, which somebody has to close. If false, they are
   * dropped. True unless set.
   */
  readonly notes?: boolean | undefined
}

/**
 * Posts alerts to the Alert API (https://docs.opsgenie.com/docs/alert-api), which Jira Service Management has as its
 * integration events
 * (https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events/).
 *
 * **Details**
 *
 * - `warning`, `error` and `critical` create an alert, whose alias is the `dedupeKey`. As long as that is open, more of
 *   them are counted in it, and page nobody again.
 * - An alert with a `dedupeKey` that `resolves` closes the open alert with that alias, and is its note. If there is
 *   none, Opsgenie ignores it.
 * - That somebody has acknowledged an alert, as the policies `remind` and `escalate` tell it, acknowledges the open
 *   alert.
 * - `success` with a `dedupeKey` that does not resolve is dropped.
 * - `info`, and `success` without a `dedupeKey`, create alerts of priority `P5`, which are not added to those that are
 *   open. `notes: false` drops them.
 *
 * An alert that has no `dedupeKey` uses its `idempotencyKey` in its place, so that a repeated post is counted in the
 * alert.
 *
 * A message has at most 130 characters, a description 15,000, fields 8,000 in all (they are the alert's details, which
 * rules can match), tags 50 each, of which 20 are sent, and an alias 512 (a longer one ends with a digest of the whole).
 * Longer alerts are shortened. Tags of HTML in the message and
 * the description are shown and not rendered.
 *
 * Unless `pace` is set, 60 alerts are sent at once and two a second, since Opsgenie's limits depend on the plan and the
 * number of users (https://docs.opsgenie.com/docs/api-rate-limiting). Where it says that it delays requests, the mailbox
 * waits.
 *
 * **Gotchas**
 *
 * Opsgenie accepts a request (202) before it has looked at its contents. An alert that it can't process, as for a team
 * that does not exist, is in the log of the integration.
 *
 * @example
 * ```ts
 * import { Opsgenie } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Opsgenie.layer({
 *   apiKey: Redacted.make("eb243592-faa2-4ba2-a551-1afdf565c889"),
 *   baseUrl: "https://api.eu.opsgenie.com",
 *   teams: ["data"],
 *   priorities: { error: "P3" }
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: OpsgenieOptions): Layer.Layer<Alerter> =>
  channel.layer("opsgenie", options, own, () => {
    const apiKey = Redacted.value(options.apiKey)
    const baseUrl = withoutTrailingSlashes(options.baseUrl || "https://api.opsgenie.com")
    const headers = { authorization: `GenieKey ${apiKey}` }
    return {
      secrets: [apiKey],
      start: ({ error, http, time, words }) =>
        Effect.succeed((alert) =>
          Effect.gen(function*() {
            const action = incidentActionOf(alert)
            if (action === undefined || (action === "change" && options.notes === false)) return
            if (!areHeaders(headers)) {
              return yield* Effect.fail(
                error(AlerterErrorReason.Rejected({ detail: "its key can't be sent in a header" }))
              )
            }
            const alias = yield* internal.aliasOf(alert, action)
            const request = HttpClientRequest.bodyJsonUnsafe(
              HttpClientRequest.setHeaders(
                HttpClientRequest.post(`${baseUrl}${internal.pathOf(action, alias)}`),
                headers
              ),
              internal.body(alert, action, alias, options, { time, words })
            )
            yield* Effect.mapError(
              http.send(request, undefined, {
                refused: internal.refused,
                exhausted: internal.throttled
              }),
              (refused) => readable(refused, internal.said)
            )
          })
        ),
      pace: internal.pace,
      keepsState: true
    }
  })

const own: channel.OwnOptions<OpsgenieOptions> = {
  apiKey: secret,
  baseUrl: optionalText,
  teams: 0,
  priorities: 0,
  notes: 0
}

/**
 * Like {@link layer}, with the key from `OPSGENIE_API_KEY` and, if it is set, the URL of the API from `OPSGENIE_URL`; or
 * the options from a config.
 *
 * @example
 * ```ts
 * import { Opsgenie } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = Opsgenie.layerConfig()
 * const ofTeam = Opsgenie.layerConfig({
 *   apiKey: Config.Redacted("TEAM_OPSGENIE"),
 *   teams: Config.succeed(["data"])
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<OpsgenieOptions> = fromEnvironment
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)

const fromEnvironment: Config.Wrap<OpsgenieOptions> = {
  apiKey: variable.secret("OPSGENIE_API_KEY"),
  baseUrl: variable.textOr("OPSGENIE_URL", undefined)
}
