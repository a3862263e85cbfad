/** The alerts that the supervisor posts on behalf of a child process that crashed. */
import { Alert } from "../../Alert.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { clean, oneLine } from "../../internal/text/fit.ts"
import { text } from "../../internal/text/redact.ts"
import { pathText, placeOf, subjectKey, subjectText } from "../../internal/text/stepLabel.ts"
import { innermost, type OpenRun, type OpenStep, type State } from "./state.ts"

/** The end of a child process. */
export interface Death {
  /** Either this or `signal` is set. */
  readonly code: number | undefined
  readonly signal: string | undefined
  /** The time of the end, in milliseconds since 1970. */
  readonly at: number
  /** The time of the start, in milliseconds since 1970. */
  readonly since: number
  /** The end of what the child wrote to stderr. */
  readonly stderr: string
}

const maxLines = 20

// bounds the alerts of a crash in a step that many fibers run at once
const maxSteps = 10

/** Returns an alert for each innermost open step, and one for each run, unless they have been alerted. */
export const alertsOf = (state: State, pipeline: string, death: Death): ReadonlyArray<Alert> =>
  state.runs.size === 0
    ? [ofChild(state.pipelineName ?? pipeline, death)]
    : [...state.runs.values()].flatMap((run) => {
      const steps = innermost(run)
      return [
        ...steps.filter(({ alerted }) => !alerted).slice(0, maxSteps).map((step) => ofStep(run, step, death)),
        ...(run.alerted ? [] : [ofRun(run, steps, death)])
      ]
    })

const ofStep = (run: OpenRun, step: OpenStep, death: Death): Alert => {
  const { attempt, cause, params, startedAt, stepLabels } = step
  const { pipelineName, runId, runName } = run
  const source = { pipeline: pipelineName, runId, runName, ...placeOf(step), attempt }
  const elapsed = since(startedAt, death)
  const failed = cause === undefined ? undefined : oneLine(cause.split("\n")[0]!)
  return Alert.make({
    title: `${subject(run, step)} ${failed === undefined ? "crashed" : "failed, then crashed"}`,
    severity: "critical",
    body: failed === undefined
      ? `${how(death)} after ${elapsed}`
      : `${failed}\n${how(death)} before an alert of that was delivered`,
    fields: [
      { name: "pipeline", value: pipelineName },
      { name: "run", value: runName },
      { name: "step", value: stepLabels.at(-1) ?? "" },
      ...(attempt > 1 ? [{ name: "attempt", value: String(attempt) }] : []),
      { name: "running for", value: elapsed },
      ...ending(death),
      ...Object.entries(params).map(([name, value]) => ({ name, value: text(value) }))
    ],
    detail: detailOf(death, cause),
    dedupeKey: subjectKey(source),
    tags: tagsOf(death),
    source
  })
}

const ofRun = (run: OpenRun, steps: ReadonlyArray<OpenStep>, death: Death): Alert => {
  const { last, pipelineName, runId, runName, startedAt } = run
  const elapsed = since(startedAt, death)
  return Alert.make({
    title: `${pipelineName} crashed`,
    severity: "critical",
    body: `${how(death)} after ${elapsed}`,
    fields: [
      { name: "pipeline", value: pipelineName },
      { name: "run", value: runName },
      { name: "running for", value: elapsed },
      ...ending(death),
      ...(steps.length > 0
        ? [{ name: "running", value: list(steps.map(({ stepLabels }) => pathText(stepLabels, " › "))) }]
        : last === undefined
        ? []
        : [{ name: "last step", value: last }])
    ],
    detail: detailOf(death),
    dedupeKey: pipelineName,
    tags: tagsOf(death),
    source: { pipeline: pipelineName, runId, runName, stepPath: [] }
  })
}

/** The alert of a child that crashed before it reported a run. */
const ofChild = (pipeline: string, death: Death): Alert =>
  Alert.make({
    title: `${pipeline} crashed`,
    severity: "critical",
    body: `${how(death)} after ${since(death.since, death)}, before its run began`,
    fields: [{ name: "pipeline", value: pipeline }, ...ending(death)],
    detail: detailOf(death),
    dedupeKey: pipeline,
    tags: tagsOf(death)
  })

/** Returns the alert of a child that a signal has stopped, and that has not told of it. */
export const stopAlert = (
  { interrupted, pipelineName }: State,
  pipeline: string,
  signal: string,
  death: Death
): Alert => {
  const name = interrupted?.pipelineName ?? pipelineName ?? pipeline
  const elapsed = since(interrupted?.startedAt ?? death.since, death)
  return Alert.make({
    title: `${name} was interrupted`,
    severity: "warning",
    body: `stopped by ${signal} after ${elapsed}`,
    fields: [
      { name: "pipeline", value: name },
      ...(interrupted === undefined ? [] : [{ name: "run", value: interrupted.runName }]),
      { name: "running for", value: elapsed },
      { name: "signal", value: signal },
      ...(interrupted?.last === undefined ? [] : [{ name: "last step", value: interrupted.last }])
    ],
    dedupeKey: name,
    tags: ["interrupted", signal],
    ...(interrupted === undefined
      ? {}
      : { source: { pipeline: name, runId: interrupted.runId, runName: interrupted.runName, stepPath: [] } })
  })
}

/** The title of a step in alerts, as the standard hooks write it. */
export const subject = ({ pipelineName }: OpenRun, step: OpenStep): string =>
  subjectText({ ...step, pipeline: pipelineName })

/** @internal */
export const how = ({ code, signal }: Death): string =>
  signal === undefined ? `exit code ${code}` : `killed by ${signal}`

const ending = ({ code, signal }: Death) => [
  signal === undefined ? { name: "exit code", value: String(code) } : { name: "signal", value: signal }
]

/** Tags by which a route tells a crash, or a kill for lack of memory (`SIGKILL`), from other failures. */
const tagsOf = ({ signal }: Death): ReadonlyArray<string> => signal === undefined ? ["crash"] : ["crash", signal]

const since = (start: number, { at }: Death): string => lasted(at - start)

/** Formats the time that something took by the system's clock, which may have been set back meanwhile. */
export const lasted = (millis: number): string => formatDuration(Math.max(0, millis))

const list = (names: ReadonlyArray<string>): string =>
  names.length > maxSteps
    ? `${names.slice(0, maxSteps).join(", ")} and ${names.length - maxSteps} more`
    : names.join(", ")

const detailOf = ({ stderr }: Death, cause?: string): string | undefined => {
  const lines = clean(stderr).trimEnd().split("\n").slice(-maxLines).join("\n")
  const parts = [...(cause === undefined || cause === "" ? [] : [clean(cause)]), ...(lines === "" ? [] : [lines])]
  return parts.length === 0 ? undefined : parts.join("\n\n")
}
