/** Renders a recorded run as a tree of its steps, with all that the record has of each. */
import { isObject } from "effect/Predicate"
import { label, type Line, type Style } from "../../internal/text/columns.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { limitText } from "../../internal/text/overdueText.ts"
import { printable } from "../../internal/text/printable.ts"
import { text } from "../../internal/text/redact.ts"
import { count, plural } from "../../internal/text/words.ts"
import { isGone, omittedText, resultSigns, resultText } from "../../report/internal/events/alertText.ts"
import { clockText } from "../../report/internal/events/clock.ts"
import {
  type AlertModel,
  type AlertsModel,
  type AttemptModel,
  attemptsBegun,
  type HookModel,
  type LogModel,
  type OverdueModel,
  type RunModel,
  type StepModel
} from "../../report/internal/events/runModel.ts"
import {
  alertLine,
  type Annotation,
  draw,
  evaluationLine,
  failedHookMark,
  hookLine,
  leaf,
  type Node,
  type Open,
  ownAnnotations,
  statusMarks
} from "../../report/internal/events/tree.ts"
import { isUndone } from "../../report/internal/events/undone.ts"
import { repeatedLines } from "./repeated.ts"
import { localTime } from "./since.ts"

type Values = Readonly<Record<string, unknown>>

/** How many failed attempts of a step are shown: the first and the last of them. */
const maxAttempts = 20

/** Renders a run. `now` is given where a run without an end seems to go on. */
export const runLines = (run: RunModel, now: number | undefined): ReadonlyArray<Line> => {
  const { annotations, cause, hookFailures, hooks, lastAt, outcome, pipelineName, runId, runName, startedAt } = run
  const open = run.left?._tag ?? (now === undefined ? "cutOff" : "running")
  // whoever notes in a record that its process has ended touches the file
  const until = run.left === undefined ? now : undefined
  const ofRun = entries(annotations)
  const view: View = {
    annotations: ofRun.filter(([key, value]) => run.roots.every((step) => hasAnnotation(step, key, value))),
    open,
    isGone: isGone(run),
    end: run.endedAt ?? until ?? lastAt
  }
  const details = [
    ...(outcome === "skip" ? ["skipped"] : []),
    tookOf(run, view),
    plural(run.steps.size, "step"),
    ...lateness(run.overdue),
    ...clockOf(run.clock),
    ...(hookFailures > 0 ? [`${plural(hookFailures, "hook")} failed`] : [])
  ]
  const root: Node = {
    line: evaluationLine(
      {
        mark: statusMarks[outcome ?? open],
        name: label(pipelineName),
        details,
        cause: outcome === "skip" ? causeOf(cause) : run.left?._tag === "crashed" ? run.left.why : undefined
      },
      ofRun,
      "bold"
    ),
    below: () => [
      ...logNodes(run.logs),
      ...run.roots.map((step) => stepNode(step, view)),
      ...hooks.map((hook) => hookNode(hook, view)),
      ...alertNodes(run.alerts, view)
    ]
  }
  return [
    [[`run ${label(runId)}`, "plain"], [`  ${label(runName)}  ${localTime(startedAt)}`, "dim"]],
    ...draw([root]),
    ...repeatedLines(run),
    ...(outcome === "failure" && cause !== undefined
      ? printable(`\n${cause}`).trimEnd().split("\n").map((line): Line => line === "" ? [] : [[`  ${line}`, "plain"]])
      : [])
  ]
}

/** Returns whether a step has an annotation, as far as that is known. */
const hasAnnotation = ({ annotations, outcome }: StepModel, key: string, value: string): boolean =>
  outcome === undefined || entries(annotations).some(([k, v]) => k === key && v === value)

interface View {
  /**
   * The annotations that the run has given to its steps, which need not repeat them. One that the run got later, of a
   * step's own numbers for example, is not on all steps.
   */
  readonly annotations: ReadonlyArray<Annotation>
  readonly open: Open
  /** Whether nothing more becomes of what the run has begun. */
  readonly isGone: boolean
  /** When the run ended, or until when something is known of it. */
  readonly end: number
}

const openWords: Readonly<Record<Open, string>> = {
  running: "",
  suspended: "suspended after",
  crashed: "crashed after",
  cutOff: "cut off after"
}

const tookOf = (
  { durationMillis, endedAt, startedAt }: Pick<StepModel, "durationMillis" | "endedAt" | "startedAt">,
  { end, open }: View
): string => {
  const took = formatDuration(durationMillis ?? Math.max(0, (endedAt ?? end) - startedAt))
  return endedAt !== undefined
    ? took
    : `${openWords[open]} ${took}${open === "running" ? " so far" : " or more"}`.trim()
}

const lateness = (overdue: OverdueModel | undefined): ReadonlyArray<string> =>
  overdue === undefined ? [] : [label(limitText(overdue.limitMillis, overdue.deadline))]

const clockOf = (changes: RunModel["clock"]): ReadonlyArray<string> => {
  const text = clockText(changes)
  return text === undefined ? [] : [`the clock was ${text}`]
}

const firstLine = (cause: string): string => label(cause.trimStart().split(/[\r\n]/, 1)[0]!)

const causeOf = (cause: string | undefined): string | undefined => cause === undefined ? undefined : firstLine(cause)

const entries = (values: Values): ReadonlyArray<Annotation> =>
  Object.entries(values).map(([key, value]) => [label(key), label(text(value))])

const stepNode = (step: StepModel, view: View): Node => {
  const { annotations, attempts, cause, children, hooks, name, outcome, params, progress } = step
  const tried = attemptsBegun(step)
  const details = [
    ...(outcome === "skip" ? ["skipped"] : []),
    tookOf(step, view),
    ...(tried > 1 ? [plural(tried, "attempt")] : []),
    ...lateness(step.overdue),
    ...(isUndone(hooks) ? ["undone"] : []),
    ...(progress === undefined || outcome === "success"
      ? []
      : [`${count(progress.done)}${progress.total === undefined ? "" : ` of ${count(progress.total)}`} done`])
  ]
  return {
    line: evaluationLine(
      {
        mark: statusMarks[outcome ?? view.open],
        name: label(name),
        details,
        cause: cause !== undefined && outcome === "interrupt" ? "interrupted" : causeOf(cause)
      },
      ownAnnotations(entries(annotations), view.annotations)
    ),
    below: () => [
      ...paramNodes(params),
      ...attemptNodes(attempts.slice(0, -1)),
      ...logNodes(step.logs),
      ...children.map((child) => stepNode(child, view)),
      ...hooks.map((hook) => hookNode(hook, view)),
      ...alertNodes(step.alerts, view)
    ]
  }
}

/** Renders a line for each service, with its fields. */
const paramNodes = (params: Values): ReadonlyArray<Node> =>
  Object.entries(params).map(([service, value]) =>
    leaf([
      [label(service), "plain"],
      [
        isObject(value)
          ? `  ${entries({ ...value }).map(([key, value]) => `${key}=${value}`).join(" ")}`
          : `  ${label(text(value))}`,
        "dim"
      ]
    ])
  )

/** Renders a line for each attempt that failed and was followed by another. */
const attemptNodes = (attempts: ReadonlyArray<AttemptModel>): ReadonlyArray<Node> => {
  const nodes = (some: ReadonlyArray<AttemptModel>) =>
    some.map(({ cause, endedAt, number, startedAt }) =>
      leaf([
        ["↻", "yellow"],
        [` attempt ${number} failed after ${formatDuration(Math.max(0, (endedAt ?? startedAt) - startedAt))}`, "plain"],
        ...(cause === undefined ? [] : [[`: ${firstLine(cause)}`, "plain"] as const])
      ])
    )
  if (attempts.length <= maxAttempts) return nodes(attempts)
  const half = maxAttempts / 2
  return [
    ...nodes(attempts.slice(0, half)),
    leaf([[`… ${count(attempts.length - maxAttempts)} more`, "dim"]]),
    ...nodes(attempts.slice(-half))
  ]
}

/** Formats a time of day. */
const timeOf = (at: number): string => localTime(at).slice(-8)

/** Renders what was logged. A message of several lines has one node, with the other lines below it. */
const logNodes = (logs: ReadonlyArray<LogModel>): ReadonlyArray<Node> =>
  logs.flatMap(({ at, logLevel, message, omitted }) => {
    const [first, ...more] = printable(message).split("\n")
    const left = omitted === 0 ? [] : [leaf([[`… ${plural(omitted, "message")} left out`, "dim"]])]
    if (message === "") return left
    const line: Line = [
      [`${timeOf(at)} `, "dim"],
      ...levelLine(logLevel),
      [first!, "plain"]
    ]
    return [...left, { line, below: () => more.map((text) => leaf([[text, "plain"]])) }]
  })

const levelStyles: Readonly<Record<string, Style>> = { Fatal: "red", Error: "red", Warn: "yellow" }

/** Renders the level of a message, unless it is the usual one. */
export const levelLine = (logLevel: string): Line =>
  logLevel === "Info" ? [] : [[`${logLevel.toUpperCase()} `, levelStyles[logLevel] ?? "dim"]]

const hookNode = (hook: HookModel, view: View): Node => {
  const took = tookOf(hook, view)
  const [mark, details] = ({
    ended: [statusMarks.success, took],
    failed: [failedHookMark, `failed after ${took}`],
    skipped: [["-", "dim"], "had nothing to do"],
    running: [statusMarks[view.open], took]
  } as const)[hook.outcome]
  return leaf(hookLine({ mark, name: label(hook.name), details: [hook.kind, details], cause: causeOf(hook.cause) }))
}

const alertStyles: Readonly<Record<AlertModel["result"], Style>> = {
  delivered: "green",
  failed: "yellow",
  waiting: "cyan",
  held: "dim",
  dropped: "dim"
}

const alertNodes = (alerts: AlertsModel, { isGone }: View): ReadonlyArray<Node> => {
  const omitted = omittedText(alerts)
  return [
    ...[...alerts.shown.values()].map((alert) =>
      leaf(alertLine({
        mark: [resultSigns[alert.result], alertStyles[alert.result]],
        name: label(alert.title),
        details: [alert.severity, timeOf(alert.postedAt), label(resultText(alert, isGone))],
        cause: causeOf(alert.reason)
      }))
    ),
    ...(omitted === undefined ? [] : [leaf([[`… ${omitted}`, "dim"]])])
  ]
}
