/** Renders alerts as events of PagerDuty, with the types of PagerDuty's own package. */
import type { ChangePayload, EventPayloadV2 } from "@pagerduty/pdjs/build/src/events.js"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Severity } from "../../../Alert.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import type { Words } from "../../../internal/text/alertWords.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { labelsOf, pathText } from "../../../internal/text/stepLabel.ts"
import { linksOf } from "../channel/actions.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { fitJson } from "../channel/fitAlert.ts"
import { type IncidentAction, incidentActionOf } from "../channel/incident.ts"
import { recordOf } from "../channel/recordOf.ts"
import { fitKey, repeatKey } from "../channel/repeat.ts"

/**
 * PagerDuty limits the events of a routing key by what happens at the time, and tells no number
 * (https://developer.pagerduty.com/docs/events-api-v2-overview#rate-limits). Its support has told this one:
 * https://community.pagerduty.com/forum/t/which-rate-limit-of-rest-api-is-correct/3322
 */
export const pace: Pace = [{ count: 120, per: "1 minute" }]

// https://developer.pagerduty.com/docs/send-alert-event
const maxSummary = 1024
const maxKey = 255
/** The longest text of a property for which PagerDuty documents no limit. */
const maxName = 255
const maxTags = 50
/** The largest event: https://developer.pagerduty.com/docs/events-api-v2-overview#size-limits says 512 KB, taken as 1,000 bytes each. */
const maxEvent = 512_000

interface EventOptions {
  readonly routingKey: string
  readonly component: string | undefined
  readonly group: string | undefined
  readonly source: string | undefined
}

/** @internal */
export const paths: Record<IncidentAction, string> = {
  trigger: "/v2/enqueue",
  acknowledge: "/v2/enqueue",
  resolve: "/v2/enqueue",
  change: "/v2/change/enqueue"
}

const severities: Record<Severity, EventPayloadV2["payload"]["severity"]> = {
  info: "info",
  success: "info",
  warning: "warning",
  error: "error",
  critical: "critical"
}

/** Returns the key of the incident: the alert's `dedupeKey`, or else its `idempotencyKey`. */
export const dedupKey = (alert: Dated): Effect.Effect<string | undefined> => {
  const key = alert.dedupeKey || repeatKey(alert)
  return key === undefined ? Effect.undefined : fitKey(key, maxKey)
}

/** Returns the name of the machine, if the runtime knows it and may read it. */
const host = (): string => {
  // a cast, since Node, Deno and Bun have `process`, and other runtimes do not
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: "node:os") => { hostname: () => string } }
  }
  try {
    return process?.getBuiltinModule?.("node:os").hostname() || "unknown host"
  } catch {
    return "unknown host"
  }
}

const name = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : fitEnd(oneLine(text), maxName) || undefined

const stepOf = ({ source }: Dated): string | undefined =>
  source === undefined ? undefined : pathText(labelsOf(source), " › ") || undefined

const details = (alert: Dated, time: (at: DateTime.Utc) => string): object => {
  const { body, detail, fields, source, tags } = alert
  return {
    body,
    fields: fields.length === 0 ? undefined : recordOf(fields, (name, use) => `${name} (${use})`),
    detail,
    pipeline: name(source?.pipeline),
    run: source === undefined ? undefined : name(`${source.runName} (${source.runId})`),
    step: name(stepOf(alert)),
    attempt: source?.attempt,
    tags: tags.length === 0 ? undefined : tags.slice(0, maxTags).map(name),
    time: time(alert.at)
  }
}

const links = (alert: Dated, words: Words) =>
  linksOf(alert, words).map(({ label, url }) => ({ href: url, text: label }))

/** Renders the body of the request. Returns `undefined` if the alert is too large whatever is left out. */
export const body = (
  alert: Dated,
  key: string | undefined,
  options: EventOptions,
  { time, words }: Pick<Channel, "time" | "words">
): string | undefined => {
  const action = incidentActionOf(alert) ?? "change"
  const source = name(alert.source?.pipeline) ?? name(options.source) ?? host()
  const routing_key = options.routingKey
  const common = (alert: Dated) => ({
    summary: fitEnd(alert.title, maxSummary) || "(no title)",
    source,
    timestamp: DateTime.formatIso(alert.at),
    custom_details: details(alert, time)
  })
  const changeEvent = (alert: Dated): ChangePayload => ({
    routing_key,
    payload: common(alert),
    links: links(alert, words)
  })
  const alertEvent = (event_action: EventPayloadV2["event_action"]) => (alert: Dated): EventPayloadV2 => ({
    routing_key,
    event_action,
    ...(key === undefined ? {} : { dedup_key: key }),
    ...(linksOf(alert, words).length === 0 ? {} : { links: links(alert, words) }),
    payload: { ...common(alert), severity: severities[alert.severity], ...placeOf(alert, options) }
  })
  return fitJson(alert, maxEvent, action === "change" ? changeEvent : alertEvent(action), words)
}

/** Returns the properties that say which part of the source the event is about. */
const placeOf = (alert: Dated, options: EventOptions) => {
  const component = name(options.component) ?? name(stepOf(alert))
  const group = name(options.group)
  const kind = name(alert.tags[0])
  return {
    ...(component === undefined ? {} : { component }),
    ...(group === undefined ? {} : { group }),
    ...(kind === undefined ? {} : { class: kind })
  }
}

/** Picks the message of an error answer, which is `{ status, message, errors }`. */
export const said = (answer: object): string | undefined => {
  const message = "message" in answer && typeof answer.message === "string" ? [answer.message] : []
  const errors = "errors" in answer && Array.isArray(answer.errors) ? answer.errors.map(String) : []
  return [...message, ...errors].join(": ") || undefined
}
