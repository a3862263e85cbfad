/** Alerts that combine several others. */
import type * as DateTime from "effect/DateTime"
import type { AlertInput, AlertSource, Severity } from "../../Alert.ts"
import { Alert } from "../../Alert.ts"
import { rank, textSymbols, worst } from "../model/severity.ts"
import type { AlertKind, Words } from "../text/alertWords.ts"
import { formatDuration } from "../text/duration.ts"
import { fitEnd, oneLine } from "../text/fit.ts"
import { localTime } from "../text/localTime.ts"
import { labelsOf, subjectKey } from "../text/stepLabel.ts"
import { isNote, withNote } from "./notes.ts"

/** Returns the subject of an alert: its `dedupeKey`, else the step or run in its `source`, else its title. */
export const subject = ({ dedupeKey, source, title }: Pick<AlertInput, "dedupeKey" | "source" | "title">): string =>
  dedupeKey ?? (source === undefined ? title : subjectKey(source))

/** The tag of alerts that combine several others. */
export const digestTag = "digest"

/** Returns whether an alert combines several others. */
export const isDigest = ({ tags }: Alert): boolean => tags.includes(digestTag)

/** The largest number of lines in the list of alerts. The most severe are kept if there are more. */
export const maxListed = 500

const maxTags = 50
const maxTitle = 200
const maxBody = 200
const maxNote = 200
// more than policies around each other add to one alert
const maxNotes = 20

/** The kinds of alerts, in the order in which they are named. */
const kinds: ReadonlyArray<AlertKind> = ["critical", "error", "warning", "recovered", "success", "info", "more"]

/** Returns what an alert is counted as: a recovery, or its severity. */
export const kindOf = ({ recovers, severity, tags }: Alert): AlertKind =>
  severity === "success" && (recovers.length > 0 || tags.includes("recovered")) ? "recovered" : severity

/** The words of a combined alert, with the time zone of its times. */
export interface Telling {
  readonly zone: DateTime.TimeZone
  readonly words: Words
}

/** Combines alerts into one that lists them in the given order. `title` makes the title of their number and their tally. */
export const digestOf = (
  all: ReadonlyArray<Alert>,
  title: (count: number, tally: string) => string,
  { words, zone }: Telling
): Alert => {
  const times = all.flatMap(({ at }) => at === undefined ? [] : [at])
    .toSorted((a, b) => a.epochMilliseconds - b.epochMilliseconds)
  const [first, last] = [times[0], times.at(-1)]
  return withLeftOut(
    Alert.make({
      title: title(all.length, tally(kindsOf(all), words)),
      severity: all.reduce<Severity>((severity, alert) => worst(severity, alert.severity), "info"),
      fields: first === undefined || last === undefined
        ? []
        : [{ name: words.first, value: localTime(first, zone) }, { name: words.last, value: localTime(last, zone) }],
      detail: list(all, { zone, words }),
      tags: [...new Set([digestTag, ...all.flatMap(({ tags }) => tags)])].slice(0, maxTags),
      source: commonSource(all),
      combines: all.flatMap((alert) => partsOf(alert, words))
    }),
    all,
    words
  )
}

/** Returns the alert without its attachments, and with a field for each. */
export const withoutAttachments = (alert: Alert, words: Words): Alert =>
  alert.attachments.reduce<Alert>(
    (rest, { name }) => withNote(rest, { kind: "not attached", name: words.notAttached }, name),
    alert.attachments.length === 0 ? alert : alert.with({ attachments: [] })
  )

/** Returns a combined alert with a field that names the files of the alerts in it. */
const withLeftOut = (combined: Alert, all: ReadonlyArray<Alert>, words: Words): Alert => {
  const names = all.flatMap((alert) => {
    const rest = withoutAttachments(alert, words)
    return rest.fields.filter(({ name }) => isNote(rest, name, "not attached"))
      .map(({ value }) => `${short(value, 100)} (${short(alert.title, 100)})`)
  })
  if (names.length === 0) return combined
  const rest = names.length - maxFiles
  return withNote(
    combined,
    { kind: "not attached", name: words.notAttached },
    [...names.slice(0, maxFiles), ...(rest > 0 ? [words.andMore(rest)] : [])].join(", ")
  )
}

const maxFiles = 10

const kindsOf = (all: ReadonlyArray<Alert>): ReadonlyMap<AlertKind, number> => {
  const kinds = new Map<AlertKind, number>()
  for (const alert of all) kinds.set(kindOf(alert), (kinds.get(kindOf(alert)) ?? 0) + 1)
  return kinds
}

/** Returns numbers of alerts by kind in words, the worst first: `2 failed, 1 recovered`. */
export const tally = (counts: ReadonlyMap<string, number>, words: Words): string =>
  kinds.flatMap((kind) => {
    const count = counts.get(kind)
    return count === undefined ? [] : [words.alertsOfKind(kind, count)]
  }).join(", ")

const list = (all: ReadonlyArray<Alert>, { words, zone }: Telling): string => {
  const lines = all.flatMap((alert) => [line(alert, zone), ...nested(alert)].map((text) => ({ alert, text })))
  if (lines.length <= maxListed) return lines.map(({ text }) => text).join("\n")
  const listed = lines.map(({ alert, text }, index) => ({ rank: rank(alert.severity), index, text }))
    .toSorted((a, b) => b.rank - a.rank || a.index - b.index)
    .slice(0, maxListed)
    .toSorted((a, b) => a.index - b.index)
    .map(({ text }) => text)
  return [...listed, words.andMoreNoWorse(lines.length - listed.length)].join("\n")
}

/** Returns the alert with only what a digest shows of it, to save memory where many are held. */
export const listedOnly = (alert: Alert, words: Words): Alert => {
  const rest = withoutAttachments(alert, words)
  return rest.with({
    title: short(alert.title, maxTitle),
    body: alert.body === undefined ? undefined : firstLine(alert.body),
    detail: isDigest(alert) ? alert.detail : undefined,
    fields: rest.fields.filter(({ name }) => isNote(rest, name, "held back") || isNote(rest, name, "not attached"))
  })
}

/** Returns what a combined alert keeps of an alert: that alone, or what it combines itself. */
const partsOf = (alert: Alert, words: Words): ReadonlyArray<Alert> =>
  alert.combines.length > 0 ? alert.combines : [listedOnly(alert, words).with({ told: [] })]

const firstLine = (body: string): string => short(body.trimStart().split("\n", 1)[0] ?? "", maxBody)

/** Returns the indented list of an alert that is a digest itself: `digest` or `quietHours` was piped twice. */
const nested = (alert: Alert): ReadonlyArray<string> =>
  isDigest(alert) && alert.detail !== undefined ? alert.detail.split("\n").map((line) => `  ${line}`) : []

const line = (alert: Alert, zone: DateTime.TimeZone): string => {
  const { at, body, fields, severity, title } = alert
  // without the zone, which stands in the fields "first" and "last"
  const time = at === undefined ? "" : `${localTime(at, zone).slice(0, "2026-11-23 13:40:12".length)} `
  const notes = fields.filter(({ name }) => isNote(alert, name, "held back")).slice(0, maxNotes)
    .map(({ name, value }) => short(`${name}: ${value}`, maxNote))
  const texts = [short(title, maxTitle), firstLine(body ?? ""), ...notes].filter(Boolean)
  return `${time}${textSymbols[severity]} ${texts.join(" – ")}`
}

/** Returns a text as one line of limited length. Reads only its beginning, since it may have megabytes. */
export const short = (text: string, limit: number): string => fitEnd(oneLine(text.slice(0, limit * 8)), limit)

/** Returns the source that all alerts share, with the common start of their paths, so that `route` still works. */
export const commonSource = (all: ReadonlyArray<Alert>): AlertSource | undefined => {
  const [first, ...others] = all.map(({ source }) => source)
  if (first === undefined) return undefined
  const { pipeline, runId, runName, stepKey, stepLabels, stepPath } = first
  const labels = labelsOf(first)
  let length = stepPath.length
  for (const source of others) {
    if (source?.pipeline !== first.pipeline || source.runId !== first.runId) return undefined
    const theirs = labelsOf(source)
    const differs = labels.findIndex((label, index) => theirs[index] !== label)
    if (differs >= 0) length = Math.min(length, differs)
  }
  return {
    pipeline,
    runId,
    runName,
    stepPath: stepPath.slice(0, length),
    ...(stepLabels === undefined ? {} : { stepLabels: stepLabels.slice(0, length) }),
    ...(stepKey === undefined || length < stepPath.length ? {} : { stepKey })
  }
}

/** Returns how long something took, for a sentence, or `undefined` for less than half a second. */
export const lasted = (millis: number, words: Words): string | undefined =>
  millis < 500 ? undefined : formatDuration(millis, words.duration)
