/** Renders alerts as messages of Pushover (https://pushover.net/api). */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Alert, Severity } from "../../../Alert.ts"
import { AlerterErrorReason } from "../../../Alerter.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { linksOf } from "../channel/actions.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { fitAlert } from "../channel/fitAlert.ts"
import { type Answer, type Failure, failure, resetIn } from "../channel/http.ts"
import { sha256 } from "../channel/repeat.ts"
import { symbols } from "../channel/severity.ts"

/**
 * Pushover takes two requests at a time (https://pushover.net/api#friendly) and 10,000 messages a month
 * (https://pushover.net/api#limits), and documents no other rate. One a second is few for a phone.
 */
export const pace: Pace = [{ count: 1, per: "1 second", burst: 5 }]

/**
 * A priority (https://pushover.net/api#priority): without a notification, silent, normal, past quiet hours, and repeated
 * until somebody confirms it.
 *
 * @category models
 * @since 0.1.0
 */
export type Priority = -2 | -1 | 0 | 1 | 2

const priorityUnlessSet: Record<Severity, Priority> = { info: -1, success: -1, warning: 0, error: 1, critical: 2 }

const emergency = 2

// https://pushover.net/api#limits says 1,024 characters of up to 4 bytes, 250, 512 and 100. Counted in UTF-16 code
// units, of which a text has at least as many as characters.
const maxMessage = 1024
const maxTitle = 250
const maxUrl = 512
const maxUrlTitle = 100

/** The shortest time between two notifications of an emergency, and the longest for which they are repeated: https://pushover.net/api#priority. */
export const leastRetry: Duration.Duration = Duration.seconds(30)
/** @internal */
export const mostExpire: Duration.Duration = Duration.hours(3)

/** The parts of a message that are set for all alerts of a channel. */
export interface Settings {
  readonly device?: string | undefined
  readonly sound?: string | undefined
  readonly priorities?: { readonly [severity in Severity]?: Priority | undefined } | undefined
  readonly retry?: Duration.Input | undefined
  readonly expire?: Duration.Input | undefined
}

const priorityOf = (severity: Severity, { priorities }: Settings): Priority =>
  priorities?.[severity] ?? priorityUnlessSet[severity]

/** Returns whether an alert is repeated until somebody confirms it. */
export const isEmergency = ({ severity }: Alert, settings: Settings): boolean =>
  priorityOf(severity, settings) === emergency

/** The keys of the emergencies that a layer has sent, and that are not ended. */
interface Ringing {
  readonly has: (alert: Alert) => boolean
  readonly add: (alert: Alert) => void
  readonly remove: (alert: Alert) => void
}

/** The most keys that are kept. The quiet end of others waits until they expire. */
const maxRinging = 10_000

/** @internal */
export const makeRinging = (): Ringing => {
  const keys = new Set<string>()
  return {
    has: ({ dedupeKey }) => dedupeKey !== undefined && keys.has(dedupeKey),
    add: ({ dedupeKey }) => {
      if (dedupeKey && keys.size < maxRinging) keys.add(dedupeKey)
    },
    remove: ({ dedupeKey }) => {
      if (dedupeKey !== undefined) keys.delete(dedupeKey)
    }
  }
}

/** Returns whether a channel sends emergencies, which have to be ended. */
export const hasEmergencies = (settings: Settings): boolean =>
  (["info", "success", "warning", "error", "critical"] as const).some((severity) =>
    priorityOf(severity, settings) === emergency
  )

/** Returns the tag by which the emergencies of a key are ended. */
export const tagOf = ({ dedupeKey }: Dated): Effect.Effect<string | undefined> =>
  dedupeKey ? Effect.map(sha256(dedupeKey), (hex) => hex.slice(0, 40)) : Effect.undefined

type Shows = Pick<Channel, "time" | "words">

const text = (alert: Dated, { time, words }: Shows): string =>
  [
    alert.body,
    alert.fields.map(({ name, value }) => `${name}: ${value}`).join("\n"),
    alert.detail,
    // the first is a property of the message
    linksOf(alert, words).slice(1).map(({ label, url }) => `${label}: ${url}`).join("\n"),
    time(alert.at)
  ].filter((part) => part?.trim()).join("\n\n")

const seconds = (input: Duration.Input): number => Math.round(Duration.toSeconds(input))

/** Renders an alert as the fields of the request's form. */
export const message = (
  alert: Dated,
  tag: string | undefined,
  settings: Settings,
  shows: Shows
): Readonly<Record<string, string | number | undefined>> => {
  const { device, expire = "1 hour", retry = "1 minute", sound } = settings
  const fitting = fitAlert(alert, maxMessage, (alert) => text(alert, shows).length, shows.words)
  const [link] = linksOf(alert, shows.words)
  const isLink = link !== undefined && link.url.length <= maxUrl
  const priority = priorityOf(alert.severity, settings)
  return {
    title: fitEnd(`${symbols[alert.severity]} ${oneLine(alert.title)}`, maxTitle),
    // if even the shortest text is too long, only the time is sent, which always fits
    message: fitting === undefined ? shows.time(alert.at) : text(fitting, shows),
    priority,
    timestamp: Math.floor(DateTime.toEpochMillis(alert.at) / 1000),
    device,
    sound,
    url: isLink ? link.url : undefined,
    url_title: isLink ? fitEnd(link.label, maxUrlTitle) : undefined,
    ...(priority === emergency
      ? {
        retry: seconds(Duration.max(leastRetry, Duration.fromInputUnsafe(retry))),
        expire: seconds(Duration.min(mostExpire, Duration.fromInputUnsafe(expire))),
        tags: tag
      }
      : {})
  }
}

/** Reads when more messages are accepted, where those of the month are used up. */
export const refused = (answer: Answer): Effect.Effect<Failure | undefined> =>
  answer.status !== 429 || answer.headers["retry-after"] !== undefined
    ? Effect.undefined
    : Effect.map(
      resetIn(answer, "x-limit-app-reset"),
      (retryAfter) =>
        retryAfter === undefined ? undefined : failure(AlerterErrorReason.RateLimited({ retryAfter }), true)
    )

/** Picks the messages of an error answer, which is `{ status: 0, errors, … }`. */
export const said = (answer: object): string | undefined =>
  "errors" in answer && Array.isArray(answer.errors) ? answer.errors.map(String).join("; ") || undefined : undefined
