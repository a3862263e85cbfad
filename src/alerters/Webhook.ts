/**
 * Posts alerts as signed JSON to a server of your own, and verifies such requests there.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Config from "effect/Config"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Alert } from "../Alert.ts"
import { type Alerter, AlerterErrorReason } from "../Alerter.ts"
import { durationMistakes, numberMistakes, refuse as refuseOptions } from "../internal/model/options.ts"
import type { Synchronous } from "../internal/model/synchronous.ts"
import { errorMessage } from "../internal/text/errors.ts"
import { selfExplained } from "../internal/text/selfExplained.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import { anySize } from "./internal/channel/attachments.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { areHeaders, wordsOf } from "./internal/channel/headers.ts"
import { secret } from "./internal/channel/secrets.ts"
import * as internal from "./internal/webhook/request.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebhookOptions extends ChannelOptions {
  /** The server's URL. A user and a password in it are sent as a header, unless `headers` has an `authorization`. */
  readonly url: Redacted.Redacted<string>
  /** The key of the signature: base64 after `whsec_`, or any text. Without it, requests are not signed. */
  readonly secret?: Redacted.Redacted<string> | undefined
  /** Additional headers. `Redacted` values are removed from all alerts, errors and logs. */
  readonly headers?: Readonly<Record<string, Redacted.Redacted<string> | string>> | undefined
  /** Returns the value that is sent as JSON, in place of the whole alert. */
  readonly render?: ((alert: Alert) => Synchronous<"return the value">) | undefined
  /** The longest body, in bytes. 100,000 unless set, since Express accepts no more by default. */
  readonly maxBytes?: number | undefined
}

/**
 * Posts alerts as JSON, by the conventions of https://www.standardwebhooks.com.
 *
 * **Details**
 *
 * The headers `webhook-id` and `Idempotency-Key` are the same in all attempts to send one alert.
 * `webhook-timestamp` is the time of the attempt, in seconds. `webhook-signature` is `v1,` followed
 * by the HMAC-SHA256 of `id.timestamp.body`, in base64.
 *
 * If the alert has an `idempotencyKey`, it is the id, so that the server recognizes a repeated
 * post. A key that has other characters than ASCII letters, digits, `-`, `_`, `:` and `/`, or more
 * than 255, becomes `sha256_` followed by the SHA-256 of its JSON (the text in quotes), in
 * hexadecimal. Without a key, each post has a random id.
 *
 * The JSON has `title`, `severity`, `fields` (a list of `name` and `value`), `tags`, and `at` as ISO 8601; and if the
 * alert has them, `body`, `detail`, `dedupeKey`, `idempotencyKey`, `source`, `url`, `actions` (the `label` and `url` of
 * each) and `attachments` (the `name`, `mediaType` and `size` of each, in bytes). A body longer than `maxBytes` is
 * shortened, its detail first.
 *
 * **Gotchas**
 *
 * The content of attachments is not sent, unless `render` adds it. The result of `render` is held
 * to `maxBytes` too: the alert that it is given loses its attachments first.
 *
 * @example
 * ```ts
 * import { Webhook } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Webhook.layer({
 *   url: Redacted.make("https://example.com/alerts"),
 *   secret: Redacted.make("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
 *   headers: { authorization: Redacted.make("Bearer 7c1f0e9a"), "x-team": "data" },
 *   render: ({ severity, title }) => ({ text: `${severity}: ${title}` })
 * })
 * ```
 *
 * @see {@link layerConfig} to read the options from the environment
 * @see {@link verify} to check the signature on the server
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: WebhookOptions): Layer.Layer<Alerter> =>
  Layer.unwrap(Effect.gen(function*() {
    // before the secret is read
    channel.check("webhook", options, own)
    const target = internal.targetOf(Redacted.value(options.url))
    const { maxBytes = 100_000, render, secret } = options
    const more = Object.entries(options.headers ?? {})
    const headers = Object.fromEntries(
      more.map(([name, value]) => [name, Redacted.isRedacted(value) ? Redacted.value(value) : value])
    )
    const secrets = [
      ...(target?.secrets ?? []),
      ...(secret === undefined ? [] : internal.partsOf(Redacted.value(secret))),
      ...more.flatMap(([, value]) => Redacted.isRedacted(value) ? wordsOf(Redacted.value(value)) : [])
    ]
    const key = secret === undefined ? undefined : yield* internal.importKey(secret)
    const mistake = secret !== undefined && key === undefined
      ? "its secret is empty, or no base64 after whsec_"
      : !areHeaders(headers)
      ? "a header of its own can't be sent"
      : undefined
    return channel.layer("webhook", options, own, () => ({
      secrets,
      start: ({ error, http, words }) =>
        Effect.succeed((alert) =>
          Effect.gen(function*() {
            if (mistake !== undefined) {
              return yield* Effect.fail(error(AlerterErrorReason.Rejected({ detail: mistake })))
            }
            if (target === undefined) {
              const detail = "its address is no valid URL of http or https"
              return yield* Effect.fail(error(AlerterErrorReason.Rejected({ detail })))
            }
            const body = yield* Effect.try({
              try: () => internal.body(alert, maxBytes, render, words),
              catch: (cause) =>
                error(
                  AlerterErrorReason.InvalidAlert({
                    detail: http.detail(`no JSON could be made of it: ${errorMessage(cause)}`)
                  })
                )
            })
            if (body === undefined) {
              return yield* Effect.fail(
                error(AlerterErrorReason.InvalidAlert({ detail: `it has more than ${maxBytes} bytes` }))
              )
            }
            const id = yield* internal.idOf(alert)
            yield* http.send(
              HttpClientRequest.post(target.url).pipe(
                HttpClientRequest.bodyText(body, "application/json"),
                HttpClientRequest.setHeaders(target.headers),
                HttpClientRequest.setHeaders(headers),
                HttpClientRequest.setHeaders({ "webhook-id": id, "idempotency-key": id })
              ),
              undefined,
              { anyBody: true }
            )
          })
        ),
      pace: [],
      maxAttached: anySize,
      asData: true
    })).pipe(Layer.provide(internal.signing(key)))
  }))

const own: channel.OwnOptions<WebhookOptions> = {
  url: secret,
  // an empty one is a mistake: requests would be unsigned
  secret: (what, value) => value === undefined ? [] : secret(what, value),
  headers: 0,
  render: 0,
  maxBytes: (what, value) => numberMistakes(what, value, "above 0")
}

/**
 * Like {@link layer}, with the URL from `ALERT_WEBHOOK_URL` and, if it is set, the secret from
 * `ALERT_WEBHOOK_SECRET`; or the options from a config.
 *
 * @example
 * ```ts
 * import { Webhook } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = Webhook.layerConfig()
 * const ofTeam = Webhook.layerConfig({
 *   url: Config.Redacted("TEAM_URL"),
 *   headers: { authorization: Config.Redacted("TEAM_AUTHORIZATION") }
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (config: Config.Wrap<WebhookOptions> = fromEnvironment): Layer.Layer<
  Alerter,
  Config.ConfigError
> => variable.layerOf(config, layer)

const fromEnvironment: Config.Wrap<WebhookOptions> = {
  url: variable.address("ALERT_WEBHOOK_URL"),
  secret: variable.optionalSecret("ALERT_WEBHOOK_SECRET")
}

// -----------------------------------------------------------------------------
// receiving
// -----------------------------------------------------------------------------

/**
 * The fields of {@link InvalidSignature}.
 *
 * - `MissingHeader`: one of the three headers is missing;
 * - `InvalidTimestamp`: the timestamp is not a number of seconds;
 * - `TooOld`, `TooNew`: the timestamp is further from now than the tolerance;
 * - `Mismatch`: no signature matches the secret, id, timestamp and body;
 * - `InvalidSecret`: the secret is empty, or not base64 after `whsec_`.
 *
 * @category errors
 * @since 0.1.0
 */
export interface InvalidSignatureFields {
  /** Why the request is refused. */
  readonly reason: "MissingHeader" | "InvalidTimestamp" | "TooOld" | "TooNew" | "Mismatch" | "InvalidSecret"
}

const InvalidSignatureBase: new(
  fields: InvalidSignatureFields
) => Cause.YieldableError & { readonly _tag: "InvalidSignature" } & InvalidSignatureFields = selfExplained(
  Data.TaggedError(
    "InvalidSignature"
  )<InvalidSignatureFields>
)

/**
 * Reports a request that was not signed with the secret, or that is too old.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidSignature extends InvalidSignatureBase {
  /** Says why the request is refused, and nothing of the secret. */
  override get message(): string {
    return `the webhook's signature was not accepted: ${this.reason}`
  }
}

/**
 * The options of {@link verify}.
 *
 * @category models
 * @since 0.1.0
 */
export interface VerifyOptions {
  /** The secret with which the sender signs. */
  readonly secret: Redacted.Redacted<string>
  /** The request's headers: a `Headers`, or a record like those of `node:http` and of effect. */
  readonly headers:
    | { readonly get: (name: string) => string | null }
    | Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  /** The body exactly as it was received: parsed and serialized again, it may have other bytes. */
  readonly body: string | Uint8Array
  /** How far the timestamp may be from now. 5 minutes unless set. */
  readonly tolerance?: Duration.Input | undefined
}

/**
 * Verifies that a request was signed with the secret, and recently. Fails with
 * {@link InvalidSignature} otherwise. The signature is compared in constant time.
 *
 * **Gotchas**
 *
 * A recorded request can be replayed within the tolerance. To process each request once, store
 * the `webhook-id`s of the last minutes and refuse those that are known.
 *
 * @example
 * ```ts
 * import { Webhook } from "effect-epilogue/alerters"
 * import { Effect, Redacted } from "effect"
 *
 * const handle = (request: Request) =>
 *   Effect.gen(function*() {
 *     const body = yield* Effect.promise(() => request.text())
 *     yield* Webhook.verify({
 *       secret: Redacted.make("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
 *       headers: request.headers,
 *       body
 *     })
 *     return new Response(null, { status: 204 })
 *   }).pipe(Effect.catchTag("InvalidSignature", () => Effect.succeed(new Response(null, { status: 401 }))))
 * ```
 *
 * @category receiving
 * @since 0.1.0
 */
export const verify = (options: VerifyOptions): Effect.Effect<void, InvalidSignature> =>
  Effect.gen(function*() {
    refuseOptions("Webhook.verify", durationMistakes("tolerance", options.tolerance))
    const refuse = (reason: InvalidSignatureFields["reason"]) => Effect.fail(new InvalidSignature({ reason }))
    const key = yield* internal.importKey(options.secret)
    if (key === undefined) return yield* refuse("InvalidSecret")
    const id = internal.headerOf(options.headers, "webhook-id")
    const timestamp = internal.headerOf(options.headers, "webhook-timestamp")
    const signatures = internal.headerOf(options.headers, "webhook-signature")
    if (!id || !timestamp || !signatures) return yield* refuse("MissingHeader")
    if (!/^\d{1,15}$/.test(timestamp)) return yield* refuse("InvalidTimestamp")
    const age = (yield* Clock.currentTimeMillis) - Number(timestamp) * 1000
    const tolerance = Duration.toMillis(options.tolerance ?? "5 minutes")
    if (age > tolerance) return yield* refuse("TooOld")
    if (age < -tolerance) return yield* refuse("TooNew")
    const signed = yield* internal.isSigned(key, id, timestamp, options.body, signatures)
    if (!signed) return yield* refuse("Mismatch")
  })
