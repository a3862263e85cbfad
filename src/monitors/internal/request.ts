/** Requests any addresses. */
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Redacted from "effect/Redacted"
import type { LogOptions, MonitorOptions } from "../MonitorOptions.ts"
import type { Made } from "./model.ts"
import { addressMistakes, make as makeMonitor, target } from "./monitor.ts"
import { bodyOf, type PingKind } from "./ping.ts"

/**
 * The options of `layer`. At least one address must be set. A user and a password in one are sent as a header.
 *
 * @category models
 * @since 0.1.0
 */
export interface PingOptions extends Omit<MonitorOptions, "interrupt">, LogOptions {
  /** The address to request when a run begins. */
  readonly start?: Redacted.Redacted<string> | undefined
  /** The address to request when a run has succeeded. */
  readonly success?: Redacted.Redacted<string> | undefined
  /** The address to request when a run has failed; also when it was interrupted, unless `interrupt` is set. */
  readonly failure?: Redacted.Redacted<string> | undefined
  /** The address to request when a run was interrupted. */
  readonly interrupt?: Redacted.Redacted<string> | undefined
  /** The address to request while a run goes on, as often as `every` says. */
  readonly heartbeat?: Redacted.Redacted<string> | undefined
  /** The method. `GET` unless set. With `POST` the body says what happened. */
  readonly method?: "GET" | "POST" | undefined
}

/** The bytes of a body: servers of any kind accept so many. */
const maxBody = 10_000

/** The keys of the addresses. */
export const kinds: ReadonlyArray<PingKind> = ["start", "heartbeat", "success", "failure", "interrupt"]

/** @internal */
export const besideEvery = "heartbeat beside it, the address to request"

const ownOptions = { start: 0, success: 0, failure: 0, heartbeat: 0, method: 0, logs: 0 } as const

/** @internal */
export const make = (options: PingOptions): Made => {
  const { method = "GET" } = options
  const given = kinds.flatMap((kind) => {
    const url = options[kind]
    return url === undefined ? [] : [{ kind, url }]
  })
  const mistakes = [
    ...(given.length > 0
      ? []
      : [{
        option: "success",
        expected: `an address here, or at one of ${kinds.filter((kind) => kind !== "success").join(", ")}`
      }]),
    ...given.flatMap(({ kind, url }) => addressMistakes(kind, url)),
    ...(options.every !== undefined && options.heartbeat === undefined
      ? [{ option: "every", expected: besideEvery }]
      : [])
  ]
  return makeMonitor("ping", { ...options, interrupt: undefined }, ownOptions, mistakes, () => {
    const targets = new Map(given.map(({ kind, url }) => [kind, target(url)]))
    return {
      secrets: [...targets.values()].flatMap(({ secrets }) => secrets),
      pace: [],
      takes: new Set(targets.keys()),
      showsLogs: method === "POST",
      request: (ping) => {
        // it gets no others than it takes
        const { headers, url } = targets.get(ping.kind)!
        const request = HttpClientRequest.setHeaders(HttpClientRequest.make(method)(url), headers)
        return Effect.succeed({
          request: method === "POST" ? HttpClientRequest.bodyText(request, bodyOf(ping, maxBody)) : request
        })
      }
    }
  })
}
