/** Makes the rows of a timeline from the events of runs. */
import { fitEnd, fitMiddle } from "../../../internal/text/fit.ts"
import * as redact from "../../../internal/text/redact.ts"
import type { EventJson } from "../events/eventJson.ts"
import { type AttemptModel, type HookModel, type RunModel, Runs, type StepModel } from "../events/model.ts"
import type { Attempt, Ending, Entry, Hook, Row, Timeline } from "./data.ts"
import { line, lines } from "./text.ts"

/** The longest texts, in UTF-16 code units, and the longest path, in names: more would slow down a browser. */
const longest = { name: 500, value: 5000, cause: 20_000, path: 20 }

/** Returns the rows of all runs, in the order in which the runs began. */
export const timeline = (events: Iterable<EventJson>, title?: string): Timeline => {
  const runs = new Runs()
  for (const event of events) runs.apply(event)
  const rows: Array<Row> = []
  for (const run of [...runs.byId.values()].toSorted((a, b) => a.startedAt - b.startedAt)) addRun(rows, run)
  return { title: title === undefined ? titleOf([...runs.byId.values()]) : name(title), rows }
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

type Writable<A> = { -readonly [K in keyof A]: A[K] }

const addRun = (rows: Array<Row>, run: RunModel): void => {
  const end = time(run.endedAt ?? run.lastAt)
  const place = rows.length
  const row: Writable<Row> = {
    kind: "run",
    name: runTitle(run),
    depth: 0,
    parent: -1,
    size: 0,
    start: time(run.roots.reduce((first, { startedAt }) => Math.min(first, startedAt), run.startedAt)),
    end,
    ending: run.outcome ?? "cut",
    ...causeOf(run.cause),
    attempts: [],
    hooks: run.hooks.map((hook) => hookOf(hook, end)),
    facts: [
      { name: "Pipeline", value: name(run.pipelineName) },
      { name: "Run", value: name(run.runId) },
      { name: "Steps", value: String(run.steps.size) }
    ],
    params: [],
    annotations: entries(run.annotations)
  }
  rows.push(row)
  addSteps(rows, run, place, end)
  row.size = rows.length - place - 1
}

/** Adds the rows of all steps. Not by recursion, since steps may be nested however deep. */
const addSteps = (rows: Array<Row>, run: RunModel, root: number, end: number): void => {
  const ahead = run.roots.toReversed().map((step) => ({ step, parent: root, depth: 1 }))
  const open: Array<{ readonly row: Writable<Row>; readonly place: number }> = []
  const closeTo = (depth: number): void => {
    while (open.length > 0 && open.at(-1)!.row.depth >= depth) {
      const { place, row } = open.pop()!
      row.size = rows.length - place - 1
    }
  }
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    const { depth, parent, step } = next
    closeTo(depth)
    const place = rows.length
    const row = stepRow(step, parent, depth, end)
    rows.push(row)
    open.push({ row, place })
    for (const child of step.children.toReversed()) ahead.push({ step: child, parent: place, depth: depth + 1 })
  }
  closeTo(0)
}

const stepRow = (step: StepModel, parent: number, depth: number, runEnd: number): Writable<Row> => {
  const end = time(step.endedAt ?? Math.max(step.startedAt, runEnd))
  return {
    kind: "step",
    name: name(step.name),
    depth,
    parent,
    size: 0,
    start: time(step.startedAt),
    end,
    ending: step.outcome ?? "cut",
    ...causeOf(step.cause),
    attempts: step.attempts.map((attempt, index) =>
      attemptOf(attempt, index === step.attempts.length - 1 ? step.outcome ?? "cut" : "failure", end)
    ),
    hooks: step.hooks.map((hook) => hookOf(hook, Math.max(end, runEnd))),
    facts: [
      ...(depth === 1 ? [] : [{ name: "In", value: pathOf(step) }]),
      ...(step.progress === undefined ? [] : [{ name: "Progress", value: progressOf(step.progress) }])
    ],
    params: entries(step.params),
    annotations: entries(step.annotations)
  }
}

/** Returns the names of the steps that a step runs inside of, the innermost of them if there are many. */
const pathOf = ({ path }: StepModel): string => {
  const names = path.slice(-longest.path - 1, -1).map(name)
  return (path.length - 1 > names.length ? ["…", ...names] : names).join(" › ")
}

const attemptOf = (attempt: AttemptModel, ending: Ending, stepEnd: number): Attempt => ({
  start: time(attempt.startedAt),
  end: time(attempt.endedAt ?? Math.max(attempt.startedAt, stepEnd)),
  ending,
  ...causeOf(attempt.cause)
})

const hookOf = (hook: HookModel, end: number): Hook => ({
  name: name(hook.name),
  kind: hook.kind,
  level: hook.level,
  start: time(hook.startedAt),
  end: time(hook.endedAt ?? Math.max(hook.startedAt, end)),
  outcome: hook.outcome === "running" ? "cut" : hook.outcome,
  ...causeOf(hook.cause)
})

const causeOf = (cause: string | undefined): { readonly cause?: string } =>
  cause === undefined ? {} : { cause: fitMiddle(lines(cause), longest.cause) }

const progressOf = ({ done, total }: { readonly done: number; readonly total: number | undefined }): string =>
  total === undefined ? String(done) : `${done} of ${total}`

const name = (text: string): string => fitEnd(line(text), longest.name)

const entries = (values: Readonly<Record<string, unknown>>): ReadonlyArray<Entry> =>
  Object.entries(values).map(([key, value]) => ({
    name: name(key),
    value: fitMiddle(lines(redact.text(value)), longest.value)
  }))
