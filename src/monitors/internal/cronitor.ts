/** Sends events of telemetry to Cronitor. */
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import { isHttp } from "../../alerters/internal/channel/isHttp.ts"
import { withoutTrailingSlashes } from "../../internal/text/baseUrl.ts"
import type { MonitorMistake } from "../MonitorError.ts"
import type { MonitorOptions } from "../MonitorOptions.ts"
import type { Made } from "./model.ts"
import { make as makeMonitor, secretMistakes, textMistakes } from "./monitor.ts"
import { lineOf, type Ping, type PingKind } from "./ping.ts"
import { fitQuery } from "./query.ts"

/**
 * The options of `layer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface CronitorOptions extends MonitorOptions {
  /** An API key with the permission `monitor:telemetry`. */
  readonly apiKey: Redacted.Redacted<string>
  /** The key of the monitor, as in `"nightly-job"`. Cronitor creates one that it does not know. */
  readonly monitor: string
  /** The environment, as in `"production"`. */
  readonly environment?: string | undefined
  /** The name of the host. */
  readonly host?: string | undefined
  /** The names of annotations of the run that are sent as metrics, where they are numbers. */
  readonly metrics?: ReadonlyArray<string> | undefined
  /** The address of the Telemetry API. `https://cronitor.link` unless set. */
  readonly baseUrl?: string | undefined
}

/** The characters of a message (https://cronitor.io/docs/telemetry-api). */
const maxMessage = 2_000

/** Whether a text may be an API key. */
export const isKey = (text: string): boolean => /^[\w-]+$/.test(text)

/** Whether a text may be the name of a metric (https://cronitor.io/docs/custom-metrics). */
export const isMetric = (text: string): boolean => /^[\w-]{1,63}$/.test(text)

/** @internal */
export const aMetric = "a name of up to 63 letters, digits, _ and -"

const states: Readonly<Partial<Record<PingKind, string>>> = { start: "run", success: "complete", failure: "fail" }

const mistakesIn = (options: CronitorOptions): ReadonlyArray<MonitorMistake> => {
  const { apiKey, baseUrl, metrics = [], monitor } = options
  return [
    ...secretMistakes("apiKey", apiKey, isKey, "an API key of Cronitor"),
    ...textMistakes("monitor", monitor, (text) => text.trim() !== "", "the key of a monitor"),
    ...(["environment", "host"] as const).flatMap((option) =>
      textMistakes(option, options[option] ?? "", () => true, "a text")
    ),
    ...(Array.isArray(metrics) && metrics.every(isMetric)
      ? []
      : [{ option: "metrics", expected: `for each ${aMetric}` }]),
    ...(baseUrl === undefined
      ? []
      : textMistakes("baseUrl", baseUrl, isHttp, "an address that begins with https:// or http://"))
  ]
}

const ownOptions = { apiKey: 0, monitor: 0, environment: 0, host: 0, metrics: 0, baseUrl: 0 } as const

/** @internal */
export const make = (options: CronitorOptions): Made =>
  makeMonitor("cronitor", options, ownOptions, mistakesIn(options), () => {
    const { baseUrl = "https://cronitor.link", environment, host, metrics = [], monitor } = options
    const key = Redacted.value(options.apiKey)
    const address = `${withoutTrailingSlashes(baseUrl)}/p/${key}/${encodeURIComponent(monitor)}`
    return {
      secrets: [key, address],
      // https://cronitor.io/docs/telemetry-api: 5 events a second for each monitor, and 10 at once
      pace: [{ count: 5, per: "1 second", burst: 10 }],
      takes: new Set(["start", "heartbeat", "success", "failure"]),
      request: (ping) => {
        const url = new URL(address)
        const set = (name: string, value: string | undefined) => {
          if (value !== undefined) url.searchParams.append(name, value)
        }
        set("state", states[ping.kind])
        set("series", ping.runId)
        set("message", fitQuery(lineOf(ping, maxMessage), maxMessage))
        set("env", environment)
        set("host", host)
        set("status_code", ping.exitCode === undefined ? undefined : String(ping.exitCode))
        for (const [name, value] of metricsOf(ping, metrics)) set("metric", `${name}:${value}`)
        return Effect.succeed({ request: HttpClientRequest.get(url.href) })
      }
    }
  })

const metricsOf = (
  { failed, kind, millis, numbers, steps }: Ping,
  names: ReadonlyArray<string>
): ReadonlyArray<readonly [string, number]> => {
  if (kind !== "success" && kind !== "failure") return []
  const own = names.flatMap((name) => Object.hasOwn(numbers, name) ? [[name, numbers[name]!] as const] : [])
  const given = new Set(own.map(([name]) => name))
  const standard = [["count", steps], ["error_count", failed], ["duration", millis && millis / 1000]] as const
  return [
    ...standard.flatMap(([name, value]) => value === undefined || given.has(name) ? [] : [[name, value] as const]),
    ...own
  ]
}
