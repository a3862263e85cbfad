/** What is shown of runs, as lines. */
import { label, type Line, type Segment, type Style } from "../../../internal/text/columns.ts"
import { formatDuration, formatRunningTime } from "../../../internal/text/duration.ts"
import { plural } from "../../../internal/text/words.ts"
import { marks } from "../events/line.ts"
import { bar, rateText } from "./rate.ts"
import type { Ended, Owner, RunState, StepState } from "./state.ts"

/** @internal */
export interface Look {
  readonly now: number
  readonly columns: number
  /** Which picture of the spinner. */
  readonly turn: number
}

const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]

const colorOf = { success: "green", failure: "red", interrupt: "yellow" } as const

const spin = ({ turn }: Look): Segment => [spinner[Math.abs(turn % spinner.length)]!, "cyan"]

const notes = (annotations: Ended["annotations"], known: Ended["annotations"] = []): Line => {
  // those of the run are its steps' too; they are shown once
  const own = annotations.filter(([key, value]) => !known.some(([k, v]) => k === key && v === value))
  return own.length === 0 ? [] : [[`  ${own.map(([key, value]) => `${key}=${value}`).join(" ")}`, "dim"]]
}

const because = (cause: string | undefined): Line => cause === undefined ? [] : [[`: ${cause}`, "plain"]]

const stepLine = (run: RunState, step: StepState, look: Look): Line => {
  const { attempt, ended, name, rate, startedAt, waiting } = step
  if (ended !== undefined) {
    const tried = ended.attempts > 1 ? `, ${plural(ended.attempts, "attempt")}` : ""
    return [
      [marks[ended.outcome], colorOf[ended.outcome]],
      [` ${name}`, "plain"],
      [` (${formatDuration(ended.millis)}${tried})`, "dim"],
      ...because(ended.cause),
      ...notes(ended.annotations, run.ended?.annotations)
    ]
  }
  if (waiting !== undefined && look.now < waiting.until) {
    return [
      ["↻", "yellow"],
      [` ${name}`, "plain"],
      [` (${formatRunningTime(look.now - startedAt)})`, "dim"],
      [` attempt ${attempt - 1} failed, again in ${formatRunningTime(waiting.until - look.now)}`, "yellow"],
      ...because(waiting.cause)
    ]
  }
  const tried = attempt > 1 ? `, attempt ${attempt}` : ""
  return [
    spin(look),
    [` ${name}`, "plain"],
    [` (${formatRunningTime(look.now - startedAt)}${tried})`, "dim"],
    ...(rate === undefined ? [] : [...barOf(rate.part, look), [`  ${rateText(rate, look.now)}`, "plain"] as const])
  ]
}

/** A narrow terminal has room for the number alone. */
const barOf = (part: number | undefined, { columns }: Look): Line => {
  if (part === undefined || columns < 50) return []
  const [full, empty] = bar(part, columns < 80 ? 10 : 20)
  return [["  ", "plain"], [full, "green"], [empty, "dim"]]
}

const hookLines = ({ failedHooks, hooks }: Owner, look: Look): ReadonlyArray<Line> => [
  ...[...hooks.values()].map(({ kind, name, startedAt }): Line => [
    spin(look),
    [` hook "${name}"`, "plain"],
    [` (${kind}, ${formatRunningTime(look.now - startedAt)})`, "dim"]
  ]),
  ...failedHooks.map(({ cause, kind, millis, name }): Line => [
    ["!", "yellow"],
    [` hook "${name}"`, "plain"],
    [` (${kind})`, "dim"],
    [` failed after ${formatDuration(millis)}`, "plain"],
    ...because(cause)
  ])
]

const counted = (counts: ReadonlyArray<readonly [n: number, what: string]>): ReadonlyArray<string> =>
  counts.flatMap(([n, what]) => n > 0 ? [`${n} ${what}`] : [])

const runLine = (run: RunState, others: ReadonlyArray<RunState>, look: Look): Line => {
  const { counts, ended, hookFailures, name, runName, running, startedAt } = run
  const hooks: ReadonlyArray<string> = hookFailures > 0 ? [`${plural(hookFailures, "hook")} failed`] : []
  if (ended !== undefined) {
    const steps = plural(counts.success + counts.failure + counts.interrupt + running.size, "step")
    // who has failed is told below, unless it was no step
    const cause = ended.outcome === "failure" && counts.failure > 0 ? undefined : ended.cause
    return [
      [marks[ended.outcome], colorOf[ended.outcome]],
      [` ${name}`, "bold"],
      [` (${[formatDuration(ended.millis), steps, ...hooks].join(", ")})`, "dim"],
      ...because(cause),
      ...notes(ended.annotations)
    ]
  }
  const told = [
    formatRunningTime(look.now - startedAt),
    ...counted([
      [running.size, "running"],
      [counts.success, "done"],
      [counts.failure, "failed"],
      [counts.interrupt, "interrupted"]
    ]),
    ...hooks
  ]
  // a name that was given, or is needed to tell two runs apart
  const isNamed = !runName.startsWith(`${name}-`) || others.some((other) => other !== run && other.name === name)
  return [spin(look), [` ${name}`, "bold"], [` (${told.join(", ")})${isNamed ? ` ${runName}` : ""}`, "dim"]]
}

/** A step outside any pipeline is a run of its own, of one name with it. */
const isBareStep = ({ failedHooks, hooks, name, roots }: RunState): boolean => {
  const [only] = roots
  return roots.size === 1 && only!.name === name && hooks.size === 0 && failedHooks.length === 0
}

const heightOf = ({ failedHooks, hooks }: Owner): number => 1 + hooks.size + failedHooks.length

/**
 * The steps for which there is room: those that failed, though half of it is for those that run, the first that began
 * first, and the last of those that are over. Each has those above it. `undefined` for all of them.
 */
const visible = (run: RunState, rows: number, isForgotten: boolean): ReadonlySet<StepState> | undefined => {
  const { calm, ended, running, troubled } = run
  // at the end, some of a thousand that went well would tell nothing
  const done = ended !== undefined && isForgotten ? [] : [...calm].toReversed()
  const all = [...troubled, ...running, ...calm]
  // a line says how many there are besides
  let left = isForgotten ? rows - 1 : rows
  if (done.length === calm.size && all.length <= left && all.reduce((sum, step) => sum + heightOf(step), 0) <= left) {
    return undefined
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
  show(done, 0)
  return shown
}

/** A run, in at most so many lines. */
const runLines = (
  run: RunState,
  others: ReadonlyArray<RunState>,
  rows: number,
  look: Look
): ReadonlyArray<Line> => {
  const total = run.counts.success + run.counts.failure + run.counts.interrupt + run.running.size
  const isForgotten = total > run.running.size + run.calm.size + run.troubled.size
  const isBare = isBareStep(run) && !isForgotten
  const above = isBare ? [] : [runLine(run, others, look)]
  const own = hookLines(run, look)
  const room = rows - above.length - own.length
  if (room < 1) return [...above, ...own].slice(0, Math.max(0, rows))
  const shown = visible(run, room, isForgotten)
  const lines: Array<Line> = [...above]
  const hidden = { running: run.running.size, ...run.counts }
  const walk = (steps: Iterable<StepState>, last: ReadonlyArray<Line>, prefix: string, isTop: boolean): void => {
    const nodes = shown === undefined ? [...steps] : [...steps].filter((step) => shown.has(step))
    nodes.forEach((step, i) => {
      hidden[step.ended?.outcome ?? "running"]--
      const isLast = i + 1 === nodes.length && last.length === 0
      const [here, below] = isTop ? ["", ""] : isLast ? ["└─ ", "   "] : ["├─ ", "│  "]
      lines.push([[prefix + here, "dim"], ...stepLine(run, step, look)])
      walk(step.children, hookLines(step, look), prefix + below, false)
    })
    last.forEach((line, i) => lines.push([[prefix + (i + 1 === last.length ? "└─ " : "├─ "), "dim"], ...line]))
  }
  walk(run.roots, own, "", isBare)
  const more = counted([
    [hidden.running, "running"],
    [hidden.success, "done"],
    [hidden.failure, "failed"],
    [hidden.interrupt, "interrupted"]
  ])
  if (more.length > 0) lines.push([[`… and ${more.join(", ")}`, "dim"]])
  return lines
}

/** All that is shown, in at most so many lines. */
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

/** What has been written to a stream of a line that goes on. */
export const unfinished = (
  text: string
): Line => [[label(text.slice(text.lastIndexOf("\r") + 1)), "plain" satisfies Style]]
