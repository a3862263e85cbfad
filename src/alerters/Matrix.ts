/**
 * Posts alerts to Matrix.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Severity } from "../Alert.ts"
import { type Alerter, type AlerterError, AlerterErrorReason } from "../Alerter.ts"
import { severityMistakes } from "../internal/alerts/severities.ts"
import { text } from "../internal/model/options.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { areHeaders } from "./internal/channel/headers.ts"
import { openMessages } from "./internal/channel/openMessages.ts"
import { readable } from "./internal/channel/readable.ts"
import { secret } from "./internal/channel/secrets.ts"
import * as internal from "./internal/matrix/message.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface MatrixOptions extends ChannelOptions {
  /** The URL of the homeserver: `https://matrix.org`, say. */
  readonly server: string
  /** The access token of the user that posts, who is in the room. */
  readonly token: Redacted.Redacted<string>
  /** The id of the room, as in `!id:example.com`, or its alias, as in `#name:example.com`, which is looked up once. */
  readonly room: string
  /** The severities of alerts that notify nobody. `"info"` and `"success"` unless set. */
  readonly silent?: ReadonlyArray<Severity> | undefined
}

/**
 * Posts alerts to a room
 * (https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid).
 *
 * **Details**
 *
 * A message has the alert as text and as HTML. Its content has at most 56,000 bytes: an event has at most
 * 65,536, with what servers add to it (https://spec.matrix.org/latest/client-server-api/#size-limits).
 * Longer alerts are cut, the detail first, and say so. Mentions in the text, such as `@room`, notify nobody:
 * `m.mentions` is empty, and for older servers a space without width stands behind the `@` of that word.
 *
 * Each post is a transaction, derived from the alert's `idempotencyKey` if it has one, so that a server shows
 * a message that is sent again once.
 *
 * A recovery is a reply to the failure, where the same layer has posted that. Alerts whose severity is
 * `silent` are notices, of which clients tell nobody.
 *
 * `M_LIMIT_EXCEEDED` stops the whole mailbox for as long as the server says. Unless `pace` is set, it keeps to
 * the limits of a Synapse that is not set otherwise: ten messages at once, and one every five seconds
 * (https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html#rc_message).
 *
 * **Gotchas**
 *
 * Messages are not encrypted, also in a room that is.
 *
 * @example
 * ```ts
 * import { Matrix } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Matrix.layer({
 *   server: "https://matrix.example.com",
 *   token: Redacted.make("syt_…"),
 *   room: "#nightly:example.com"
 * })
 * ```
 *
 * @see {@link layerConfig} to read the options from the environment
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: MatrixOptions): Layer.Layer<Alerter> =>
  channel.layer("matrix", options, own, () => {
    const token = Redacted.value(options.token)
    const headers = { authorization: `Bearer ${token}` }
    const root = `${withoutTrailingSlashes(options.server)}/_matrix/client/v3`
    const start = ({ error, http, time, words }: channel.Channel) =>
      Effect.sync(() => {
        const open = openMessages<string>()
        let roomId = options.room.startsWith("#") ? undefined : options.room
        const send = (
          request: HttpClientRequest.HttpClientRequest,
          part: string
        ): Effect.Effect<string, AlerterError> =>
          Effect.mapError(
            http.send(HttpClientRequest.setHeaders(request, headers), internal.read(part), {
              refused: internal.refused
            }),
            (refused) => readable(refused, internal.said)
          )
        const room = Effect.suspend(() =>
          roomId !== undefined ? Effect.succeed(roomId) : Effect.tap(
            send(HttpClientRequest.get(`${root}/directory/room/${encodeURIComponent(options.room)}`), "room_id"),
            (found) => {
              roomId = found
              return Effect.void
            }
          )
        )
        return (alert: channel.Dated) =>
          Effect.gen(function*() {
            if (!areHeaders(headers)) {
              return yield* Effect.fail(
                error(AlerterErrorReason.Rejected({ detail: "its token can't be sent in a header" }))
              )
            }
            const transaction = yield* internal.transactionOf(alert)
            const content = internal.message(alert, open.recoveredBy(alert), options, { time, words })
            const path = `/rooms/${encodeURIComponent(yield* room)}/send/m.room.message/${transaction}`
            const eventId = yield* send(
              HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.put(`${root}${path}`), content),
              "event_id"
            )
            open.arrived(alert, eventId)
          })
      })
    return {
      secrets: [token],
      start,
      pace: internal.pace
    }
  })

const own: channel.OwnOptions<MatrixOptions> = {
  server: text,
  token: secret,
  room: text,
  silent: severityMistakes
}

/**
 * Like {@link layer}, with the server from `MATRIX_SERVER`, the token from `MATRIX_TOKEN` and the room from
 * `MATRIX_ROOM`, or the options from a config.
 *
 * @example
 * ```ts
 * import { Matrix } from "effect-epilogue/alerters"
 *
 * const alerter = Matrix.layerConfig()
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (config: Config.Wrap<MatrixOptions> = fromEnvironment): Layer.Layer<
  Alerter,
  Config.ConfigError
> => variable.layerOf(config, layer)

const fromEnvironment: Config.Wrap<MatrixOptions> = {
  server: variable.text("MATRIX_SERVER"),
  token: variable.secret("MATRIX_TOKEN"),
  room: variable.text("MATRIX_ROOM")
}
