/** Pings push monitors of Uptime Kuma. */
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Redacted from "effect/Redacted"
import { AlerterErrorReason } from "../../Alerter.ts"
import { failure, type Read } from "../../alerters/internal/channel/http.ts"
import type { MonitorOptions } from "../MonitorOptions.ts"
import type { Made } from "./model.ts"
import { addressMistakes, extended, make as makeMonitor, target } from "./monitor.ts"
import { lineOf } from "./ping.ts"
import { fitQuery } from "./query.ts"

/**
 * The options of `layer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface UptimeKumaOptions extends MonitorOptions {
  /**
   * The push URL of a monitor, `https://kuma.example.com/api/push/…`, with or without its query. A user and a password in
   * it are sent as a header.
   */
  readonly url: Redacted.Redacted<string>
}

/** The characters of a message. The column has no limit, but the list of heartbeats shows one line. */
const maxMessage = 1_000

/** The longest `ping`, in milliseconds: a server refuses more than a day. */
const maxMillis = 86_400_000

/** @internal */
export const make = (options: UptimeKumaOptions): Made =>
  makeMonitor("uptimeKuma", options, { url: 0 }, addressMistakes("url", options.url), () => {
    const { headers, secrets, url } = target(options.url)
    return {
      secrets,
      // a server of one's own, which has no limit
      pace: [],
      takes: new Set(["heartbeat", "success", "failure"]),
      request: (ping) => {
        const { kind, millis } = ping
        const address = extended(url, "", {
          status: kind === "failure" ? "down" : "up",
          msg: fitQuery(lineOf(ping, maxMessage), maxMessage),
          // the URL that the server shows has an empty `ping`
          ping: millis === undefined || millis > maxMillis || kind === "heartbeat" ? "" : String(Math.round(millis))
        })
        return Effect.succeed({ request: HttpClientRequest.setHeaders(HttpClientRequest.get(address), headers), read })
      }
    }
  })

/** Versions before 2 answer 200 to a push that they refuse. */
const read: Read<void> = ({ json }) =>
  typeof json === "object" && json !== null && "ok" in json && json.ok === false
    ? Effect.fail(failure(AlerterErrorReason.Rejected({
      detail: "msg" in json && typeof json.msg === "string" ? json.msg : "not ok"
    })))
    : Effect.void
