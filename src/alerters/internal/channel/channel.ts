/** What all channels are made of. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../../Alert.ts"
import { Alerter, AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { failWith, timed } from "../../../internal/alerts/alerter.ts"
import { counted } from "../../../internal/alerts/metrics.ts"
import { localTime } from "../../../internal/text/localTime.ts"
import { type Scrub, scrubber } from "../../../internal/text/secrets.ts"
import type { ChannelOptions } from "../../ChannelOptions.ts"
import { fitAttachments } from "./attachments.ts"
import * as Http from "./http.ts"
import { scrubAlert } from "./scrub.ts"

export interface Channel {
  readonly http: Http.Http
  /** A time as the people who read the channel know it, with its zone. */
  readonly time: (at: DateTime.DateTime) => string
  /** The alert that can't be sent, or what a server said that can't be understood. */
  readonly error: (reason: AlerterErrorReason) => AlerterError
}

/** A channel's alert has its time, and none of the channel's secrets. */
export type Dated = Alert & { readonly at: DateTime.Utc }

/** What a channel works with. Made when its layer is built. */
export const make = (
  name: string,
  options: ChannelOptions,
  secrets: ReadonlyArray<string>
): Effect.Effect<{ readonly channel: Channel; readonly scrub: Scrub }, never, Scope.Scope> => {
  const scrub = scrubber(secrets)
  const zone = options.timeZone ?? DateTime.zoneMakeLocal()
  return Effect.map(Http.make(name, options, scrub), (http) => ({
    channel: {
      http,
      time: (at) => localTime(at, zone),
      error: (reason) => new AlerterError({ channel: name, reason })
    },
    scrub
  }))
}

/**
 * An alerter that sends through a channel. `start` is called when the layer is built,
 * and what it returns for each alert, with no more attached than so many bytes.
 */
export const layer = <E = never, R = never>(
  name: string,
  options: ChannelOptions,
  secrets: ReadonlyArray<string>,
  start: (channel: Channel) => Effect.Effect<(alert: Dated) => Effect.Effect<unknown, AlerterError>, E, R>,
  maxAttached = 0
): Layer.Layer<Alerter, E, Exclude<R, Scope.Scope>> =>
  Layer.effect(
    Alerter,
    Effect.gen(function*() {
      const { channel, scrub } = yield* make(name, options, secrets)
      const post = yield* start(channel)
      return Alerter.of({
        post: (input) =>
          timed(input, (alert) =>
            counted(
              name,
              Effect.catchCause(
                // a cast, since `timed` has seen to the time
                Effect.asVoid(
                  Effect.suspend(() => post(fitAttachments(scrubAlert(alert, scrub), maxAttached) as Dated))
                ),
                (cause) =>
                  failWith(
                    cause,
                    (detail) => channel.error(AlerterErrorReason.Rejected({ detail: channel.http.detail(detail) }))
                  )
              )
            ))
      })
    })
  )
