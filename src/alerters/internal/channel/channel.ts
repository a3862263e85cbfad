/** Makes the alerter of a channel: what is the same for all channels. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../../Alert.ts"
import { Alerter, AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { failWith, timed } from "../../../internal/alerts/alerter.ts"
import { counted } from "../../../internal/alerts/metrics.ts"
import { forgetful } from "../../../internal/alerts/settling.ts"
import { scrubAlert } from "../../../internal/model/scrubAlert.ts"
import { CurrentGuard } from "../../../internal/model/secrets.ts"
import { localTime } from "../../../internal/text/localTime.ts"
import { type Scrub, scrubber } from "../../../internal/text/secrets.ts"
import type { ChannelOptions } from "../../ChannelOptions.ts"
import { fitAttachments } from "./attachments.ts"
import * as Http from "./http.ts"

/** The means by which a channel sends. */
export interface Channel {
  readonly http: Http.Http
  /** Shows a time in the channel's time zone, with the name of the zone. */
  readonly time: (at: DateTime.DateTime) => string
  /** Makes an error of this channel. */
  readonly error: (reason: AlerterErrorReason) => AlerterError
}

/** An alert as channels get it: with a time, and without the channel's secrets. */
export type Dated = Alert & { readonly at: DateTime.Utc }

/** Makes what a channel sends with. Called when its layer is built. */
export const make = (
  name: string,
  options: ChannelOptions,
  secrets: ReadonlyArray<string>
): Effect.Effect<{ readonly channel: Channel; readonly scrub: Scrub }, never, Scope.Scope> => {
  const own = scrubber(secrets)
  const zone = options.timeZone ?? DateTime.zoneMakeLocal()
  return Effect.gen(function*() {
    const guard = yield* CurrentGuard
    guard?.add(secrets)
    // what a server says may quote the alert, and is cut afterwards
    const http = yield* Http.make(name, options, guard === undefined ? own : (text) => guard.text(own(text)))
    return {
      channel: {
        http,
        time: (at) => localTime(at, zone),
        error: (reason) => new AlerterError({ channel: name, reason })
      },
      // of an alert `timed` has removed the others
      scrub: own
    }
  })
}

/**
 * Makes the alerter of a channel. `start` is called once, when the layer is built; the function that it returns is
 * called for each alert, whose attachments have at most `maxAttached` bytes together. With `settles`, it gets quiet
 * alerts, too.
 */
export const layer = <E = never, R = never>(
  name: string,
  options: ChannelOptions,
  secrets: ReadonlyArray<string>,
  start: (channel: Channel) => Effect.Effect<(alert: Dated) => Effect.Effect<unknown, AlerterError>, E, R>,
  maxAttached = 0,
  settles = false
): Layer.Layer<Alerter, E, Exclude<R, Scope.Scope>> =>
  Layer.effect(
    Alerter,
    Effect.gen(function*() {
      const { channel, scrub } = yield* make(name, options, secrets)
      const post = yield* start(channel)
      const alerter = Alerter.of({
        post: (input) =>
          timed(input, (alert) =>
            counted(
              name,
              Effect.catchCause(
                // a cast, since `timed` has set the time
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
      return settles ? alerter : forgetful(alerter)
    })
  )
