/** Renders alerts as events of Sentry (https://develop.sentry.dev/sdk/foundations/transport/event-payloads/). */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Severity } from "../../../Alert.ts"
import { AlerterErrorReason } from "../../../Alerter.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import { fitEnd, fitMiddle, oneLine } from "../../../internal/text/fit.ts"
import { labelsOf, pathText } from "../../../internal/text/stepLabel.ts"
import { linksOf } from "../channel/actions.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { fitJson, jsonBytes } from "../channel/fitAlert.ts"
import { type Answer, type Failure, failure, retryAfter } from "../channel/http.ts"
import type { IncidentAction } from "../channel/incident.ts"
import { recordOf } from "../channel/recordOf.ts"
import { fitKey, repeatKey, sha256 } from "../channel/repeat.ts"
import { exceptionOf } from "./exception.ts"

/**
 * Sentry limits the events of a project by its quota, its spike protection and the settings of a key, and documents no
 * rate that holds for all (https://docs.sentry.io/pricing/quotas/). One a second is few.
 */
export const pace: Pace = [{ count: 1, per: "1 second", burst: 20 }]

/** The largest event, in bytes: Sentry takes 200 KB (https://docs.sentry.io/concepts/data-management/size-limits/). */
const maxEvent = 200_000
/** The longest text of `extra`, in bytes: Sentry cuts those of more than 16 KB, in their ends. */
const maxExtra = 15_000
/** The longest value of a tag: https://develop.sentry.dev/sdk/foundations/transport/event-payloads/#optional-attributes. */
const maxTag = 200
const maxMessage = 8_000
const maxKey = 255

const levels: Record<Severity, string> = {
  info: "info",
  success: "info",
  warning: "warning",
  error: "error",
  critical: "fatal"
}

/** The parts of an event that are set for all alerts of a channel. */
export interface Settings {
  readonly environment?: string | undefined
  readonly release?: string | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
}

/** The parts of an event by which Sentry knows it, and its issue, again. */
export interface Identity {
  /** 32 hexadecimal digits. Sentry drops an event whose id it has. */
  readonly id: string
  readonly fingerprint: string | undefined
}

/**
 * Returns the identity of the event of an alert, which is the same in each attempt to send it. One that is about no
 * incident must not open its issue again.
 */
export const identityOf = (alert: Dated, action: IncidentAction): Effect.Effect<Identity> => {
  const key = repeatKey(alert)
  const id = key === undefined
    ? Effect.sync(() => crypto.randomUUID().replaceAll("-", ""))
    : Effect.map(sha256(key), (hex) => hex.slice(0, 32))
  const fingerprint = alert.dedupeKey && action !== "change" ? fitKey(alert.dedupeKey, maxKey) : Effect.undefined
  return Effect.all({ id, fingerprint })
}

interface Shows extends Pick<Channel, "time" | "words"> {
  readonly cut: (text: string | undefined) => string
}

const name = (text: string | undefined): string => text === undefined ? "" : fitEnd(oneLine(text), maxTag)

const filled = (values: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""))

const tagsOf = ({ severity, source, tags }: Dated, settings: Settings): Readonly<Record<string, string>> =>
  filled({
    severity,
    pipeline: name(source?.pipeline),
    step: source === undefined ? "" : name(pathText(source.stepPath, "/")),
    key: name(source?.stepKey),
    run: name(source?.runName),
    tag: name(tags.join(", ")),
    ...Object.fromEntries(Object.entries(settings.tags ?? {}).map(([key, value]) => [key, name(value)]))
  })

/** Returns a function that cuts a text of `extra`, once for all attempts to fit the event. */
const cutOnce = (): (text: string | undefined) => string => {
  const done = new Map<string, string>()
  return (text = "") => {
    const known = done.get(text)
    if (known !== undefined) return known
    const cut = fitMiddle(text, maxExtra, jsonBytes)
    done.set(text, cut)
    return cut
  }
}

const extraOf = (alert: Dated, { cut, time, words }: Shows): Readonly<Record<string, string>> => {
  const { at, body, detail, fields, source } = alert
  return filled(recordOf([
    { name: "body", value: cut(body) },
    { name: "detail", value: cut(detail) },
    { name: "time", value: time(at) },
    { name: "run id", value: name(source?.runId) },
    ...linksOf(alert, words).map(({ label, url }) => ({ name: label, value: url })),
    ...fields.map(({ name, value }) => ({ name, value: cut(value) }))
  ], (name, use) => `${name} (${use})`))
}

const transactionOf = ({ source }: Dated): string =>
  source === undefined
    ? ""
    : name([source.pipeline, pathText(labelsOf(source), " › ")].filter((part) => part !== "").join(" › "))

const event = (alert: Dated, { fingerprint, id }: Identity, settings: Settings, shows: Shows): object => {
  const { body, severity, title } = alert
  const exception = exceptionOf(alert)
  const transaction = transactionOf(alert)
  return {
    event_id: id,
    timestamp: DateTime.formatIso(alert.at),
    platform: "node",
    level: levels[severity],
    logger: "effect-epilogue",
    ...(transaction === "" ? {} : { transaction }),
    ...(settings.environment ? { environment: settings.environment } : {}),
    ...(settings.release ? { release: settings.release } : {}),
    ...(fingerprint === undefined ? {} : { fingerprint: [fingerprint] }),
    logentry: { formatted: fitEnd([title || "(no title)", body].filter(Boolean).join("\n"), maxMessage) },
    ...(exception === undefined ? {} : { exception: { values: [exception] } }),
    tags: tagsOf(alert, settings),
    extra: extraOf(alert, shows)
  }
}

/**
 * Renders the body of the request, an envelope with one event
 * (https://develop.sentry.dev/sdk/foundations/transport/envelopes/). Returns `undefined` if the alert is too large whatever
 * is left out.
 */
export const envelope = (
  alert: Dated,
  identity: Identity,
  settings: Settings,
  channel: Pick<Channel, "time" | "words">
): string | undefined => {
  const shows: Shows = { ...channel, cut: cutOnce() }
  const json = fitJson(alert, maxEvent, (alert) => event(alert, identity, settings, shows), shows.words)
  return json === undefined
    ? undefined
    : `${JSON.stringify({ event_id: identity.id })}\n${JSON.stringify({ type: "event" })}\n${json}\n`
}

/** https://develop.sentry.dev/sdk/expected-features/rate-limiting/ says so of an answer that says nothing. */
const waitUnlessSaid = Duration.seconds(60)

/**
 * Reads for how long Sentry takes no errors, as `X-Sentry-Rate-Limits` says
 * (https://develop.sentry.dev/sdk/expected-features/rate-limiting/): `60:error;default:key, 2700::organization`.
 */
export const limited = (headers: Answer["headers"]): Duration.Duration | undefined => {
  const seconds = (headers["x-sentry-rate-limits"] ?? "").split(",").flatMap((limit) => {
    const [after = "", categories = ""] = limit.trim().split(":")
    const isOurs = categories === "" || categories.split(";").some((one) => one === "error" || one === "default")
    return isOurs && /^\d+(\.\d+)?$/.test(after) ? [Number(after)] : []
  })
  const most = Math.max(0, ...seconds)
  return most > 0 ? Duration.seconds(most) : undefined
}

/** Reads how long to wait from an answer of 429. */
export const refused = (answer: Answer): Effect.Effect<Failure | undefined> => {
  if (answer.status !== 429) return Effect.undefined
  const said = limited(answer.headers)
  return Effect.map(
    said === undefined ? retryAfter(answer) : Effect.succeed(said),
    (after) => failure(AlerterErrorReason.RateLimited({ retryAfter: after ?? waitUnlessSaid }), true)
  )
}

/** Picks the message of an error answer, which is `{ detail, causes }`. */
export const said = (answer: object): string | undefined => {
  const detail = "detail" in answer && typeof answer.detail === "string" ? [answer.detail] : []
  const causes = "causes" in answer && Array.isArray(answer.causes) ? answer.causes.map(String) : []
  return [...detail, ...causes].join(": ") || undefined
}
