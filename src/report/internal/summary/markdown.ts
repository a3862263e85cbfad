/**
 * Makes a summary in Markdown, for the summary of a job on GitHub Actions, a comment or a wiki
 * (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary).
 */
import { codeBlock } from "../../../internal/text/codeBlock.ts"
import { fitEnd } from "../../../internal/text/fit.ts"
import { isUndone } from "../events/undone.ts"
import { type Ending, retries, type Row, type Timeline } from "../timeline/data.ts"
import { mermaid } from "../timeline/mermaid.ts"
import { leftOut, pick } from "../timeline/pick.ts"
import { count, endings, took, totals } from "../timeline/words.ts"
import { headline, pathOf } from "./paths.ts"

const signs: Readonly<Record<Ending, string>> = { success: "✅", failure: "❌", interrupt: "🛑", skip: "⏭️", cut: "❔" }

/** The longest names and first lines of causes, in UTF-16 code units: a table has little room. */
const longest = 200

/** How much of a cause is shown, in UTF-16 code units, and how many causes. */
const maxCause = 4000
const maxCauses = 20

/**
 * Writes ASCII punctuation as entities, so that text is neither markup nor a link, a mention or a reference
 * (https://spec.commonmark.org/0.31.2/#entity-and-numeric-character-references).
 */
const escape = (text: string): string =>
  fitEnd(text, longest).replace(/[!-+/:-@[-`{-~]/g, (character) => `&#${character.charCodeAt(0)};`)
    // a number or a dash at its beginning would be a list, and "www." a link
    .replace(/^(\d*)([-.])/, (_, digits: string, mark: string) => `${digits}&#${mark.charCodeAt(0)};`)
    .replace(/www\./gi, (text) => `${text.slice(0, 3)}&#46;`)

const why = ({ cause, ending }: Row): string => {
  const line = headline(cause)
  return line === undefined ? endings[ending] : ending === "skip" ? `${endings.skip}: ${line}` : line
}

const notes = (row: Row): string => {
  const failed = row.hooks.filter(({ outcome }) => outcome === "failed")
  return [
    ...(retries(row) === 0 ? [] : [count(row.attempts.length, "attempt")]),
    ...(row.overdue === undefined ? [] : [escape(row.overdue.limit)]),
    ...(row.ending === "success" ? [] : [escape(why(row))]),
    ...(isUndone(row.hooks) ? ["undone"] : []),
    ...failed.map(({ kind, name }) => `hook “${escape(name)}” (${kind}) failed`)
  ].join("; ")
}

const line = (rows: ReadonlyArray<Row>, row: Row): string => {
  const name = row.kind === "run" ? `**${escape(row.name)}**` : pathOf(rows, row).map(escape).join(" › ")
  return `| ${signs[row.ending]} | ${name} | ${took(row)} | ${notes(row)} |`
}

/** Returns the rows whose cause is shown: a failure is shown once, where it happened, and not by each step around it. */
const causesOf = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> => {
  const told = new Set<string>()
  return rows.toReversed().filter(({ cause, ending }) => {
    if (ending !== "failure" || cause === undefined || told.has(cause)) return false
    told.add(cause)
    return true
  }).toReversed()
}

/** @internal */
export const markdown = (timeline: Timeline, maxRows: number): string => {
  const { rows, title } = timeline
  const runs = rows.filter(({ kind }) => kind === "run")
  const [first] = runs
  const picked = pick(rows, maxRows)
  const rest = leftOut(picked)
  const causes = causesOf(rows)
  const sign = runs.find(({ ending }) => ending !== "success") ?? first
  return [
    `### ${sign === undefined ? "" : `${signs[sign.ending]} `}${escape(title)}`,
    first === undefined || runs.length > 1
      ? totals(rows)
      : `${endings[first.ending]} after ${took(first)} · ${totals(rows)}`,
    ["| | step | took | |", "| --- | --- | ---: | --- |", ...picked.rows.map(({ row }) => line(rows, row))].join("\n"),
    ...(rest === undefined ? [] : [rest]),
    ...causes.slice(0, maxCauses).map((row) => {
      const name = row.kind === "run" ? row.name : pathOf(rows, row).join(" › ")
      return `<details><summary>${escape(name)}: ${escape(headline(row.cause) ?? "")}</summary>\n\n${
        codeBlock(fitEnd(row.cause ?? "", maxCause).trimEnd(), "text")
      }\n\n</details>`
    }),
    ...(causes.length > maxCauses ? [`… and ${count(causes.length - maxCauses, "more failure")}`] : []),
    codeBlock(mermaid(timeline, Math.min(maxRows, 60)).trimEnd(), "mermaid"),
    ""
  ].join("\n\n")
}
