/** What the parts of a timeline are called. */
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

/** How long it took, as far as is known. */
export const took = ({ end, ending, start }: Pick<Row, "start" | "end" | "ending">): string =>
  `${ending === "cut" ? "≥ " : ""}${formatDuration(end - start)}`

/** What happened, in a line: all that a chart shows by shapes, for those who do not see them. */
export const summary = (row: Row): string => {
  const failed = row.hooks.filter(({ outcome }) => outcome === "failed").length
  return [
    endings[row.ending],
    took(row),
    ...(retries(row) === 0 ? [] : [count(row.attempts.length, "attempt")]),
    ...(failed === 0 ? [] : [`${count(failed, "hook")} failed`])
  ].join(", ")
}

/** In a run, or in several. */
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
