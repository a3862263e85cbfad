/**
 * Makes a `gantt` chart of Mermaid (https://mermaid.js.org/syntax/gantt.html), which GitHub draws in Markdown.
 *
 * The name of a task ends at a colon, and its grammar has no quotes. Characters that may be syntax are written as
 * entities such as `#58;`, which Mermaid removes before it parses and puts back into the picture
 * (https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters,
 * https://github.com/mermaid-js/mermaid/issues/742, https://github.com/mermaid-js/mermaid/issues/1981).
 */
import { fitEnd } from "../../../internal/text/fit.ts"
import { areApart, begun, type Row, type Timeline } from "./data.ts"
import { leftOut, pick } from "./pick.ts"
import { count, endings, took } from "./words.ts"

/** The longest name, in UTF-16 code units: Mermaid draws a name on one line, beside the bar if it does not fit. */
const longestName = 60

/** Matches what the lexer takes for the beginning of another kind of line, before it looks for a task. */
const keywords =
  /^(?:gantt|date|inclusive|topAxis|axis|tick|includes|excludes|today|week|title|acc|section|click|call|href|vert|\d{4}-)/i

const entity = (character: string): string => `#${character.codePointAt(0)};`

/** Escapes a name. Letters and digits of all languages stay, and characters that are no syntax in Mermaid. */
const escape = (text: string): string =>
  fitEnd(text, longestName)
    .replace(/["#$%&'<>:;[\\\]^`{|}~]/g, entity)
    .replace(keywords, (start) => `${entity(start)}${start.slice(1)}`)

/** @internal */
export const mermaid = ({ rows, title }: Timeline, maxRows: number): string => {
  const picked = pick(rows, maxRows)
  const apart = areApart(rows)
  const first = rows[0]?.start ?? 0
  let shift = 0
  const lines: Array<string> = []
  for (const { row } of picked.rows) {
    if (row.kind === "run") {
      // runs of different nights are drawn as if they began together, or the chart would be mostly empty
      shift = apart ? row.start - first : 0
      const late = row.overdue === undefined ? "" : `, ${escape(row.overdue.limit)}`
      lines.push(`    section ${escape(row.name)}, ${endings[row.ending]}${late}`)
    } else lines.push(task(row, shift))
    for (const hook of row.hooks) {
      const undid = hook.kind === "rollback" && hook.outcome === "ended"
      if (!undid && hook.outcome !== "failed") continue
      const name = `${indent(row.depth)}hook ${escape(hook.name)}`
      lines.push(undid ? bar(`${name}, undone`, "done", hook, shift) : bar(`${name}, failed`, "crit", hook, shift))
    }
  }
  const rest = leftOut(picked)
  if (rest !== undefined) lines.push("    section not shown", bar(rest, "done", { start: first, end: first }, 0))
  const length = rows.reduce((longest, { end, start }) => Math.max(longest, end - start), 0)
  return [
    "gantt",
    `    title ${escape(title)}`,
    "    dateFormat x",
    `    axisFormat ${axisFormat(length)}`,
    "    todayMarker off",
    ...lines,
    ""
  ].join("\n")
}

/** Marks how deep a task is nested, as far as there is room for it beside the bar. */
const indent = (depth: number): string => "↳ ".repeat(Math.min(depth, 30))

const task = (row: Row, shift: number): string => {
  const attempts = begun(row) > 1 ? `, ${count(begun(row), "attempt")}` : ""
  const late = row.overdue === undefined ? "" : `, ${escape(row.overdue.limit)}`
  const ending = row.ending === "success" ? "" : `, ${endings[row.ending]}`
  const name = `${indent(row.depth - 1)}${escape(row.name)}${ending}${attempts}${late}, ${took(row)}`
  return bar(name, tags[row.ending], row, shift)
}

const tags = { success: "done", failure: "crit", interrupt: "crit, done", skip: "done", cut: "active" } as const

/** Returns the line of a bar, of a millisecond at least: Mermaid draws no bar without a length. */
const bar = (
  name: string,
  tag: string,
  { end, start }: { readonly start: number; readonly end: number },
  shift: number
): string => {
  const from = Math.round(start - shift)
  return `    ${name} :${tag}, ${from}, ${Math.max(from + 1, Math.round(end - shift))}`
}

/** Returns the format of the times on the axis (https://mermaid.js.org/syntax/gantt.html#axis). */
const axisFormat = (millis: number): string =>
  millis < 5000 ? "%S.%L s" : millis < 600_000 ? "%H:%M:%S" : millis < 172_800_000 ? "%H:%M" : "%b %d"
