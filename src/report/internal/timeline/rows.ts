/** Makes the rows of a timeline from the events of runs. */
import { fitMiddle } from "../../../internal/text/fit.ts"
import { limitText } from "../../../internal/text/overdueText.ts"
import * as redact from "../../../internal/text/redact.ts"
import { shownName } from "../../../internal/text/shownName.ts"
import { count } from "../../../internal/text/words.ts"
import { isGone, omittedText, resultText } from "../events/alertText.ts"
import { type ClockModel, clockText } from "../events/clock.ts"
import type { EventJson } from "../events/eventJson.ts"
import { Runs } from "../events/model.ts"
import type {
  AlertsModel,
  AttemptModel,
  HookModel,
  LogModel,
  OverdueModel,
  RunModel,
  StepModel
} from "../events/runModel.ts"
import {
  type Attempt,
  type Content,
  type Ending,
  type Entry,
  type Hook,
  place,
  type Row,
  type Timeline
} from "./data.ts"
import { line, lines } from "./text.ts"

/** The longest texts, in UTF-16 code units, and the longest path, in names: more would slow down a browser. */
const longest = { value: 5000, cause: 20_000, path: 20 }

/** Returns the rows of all runs, in the order in which the runs began. */
export const timeline = (events: Iterable<EventJson>, title?: string): Timeline => {
  const runs = new Runs()
  for (const event of events) runs.apply(event)
  return timelineOf(runs, title)
}

/** Returns the rows of runs whose events have been applied, with what they logged if the model has that. */
export const timelineOf = (runs: Runs, title?: string): Timeline => ({
  title: title === undefined ? titleOf([...runs.byId.values()]) : name(title),
  rows: place(new Contents().of(runs))
})

/** Makes the rows of runs again and again. The rows of steps about which nothing has happened stay the same objects. */
export class Contents {
  readonly #made: WeakMap<StepModel, { readonly revision: number; readonly content: Content }> = new WeakMap()

  /** Returns the rows of all runs, each without its place, in the order in which the runs began. */
  of(runs: Runs): ReadonlyArray<Content> {
    const contents: Array<Content> = []
    for (const run of [...runs.byId.values()].toSorted((a, b) => a.startedAt - b.startedAt)) {
      const end = endOf(run, run.lastAt)
      contents.push(runContent(run, end))
      this.#addSteps(contents, run, end)
    }
    return contents
  }

  /** Adds the rows of all steps. Not by recursion, since steps may be nested however deep. */
  #addSteps(contents: Array<Content>, run: RunModel, end: number): void {
    const ahead = run.roots.toReversed().map((step) => ({ step, depth: 1 }))
    for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
      const { depth, step } = next
      contents.push(this.#step(step, depth, end, run))
      for (const child of step.children.toReversed()) ahead.push({ step: child, depth: depth + 1 })
    }
  }

  #step(step: StepModel, depth: number, runEnd: number, run: RunModel): Content {
    const made = this.#made.get(step)
    if (made !== undefined && made.revision === step.revision && made.content.depth === depth) return made.content
    const content = stepContent(step, depth, runEnd, run)
    // the bars of what has no end reach to the last event of the run, whose end is that of all that waits
    const isOpen = step.endedAt === undefined || step.hooks.some(({ outcome }) => outcome === "running") ||
      content.alerts?.some(({ result }) => result === "waiting") === true
    if (!isOpen) this.#made.set(step, { revision: step.revision, content })
    return content
  }
}

const titleOf = (runs: ReadonlyArray<RunModel>): string => {
  const [first, ...rest] = runs
  if (first === undefined) return "No runs"
  if (rest.length === 0) return runTitle(first)
  const pipelines = [...new Set(runs.map(({ pipelineName }) => name(pipelineName)))]
  return pipelines.length === 1 ? `${pipelines[0]}: ${runs.length} runs` : `${runs.length} runs`
}

const runTitle = ({ pipelineName, runName }: RunModel): string =>
  runName === pipelineName || runName === "" ? name(pipelineName) : `${name(pipelineName)} · ${name(runName)}`

/** Clamps a time to what a `Date` can hold (https://tc39.es/ecma262/#sec-time-values-and-time-range). */
const time = (millis: number): number => Math.min(Math.max(millis, -8.64e15), 8.64e15)

/**
 * Returns when something ended, as far as it is known, by its recorded duration: the clock may have been set meanwhile, and
 * the end of a step is told after its required hooks.
 */
const endOf = (
  { durationMillis, endedAt, startedAt }: Pick<StepModel, "durationMillis" | "endedAt" | "startedAt">,
  known: number,
  bodyStart = startedAt
): number => {
  if (endedAt === undefined) return time(Math.max(startedAt, known))
  if (durationMillis === undefined) return time(Math.max(startedAt, endedAt))
  const end = bodyStart + durationMillis
  return time(endedAt < startedAt ? end : Math.min(endedAt, end))
}

/** Returns when the body of a step began, whose duration is without the start hooks before it. */
const bodyStartOf = ({ hooks, startedAt }: StepModel): number =>
  hooks.reduce(
    (latest, { durationMillis = 0, kind, startedAt }) =>
      kind === "start" ? Math.max(latest, startedAt + durationMillis) : latest,
    startedAt
  )

const tookOf = ({ durationMillis, outcome }: Pick<StepModel, "durationMillis" | "outcome">): Pick<Row, "took"> =>
  outcome === undefined || durationMillis === undefined ? {} : { took: durationMillis }

/** Says of a row that its times may be wrong, since the clock was set. */
const clockOf = (changes: ReadonlyArray<ClockModel>, end = Infinity): ReadonlyArray<Entry> => {
  const text = clockText(changes.filter(({ at }) => at <= end))
  return text === undefined ? [] : [{ name: "Clock", value: `${text}: times are suspect, durations are not` }]
}

const runContent = (run: RunModel, end: number): Content => ({
  kind: "run",
  name: runTitle(run),
  depth: 0,
  start: time(run.roots.reduce((first, { startedAt }) => Math.min(first, startedAt), run.startedAt)),
  end,
  ...tookOf(run),
  ending: run.outcome ?? "cut",
  ...causeOf(run.left?._tag === "crashed" ? run.left.why : run.cause),
  ...overdueOf(run.overdue),
  attempts: [],
  hooks: run.hooks.map((hook) => hookOf(hook, end)),
  facts: [
    { name: "Pipeline", value: name(run.pipelineName) },
    { name: "Run", value: name(run.runId) },
    { name: "Steps", value: count(run.steps.size) },
    ...clockOf(run.clock),
    ...lateness(run.overdue),
    ...omittedOf(run.alerts)
  ],
  params: [],
  annotations: entries(run.annotations),
  ...alertsOf(run.alerts, run),
  ...logsOf(run.logs)
})

const stepContent = (
  step: StepModel,
  depth: number,
  runEnd: number,
  run: RunModel
): Content => {
  const end = endOf(step, runEnd, bodyStartOf(step))
  return {
    kind: "step",
    name: name(step.name),
    depth,
    start: time(step.startedAt),
    end,
    ...tookOf(step),
    ending: step.outcome ?? "cut",
    ...causeOf(step.cause),
    ...overdueOf(step.overdue),
    attempts: step.attempts.map((attempt, index) =>
      attemptOf(attempt, index === step.attempts.length - 1 ? step.outcome ?? "cut" : "failure", end)
    ),
    hooks: step.hooks.map((hook) => hookOf(hook, Math.max(end, runEnd))),
    facts: [
      ...(depth === 1 ? [] : [{ name: "In", value: pathOf(step) }]),
      ...(step.progress === undefined ? [] : [{ name: "Progress", value: progressOf(step.progress) }]),
      ...clockOf(run.clock, end),
      ...lateness(step.overdue),
      ...omittedOf(step.alerts)
    ],
    params: entries(step.params),
    annotations: entries(step.annotations),
    ...alertsOf(step.alerts, run),
    ...logsOf(step.logs)
  }
}

const alertsOf = ({ shown }: AlertsModel, run: RunModel): Pick<Row, "alerts"> =>
  shown.size === 0 ? {} : {
    alerts: [...shown.values()].map((alert) => ({
      title: name(alert.title),
      severity: alert.severity,
      result: alert.result,
      text: line(resultText(alert, isGone(run))),
      ...causeOf(alert.reason),
      at: time(alert.postedAt)
    }))
  }

const omittedOf = (alerts: AlertsModel): ReadonlyArray<Entry> => {
  const value = omittedText(alerts)
  return value === undefined ? [] : [{ name: "Alerts", value }]
}

const logsOf = (logs: ReadonlyArray<LogModel>): Pick<Row, "logs"> =>
  logs.length === 0 ? {} : {
    logs: logs.map(({ at, logLevel, message, omitted }) => ({
      at: time(at),
      level: logLevel,
      message: fitMiddle(lines(message), longest.value),
      omitted
    }))
  }

const overdueOf = (overdue: OverdueModel | undefined): Pick<Row, "overdue"> =>
  overdue === undefined
    ? {}
    : { overdue: { at: time(overdue.at), limit: line(limitText(overdue.limitMillis, overdue.deadline)) } }

const lateness = (overdue: OverdueModel | undefined): ReadonlyArray<Entry> =>
  overdue === undefined ? [] : [{
    name: "Late",
    value: line(limitText(overdue.limitMillis, overdue.deadline)) +
      (overdue.times > 1 ? `, told ${count(overdue.times)} times` : "")
  }]

/** Returns the names of the steps that a step runs inside of, the innermost of them if there are many. */
const pathOf = ({ path }: StepModel): string => {
  const names = path.slice(-longest.path - 1, -1).map(name)
  return (path.length - 1 > names.length ? ["…", ...names] : names).join(" › ")
}

const attemptOf = (attempt: AttemptModel, ending: Ending, stepEnd: number): Attempt => ({
  start: time(attempt.startedAt),
  // its duration is not recorded: no attempt is longer than its step
  end: time(Math.max(attempt.startedAt, Math.min(attempt.endedAt ?? stepEnd, stepEnd))),
  ending,
  ...causeOf(attempt.cause)
})

const hookOf = (hook: HookModel, end: number): Hook => ({
  name: name(hook.name),
  kind: hook.kind,
  level: hook.level,
  start: time(hook.startedAt),
  end: endOf(hook, end),
  ...(hook.durationMillis === undefined ? {} : { took: hook.durationMillis }),
  outcome: hook.outcome === "running" ? "cut" : hook.outcome,
  ...causeOf(hook.cause)
})

const causeOf = (cause: string | undefined): { readonly cause?: string } =>
  cause === undefined ? {} : { cause: fitMiddle(lines(cause), longest.cause) }

const progressOf = ({ done, total }: { readonly done: number; readonly total: number | undefined }): string =>
  total === undefined ? count(done) : `${count(done)} of ${count(total)}`

const name = shownName

const entries = (values: Readonly<Record<string, unknown>>): ReadonlyArray<Entry> =>
  Object.entries(values).map(([key, value]) => ({
    name: name(key),
    value: fitMiddle(lines(redact.text(value)), longest.value)
  }))
