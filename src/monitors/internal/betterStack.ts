/** Pings heartbeats of Better Stack. */
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Redacted from "effect/Redacted"
import type { LogOptions, MonitorOptions } from "../MonitorOptions.ts"
import type { Made } from "./model.ts"
import { addressMistakes, extended, make as makeMonitor, target } from "./monitor.ts"
import { bodyOf, type Ping } from "./ping.ts"

/**
 * The options of `layer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface BetterStackOptions extends MonitorOptions, LogOptions {
  /** The URL of the heartbeat: `https://uptime.betterstack.com/api/v1/heartbeat/…`. */
  readonly url: Redacted.Redacted<string>
}

/** The bytes of a body. The documentation names no limit. */
const maxBody = 10_000

/** @internal */
export const make = (options: BetterStackOptions): Made =>
  makeMonitor("betterStack", options, { url: 0, logs: 0 }, addressMistakes("url", options.url), () => {
    const { headers, secrets, url } = target(options.url)
    return {
      secrets,
      // the documentation names no limit
      pace: [{ count: 10, per: "10 seconds" }],
      takes: new Set(["heartbeat", "success", "failure"]),
      showsLogs: true,
      request: (ping) =>
        Effect.succeed({
          request: HttpClientRequest.post(extended(url, pathOf(ping))).pipe(
            HttpClientRequest.setHeaders(headers),
            HttpClientRequest.bodyText(bodyOf(ping, maxBody))
          )
        })
    }
  })

const pathOf = ({ exitCode, kind }: Ping): string =>
  kind !== "failure" ? "" : exitCode !== undefined && exitCode > 0 ? String(exitCode) : "fail"
