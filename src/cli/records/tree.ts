/** A recorded run for people: its steps as a tree, with all that is known of each. */
import { label, type Line, type Segment } from "../../internal/text/columns.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { clean, oneLine } from "../../internal/text/fit.ts"
import { text } from "../../internal/text/redact.ts"
import { plural } from "../../internal/text/words.ts"
import type { AttemptModel, HookModel, RunModel, StepModel } from "../../report/internal/events/model.ts"
import { localTime } from "./since.ts"
import { statusMarks } from "./table.ts"

type Values = Readonly<Record<string, unknown>>

interface Node {
  readonly line: Line
  readonly below: ReadonlyArray<Node>
}

/** Of a step that was tried very often, the first and the last attempts. */
const maxAttempts = 20

/** `now`, where a run without an end goes on, as far as can be told. */
export const runLines = (run: RunModel, now: number | undefined): ReadonlyArray<Line> => {
  const { annotations, cause, hookFailures, hooks, lastAt, outcome, pipelineName, runId, runName, startedAt } = run
  const open = now === undefined ? "cutOff" : "running"
  const [mark, style] = statusMarks[outcome ?? open]
  const view: View = { run, open, end: run.endedAt ?? now ?? lastAt }
  const told = [
    tookOf(run, view),
    plural(run.steps.size, "step"),
    ...(hookFailures > 0 ? [`${plural(hookFailures, "hook")} failed`] : [])
  ]
  const root: Node = {
    line: [
      [mark, style],
      [` ${label(pipelineName)}`, "bold"],
      [` (${told.join(", ")})`, "dim"],
      ...notes(annotations)
    ],
    below: [...run.roots.map((step) => ofStep(step, view)), ...hooks.map((hook) => ofHook(hook, view))]
  }
  return [
    [[`run ${label(runId)}`, "plain"], [`  ${label(runName)}  ${localTime(startedAt)}`, "dim"]],
    ...draw(root),
    ...(outcome === "failure" && cause !== undefined
      ? clean(`\n${cause}`).trimEnd().split("\n").map((line): Line => [[line, "plain"]])
      : [])
  ]
}

interface View {
  readonly run: RunModel
  readonly open: "running" | "cutOff"
  /** Of the run, or until when something is known of it. */
  readonly end: number
}

const tookOf = (
  { durationMillis, endedAt, startedAt }: Pick<StepModel, "durationMillis" | "endedAt" | "startedAt">,
  { end, open }: View
): string => {
  const took = formatDuration(durationMillis ?? Math.max(0, (endedAt ?? end) - startedAt))
  return endedAt !== undefined ? took : open === "running" ? `${took} so far` : `cut off after ${took} or more`
}

const because = (cause: string | undefined, outcome?: StepModel["outcome"]): ReadonlyArray<Segment> =>
  cause === undefined ? [] : [[`: ${outcome === "interrupt" ? "interrupted" : firstLine(cause)}`, "plain"]]

const firstLine = (cause: string): string => label(oneLine(clean(cause).trimStart().split("\n")[0]!))

const pairs = (values: ReadonlyArray<readonly [string, unknown]>): string =>
  values.map(([key, value]) => `${key}=${text(value)}`).map(oneLine).join(" ")

/** Those of the run are its steps' too; they are shown once. */
const notes = (annotations: Values, known: Values = {}): ReadonlyArray<Segment> => {
  const own = Object.entries(annotations).filter(([key, value]) => !(key in known) || text(known[key]) !== text(value))
  return own.length === 0 ? [] : [[`  ${pairs(own)}`, "dim"]]
}

const ofStep = (step: StepModel, view: View): Node => {
  const { annotations, attempts, cause, children, hooks, name, outcome, params, progress } = step
  const [mark, style] = statusMarks[outcome ?? view.open]
  const told = [
    tookOf(step, view),
    ...(attempts.length > 1 ? [plural(attempts.length, "attempt")] : []),
    ...(progress === undefined || outcome === "success"
      ? []
      : [`${progress.done}${progress.total === undefined ? "" : ` of ${progress.total}`} done`])
  ]
  return {
    line: [
      [mark, style],
      [` ${label(name)}`, "plain"],
      [` (${told.join(", ")})`, "dim"],
      ...because(cause, outcome),
      ...notes(annotations, view.run.annotations)
    ],
    below: [
      ...ofParams(params),
      ...ofAttempts(attempts.slice(0, -1)),
      ...children.map((child) => ofStep(child, view)),
      ...hooks.map((hook) => ofHook(hook, view))
    ]
  }
}

const leaf = (...line: Line): Node => ({ line, below: [] })

/** By service, then by field. */
const ofParams = (params: Values): ReadonlyArray<Node> =>
  Object.entries(params).map(([service, value]) =>
    leaf(
      [label(service), "plain"],
      [
        typeof value === "object" && value !== null && !Array.isArray(value)
          ? `  ${pairs(Object.entries(value))}`
          : `  ${oneLine(text(value))}`,
        "dim"
      ]
    )
  )

/** Those that failed and were followed by another. */
const ofAttempts = (attempts: ReadonlyArray<AttemptModel>): ReadonlyArray<Node> => {
  const nodes = (some: ReadonlyArray<AttemptModel>) =>
    some.map(({ cause, endedAt, number, startedAt }) =>
      leaf(
        ["↻", "yellow"],
        [` attempt ${number} failed after ${formatDuration(Math.max(0, (endedAt ?? startedAt) - startedAt))}`, "plain"],
        ...because(cause)
      )
    )
  if (attempts.length <= maxAttempts) return nodes(attempts)
  const half = maxAttempts / 2
  return [
    ...nodes(attempts.slice(0, half)),
    leaf([`… ${attempts.length - maxAttempts} more`, "dim"]),
    ...nodes(attempts.slice(-half))
  ]
}

const ofHook = (hook: HookModel, view: View): Node => {
  const { cause, kind, name, outcome } = hook
  const named = (mark: Segment, told: string): Node =>
    leaf(mark, [` hook "${label(name)}"`, "plain"], [` (${kind}${told})`, "dim"], ...because(cause))
  const took = tookOf(hook, view)
  switch (outcome) {
    case "ended":
      return named(["✓", "green"], `, ${took}`)
    case "failed":
      return named(["!", "yellow"], `, failed after ${took}`)
    case "skipped":
      return named(["-", "dim"], ", had nothing to do")
    case "running":
      return named(statusMarks[view.open], `, ${took}`)
  }
}

const draw = ({ below, line }: Node, prefix = ""): ReadonlyArray<Line> => [
  line,
  ...below.flatMap((node, i) => {
    const isLast = i + 1 === below.length
    const [first, ...rest] = draw(node, prefix + (isLast ? "   " : "│  "))
    return [[[prefix + (isLast ? "└─ " : "├─ "), "dim"], ...first!] satisfies Line, ...rest]
  })
]
