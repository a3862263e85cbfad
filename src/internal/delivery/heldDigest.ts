/** Several alerts as one. */
import * as DateTime from "effect/DateTime"
import type { Severity, Source } from "../../Alert.ts"
import { Alert } from "../../Alert.ts"
import { fitEnd, oneLine } from "../alerters/text.ts"
import { localTime } from "../alerters/time.ts"
import { severities } from "./policy.ts"

/** So many alerts are listed, the worst ones if there are more. */
export const maxListed = 500

const maxTags = 50
const maxTitle = 200
const maxBody = 200

const symbols: Record<Severity, string> = { info: "i", success: "✓", warning: "!", error: "✗", critical: "✗✗" }

const words: Record<Severity, (count: number) => string> = {
  critical: (count) => `${count} critical`,
  error: (count) => `${count} failed`,
  warning: (count) => count === 1 ? "1 warning" : `${count} warnings`,
  success: (count) => `${count} succeeded`,
  info: (count) => `${count} info`
}

/** @internal */
export const rank = (severity: Severity): number => severities.indexOf(severity)

/** @internal */
export const worst = (a: Severity, b: Severity): Severity => rank(a) < rank(b) ? b : a

/** @internal */
export const alerts = (count: number): string => count === 1 ? "1 alert" : `${count} alerts`

/** All of them, in the order given, as one alert. `when` follows their number in the title. */
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
    tags: [...new Set(all.flatMap(({ tags }) => tags))].slice(0, maxTags),
    source: commonSource(all)
  })
}

const tally = (all: ReadonlyArray<Alert>): string =>
  severities.toReversed().flatMap((severity) => {
    const count = all.filter((alert) => alert.severity === severity).length
    return count === 0 ? [] : [words[severity](count)]
  }).join(", ")

const list = (all: ReadonlyArray<Alert>, zone: DateTime.TimeZone): string => {
  const listed = all.length <= maxListed
    ? all
    : all.map((alert, index) => ({ alert, index }))
      .toSorted((a, b) => rank(b.alert.severity) - rank(a.alert.severity) || a.index - b.index)
      .slice(0, maxListed)
      .toSorted((a, b) => a.index - b.index)
      .map(({ alert }) => alert)
  const lines = listed.map((alert) => line(alert, zone))
  if (listed.length < all.length) lines.push(`… and ${all.length - listed.length} more, none of them worse`)
  return lines.join("\n")
}

const line = ({ at, body, severity, title }: Alert, zone: DateTime.TimeZone): string => {
  // without the zone, which the fields tell
  const time = at === undefined ? "" : `${localTime(at, zone).slice(0, "2026-11-23 13:40:12".length)} `
  const rest = short(body?.trimStart().split("\n", 1)[0] ?? "", maxBody)
  return `${time}${symbols[severity]} ${short(title, maxTitle)}${rest === "" ? "" : ` – ${rest}`}`
}

/** One line of a text that may have megabytes, of which no more than need be is read. */
export const short = (text: string, limit: number): string => fitEnd(oneLine(text.slice(0, limit * 8)), limit)

/** Where all of them come from, as far as it is the same, for what routes by it. */
const commonSource = (all: ReadonlyArray<Alert>): Source | undefined => {
  const [first, ...others] = all.map(({ source }) => source)
  if (first === undefined) return undefined
  let length = first.stepPath.length
  for (const source of others) {
    if (source?.pipeline !== first.pipeline || source.runId !== first.runId) return undefined
    const differs = first.stepPath.findIndex((step, index) => source.stepPath[index] !== step)
    if (differs >= 0) length = Math.min(length, differs)
  }
  const { pipeline, runId, runName } = first
  return { pipeline, runId, runName, stepPath: first.stepPath.slice(0, length) }
}

/** Of the largest units that matter, two at most: `10 minutes`, `1 hour 30 minutes`. */
export const span = (millis: number): string => {
  const seconds = Math.round(millis / 1_000)
  const minutes = Math.round(seconds / 60)
  const hours = Math.round(minutes / 60)
  if (seconds < 3_600) return parts([Math.floor(seconds / 60), "minute"], [seconds % 60, "second"])
  if (minutes < 1_440) return parts([Math.floor(minutes / 60), "hour"], [minutes % 60, "minute"])
  return parts([Math.floor(hours / 24), "day"], [hours % 24, "hour"])
}

const parts = (...units: ReadonlyArray<readonly [number, string]>): string =>
  units.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`).join(" ")
