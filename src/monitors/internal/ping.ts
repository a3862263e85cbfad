/** The pings of monitors: what services are told of a run, before it is put in the form of one of them. */
import type { Alert as AlertType } from "../../Alert.ts"
import { Alert } from "../../Alert.ts"
import { AlerterError } from "../../Alerter.ts"
import { pingTag } from "../../internal/alerts/pings.ts"
import { explain } from "../../internal/model/alerterError.ts"
import { bytes, clean, fitEnd, fitMiddle, oneLine } from "../../internal/text/fit.ts"

/** The moves of a run that services are told of. */
export type PingKind = "start" | "heartbeat" | "success" | "failure" | "interrupt"

/** @internal */
export interface Ping {
  readonly kind: PingKind
  /** `undefined` for a job whose pipeline could not be loaded. */
  readonly pipelineName: string | undefined
  /** `undefined` for a job that could not begin, or whose run is unknown. */
  readonly runId: string | undefined
  readonly runName: string | undefined
  /** The event, on one line. */
  readonly headline: string
  /** A line for each step that failed. */
  readonly lines: ReadonlyArray<string>
  /** The error, with its stack. */
  readonly detail: string | undefined
  /** The last lines of the log, or of what a process wrote to standard error. */
  readonly logs: ReadonlyArray<string>
  /** How long the run took, in milliseconds. */
  readonly millis: number | undefined
  /** How many evaluations of steps began, and how many of them failed. */
  readonly steps: number | undefined
  readonly failed: number | undefined
  /** The annotations of the run that are numbers. */
  readonly numbers: Readonly<Record<string, number>>
  /** The exit code of the process, if it ended with one. */
  readonly exitCode: number | undefined
}

/** Whether a ping says how the run ended. */
export const isEnd = ({ kind }: Pick<Ping, "kind">): boolean => kind !== "start" && kind !== "heartbeat"

/** The bounds of the parts, in UTF-16 code units. */
const maxHeadline = 500
const maxLine = 300
const maxDetail = 20_000

/** @internal */
export const maxLogLine = 500

/** Makes a ping, whose parts are bounded. */
export const make = (
  input: Pick<Ping, "kind" | "headline"> & Partial<Ping>
): Ping => ({
  runId: undefined,
  millis: undefined,
  steps: undefined,
  failed: undefined,
  numbers: {},
  exitCode: undefined,
  ...input,
  pipelineName: nameOf(input.pipelineName),
  runName: nameOf(input.runName),
  headline: fitEnd(oneLine(input.headline), maxHeadline),
  lines: (input.lines ?? []).map((line) => fitEnd(oneLine(line), maxLine)),
  detail: input.detail === undefined ? undefined : fitMiddle(clean(input.detail).trim(), maxDetail) || undefined,
  logs: (input.logs ?? []).map((line) => fitEnd(clean(line), maxLogLine))
})

const nameOf = (name: string | undefined): string | undefined =>
  name === undefined ? undefined : fitEnd(oneLine(name), maxLine)

/** Returns a ping with all of its texts replaced. */
export const scrubbed = (ping: Ping, scrub: (text: string) => string): Ping => ({
  ...ping,
  pipelineName: ping.pipelineName === undefined ? undefined : scrub(ping.pipelineName),
  runName: ping.runName === undefined ? undefined : scrub(ping.runName),
  headline: scrub(ping.headline),
  lines: ping.lines.map(scrub),
  detail: ping.detail === undefined ? undefined : scrub(ping.detail),
  logs: ping.logs.map(scrub)
})

/** Renders a ping on one line of at most so many characters, by a measure that is never less than the length. */
export const lineOf = ({ headline, lines }: Ping, limit: number, size?: (text: string) => number): string =>
  fitEnd([headline, ...lines].join("; "), limit, size)

/** The least that the error gets of a body that has no room for all. */
const shareOfDetail = 0.5

const logTitle = "Last lines of the log:"

/**
 * Renders a ping as text of at most so many bytes. The first lines say what happened: services keep the beginning of a
 * body. Of the log the last lines stay.
 */
export const bodyOf = ({ detail, headline, lines, logs, runName }: Ping, limit: number): string => {
  const head = fitEnd(
    [headline, ...lines, ...(runName === undefined ? [] : [`run ${runName}`])].join("\n"),
    limit,
    bytes
  )
  const left = limit - bytes(head) - 2
  const logBytes = logs.length === 0 ? 0 : bytes([logTitle, ...logs].join("\n")) + 2
  const forDetail = Math.max(left - logBytes, Math.floor(left * shareOfDetail))
  const shown = detail === undefined || left <= 0 ? "" : fitMiddle(detail, forDetail, bytes)
  const forLogs = left - (shown === "" ? 0 : bytes(shown) + 2)
  const parts = [head, ...(shown === "" ? [] : [shown]), ...lastLines(logs, forLogs)]
  return parts.join("\n\n")
}

/** Returns the last lines that fit under their title, as one text, or nothing. */
const lastLines = (logs: ReadonlyArray<string>, limit: number): ReadonlyArray<string> => {
  let used = bytes(logTitle)
  let first = logs.length
  while (first > 0 && used + 1 + bytes(logs[first - 1]!) <= limit) used += 1 + bytes(logs[--first]!)
  return first === logs.length ? [] : [[logTitle, ...logs.slice(first)].join("\n")]
}

// -----------------------------------------------------------------------------
// as alerts
// -----------------------------------------------------------------------------

/** Returns the alert that a ledger knows a ping by. */
export const toAlert = ({ headline, kind, pipelineName, runId, runName }: Ping): AlertType =>
  Alert.make({
    title: headline,
    severity: kind === "failure" ? "error" : kind === "interrupt" ? "warning" : "info",
    tags: [pingTag],
    ...(pipelineName === undefined || runId === undefined || runName === undefined
      ? {}
      : { source: { pipeline: pipelineName, runId, runName, stepPath: [] } })
  })

/** The error of a ping that did not arrive. */
export class PingError extends AlerterError {
  override get message(): string {
    return `${this.channel}: ${explain(this.reason, "ping")}`
  }
}
