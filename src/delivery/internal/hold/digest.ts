/** Alerts that combine several others. */
import * as DateTime from "effect/DateTime"
import type { AlertSource, Severity } from "../../../Alert.ts"
import { Alert } from "../../../Alert.ts"
import { rank, severities, textSymbols, worst } from "../../../internal/model/severity.ts"
import { formatDuration } from "../../../internal/text/duration.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { localTime } from "../../../internal/text/localTime.ts"
import { labelsOf } from "../../../internal/text/stepLabel.ts"
import { heldBack } from "../entries.ts"
import { digestTag, isDigest } from "../policy.ts"

/** The largest number of lines in the list of alerts. The most severe are kept if there are more. */
export const maxListed = 500

const maxTags = 50
const maxTitle = 200
const maxBody = 200
const maxNote = 200

const words: Record<Severity, (count: number) => string> = {
  critical: (count) => `${count} critical`,
  error: (count) => `${count} failed`,
  warning: (count) => count === 1 ? "1 warning" : `${count} warnings`,
  success: (count) => `${count} succeeded`,
  info: (count) => `${count} info`
}

/** Returns a number of alerts in words: `1 alert`, `2 alerts`. */
export const alerts = (count: number): string => count === 1 ? "1 alert" : `${count} alerts`

/** Combines alerts into one that lists them in the given order. `when` follows their number in the title. */
export const digestOf = (all: ReadonlyArray<Alert>, when: string, zone: DateTime.TimeZone): Alert => {
  const times = all.flatMap(({ at }) => at === undefined ? [] : [at])
  const first = times.reduce((a, b) => DateTime.min(a, b), times[0] ?? DateTime.makeUnsafe(0))
  const last = times.reduce((a, b) => DateTime.max(a, b), first)
  return Alert.make({
    title: `${alerts(all.length)}${when}: ${tally(all)}`,
    severity: all.reduce<Severity>((severity, alert) => worst(severity, alert.severity), "info"),
    fields: times.length === 0
      ? []
      : [{ name: "first", value: localTime(first, zone) }, { name: "last", value: localTime(last, zone) }],
    detail: list(all, zone),
    tags: [...new Set([digestTag, ...all.flatMap(({ tags }) => tags)])].slice(0, maxTags),
    source: commonSource(all)
  })
}

const tally = (all: ReadonlyArray<Alert>): string =>
  severities.toReversed().flatMap((severity) => {
    const count = all.filter((alert) => alert.severity === severity).length
    return count === 0 ? [] : [words[severity](count)]
  }).join(", ")

const list = (all: ReadonlyArray<Alert>, zone: DateTime.TimeZone): string => {
  const lines = all.flatMap((alert) => [line(alert, zone), ...nested(alert)].map((text) => ({ alert, text })))
  if (lines.length <= maxListed) return lines.map(({ text }) => text).join("\n")
  const listed = lines.map(({ alert, text }, index) => ({ rank: rank(alert.severity), index, text }))
    .toSorted((a, b) => b.rank - a.rank || a.index - b.index)
    .slice(0, maxListed)
    .toSorted((a, b) => a.index - b.index)
    .map(({ text }) => text)
  return [...listed, `… and ${lines.length - listed.length} more, none of them worse`].join("\n")
}

/** Returns the alert with only what a digest shows of it, to save memory where many are held. */
export const listedOnly = (alert: Alert): Alert =>
  alert.with({
    title: short(alert.title, maxTitle),
    body: alert.body === undefined ? undefined : firstLine(alert.body),
    detail: isDigest(alert) ? alert.detail : undefined,
    attachments: [],
    fields: alert.fields.filter(({ name }) => name === heldBack)
  })

const firstLine = (body: string): string => short(body.trimStart().split("\n", 1)[0] ?? "", maxBody)

/** Returns the indented list of an alert that is a digest itself: `digest` or `quietHours` was piped twice. */
const nested = (alert: Alert): ReadonlyArray<string> =>
  isDigest(alert) && alert.detail !== undefined ? alert.detail.split("\n").map((line) => `  ${line}`) : []

const line = ({ at, body, fields, severity, title }: Alert, zone: DateTime.TimeZone): string => {
  // without the zone, which stands in the fields "first" and "last"
  const time = at === undefined ? "" : `${localTime(at, zone).slice(0, "2026-11-23 13:40:12".length)} `
  const rest = body === undefined ? "" : firstLine(body)
  const notes = fields.flatMap(({ name, value }) => name === heldBack ? [short(`${name}: ${value}`, maxNote)] : [])
  return `${time}${textSymbols[severity]} ${
    [short(title, maxTitle), ...(rest === "" ? [] : [rest]), ...notes].join(" – ")
  }`
}

/** Returns a text as one line of limited length. Reads only its beginning, since it may have megabytes. */
export const short = (text: string, limit: number): string => fitEnd(oneLine(text.slice(0, limit * 8)), limit)

/** Returns the source that all alerts share, with the common start of their paths, so that `route` still works. */
const commonSource = (all: ReadonlyArray<Alert>): AlertSource | undefined => {
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
  const common = { pipeline, runId, runName, stepPath: stepPath.slice(0, length) }
  return {
    ...common,
    ...(stepLabels === undefined ? {} : { stepLabels: stepLabels.slice(0, length) }),
    ...(stepKey === undefined || length < stepPath.length ? {} : { stepKey })
  }
}

/** Returns a duration after `before` and "in", or an empty text for less than half a second: `, in 10 min`. */
export const inTime = (before: string, millis: number): string =>
  millis < 500 ? "" : `${before}in ${formatDuration(millis)}`
