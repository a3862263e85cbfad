/** The descriptions of services and monitors, which senders and watches share. */
import type * as Effect from "effect/Effect"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Result from "effect/Result"
import type { Read, SendOptions } from "../../alerters/internal/channel/http.ts"
import type { Pace } from "../../internal/alerts/mailbox/pace.ts"
import type { MonitorError } from "../MonitorError.ts"
import type { LogOptions, MonitorOptions } from "../MonitorOptions.ts"
import type { Ping, PingKind } from "./ping.ts"

/** A request that brings a ping. */
export interface PingRequest extends Pick<SendOptions, "learn"> {
  readonly request: HttpClientRequest.HttpClientRequest
  /** Reads an answer of success. Unless set, its status alone decides. */
  readonly read?: Read<void> | undefined
}

/** How a service is pinged. */
export interface Service {
  /** The name in errors, logs and `epilogue explain`. */
  readonly name: string
  /** The values that nothing may show. */
  readonly secrets: ReadonlyArray<string>
  /** How many pings it takes, as it documents. */
  readonly pace: Pace
  /** The events that it can be told of. It gets no others. */
  readonly takes: ReadonlySet<PingKind>
  /** Whether the log of a run is sent with its end. */
  readonly showsLogs?: boolean | undefined
  /** Makes the request of a ping; `undefined` where the service has no place for it. */
  readonly request: (ping: Ping) => Effect.Effect<PingRequest | undefined>
}

/** A service, and the runs that it is told of. */
export interface Monitor {
  readonly service: Service
  readonly options: MonitorOptions & LogOptions
  /** The names of the pipelines that it is told of; `undefined` for any. */
  readonly pipelines: ReadonlyArray<string> | undefined
  readonly everyMillis: number | undefined
}

/** A monitor, or all that is wrong with its options. */
export type Made = Result.Result<Monitor, MonitorError>
