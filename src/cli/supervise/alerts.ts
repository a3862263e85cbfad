/** The alerts that the supervisor posts on behalf of a child process that crashed. */
import * as DateTime from "effect/DateTime"
import { Alert, type Severity } from "../../Alert.ts"
import { digestOf } from "../../internal/alerts/digest.ts"
import { interruptedTag } from "../../internal/alerts/notices.ts"
import { english, type Words } from "../../internal/text/alertWords.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { clean, oneLine } from "../../internal/text/fit.ts"
import { text } from "../../internal/text/redact.ts"
import { pathText, placeOf, subjectKey, subjectText } from "../../internal/text/stepLabel.ts"
import { innermost, type OpenRun, type OpenStep, type State, type TakenOver } from "./state.ts"

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
  /** Whether it ended for lack of memory, as far as the system or the runtime says so. */
  readonly outOfMemory?: boolean | undefined
}

const maxLines = 20

// bounds the alerts of a crash in a step that many fibers run at once
const maxSteps = 10

/** Returns an alert for each innermost open step, and one for each run, unless they have been alerted. */
export const alertsOf = (state: State, pipeline: string, death: Death, words: Words): ReadonlyArray<Alert> =>
  state.runs.size === 0
    ? [ofChild(state.pipelineName ?? pipeline, death, words)]
    : [...state.runs.values()].flatMap((run) => {
      const steps = innermost(run)
      return [
        ...steps.filter(({ alerted }) => !alerted).slice(0, maxSteps).map((step) => ofStep(run, step, death, words)),
        ...(run.alerted ? [] : [ofRun(run, steps, death, words)])
      ]
    })

/** The policies that hold alerts, whereas a channel sends them. */
const holders: ReadonlySet<string> = new Set(["digest", "quietHours", "dedupe", "throttle"])

/**
 * Returns whether an alert is the summary of a policy that counts. It is posted after those of the crash, whose place
 * under the limit of a `throttle` it would take.
 */
export const isCounted = ({ by }: TakenOver["alerts"][number]): boolean => by === "dedupe" || by === "throttle"

/** The largest number of alerts of a child that are posted one by one. The others are posted as a list. */
const maxRepeated = 50

/**
 * Returns the alerts that the child had taken when it ended, each with a field that says so. The last one says how many
 * more there were, of which nothing else is known.
 */
export const repeated = ({ alerts, more }: TakenOver, death: Death, words: Words): ReadonlyArray<Alert> => {
  const all = alerts.map(({ alert, by }) => {
    const value = holders.has(by)
      ? words.heldBackBy(by, how(death, words))
      : words.underWay(by === "alerter" ? undefined : by, how(death, words))
    return alert.with({ fields: [...alert.fields, { name: words.repeated, value }] })
  })
  if (all.length <= maxRepeated) {
    return more === 0 ? all : [...all, Alert.make({ title: words.notPosted(more), severity: "error" })]
  }
  const list = digestOf(all.slice(maxRepeated - 1), words.digestNotPosted, { zone: DateTime.zoneMakeLocal(), words })
  return [
    ...all.slice(0, maxRepeated - 1),
    more === 0
      ? list
      : list.with({
        title: words.andOthers(list.title, more, false),
        fields: [...list.fields, { name: words.notShown, value: words.alerts(more) }]
      })
  ]
}

const ofStep = (run: OpenRun, step: OpenStep, death: Death, words: Words): Alert => {
  const { attempt, cause, params, startedAt, stepLabels } = step
  const { pipelineName, runId, runName } = run
  const source = { pipeline: pipelineName, runId, runName, ...placeOf(step), attempt }
  const elapsed = since(startedAt, death, words)
  const failed = cause === undefined ? undefined : oneLine(cause.split("\n")[0]!)
  return Alert.make({
    title: words[failed === undefined ? "crashed" : "failedThenCrashed"](subject(run, step)),
    severity: "critical",
    body: failed === undefined
      ? words.endedHowAfter(how(death, words), elapsed)
      : `${failed}\n${words.endedHowBeforeAlert(how(death, words))}`,
    fields: [
      { name: words.pipeline, value: pipelineName },
      { name: words.run, value: runName },
      { name: words.step, value: stepLabels.at(-1) ?? "" },
      ...(attempt > 1 ? [{ name: words.attempt, value: String(attempt) }] : []),
      { name: words.runningFor, value: elapsed },
      ...ending(death, words),
      ...Object.entries(params).map(([name, value]) => ({ name, value: text(value) }))
    ],
    detail: detailOf(death, cause),
    dedupeKey: subjectKey(source),
    tags: tagsOf(death),
    source
  })
}

const ofRun = (run: OpenRun, steps: ReadonlyArray<OpenStep>, death: Death, words: Words): Alert => {
  const { last, pipelineName, runId, runName, startedAt } = run
  const elapsed = since(startedAt, death, words)
  return Alert.make({
    title: words.crashed(pipelineName),
    severity: "critical",
    body: words.endedHowAfter(how(death, words), elapsed),
    fields: [
      { name: words.pipeline, value: pipelineName },
      { name: words.run, value: runName },
      { name: words.runningFor, value: elapsed },
      ...ending(death, words),
      ...(steps.length > 0
        ? [{ name: words.running, value: list(steps.map((step) => running(step, death.at, words)), words) }]
        : last === undefined
        ? []
        : [{ name: words.lastStep, value: last }])
    ],
    detail: detailOf(death),
    dedupeKey: pipelineName,
    tags: tagsOf(death),
    source: { pipeline: pipelineName, runId, runName, stepPath: [] }
  })
}

/** The alert of a child that crashed before it reported a run. */
const ofChild = (pipeline: string, death: Death, words: Words): Alert =>
  Alert.make({
    title: words.crashed(pipeline),
    severity: "critical",
    body: words.endedHowBeforeRun(how(death, words), since(death.since, death, words)),
    fields: [{ name: words.pipeline, value: pipeline }, ...ending(death, words)],
    detail: detailOf(death),
    dedupeKey: pipeline,
    tags: tagsOf(death)
  })

/** Returns the alert of a child whose durable runs go on in the next process. */
export const ofDurable = ({ held, pipelineName }: State, pipeline: string, death: Death, words: Words): Alert => {
  const name = pipelineName ?? pipeline
  const runs = [...held.values()]
  return Alert.make({
    title: words.crashed(name),
    severity: "critical",
    body: `${words.endedHowAfter(how(death, words), since(death.since, death, words))}\n${
      words.runsUnderWay(runs.length)
    }`,
    fields: [
      ...runs.slice(0, maxSteps).map((run) => {
        const steps = innermost(run).map((step) => running(step, death.at, words))
        return {
          name: run.pipelineName,
          value: words.runIn(run.runId, steps.length === 0 ? undefined : list(steps, words))
        }
      }),
      ...(runs.length > maxSteps ? [{ name: words.more, value: words.runs(runs.length - maxSteps) }] : []),
      { name: words.runningFor, value: since(death.since, death, words) },
      ...ending(death, words)
    ],
    detail: detailOf(death),
    dedupeKey: name,
    tags: tagsOf(death)
  })
}

/** Returns the alert of a child that a signal has stopped, or that was failing, and that has not told of it. */
export const stopAlert = (
  { failing, interrupted, pipelineName, runs }: State,
  pipeline: string,
  signal: string | undefined,
  death: Death,
  words: Words
): Alert => {
  const [open] = runs.values()
  const run = interrupted ?? open
  const of = { run, name: pipelineName ?? pipeline, signal, at: death.at, since: death.since }
  const isFailure = signal === undefined && failing !== undefined
  return ofStopped(of, words, {
    title: words.interrupted,
    severity: isFailure ? "error" : "warning",
    body: isFailure ? failing.why : words.stoppedBy(signal ?? "", elapsed(of, words)),
    steps: isFailure ? failing.steps.map((step) => running(step, failing.at, words)) : [],
    last: isFailure && failing.steps.length > 0 ? undefined : run?.last,
    detail: isFailure ? detailOf(death) : undefined,
    tags: [interruptedTag]
  })
}

/** Returns the alert of a child that has not heard of a signal: whoever has sent that may kill it without a word. */
export const unheardAlert = (
  { pipelineName, runs }: State,
  pipeline: string,
  signal: string,
  times: Pick<Death, "at" | "since">,
  words: Words
): Alert => {
  const [run] = runs.values()
  return ofStopped({ ...times, run, name: pipelineName ?? pipeline, signal }, words, {
    title: (name) => `${name}: ${words.notResponding}`,
    severity: "warning",
    steps: run === undefined ? [] : innermost(run).map((step) => running(step, times.at, words))
  })
}

/** A run that is stopped, or was, of which not even the beginning may be known. */
interface Stopped extends Pick<Death, "at" | "since"> {
  readonly run: OpenRun | undefined
  /** The name of the job where the run is not known. */
  readonly name: string
  readonly signal: string | undefined
}

const elapsed = ({ at, run, since: started }: Stopped, words: Words): string =>
  since(run?.startedAt ?? started, { at }, words)

const ofStopped = (
  stopped: Stopped,
  words: Words,
  { body, detail, last, severity, steps, tags = [], title }: {
    readonly title: (name: string) => string
    readonly severity: Severity
    readonly body?: string | undefined
    readonly detail?: string | undefined
    readonly steps: ReadonlyArray<string>
    readonly last?: string | undefined
    readonly tags?: ReadonlyArray<string>
  }
): Alert => {
  const { run, signal } = stopped
  const name = run?.pipelineName ?? stopped.name
  return Alert.make({
    title: title(name),
    severity,
    body,
    fields: [
      { name: words.pipeline, value: name },
      ...(run === undefined ? [] : [{ name: words.run, value: run.runName }]),
      ...(steps.length === 0 ? [] : [{ name: words.step, value: list(steps, words) }]),
      { name: words.runningFor, value: elapsed(stopped, words) },
      ...(signal === undefined ? [] : [{ name: words.signal, value: signal }]),
      ...(last === undefined ? [] : [{ name: words.lastStep, value: last }])
    ],
    detail,
    dedupeKey: name,
    tags: signal === undefined ? tags : [...tags, signal],
    ...(run && { source: { pipeline: name, runId: run.runId, runName: run.runName, stepPath: [] } })
  })
}

/** The title of a step in alerts, as the standard hooks write it. */
export const subject = ({ pipelineName }: OpenRun, step: OpenStep): string =>
  subjectText({ ...step, pipeline: pipelineName })

/** @internal */
export const how = (
  { code, outOfMemory = false, signal }: Pick<Death, "code" | "outOfMemory" | "signal">,
  words: Words = english
): string => {
  const ended = signal === undefined ? words.exitCodeIs(code) : words.killedBy(signal)
  return outOfMemory ? words.outOfMemory(ended) : ended
}

const ending = ({ code, signal }: Death, words: Words) => [
  signal === undefined ? { name: words.exitCode, value: String(code) } : { name: words.signal, value: signal }
]

/** Tags by which a route tells a crash, or a kill for lack of memory, from other failures. */
const tagsOf = ({ outOfMemory = false, signal }: Death): ReadonlyArray<string> => [
  "crash",
  ...(signal === undefined ? [] : [signal]),
  ...(outOfMemory ? ["out-of-memory"] : [])
]

const since = (start: number, { at }: Pick<Death, "at">, words: Words): string => lasted(at - start, words)

/** Formats the time that something took by the system's clock, which may have been set back meanwhile. */
export const lasted = (millis: number, words: Words = english): string =>
  formatDuration(Math.max(0, millis), words.duration)

/** Returns the name of a step that is running, or was, and for how long. */
export const running = ({ startedAt, stepLabels }: OpenStep, at: number, words: Words): string =>
  `${pathText(stepLabels, " › ")} (${lasted(at - startedAt, words)})`

/** Joins names, up to a limit. */
export const list = (names: ReadonlyArray<string>, words: Words): string =>
  names.length > maxSteps
    ? words.namesAndMore(names.slice(0, maxSteps).join(", "), names.length - maxSteps)
    : names.join(", ")

const detailOf = ({ stderr }: Death, cause?: string): string | undefined => {
  const lines = clean(stderr).trimEnd().split("\n").slice(-maxLines).join("\n")
  const parts = [...(cause === undefined || cause === "" ? [] : [clean(cause)]), ...(lines === "" ? [] : [lines])]
  return parts.length === 0 ? undefined : parts.join("\n\n")
}

/** Says which steps and hooks of a child are cut off where it is killed, if any. */
export const cutOff = (state: State, { at }: Death): string => {
  const hooks = [...state.hooks.values()].map(({ at: since, title }) => `${title} (${lasted(at - since)})`)
  const running = [...state.runs.values()].flatMap((run) => {
    const steps = innermost(run)
    if (steps.length === 0 && hooks.length > 0) return []
    return steps.length === 0
      ? [`${run.pipelineName} (${lasted(at - run.startedAt)})`]
      : steps.map((step) => `${subject(run, step)} (${lasted(at - step.startedAt)})`)
  })
  const all = [...running, ...hooks]
  return all.length === 0 ? "" : `; cut off: ${all.join(", ")}`
}
