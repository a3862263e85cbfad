/**
 * Sends alerts to Sentry as events, of which those about the same step are one issue.
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
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { incidentActionOf } from "./internal/channel/incident.ts"
import { readable } from "./internal/channel/readable.ts"
import { secret } from "./internal/channel/secrets.ts"
import { aDsn, isDsn, parseDsn } from "./internal/sentry/dsn.ts"
import * as internal from "./internal/sentry/event.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface SentryOptions extends ChannelOptions {
  /** The DSN of the project. */
  readonly dsn: Redacted.Redacted<string>
  /** The environment, as in `staging`. Sentry's is `production` unless set. */
  readonly environment?: string | undefined
  /** The version of the code. */
  readonly release?: string | undefined
  /** More tags, as in `{ team: "data" }`. Names are up to 32 letters, digits, `_`, `.`, `:` and `-`. */
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** Whether alerts that report no problem become events, too. If false, they are dropped. True unless set. */
  readonly notes?: boolean | undefined
  /** Whether recoveries and acknowledgements become events of the issue that they are about. False unless set. */
  readonly recoveries?: boolean | undefined
}

/**
 * Sends alerts as events, in envelopes (https://develop.sentry.dev/sdk/foundations/transport/envelopes/).
 *
 * **Details**
 *
 * - The level is that of the severity: `fatal` for `critical`, `info` for `success`.
 * - The `dedupeKey` is the fingerprint, so that all failures of a step are one issue. Alerts without one are grouped by
 *   Sentry.
 * - If the detail begins with an error and its stack, they are the exception of the event. The title and the body are its
 *   message; pipeline, step, key, run, severity and the alert's tags are tags; the detail, fields and links are `extra`.
 * - A recovery (an alert with a `dedupeKey` that `resolves`) sends nothing: nobody can resolve an issue with a DSN, and
 *   an event of the issue would open one that is resolved. Sentry can resolve issues after a time without events
 *   (https://docs.sentry.io/product/issues/states-triage/). `recoveries: true` sends an event of level `info` with the
 *   same fingerprint, for those who want to see it there.
 * - `success` with a `dedupeKey` that does not resolve is dropped. Other `info` and `success` alerts become events of
 *   level `info`, with no fingerprint. `notes: false` drops them.
 *
 * If the alert has an `idempotencyKey`, its digest is the id of the event, so that Sentry drops a repeated post.
 *
 * An event has at most 200 KB (https://docs.sentry.io/concepts/data-management/size-limits/), and a text of `extra` 15 KB:
 * longer alerts are shortened, the detail first.
 *
 * Unless `pace` is set, 20 events are sent at once and one a second: Sentry's limits depend on the plan and the settings
 * of the project. After an answer of 429, and after any with `X-Sentry-Rate-Limits` for errors, the mailbox waits as long
 * as these say.
 *
 * @example
 * ```ts
 * import { Sentry } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Sentry.layer({
 *   dsn: Redacted.make("https://examplePublicKey@o0.ingest.sentry.io/0"),
 *   environment: "staging",
 *   tags: { team: "data" }
 * })
 * ```
 *
 * @see `Sentry` of `effect-epilogue/monitors` for check-ins, by which Sentry notices that a pipeline has not run
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: SentryOptions): Layer.Layer<Alerter> =>
  channel.layer("sentry", options, own, () => {
    const dsn = Redacted.value(options.dsn)
    const parsed = parseDsn(dsn)
    return {
      secrets: parsed === undefined ? [dsn] : [dsn, parsed.publicKey],
      start: ({ error, http, time, words }) =>
        Effect.succeed((alert) =>
          Effect.gen(function*() {
            const action = incidentActionOf(alert)
            if (action === undefined || (action === "change" && options.notes === false)) return
            if ((action === "resolve" || action === "acknowledge") && options.recoveries !== true) return
            if (parsed === undefined) {
              return yield* Effect.fail(error(AlerterErrorReason.Rejected({ detail: "its DSN is none" })))
            }
            const identity = yield* internal.identityOf(alert, action)
            const body = internal.envelope(alert, identity, options, { time, words })
            if (body === undefined) {
              return yield* Effect.fail(error(AlerterErrorReason.InvalidAlert({ detail: "it has more than 200 KB" })))
            }
            const request = HttpClientRequest.setHeader(
              HttpClientRequest.post(`${parsed.api}/envelope/`),
              "x-sentry-auth",
              `Sentry sentry_version=7, sentry_client=effect-epilogue, sentry_key=${parsed.publicKey}`
            )
            yield* Effect.mapError(
              http.send(HttpClientRequest.bodyText(request, body, "application/x-sentry-envelope"), undefined, {
                refused: internal.refused,
                exhausted: internal.limited
              }),
              (refused) => readable(refused, internal.said)
            )
          })
        ),
      pace: internal.pace
    }
  })

const own: channel.OwnOptions<SentryOptions> = {
  dsn: secret,
  environment: optionalText,
  release: optionalText,
  tags: 0,
  notes: 0,
  recoveries: 0
}

/**
 * Like {@link layer}, with the DSN from `SENTRY_DSN` and, if they are set, `SENTRY_ENVIRONMENT` and `SENTRY_RELEASE`; or
 * the options from a config.
 *
 * @example
 * ```ts
 * import { Sentry } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = Sentry.layerConfig()
 * const ofTeam = Sentry.layerConfig({
 *   dsn: Config.Redacted("TEAM_SENTRY"),
 *   environment: Config.String("STAGE")
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<SentryOptions> = fromEnvironment
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)

const fromEnvironment: Config.Wrap<SentryOptions> = {
  dsn: variable.checkedSecret("SENTRY_DSN", isDsn, aDsn),
  environment: variable.textOr("SENTRY_ENVIRONMENT", undefined),
  release: variable.textOr("SENTRY_RELEASE", undefined)
}
