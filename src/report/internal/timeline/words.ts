/** Words for the parts of a timeline. */
import { formatDuration } from "../../../internal/text/duration.ts"
import { outcomeWords } from "../events/status.ts"
import { begun, type Ending, type Hook, retries, type Row } from "./data.ts"

/** The words of a chart of runs that have ended, or were cut off. */
const past: Readonly<Record<Ending, string>> = { ...outcomeWords, cut: "no end recorded" }

export let endings: Readonly<Record<Ending, string>> = past

/** Says, on a page that shows a run while it goes on, that what has no end is running. */
export const sayGoesOn = (goesOn: boolean): void => {
  endings = goesOn ? { ...past, cut: "running" } : past
}

export const outcomes: Readonly<Record<Hook["outcome"], string>> = {
  ended: "done",
  failed: "failed",
  skipped: "had nothing to do",
  cut: "no end recorded"
}

export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString("en")} ${n === 1 ? one : many}`

/** Returns how long a row took, in milliseconds. */
export const tookMillis = ({ end, start, took }: Pick<Row, "start" | "end" | "took">): number =>
  Math.max(0, took ?? end - start)

/** Formats how long a row took: at least so long, if no end is recorded. */
export const took = (row: Pick<Row, "start" | "end" | "ending" | "took">): string =>
  `${row.ending === "cut" ? "≥ " : ""}${formatDuration(tookMillis(row))}`

/** Describes in a line what a chart shows by shapes, for screen readers. */
export const summary = (row: Row): string => {
  const failed = row.hooks.filter(({ outcome }) => outcome === "failed").length
  return [
    endings[row.ending],
    took(row),
    ...(retries(row) === 0 ? [] : [count(begun(row), "attempt")]),
    ...(row.overdue === undefined ? [] : [row.overdue.limit]),
    ...(failed === 0 ? [] : [`${count(failed, "hook")} failed`])
  ].join(", ")
}

/** Counts the steps of all runs, by outcome, with retries and failed hooks. */
export const totals = (rows: ReadonlyArray<Row>): string => {
  const steps = rows.filter(({ kind }) => kind === "step")
  const of = (ending: Ending) => steps.filter((step) => step.ending === ending).length
  const failures = rows.reduce((n, { hooks }) => n + hooks.filter(({ outcome }) => outcome === "failed").length, 0)
  const late = steps.filter(({ overdue }) => overdue !== undefined).length
  const retried = steps.reduce((n, step) => n + retries(step), 0)
  const more = [
    [of("failure"), `${of("failure")} failed`],
    [of("interrupt"), `${of("interrupt")} interrupted`],
    [of("skip"), `${of("skip")} skipped`],
    [of("cut"), `${of("cut")} ${endings.cut === past.cut ? "without an end" : endings.cut}`],
    [late, `${late} overdue`],
    [retried, count(retried, "retry", "retries")],
    [failures, `${count(failures, "hook")} failed`]
  ] as const
  return [count(steps.length, "step"), ...more.flatMap(([n, text]) => n > 0 ? [text] : [])].join(" · ")
}
