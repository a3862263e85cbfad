/** Renders alerts for Alertmanager, as https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml describes them. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Field } from "../../../Alert.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { pathText } from "../../../internal/text/stepLabel.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { fitJson } from "../channel/fitAlert.ts"
import type { IncidentAction } from "../channel/incident.ts"
import { recordOf } from "../channel/recordOf.ts"
import { fitKey, repeatKey } from "../channel/repeat.ts"

/** The longest value of a label. Alertmanager documents no limit, but labels are shown and grouped by whole. */
const maxLabel = 255
/**
 * The largest alert, in bytes, without its labels. Alertmanager documents no limit; it keeps alerts in memory, and its
 * templates put them into messages of chats, which are far shorter.
 */
const maxAlert = 50_000
const maxTags = 50

type LabelSet = Readonly<Record<string, string>>

/** The `postableAlert` of the API. */
interface Posted {
  readonly labels: LabelSet
  readonly annotations: LabelSet
  readonly startsAt?: string
  readonly endsAt?: string
  readonly generatorURL?: string
}

/** The properties of the API's `gettableAlert` that are posted again to end it. */
export type Open = Posted & { readonly startsAt: string }

interface LabelOptions {
  readonly alertname?: string | undefined
  readonly labels?: LabelSet | undefined
}

const name = (text: string | undefined): string => text === undefined ? "" : fitEnd(oneLine(text), maxLabel)

/** Removes empty values, which Alertmanager treats as missing. */
const filled = (labels: LabelSet): LabelSet =>
  Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ""))

const own: ReadonlySet<string> = new Set(["alertname", "pipeline", "step", "key", "dedupe_key", "severity"])

/** Returns the labels, by which Alertmanager knows an alert again: none of them may differ from one failure to the next. */
export const labelsOf = (alert: Dated, action: IncidentAction, options: LabelOptions): Effect.Effect<LabelSet> => {
  const { dedupeKey, severity, source, title } = alert
  const { alertname, labels } = options
  const key = dedupeKey || repeatKey(alert) || title
  return Effect.map(fitKey(key, maxLabel), (dedupe_key) =>
    filled({
      alertname: alertname || name(source?.pipeline) || name(dedupeKey) || name(title) || "alert",
      pipeline: name(source?.pipeline),
      step: source === undefined ? "" : name(pathText(source.stepPath, "/")),
      key: name(source?.stepKey),
      dedupe_key,
      severity: action === "trigger" ? severity : "info",
      ...labels
    }))
}

/**
 * Returns whether an open alert is what a recovery with these labels is about: one of its key, and of the same
 * deployment. Whatever else it is labelled with was up to the alert that failed.
 */
const isAbout = (open: LabelSet, recovery: LabelSet, { alertname, labels = {} }: LabelOptions): boolean =>
  open["dedupe_key"] === recovery["dedupe_key"] &&
  (!alertname || open["alertname"] === recovery["alertname"]) &&
  Object.entries(filled(labels)).every(([label, value]) => open[label] === value) &&
  Object.keys(open).every((label) => own.has(label) || label in labels)

/** Returns the query that finds open alerts of a key, as https://prometheus.io/docs/alerting/latest/configuration/#matcher quotes values. */
export const queryOf = (labels: LabelSet): string =>
  `filter=${encodeURIComponent(`dedupe_key=${JSON.stringify(labels["dedupe_key"] ?? "")}`)}`

/** Makes the name of an annotation: letters, digits and underscores, and no digit first. */
const annotationName = (text: string): string => text.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^(?=\d|$)/, "_")

/** Makes an annotation of a field. A name of which nobody would know the rest is in the value, too. */
const annotationOf = ({ name, value }: Field): Field => ({
  name: annotationName(name),
  value: /[^\w .-]/.test(name) ? `${name}: ${value}` : value
})

const annotationsOf = (alert: Dated, labels: LabelSet, time: (at: DateTime.Utc) => string): LabelSet => {
  const { actions, at, body, detail, fields, source, tags, title } = alert
  // labels are shown beside annotations
  const others = fields.filter(({ name, value }) => labels[name] !== value).map(annotationOf)
  const names = new Set(others.map(({ name }) => name))
  return filled(recordOf([
    { name: "summary", value: title || "(no title)" },
    { name: "description", value: body ?? "" },
    { name: "detail", value: detail ?? "" },
    { name: "tags", value: tags.slice(0, maxTags).join(", ") },
    { name: "time", value: time(at) },
    // `runbook_url` is the name by convention: https://monitoring.mixins.dev/#guidelines-for-alert-names-labels-and-annotations
    ...actions.map(({ label, url }) => ({ name: annotationName(`${label.toLowerCase()}_url`), value: url })),
    ...others,
    // most alerts have fields that say so
    ...(names.has("run") ? [] : [{ name: "run", value: source?.runName ?? "" }]),
    { name: "run_id", value: source?.runId ?? "" },
    ...(names.has("attempt") ? [] : [{ name: "attempt", value: String(source?.attempt ?? "") }])
  ], (name, use) => `${name}_${use}`))
}

/** Says when an alert starts and ends. */
interface Span {
  readonly startsAt?: DateTime.Utc
  readonly endsAt?: DateTime.Utc
}

/** Renders the body of a post: the alert once for each set of labels. */
export const body = (
  alert: Dated,
  labelSets: ReadonlyArray<LabelSet>,
  { endsAt, startsAt }: Span,
  { time, words }: Pick<Channel, "time" | "words">
): string | undefined =>
  fitJson(alert, maxAlert * labelSets.length + bytesOf(labelSets), (alert) =>
    labelSets.map((labels): Posted => ({
      labels,
      annotations: annotationsOf(alert, labels, time),
      ...(startsAt === undefined ? {} : { startsAt: DateTime.formatIso(startsAt) }),
      ...(endsAt === undefined ? {} : { endsAt: DateTime.formatIso(endsAt) }),
      ...(alert.url === undefined ? {} : { generatorURL: alert.url })
    })), words)

const bytesOf = (labelSets: ReadonlyArray<LabelSet>): number =>
  new TextEncoder().encode(JSON.stringify(labelSets)).length

/**
 * Returns the labels of all alerts that a recovery may be about. They are used where a server does not tell which of
 * them are open.
 */
export const anySeverity = (labels: LabelSet, options: LabelOptions): ReadonlyArray<LabelSet> =>
  options.labels?.["severity"] === undefined
    ? ["warning", "error", "critical", "info"].map((severity) => ({ ...labels, severity }))
    : [labels]

/**
 * Renders the body that ends open alerts. They keep their annotations, as alerts of Prometheus do, with the title of the
 * recovery beside them.
 */
export const ended = (open: ReadonlyArray<Open>, { at, title }: Dated): string =>
  JSON.stringify(open.map(({ annotations, generatorURL, labels, startsAt }): Posted => ({
    labels,
    annotations: filled({ ...annotations, recovery: fitEnd(oneLine(title), maxLabel) }),
    startsAt,
    // an end before the start is refused, and clocks differ
    endsAt: DateTime.formatIso(DateTime.max(at, DateTime.makeUnsafe(startsAt))),
    ...(generatorURL ? { generatorURL } : {})
  })))

const isLabelSet = (value: unknown): value is LabelSet =>
  typeof value === "object" && value !== null && Object.values(value).every((label) => typeof label === "string")

const isOpen = (value: unknown): value is Open =>
  typeof value === "object" && value !== null && "labels" in value && isLabelSet(value.labels) &&
  "annotations" in value && isLabelSet(value.annotations) && "startsAt" in value &&
  typeof value.startsAt === "string" && !Number.isNaN(Date.parse(value.startsAt)) &&
  (!("generatorURL" in value) || typeof value.generatorURL === "string")

/** Picks the open alerts that a recovery is about. Returns `undefined` if the answer is no list of alerts. */
export const openIn = (answer: unknown, recovery: LabelSet, options: LabelOptions): ReadonlyArray<Open> | undefined =>
  Array.isArray(answer) && answer.every(isOpen)
    ? answer.filter(({ labels }) => isAbout(labels, recovery, options))
    : undefined

/** Picks the message of an error answer that is `{ code, message }`. Most are a text. */
export const said = (answer: object): string | undefined =>
  "message" in answer && typeof answer.message === "string" ? answer.message : undefined

/** Reads the addresses in a text, which spaces or commas separate. */
export const addressesIn = (text: string): ReadonlyArray<string> => text.split(/[\s,]+/).filter((url) => url !== "")
