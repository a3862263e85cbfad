/** Renders the runs that go on as the lines of one frame. */
import { label, type Line, type Segment, type Style } from "../../../internal/text/columns.ts"
import { formatDuration, formatRunningTime } from "../../../internal/text/duration.ts"
import { count, plural } from "../../../internal/text/words.ts"
import {
  draw,
  evaluationLine,
  failedHookMark,
  hookLine,
  leaf,
  type Node,
  overdueMark,
  ownAnnotations,
  statusMarks
} from "../events/tree.ts"
import { bar, rateText } from "./rate.ts"
import type { Owner, RunState, StepState } from "./state.ts"

/** @internal */
export interface Look {
  readonly now: number
  readonly columns: number
  /** The number of the spinner's picture. */
  readonly turn: number
}

const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]

const spin = ({ turn }: Look): Segment => [spinner[Math.abs(turn % spinner.length)]!, "cyan"]

const stepLine = (run: RunState, step: StepState, look: Look): Line => {
  const { attempt, ended, given, name, rate, startedAt, undone, waiting } = step
  if (ended !== undefined) {
    const { annotations, attempts, cause, millis, outcome } = ended
    const tried = attempts > 1 ? [plural(attempts, "attempt")] : []
    const skipped = outcome === "skip" ? ["skipped"] : []
    const details = [...skipped, formatDuration(millis), ...tried, ...(undone === true ? ["undone"] : [])]
    return evaluationLine(
      { mark: statusMarks[outcome], name, details, cause },
      ownAnnotations(annotations, run.ended?.annotations, given)
    )
  }
  const elapsed = formatRunningTime(look.now - startedAt)
  const late = overdueOf(step)
  if (waiting !== undefined && look.now < waiting.until) {
    const left = formatRunningTime(waiting.until - look.now)
    return [
      ...evaluationLine({ mark: ["↻", "yellow"], name, details: [elapsed] }),
      ...late,
      [` ${waiting.what} in ${left}`, "yellow"],
      [`: ${waiting.cause}`, "plain"]
    ]
  }
  return [
    ...evaluationLine({ mark: spin(look), name, details: [elapsed, ...(attempt > 1 ? [`attempt ${attempt}`] : [])] }),
    ...late,
    ...(rate === undefined ? [] : [...barOf(rate.part, look), [`  ${rateText(rate, look.now)}`, "plain"] as const])
  ]
}

/** Says beside the running time that it is more than the limit. */
const overdueOf = ({ overdue }: Owner): Line =>
  overdue === undefined ? [] : [[` ${overdueMark[0]} ${overdue}`, overdueMark[1]]]

/** Leaves the bar out on a narrow terminal, which has room for the number alone. */
const barOf = (part: number | undefined, { columns }: Look): Line => {
  if (part === undefined || columns < 50) return []
  const [full, empty] = bar(part, columns < 80 ? 10 : 20)
  return [["  ", "plain"], [full, "green"], [empty, "dim"]]
}

const hookLines = ({ failedHooks, hooks }: Owner, look: Look): ReadonlyArray<Line> => [
  ...[...hooks.values()].map(({ kind, name, startedAt }) =>
    hookLine({ mark: spin(look), name, details: [kind, formatRunningTime(look.now - startedAt)] })
  ),
  ...failedHooks.map(({ cause, kind, millis, name }) =>
    hookLine({ mark: failedHookMark, name, details: [kind, `failed after ${formatDuration(millis)}`], cause })
  )
]

const counted = (counts: ReadonlyArray<readonly [n: number, what: string]>): ReadonlyArray<string> =>
  counts.flatMap(([n, what]) => n > 0 ? [`${count(n)} ${what}`] : [])

const endedIn = ({ failure, interrupt, skip, success }: RunState["counts"]): number =>
  success + failure + interrupt + skip

const runLine = (run: RunState, others: ReadonlyArray<RunState>, look: Look): Line => {
  const { counts, ended, hookFailures, name, runName, running, startedAt } = run
  const hooks = hookFailures > 0 ? [`${plural(hookFailures, "hook")} failed`] : []
  if (ended !== undefined) {
    const { annotations, millis, outcome } = ended
    const steps = plural(endedIn(counts) + running.size, "step")
    // the line of the step that failed tells the cause, unless the run failed outside of its steps
    const cause = outcome === "failure" && counts.failure > 0 ? undefined : ended.cause
    const details = [...(outcome === "skip" ? ["skipped"] : []), formatDuration(millis), steps, ...hooks]
    return evaluationLine({ mark: statusMarks[outcome], name, details, cause }, annotations, "bold")
  }
  const details = [
    formatRunningTime(look.now - startedAt),
    ...counted([
      [running.size, "running"],
      [counts.success, "done"],
      [counts.failure, "failed"],
      [counts.interrupt, "interrupted"],
      [counts.skip, "skipped"]
    ]),
    ...hooks
  ]
  // a run name that the user chose, or that is needed to tell two runs of a pipeline apart
  const isNamed = !runName.startsWith(`${name}-`) || others.some((other) => other !== run && other.name === name)
  return [
    ...evaluationLine({ mark: spin(look), name, details }, [], "bold"),
    ...overdueOf(run),
    ...(isNamed ? [[` ${runName}`, "dim"] as const] : [])
  ]
}

/** Returns whether a run is that of a step outside any pipeline, which has the step's name: one line shows both. */
const isBareStep = ({ failedHooks, hooks, name, roots }: RunState): boolean => {
  const [only] = roots
  return roots.size === 1 && only!.name === name && hooks.size === 0 && failedHooks.length === 0
}

const heightOf = ({ failedHooks, hooks }: Owner): number => 1 + hooks.size + failedHooks.length

/**
 * Chooses the steps for which there is room, or returns `undefined` where all of them fit.
 *
 * Failed steps go first, the latest of them, but leave half of the room to running steps, the earliest of them; what is
 * left is for the steps that ended last. Each step brings along those that it runs in.
 */
const visible = (run: RunState, rows: number, isForgotten: boolean): ReadonlySet<StepState> | undefined => {
  const { calm, ended, running, troubled } = run
  // once the run has ended, a few of a thousand steps that succeeded tell nothing
  const showsDone = ended === undefined || !isForgotten
  // one row says how many steps are not shown
  let left = isForgotten ? rows - 1 : rows
  if (showsDone && troubled.size + running.size + calm.size <= left) {
    const height = [...troubled, ...running, ...calm].reduce((sum, step) => sum + heightOf(step), 0)
    if (height <= left) return undefined
  }
  left = rows - 1
  const shown = new Set<StepState>()
  const show = (steps: Iterable<StepState>, reserved: number): void => {
    for (const step of steps) {
      const needed: Array<StepState> = []
      for (let at: StepState | undefined = step; at !== undefined && !shown.has(at); at = at.parent) needed.push(at)
      const height = needed.reduce((sum, step) => sum + heightOf(step), 0)
      if (height > left - reserved) return
      for (const step of needed) shown.add(step)
      left -= height
    }
  }
  show([...troubled].toReversed(), Math.min(running.size, Math.ceil(rows / 2)))
  show(running, 0)
  if (showsDone) show([...calm].toReversed(), 0)
  return shown
}

/** Renders a run in at most `rows` lines. */
const runLines = (
  run: RunState,
  others: ReadonlyArray<RunState>,
  rows: number,
  look: Look
): ReadonlyArray<Line> => {
  const { calm, counts, roots, running, troubled } = run
  const total = endedIn(counts) + running.size
  const isForgotten = total > running.size + calm.size + troubled.size
  const isBare = isBareStep(run) && !isForgotten
  const above = isBare ? [] : [runLine(run, others, look)]
  const own = hookLines(run, look)
  const room = rows - above.length - own.length
  if (room < 1) return [...above, ...own].slice(0, Math.max(0, rows))
  const shown = visible(run, room, isForgotten)
  const nodesOf = (steps: ReadonlySet<StepState>): ReadonlyArray<Node> =>
    [...steps].filter((step) => shown?.has(step) !== false).map((step) => ({
      line: stepLine(run, step, look),
      below: () => [...nodesOf(step.children), ...hookLines(step, look).map(leaf)]
    }))
  const below = () => [...nodesOf(roots), ...own.map(leaf)]
  const lines = draw(isBare ? below() : above.map((line) => ({ line, below })))
  const hidden = { running: running.size, ...counts }
  for (const { ended } of shown ?? [...troubled, ...running, ...calm]) hidden[ended?.outcome ?? "running"]--
  const more = counted([
    [hidden.running, "running"],
    [hidden.success, "done"],
    [hidden.failure, "failed"],
    [hidden.interrupt, "interrupted"],
    [hidden.skip, "skipped"]
  ])
  return more.length === 0 ? lines : [...lines, [[`… and ${more.join(", ")}`, "dim"]]]
}

/** Renders the runs in at most `rows` lines. */
export const frame = (runs: ReadonlyArray<RunState>, rows: number, look: Look): ReadonlyArray<Line> => {
  if (runs.length > rows) {
    const shown = runs.slice(0, Math.max(0, rows - 1)).map((run) => runLine(run, runs, look))
    return rows < 1 ? [] : [...shown, [[`… and ${plural(runs.length - shown.length, "run")}`, "dim"]]]
  }
  const lines: Array<Line> = []
  runs.forEach((run, i) => {
    lines.push(...runLines(run, runs, Math.floor((rows - lines.length) / (runs.length - i)), look))
  })
  return lines
}

/** Returns the line that a stream has begun and not ended yet: what follows its last carriage return. */
export const unfinished = (
  text: string
): Line => [[label(text.slice(text.lastIndexOf("\r") + 1)), "plain" satisfies Style]]
