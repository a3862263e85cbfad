/** Makes the alerter of a channel: what is the same for all channels. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../../Alert.ts"
import { Alerter, AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { failWith, timed } from "../../../internal/alerts/alerter.ts"
import * as Mailbox from "../../../internal/alerts/mailbox/mailbox.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import { counted } from "../../../internal/alerts/metrics.ts"
import { pageUrl } from "../../../internal/alerts/pageUrl.ts"
import { forgetful } from "../../../internal/alerts/settling.ts"
import { CurrentWords } from "../../../internal/alerts/words.ts"
import { inZone, zoneMistakes } from "../../../internal/alerts/zone.ts"
import { checked, type Known } from "../../../internal/model/options.ts"
import { scrubAlert } from "../../../internal/model/scrubAlert.ts"
import { CurrentGuard } from "../../../internal/model/secrets.ts"
import type { Words } from "../../../internal/text/alertWords.ts"
import { localTime } from "../../../internal/text/localTime.ts"
import { type Scrub, scrubber } from "../../../internal/text/secrets.ts"
import type { ChannelOptions } from "../../ChannelOptions.ts"
import { withLinks } from "./actions.ts"
import { fitAttachments } from "./attachments.ts"
import * as Http from "./http.ts"
import { type KnownBeyond, sending } from "./sending.ts"

/** The means by which a channel sends. */
export interface Channel {
  readonly http: Http.Http
  /** Shows a time in the channel's time zone, with the name of the zone. */
  readonly time: (at: DateTime.DateTime) => string
  /** The words that the library says in alerts. */
  readonly words: Words
  /** Makes an error of this channel. */
  readonly error: (reason: AlerterErrorReason) => AlerterError
}

/** An alert as channels get it: with a time, and without the channel's secrets. */
export type Dated = Alert & { readonly at: DateTime.Utc }

/** The options that `Options` has beyond those of all channels, each with its check. */
export type OwnOptions<Options> = KnownBeyond<Options, ChannelOptions>

/** Returns options of a channel that are right; throws otherwise. */
export const check = <Options extends ChannelOptions>(
  name: string,
  options: Options,
  own: OwnOptions<Options>
): Options =>
  // a cast, since tsc does not see that both parts together have the names of all
  checked(name, options, { ...own, ...sending, timeZone: zoneMistakes } as unknown as Known<Options>)

/** The means of a channel, with what its post needs besides. */
interface Made {
  readonly channel: Channel
  /** Removes the channel's own secrets. */
  readonly scrub: Scrub
  readonly zone: DateTime.TimeZone
}

/** Makes the means of a channel. Called when its layer is built. */
export const make = (
  name: string,
  options: ChannelOptions,
  secrets: ReadonlyArray<string>
): Effect.Effect<Made, never, Scope.Scope> => {
  const own = scrubber(secrets)
  const zone = options.timeZone ?? DateTime.zoneMakeLocal()
  return Effect.gen(function*() {
    const guard = yield* CurrentGuard
    const words = yield* CurrentWords
    guard?.add(secrets)
    // what a server says may quote the alert, and is cut afterwards
    const http = yield* Http.make(name, options, guard === undefined ? own : (text) => guard.text(own(text)))
    return {
      channel: {
        http,
        time: (at) => localTime(at, zone),
        words,
        error: (reason) => new AlerterError({ channel: name, reason })
      },
      // of an alert `timed` has removed the others
      scrub: own,
      zone
    }
  })
}

/** The parts in which channels differ. */
interface Parts<E, R> {
  /** The texts that are removed from alerts and errors. */
  readonly secrets: ReadonlyArray<string>
  /** Called once. The function that it makes is called for each alert, by the channel's mailbox. */
  readonly start: (
    channel: Channel
  ) => Effect.Effect<(alert: Dated) => Effect.Effect<unknown, AlerterError>, E, R>
  /** How many alerts the channel takes, as it documents. */
  readonly pace: Pace
  /** How many alerts are sent at once. One unless set. */
  readonly concurrency?: number | undefined
  /** The most bytes of attachments of one alert. None unless set. */
  readonly maxAttached?: number | undefined
  /** Whether the channel sends alerts as data, with links as they were given. */
  readonly asData?: boolean | undefined
  /** Whether the channel shows how things are, and so gets quiet alerts, too. */
  readonly keepsState?: boolean | undefined
  /** Whether there is something to send of an alert. Without, its post succeeds at once, and takes nothing of the pace. */
  readonly concerns?: ((alert: Alert) => boolean) | undefined
}

/**
 * Makes the alerter of a channel. `parts` is called when the layer is built, and the options are right by the checks in
 * `own`.
 */
export const layer = <Options extends ChannelOptions, E = never, R = never>(
  name: string,
  options: Options,
  own: OwnOptions<Options>,
  parts: () => Parts<E, R>
): Layer.Layer<Alerter, E, Exclude<R, Scope.Scope>> =>
  Layer.effect(
    Alerter,
    Effect.gen(function*() {
      check(name, options, own)
      const { asData, concerns, maxAttached = 0, secrets, start, ...queue } = parts()
      const { channel, scrub, zone } = yield* make(name, options, secrets)
      const { words } = channel
      const post = yield* start(channel)
      const withoutDefects = (post: () => Effect.Effect<unknown, AlerterError>): Effect.Effect<void, AlerterError> =>
        Effect.catchCause(
          Effect.asVoid(Effect.suspend(post)),
          (cause) =>
            failWith(
              cause,
              (detail) => channel.error(AlerterErrorReason.Rejected({ detail: channel.http.detail(detail) }))
            )
        )
      // a cast, since `timed` has set the time
      const deliver = (alert: Alert) => counted(alert, name, withoutDefects(() => post(alert as Dated)))
      const send = yield* Mailbox.make(deliver, {
        ...options,
        ...queue,
        channel: name,
        pace: options.pace ?? queue.pace,
        zone,
        words
      })
      const zoned = inZone({
        post: (input) =>
          timed(
            input,
            (alert) =>
              withoutDefects(() => {
                if (concerns?.(alert) === false) return Effect.void
                const scrubbed = scrubAlert(alert, scrub)
                return send(
                  fitAttachments(asData ? scrubbed : withLinks(scrubbed, words), maxAttached, words)
                )
              }),
            name,
            pageUrl
          )
      }, zone)
      return queue.keepsState ? zoned : forgetful(zoned)
    })
  )
