/**
 * Posts alerts to Prometheus Alertmanager, which groups, silences and routes them. The next success ends them.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import { type Alerter, type AlerterError, AlerterErrorReason } from "../Alerter.ts"
import { limitMillis } from "../internal/model/limit.ts"
import { durationMistakes, optionalText, texts } from "../internal/model/options.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as internal from "./internal/alertmanager/alert.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { areHeaders, wordsOf } from "./internal/channel/headers.ts"
import * as Http from "./internal/channel/http.ts"
import { incidentActionOf } from "./internal/channel/incident.ts"
import { readable } from "./internal/channel/readable.ts"
import { optionalSecret, textOf } from "./internal/channel/secrets.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface AlertmanagerOptions extends ChannelOptions {
  /**
   * The URL of the server, as in `http://alertmanager:9093`, or those of all instances of a cluster. A path in it is
   * kept: it is Alertmanager's `--web.route-prefix`.
   */
  readonly url: string | ReadonlyArray<string>
  /** A token, which is sent as `Authorization: Bearer`. */
  readonly token?: Redacted.Redacted<string> | undefined
  /** A user and a password, as in `user:password`. A `token` takes precedence. */
  readonly basicAuth?: Redacted.Redacted<string> | undefined
  /** The label `alertname`. The name of the pipeline unless set; of alerts without one, the `dedupeKey` or the title. */
  readonly alertname?: string | undefined
  /** More labels, as in `{ team: "data", env: "prod" }`. Names are letters, digits and `_`, with no digit first. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /**
   * How long an alert is open that no recovery ends and no failure posts again. One day unless set. Longer than the
   * time between two runs, or the alert of a job that keeps failing ends before its next run.
   */
  readonly resolveAfter?: Duration.Input | undefined
  /**
   * Whether alerts that report no problem are posted, with the label `severity` `info`. If false, they are dropped. True
   * unless set.
   */
  readonly notes?: boolean | undefined
}

/** How long the other instances of a cluster may take when one has accepted an alert. */
const grace = "2 seconds"

/** Longer than any alert is open. The year of a later date could have more digits than RFC 3339 allows. */
const longest = Duration.toMillis("36500 days")

/**
 * Posts alerts to the API v2 (https://prometheus.io/docs/alerting/latest/alerts_api/).
 *
 * **Details**
 *
 * - `warning`, `error` and `critical` fire an alert. Its labels are `alertname`, `pipeline`, `step`, `key`,
 *   `dedupe_key`, `severity` and those of `labels`; nothing in them differs from one failure of a step to the next, so
 *   that the next one updates the alert. Another severity is another alert, as in rules of Prometheus.
 * - An alert with a `dedupeKey` that `resolves` ends all open alerts with that key, whatever their severity. The channel
 *   asks the server which are open (`GET /api/v2/alerts`), since Alertmanager would tell its receivers of the end of an
 *   alert that never fired. Where it may not ask, it ends one of each severity.
 * - `success` with a `dedupeKey` that does not resolve is dropped.
 * - `info`, `success` without a `dedupeKey`, and acknowledgements are posted with the label `severity` `info` and
 *   without an end: Alertmanager ends them after its `resolve_timeout`, 5 minutes unless set. `notes: false` drops them.
 *
 * The title is the annotation `summary`, the body `description`. `detail`, `tags`, `time`, `run`, `run_id`, `attempt`
 * and each field that is no label are annotations, too, and actions: `Runbook` is `runbook_url`. The alert's `url` is
 * the `generatorURL`. Values of labels have at most 255 characters (a longer key ends with a digest of the whole), and
 * the rest 50,000 bytes: longer alerts are shortened, the detail first.
 *
 * Alertmanager expects that an alert is posted again as long as it lasts, and ends it after its `resolve_timeout`
 * otherwise. The process of a run has ended by then, so each alert comes with an end: `resolveAfter` from its post.
 *
 * With several URLs an alert is posted to all instances of the cluster, which do not pass alerts on to each other, and
 * has arrived where one has accepted it. The others have 2 seconds more, and attempts are repeated only if none has
 * accepted it.
 *
 * **Gotchas**
 *
 * Alertmanager keeps alerts in memory. One that restarts knows nothing of what failed before, until it fails again.
 *
 * @example
 * ```ts
 * import { Alertmanager } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Alertmanager.layer({ url: "http://localhost:9093" })
 * const cluster = Alertmanager.layer({
 *   url: ["https://alerts-1.example.com", "https://alerts-2.example.com"],
 *   basicAuth: Redacted.make("jobs:K7dnFq2xWm4c"),
 *   labels: { team: "data", env: "prod" },
 *   resolveAfter: "8 days"
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: AlertmanagerOptions): Layer.Layer<Alerter> =>
  channel.layer("alertmanager", options, own, () => {
    const given = typeof options.url === "string" ? [options.url] : options.url
    const urls = given.map((url) => `${withoutTrailingSlashes(url)}/api/v2/alerts`)
    const authorization = authorizationOf(options)
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    const openFor = Math.min(longest, limitMillis(options.resolveAfter ?? "1 day") ?? 0)
    return {
      secrets: authorization === undefined ? [] : wordsOf(authorization),
      start: ({ error, http, time, words }) => {
        const sent = (request: HttpClientRequest.HttpClientRequest, body: string, by: Http.Http) =>
          Effect.mapError(
            by.send(HttpClientRequest.bodyText(request, body, "application/json")),
            (refused) => readable(refused, internal.said)
          )
        /** Posts an alert to one instance. */
        const deliver = (alert: channel.Dated) =>
          Effect.gen(function*() {
            const action = incidentActionOf(alert)
            if (action === undefined) return undefined
            if (action !== "trigger" && action !== "resolve" && options.notes === false) return undefined
            const labels = yield* internal.labelsOf(alert, action, options)
            const resolves = action === "resolve"
            // from now on, since an alert that has waited for days would otherwise be over when it arrives
            const end = DateTime.makeUnsafe((yield* Clock.currentTimeMillis) + openFor)
            const body = internal.body(
              alert,
              resolves ? internal.anySeverity(labels, options) : [labels],
              resolves
                ? { endsAt: alert.at }
                : action === "trigger"
                ? { startsAt: alert.at, endsAt: end }
                : { startsAt: alert.at },
              { time, words }
            )
            if (body === undefined) {
              return yield* Effect.fail(error(AlerterErrorReason.InvalidAlert({ detail: "it is too large" })))
            }
            return (url: string, by: Http.Http): Effect.Effect<void, AlerterError> => {
              const post = HttpClientRequest.setHeaders(HttpClientRequest.post(url), headers)
              if (!resolves) return sent(post, body, by)
              const ask = HttpClientRequest.setHeaders(
                HttpClientRequest.get(`${url}?${internal.queryOf(labels)}`),
                headers
              )
              return by.send(ask, ({ json }) => Effect.succeed(internal.openIn(json, labels, options))).pipe(
                // a proxy may let alerts be posted only
                Effect.catchIf(({ reason }) => !isTransient(reason), () => Effect.undefined),
                Effect.flatMap((open) =>
                  open === undefined
                    ? sent(post, body, by)
                    : open.length === 0
                    ? Effect.void
                    : sent(post, internal.ended(open, alert), by)
                )
              )
            }
          })
        return Effect.map(
          Http.make("alertmanager", { ...options, retries: 0 }, http.detail),
          (once) => (alert) =>
            Effect.gen(function*() {
              if (!areHeaders(headers)) {
                const detail = "its token or its user and password can't be sent in a header"
                return yield* Effect.fail(error(AlerterErrorReason.Rejected({ detail })))
              }
              const to = yield* deliver(alert)
              if (to === undefined) return
              const toAny = (
                by: Http.Http,
                tell: Effect.Effect<void> = Effect.void
              ): Effect.Effect<void, AlerterError> =>
                Effect.flatMap(
                  Effect.forEach(urls, (url) => Effect.result(Effect.andThen(to(url, by), tell)), {
                    concurrency: "unbounded"
                  }),
                  // there is at least one address, and so a result
                  (results) => Effect.fromResult(results.find(({ _tag }) => _tag === "Success") ?? results[0]!)
                )
              if (urls.length < 2) return yield* toAny(http)
              // an instance that is down, or does not answer, must not hold up alerts that another one has accepted
              const accepted = yield* Deferred.make<void>()
              const tell = Effect.asVoid(Deferred.succeed(accepted, undefined))
              const toAll = (by: Http.Http) =>
                Effect.raceFirst(toAny(by, tell), Effect.andThen(Deferred.await(accepted), Effect.sleep(grace)))
              yield* options.retries === 0
                ? toAll(http)
                : Effect.catchIf(toAll(once), ({ reason }) => isTransient(reason), () => toAll(http))
            })
        )
      },
      pace: [],
      keepsState: true
    }
  })

const own: channel.OwnOptions<AlertmanagerOptions> = {
  url: texts,
  token: optionalSecret,
  basicAuth: optionalSecret,
  alertname: optionalText,
  labels: 0,
  resolveAfter: durationMistakes,
  notes: 0
}

const isTransient = (reason: AlerterErrorReason): boolean =>
  reason._tag === "Rejected" ? (reason.status ?? 0) >= 500 : reason._tag !== "Unauthorized"

const authorizationOf = (options: AlertmanagerOptions): string | undefined => {
  const bearer = textOf(options.token)
  if (bearer !== "") return `Bearer ${bearer}`
  const login = textOf(options.basicAuth)
  return login === "" ? undefined : `Basic ${Base64.encode(login)}`
}

/**
 * Like {@link layer}, with the addresses in `ALERTMANAGER_URL`, which spaces or commas separate, and, if they are set, the
 * token from `ALERTMANAGER_TOKEN` or the user and password from `ALERTMANAGER_BASIC_AUTH`; or the options from a config.
 *
 * @example
 * ```ts
 * import { Alertmanager } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = Alertmanager.layerConfig()
 * const ofTeam = Alertmanager.layerConfig({
 *   url: Config.String("TEAM_ALERTMANAGER"),
 *   labels: { team: Config.String("TEAM") }
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<AlertmanagerOptions> = fromEnvironment
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)

const fromEnvironment: Config.Wrap<AlertmanagerOptions> = {
  url: Config.map(variable.text("ALERTMANAGER_URL"), internal.addressesIn),
  token: variable.optionalSecret("ALERTMANAGER_TOKEN"),
  basicAuth: variable.optionalSecret("ALERTMANAGER_BASIC_AUTH")
}
