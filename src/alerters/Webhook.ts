/**
 * Alerts as signed JSON, for a server of one's own.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Alert } from "../Alert.ts"
import { type Alerter, AlerterErrorReason } from "../Alerter.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import { anySize } from "./internal/channel/attachments.ts"
import * as channel from "./internal/channel/channel.ts"
import { address } from "./internal/channel/config.ts"
import * as internal from "./internal/webhook/request.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface WebhookOptions extends ChannelOptions {
  /** A user and a password in it are sent as a header, unless there is an `authorization` of its own. */
  readonly url: Redacted.Redacted<string>
  /** The key of the signature: base64 after `whsec_`, or any text. Without it there is no signature. */
  readonly secret?: Redacted.Redacted<string> | undefined
  /** More headers. Those that are `Redacted` are kept out of all that is shown. */
  readonly headers?: Readonly<Record<string, Redacted.Redacted<string> | string>> | undefined
  /** What is sent as JSON, in place of all that the alert has. */
  readonly render?: ((alert: Alert) => unknown) | undefined
  /** How long a body may be. 100,000 bytes unless set, since Express takes no more by default. */
  readonly maxBytes?: number | undefined
}

/**
 * Posts the alert as JSON, as the conventions of https://www.standardwebhooks.com have
 * it: `webhook-id` and `Idempotency-Key` are the same in all attempts to send one
 * alert, `webhook-timestamp` is the attempt's time in seconds, `webhook-signature` is
 * `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64. A body longer than
 * `maxBytes` is cut, of the detail first.
 *
 * Where the alert has an `idempotencyKey`, that is the id, and so the same in a repeat
 * of the post: as it is, if it is made of up to 255 ASCII letters, digits, `-`, `_`,
 * `:` and `/`, and otherwise as `sha256_` and the SHA-256 of its JSON (of the text in
 * quotes) in hexadecimal. Where it has none, each post has an id of its own.
 *
 * The JSON has `title`, `severity`, `fields` (a list of `name` and `value`) and `tags`,
 * `at` as ISO 8601, and where the alert has them `body`, `detail`, `dedupeKey`,
 * `idempotencyKey`, `source` and `attachments`: of each its `name`, `mediaType` and
 * `size` in bytes. Their content is for a `render` to send, which must keep to `maxBytes`
 * then: attachments are the first to be left out.
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
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: WebhookOptions): Layer.Layer<Alerter> => {
  const target = internal.targetOf(Redacted.value(options.url))
  const { maxBytes = 100_000, render, secret } = options
  const own = Object.entries(options.headers ?? {})
  const headers = Object.fromEntries(
    own.map(([name, value]) => [name, Redacted.isRedacted(value) ? Redacted.value(value) : value])
  )
  const secrets = [
    ...(target?.secrets ?? []),
    ...(secret === undefined ? [] : internal.partsOf(Redacted.value(secret))),
    ...own.flatMap(([, value]) => Redacted.isRedacted(value) ? internal.wordsOf(Redacted.value(value)) : [])
  ]
  return Layer.unwrap(
    Effect.map(secret === undefined ? Effect.undefined : internal.importKey(secret), (key) => {
      const mistake = secret !== undefined && key === undefined
        ? "its secret is empty, or no base64 after whsec_"
        : !internal.areHeaders(headers)
        ? "a header of its own can't be sent"
        : !(maxBytes > 0)
        ? "its maxBytes is no number above 0"
        : undefined
      return channel.layer(
        "webhook",
        options,
        secrets,
        ({ error, http }) =>
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
                try: () => internal.body(alert, maxBytes, render),
                catch: (cause) =>
                  error(
                    AlerterErrorReason.InvalidAlert({
                      detail: http.detail(`no JSON could be made of it: ${String(cause)}`)
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
                )
              )
            })
          ),
        anySize
      ).pipe(Layer.provide(internal.signing(key)))
    })
  )
}

/**
 * {@link layer} with the address from `ALERT_WEBHOOK_URL`, and where it is set the
 * secret from `ALERT_WEBHOOK_SECRET`, or all from the config given.
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
> => Layer.unwrap(Effect.map(Config.unwrap(config), layer))

const fromEnvironment: Config.Wrap<WebhookOptions> = {
  url: address("ALERT_WEBHOOK_URL"),
  secret: Config.withDefault(Config.Redacted("ALERT_WEBHOOK_SECRET"), undefined)
}

// -----------------------------------------------------------------------------
// receiving
// -----------------------------------------------------------------------------

/**
 * What {@link InvalidSignature} is made of.
 *
 * - `MissingHeader`: one of the three headers is not there;
 * - `InvalidTimestamp`: the time is no number of seconds;
 * - `TooOld`, `TooNew`: the time is further from now than the tolerance;
 * - `Mismatch`: none of the signatures is the secret's over this id, time and body;
 * - `InvalidSecret`: the secret is empty, or no base64 after `whsec_`.
 *
 * @category errors
 * @since 0.1.0
 */
export interface InvalidSignatureFields {
  readonly reason: "MissingHeader" | "InvalidTimestamp" | "TooOld" | "TooNew" | "Mismatch" | "InvalidSecret"
}

const InvalidSignatureBase: new(
  fields: InvalidSignatureFields
) => Cause.YieldableError & { readonly _tag: "InvalidSignature" } & InvalidSignatureFields = Data.TaggedError(
  "InvalidSignature"
)<InvalidSignatureFields>

/**
 * A request that does not come from who knows the secret, or comes too late.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidSignature extends InvalidSignatureBase {
  override get message(): string {
    return `the webhook's signature was not accepted: ${this.reason}`
  }
}

/**
 * @category models
 * @since 0.1.0
 */
export interface VerifyOptions {
  readonly secret: Redacted.Redacted<string>
  /** Of the request: a `Headers`, or a record as those of `node:http` and of effect. */
  readonly headers:
    | { readonly get: (name: string) => string | null }
    | Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  /** Exactly as it was received, not parsed and written again. */
  readonly body: string | Uint8Array
  /** How far the time may be from now. 5 minutes unless set. */
  readonly tolerance?: Duration.Input | undefined
}

/**
 * Succeeds where a request has been signed with the secret, not long ago. The
 * signature is compared in constant time. Whoever must not take one request twice
 * keeps the `webhook-id`s of as long as the tolerance.
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
