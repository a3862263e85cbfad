/** Pings in messages to the supervisor. */
import * as Schema from "effect/Schema"
import { fitEnd, fitMiddle } from "../../internal/text/fit.ts"
import type { Ping } from "../../monitors/internal/ping.ts"

/** The longest texts, so that a line holds them all though each character may take six bytes as JSON. */
const maxDetail = 1_500
const maxLogs = 1_500
const maxLines = 5
const maxText = 150
const maxNumbers = 50

/** A ping as JSON. What is not known is missing. */
export const PingJson = Schema.Struct({
  kind: Schema.Literals(["start", "heartbeat", "success", "failure", "interrupt"]),
  pipelineName: Schema.optionalKey(Schema.String),
  runId: Schema.optionalKey(Schema.String),
  runName: Schema.optionalKey(Schema.String),
  headline: Schema.String,
  lines: Schema.Array(Schema.String),
  detail: Schema.optionalKey(Schema.String),
  logs: Schema.Array(Schema.String),
  millis: Schema.optionalKey(Schema.Finite),
  steps: Schema.optionalKey(Schema.Finite),
  failed: Schema.optionalKey(Schema.Finite),
  numbers: Schema.Record(Schema.String, Schema.Finite)
})

/** @internal */
export type PingJson = typeof PingJson.Type

/** Encodes a ping. */
export const toPingJson = (
  { detail, failed, headline, kind, lines, logs, millis, numbers, pipelineName, runId, runName, steps }: Ping
): PingJson => ({
  kind,
  ...(pipelineName === undefined ? {} : { pipelineName }),
  ...(runId === undefined ? {} : { runId }),
  ...(runName === undefined ? {} : { runName }),
  headline,
  lines,
  ...(detail === undefined ? {} : { detail }),
  logs,
  ...(millis === undefined ? {} : { millis }),
  ...(steps === undefined ? {} : { steps }),
  ...(failed === undefined ? {} : { failed }),
  numbers
})

/** Shortens a ping; with `spare`, it also drops the error, the log and the metrics. */
export const fitPing = (
  { detail, logs, numbers, pipelineName, runName, ...rest }: PingJson,
  spare: boolean
): PingJson => {
  const least = {
    ...rest,
    ...(pipelineName === undefined ? {} : { pipelineName: fitEnd(pipelineName, maxText) }),
    ...(runName === undefined ? {} : { runName: fitEnd(runName, maxText) }),
    lines: rest.lines.slice(0, maxLines).map((line) => fitEnd(line, maxText))
  }
  if (spare) return { ...least, logs: [], numbers: {} }
  let left = maxLogs
  return {
    ...least,
    logs: logs.toReversed().filter((line) => (left -= line.length) >= 0).toReversed(),
    numbers: Object.fromEntries(Object.entries(numbers).slice(0, maxNumbers)),
    ...(detail === undefined ? {} : { detail: fitMiddle(detail, maxDetail) })
  }
}
