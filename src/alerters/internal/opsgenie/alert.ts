/** Renders alerts for the Alert API of Opsgenie (https://docs.opsgenie.com/docs/alert-api). */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Field, Severity } from "../../../Alert.ts"
import { AlerterErrorReason } from "../../../Alerter.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import { clean, fitEnd, fitMiddle, oneLine } from "../../../internal/text/fit.ts"
import { labelsOf, pathText } from "../../../internal/text/stepLabel.ts"
import { linksOf } from "../channel/actions.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { fitFields } from "../channel/fields.ts"
import { fitAlert } from "../channel/fitAlert.ts"
import { type Answer, type Failure, failure } from "../channel/http.ts"
import type { IncidentAction } from "../channel/incident.ts"
import { recordOf } from "../channel/recordOf.ts"
import { fitKey, repeatKey } from "../channel/repeat.ts"

/**
 * Opsgenie fills a bucket for each second and one for each minute, by the plan and the number of users, and tells no
 * number that holds for all (https://docs.opsgenie.com/docs/api-rate-limiting). Two requests a second are few. So many
 * at once close the alerts of the steps of a run in time; where they are too many, headers say how long to wait.
 */
export const pace: Pace = [{ count: 2, per: "1 second", burst: 60 }]

/**
 * A priority, from the most to the least urgent.
 *
 * @category models
 * @since 0.1.0
 */
export type Priority = "P1" | "P2" | "P3" | "P4" | "P5"

/** @internal */
export const priorities: ReadonlyArray<Priority> = ["P1", "P2", "P3", "P4", "P5"]

const priorityOf: Record<Severity, Priority> = { info: "P5", success: "P5", warning: "P3", error: "P2", critical: "P1" }

// https://docs.opsgenie.com/docs/alert-api#create-alert. Counted in UTF-16 code units, of which a text has at least as
// many as characters.
const maxMessage = 130
const maxAlias = 512
const maxDescription = 15_000
const maxEntity = 512
const maxSource = 100
const maxTags = 20
const maxTag = 50
/** The longest note of an action: https://docs.opsgenie.com/docs/alert-api#close-alert. */
const maxNote = 25_000
/** The most that names and values of `details` have together. */
const maxDetails = 8_000
const maxName = 100
const maxValue = 2_000
const minValue = 64
const maxFields = 100

/** The parts of an alert that are set for all alerts of a channel. */
export interface Settings {
  readonly teams?: ReadonlyArray<string> | undefined
  readonly priorities?: { readonly [severity in Severity]?: Priority | undefined } | undefined
}

/**
 * Keeps tags of HTML, which Opsgenie renders in messages and descriptions, from being tags. An entity in their place
 * would stand in text messages and push notifications as it is.
 */
const literal = (text: string): string => text.replace(/<(?=[a-z!/?])/gi, "<\u200b")

/** Returns the alias of an alert. One that is about no incident must not be added to that which is open. */
export const aliasOf = (alert: Dated, action: IncidentAction): Effect.Effect<string | undefined> => {
  const key = action === "change" ? repeatKey(alert) : alert.dedupeKey || repeatKey(alert)
  return key === undefined ? Effect.undefined : fitKey(key, maxAlias)
}

/** @internal */
export const pathOf = (action: IncidentAction, alias: string | undefined): string => {
  if (alias === undefined || action === "trigger" || action === "change") return "/v2/alerts"
  const verb = action === "resolve" ? "close" : "acknowledge"
  return `/v2/alerts/${encodeURIComponent(alias)}/${verb}?identifierType=alias`
}

const sourceOf = ({ source }: Dated): string => fitEnd(oneLine(source?.pipeline ?? ""), maxSource) || "effect-epilogue"

const description = (alert: Dated, { time, words }: Shows): string =>
  [
    literal(alert.body ?? ""),
    literal(alert.detail ?? ""),
    linksOf(alert, words).map(({ label, url }) => `${literal(label)}: ${url}`).join("\n"),
    time(alert.at)
  ].filter((part) => part.trim() !== "").join("\n\n")

/** Fits the texts that have no property of their own. Fields are in `details`. */
const described = (alert: Dated, shows: Shows): string => {
  const fitting = fitAlert(
    alert.with({ fields: [] }) as Dated,
    maxDescription,
    (alert) => description(alert, shows).length,
    shows.words
  ) // a cast, since `with` forgets that the alert has a time
  return fitting === undefined ? shows.time(alert.at) : description(fitting, shows)
}

const detailsOf = ({ fields, source }: Dated, { words }: Shows): Readonly<Record<string, string>> => {
  const own: ReadonlyArray<Field> = source === undefined ? [] : [
    { name: "pipeline", value: source.pipeline },
    { name: "step", value: pathText(labelsOf(source), " › ") },
    { name: "run", value: source.runName },
    { name: "run id", value: source.runId }
  ]
  const names = new Set(fields.map(({ name }) => name))
  const missing = own.filter(({ name, value }) => value !== "" && !names.has(name))
  return recordOf(
    fitFields([...fields, ...missing], {
      room: maxDetails,
      maxFields,
      maxValue,
      minValue,
      render: ({ name, value }, limit): Field => ({
        name: fitEnd(name, maxName) || "–",
        value: fitMiddle(value, limit)
      }),
      more: (count) => ({ name: "…", value: words.moreFields(count) }),
      // names that are numbered get longer
      size: ({ name, value }) => name.length + value.length + " (100)".length
    }),
    (name, use) => `${name} (${use})`
  )
}

const tagsOf = ({ tags }: Dated): ReadonlyArray<string> => [
  ...new Set(tags.slice(0, maxTags).map((tag) => fitEnd(oneLine(tag), maxTag)).filter((tag) => tag !== ""))
]

type Shows = Pick<Channel, "time" | "words">

/** The body of a request that creates an alert. */
export interface Created {
  readonly message: string
  readonly alias?: string
  readonly description: string
  readonly responders?: ReadonlyArray<{ readonly type: "team"; readonly name: string }>
  readonly tags?: ReadonlyArray<string>
  readonly details: Readonly<Record<string, string>>
  readonly entity?: string
  readonly source: string
  readonly priority: Priority
}

const created = (alert: Dated, alias: string | undefined, settings: Settings, shows: Shows): Created => {
  const { severity, source } = alert
  const { priorities, teams = [] } = settings
  const tags = tagsOf(alert)
  const entity = source === undefined ? "" : fitEnd(oneLine(pathText(labelsOf(source), " › ")), maxEntity)
  return {
    message: fitEnd(literal(oneLine(alert.title)), maxMessage) || "(no title)",
    ...(alias === undefined ? {} : { alias }),
    description: described(alert, shows),
    ...(teams.length === 0 ? {} : { responders: teams.map((name) => ({ type: "team" as const, name })) }),
    ...(tags.length === 0 ? {} : { tags }),
    details: detailsOf(alert, shows),
    ...(entity === "" ? {} : { entity }),
    source: sourceOf(alert),
    priority: priorities?.[severity] ?? priorityOf[severity]
  }
}

/** The body of a request that closes or acknowledges an alert. */
export interface Noted {
  readonly note: string
  readonly source: string
}

const noted = (alert: Dated, { time }: Shows): Noted => ({
  note: fitEnd([oneLine(alert.title), clean(alert.body ?? ""), time(alert.at)].filter(Boolean).join("\n\n"), maxNote),
  source: sourceOf(alert)
})

/** Renders the body of the request. */
export const body = (
  alert: Dated,
  action: IncidentAction,
  alias: string | undefined,
  settings: Settings,
  shows: Shows
): Created | Noted =>
  action === "resolve" || action === "acknowledge" ? noted(alert, shows) : created(alert, alias, settings, shows)

/** Returns how long the bucket takes that is empty (https://docs.opsgenie.com/docs/api-rate-limiting#response-headers). */
const periodIn = (headers: Answer["headers"]): Duration.Duration | undefined => {
  const seconds = Number(headers["x-ratelimit-period-in-sec"] ?? NaN)
  return seconds > 0 && seconds <= 3600 ? Duration.seconds(seconds) : undefined
}

/** Reads how long to wait from an answer of 429 that has no `Retry-After`. */
export const refused = ({ headers, status }: Answer): Failure | undefined => {
  const retryAfter = status === 429 && headers["retry-after"] === undefined ? periodIn(headers) : undefined
  return retryAfter === undefined ? undefined : failure(AlerterErrorReason.RateLimited({ retryAfter }), true)
}

/** Returns how long to wait after an accepted request, where Opsgenie delays those that come now. */
export const throttled = (headers: Answer["headers"]): Duration.Duration | undefined =>
  headers["x-ratelimit-state"] === "THROTTLED" ? periodIn(headers) : undefined

/** Picks the message of an error answer, which is `{ message, errors, took, requestId }`. */
export const said = (answer: object): string | undefined => {
  const message = "message" in answer && typeof answer.message === "string" ? [answer.message] : []
  const errors = "errors" in answer && typeof answer.errors === "object" && answer.errors !== null
    ? Object.entries(answer.errors).map(([name, error]) => `${name}: ${String(error)}`)
    : []
  return [...message, ...errors].join("; ") || undefined
}
