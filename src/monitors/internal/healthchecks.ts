/** Pings Healthchecks.io, and servers of one's own. */
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Redacted from "effect/Redacted"
import { AlerterErrorReason } from "../../Alerter.ts"
import { failure, type Read } from "../../alerters/internal/channel/http.ts"
import type { LogOptions, MonitorOptions } from "../MonitorOptions.ts"
import type { Made } from "./model.ts"
import { addressMistakes, extended, make as makeMonitor, target } from "./monitor.ts"
import { bodyOf, type Ping } from "./ping.ts"
import { runUuid } from "./runUuid.ts"

/**
 * The options of `layer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface HealthchecksOptions extends MonitorOptions, LogOptions {
  /**
   * The ping URL of a check: by its UUID, as in `https://hc-ping.com/5bf66975-…`, or by the ping key of the project and
   * the slug of the check. A user and a password in it are sent as a header.
   */
  readonly url: Redacted.Redacted<string>
  /** Whether a check whose slug is unknown is created. Not unless set. */
  readonly create?: boolean | undefined
}

/**
 * The bytes of a body that are kept. Servers say by a header how many they keep: hc-ping.com 100,000, servers of one's
 * own 10,000 unless set (https://healthchecks.io/docs/http_api/, https://healthchecks.io/docs/self_hosted_configuration/).
 */
const defaultLimit = 10_000
const maxLimit = 100_000

/** @internal */
export const make = (options: HealthchecksOptions): Made =>
  makeMonitor("healthchecks", options, { url: 0, create: 0, logs: 0 }, addressMistakes("url", options.url), () => {
    const { headers, secrets, url } = target(options.url)
    const create = options.create === true ? "1" : undefined
    let limit = defaultLimit
    const learn = (answer: Readonly<Record<string, string | undefined>>) =>
      Effect.sync(() => {
        const said = Number(answer["ping-body-limit"])
        if (Number.isInteger(said) && said > 0) limit = Math.min(said, maxLimit)
      })
    return {
      secrets,
      // The maker says that one address takes 10 a minute: https://github.com/healthchecks/healthchecks/issues/553
      pace: [{ count: 10, per: "1 minute" }],
      takes: new Set(["start", "heartbeat", "success", "failure"]),
      showsLogs: true,
      request: (ping) =>
        Effect.map(ping.runId === undefined ? Effect.undefined : runUuid(ping.runId), (rid) => ({
          request: HttpClientRequest.post(extended(url, pathOf(ping), { rid, create })).pipe(
            HttpClientRequest.setHeaders(headers),
            HttpClientRequest.bodyText(bodyOf(ping, limit))
          ),
          learn,
          read
        }))
    }
  })

/** A heartbeat is another start, which begins the grace time anew; a success would end the run. */
const pathOf = ({ exitCode, kind }: Ping): string => {
  switch (kind) {
    case "start":
    case "heartbeat":
      return "start"
    case "success":
      return ""
    case "failure":
    case "interrupt":
      return exitCode !== undefined && exitCode >= 1 && exitCode <= 255 ? String(exitCode) : "fail"
  }
}

/** The server answers 200 to a ping that it does not take, too: `OK (not found)`, `OK (rate-limited)`. */
const read: Read<void> = ({ text }) => {
  const said = /^OK \(([^()]{1,100})\)/i.exec(text.trim())?.[1]
  if (said === undefined) return Effect.void
  return /rate/i.test(said)
    ? Effect.fail(failure(AlerterErrorReason.RateLimited({}), true))
    : Effect.fail(failure(AlerterErrorReason.Rejected({ detail: said })))
}
