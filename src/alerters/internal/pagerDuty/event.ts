/** Renders alerts as events of PagerDuty, with the types of PagerDuty's own package. */
import type { ChangePayload, EventPayloadV2 } from "@pagerduty/pdjs/build/src/events.js"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Severity } from "../../../Alert.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { labelsOf, pathText } from "../../../internal/text/stepLabel.ts"
import type { Dated } from "../channel/channel.ts"
import { fitJson } from "../channel/fitAlert.ts"
import { repeatKey, sha256 } from "../channel/repeat.ts"

// https://developer.pagerduty.com/docs/send-alert-event
const maxSummary = 1024
const maxKey = 255
/** The longest text of a property for which PagerDuty documents no limit. */
const maxName = 255
const maxTags = 50
/** The largest event: https://developer.pagerduty.com/docs/events-api-v2-overview#size-limits says 512 KB, taken as 1,000 bytes each. */
const maxEvent = 512_000

/** @internal */
export interface EventOptions {
  readonly routingKey: string
  readonly component: string | undefined
  readonly group: string | undefined
  readonly source: string | undefined
}

/** The effect of an alert: trigger an incident, resolve one, or add a change event, which pages nobody. */
export type Action = "trigger" | "resolve" | "change"

/** Returns `undefined` for a success that is no news: other evaluations of its step may fail or have failed. */
export const actionOf = ({ dedupeKey, resolves, severity }: Dated): Action | undefined => {
  if (severity !== "success" && severity !== "info") return "trigger"
  if (dedupeKey === undefined || dedupeKey === "") return "change"
  if (resolves) return "resolve"
  return severity === "info" ? "change" : undefined
}

/** @internal */
export const paths: Record<Action, string> = {
  trigger: "/v2/enqueue",
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

/** Shortens a key that PagerDuty does not accept. A digest of the whole key at its end keeps different keys apart. */
const fitKey = (key: string): Effect.Effect<string> => {
  const plain = oneLine(key)
  if (plain === key && key.length <= maxKey) return Effect.succeed(key)
  return Effect.map(sha256(key), (hex) => `${fitEnd(plain, maxKey - hex.length - 1)}#${hex}`)
}

/** Returns the key of the incident: the alert's `dedupeKey`, or else its `idempotencyKey`. */
export const dedupKey = (alert: Dated): Effect.Effect<string | undefined> => {
  const key = alert.dedupeKey || repeatKey(alert)
  return key === undefined ? Effect.undefined : fitKey(key)
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

/** Makes an object of the fields. A name that is used again gets a number. */
const record = (fields: Dated["fields"]): Record<string, string> => {
  const entries = new Map<string, string>()
  const uses = new Map<string, number>()
  for (const { name, value } of fields) {
    let use = uses.get(name) ?? 1
    let key = name
    while (entries.has(key)) key = `${name} (${++use})`
    uses.set(name, use)
    entries.set(key, value)
  }
  return Object.fromEntries(entries)
}

const stepOf = ({ source }: Dated): string | undefined =>
  source === undefined ? undefined : pathText(labelsOf(source), " › ") || undefined

const details = (alert: Dated, time: (at: DateTime.Utc) => string): object => {
  const { body, detail, fields, source, tags } = alert
  return {
    body,
    fields: fields.length === 0 ? undefined : record(fields),
    detail,
    pipeline: name(source?.pipeline),
    run: source === undefined ? undefined : name(`${source.runName} (${source.runId})`),
    step: name(stepOf(alert)),
    attempt: source?.attempt,
    tags: tags.length === 0 ? undefined : tags.slice(0, maxTags).map(name),
    time: time(alert.at)
  }
}

/** Renders the body of the request. Returns `undefined` if the alert is too large whatever is left out. */
export const body = (
  alert: Dated,
  key: string | undefined,
  options: EventOptions,
  time: (at: DateTime.Utc) => string
): string | undefined => {
  const action = actionOf(alert) ?? "change"
  const source = name(alert.source?.pipeline) ?? name(options.source) ?? host()
  const routing_key = options.routingKey
  const common = (alert: Dated) => ({
    summary: fitEnd(alert.title, maxSummary) || "(no title)",
    source,
    timestamp: DateTime.formatIso(alert.at),
    custom_details: details(alert, time)
  })
  const changeEvent = (alert: Dated): ChangePayload => ({ routing_key, payload: common(alert), links: [] })
  const alertEvent = (event_action: EventPayloadV2["event_action"]) => (alert: Dated): EventPayloadV2 => ({
    routing_key,
    event_action,
    ...(key === undefined ? {} : { dedup_key: key }),
    payload: { ...common(alert), severity: severities[alert.severity], ...placeOf(alert, options) }
  })
  return fitJson(alert, maxEvent, action === "change" ? changeEvent : alertEvent(action))
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
