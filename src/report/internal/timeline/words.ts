/** Words for the parts of a timeline. */
import { formatDuration } from "../../../internal/text/duration.ts"
import { type Ending, type Hook, retries, type Row } from "./data.ts"

export const endings: Readonly<Record<Ending, string>> = {
  success: "succeeded",
  failure: "failed",
  interrupt: "interrupted",
  cut: "no end recorded"
}

export const outcomes: Readonly<Record<Hook["outcome"], string>> = {
  ended: "done",
  failed: "failed",
  skipped: "had nothing to do",
  cut: "no end recorded"
}

export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString("en")} ${n === 1 ? one : many}`

/** Formats how long a row took: at least so long, if no end is recorded. */
export const took = ({ end, ending, start }: Pick<Row, "start" | "end" | "ending">): string =>
  `${ending === "cut" ? "≥ " : ""}${formatDuration(end - start)}`

/** Describes in a line what a chart shows by shapes, for screen readers. */
export const summary = (row: Row): string => {
  const failed = row.hooks.filter(({ outcome }) => outcome === "failed").length
  return [
    endings[row.ending],
    took(row),
    ...(retries(row) === 0 ? [] : [count(row.attempts.length, "attempt")]),
    ...(failed === 0 ? [] : [`${count(failed, "hook")} failed`])
  ].join(", ")
}

/** Counts the steps of all runs, by outcome, with retries and failed hooks. */
export const totals = (rows: ReadonlyArray<Row>): string => {
  const steps = rows.filter(({ kind }) => kind === "step")
  const of = (ending: Ending) => steps.filter((step) => step.ending === ending).length
  const failures = rows.reduce((n, { hooks }) => n + hooks.filter(({ outcome }) => outcome === "failed").length, 0)
  const retried = steps.reduce((n, step) => n + retries(step), 0)
  const more = [
    [of("failure"), `${of("failure")} failed`],
    [of("interrupt"), `${of("interrupt")} interrupted`],
    [of("cut"), `${of("cut")} without an end`],
    [retried, count(retried, "retry", "retries")],
    [failures, `${count(failures, "hook")} failed`]
  ] as const
  return [count(steps.length, "step"), ...more.flatMap(([n, text]) => n > 0 ? [text] : [])].join(" · ")
}
