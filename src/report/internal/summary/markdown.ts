/**
 * Makes a summary in Markdown, for the summary of a job on GitHub Actions, a comment or a wiki
 * (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary).
 */
import { codeBlock } from "../../../internal/text/codeBlock.ts"
import { fitEnd } from "../../../internal/text/fit.ts"
import { isUndone } from "../events/undone.ts"
import { begun, type Ending, retries, type Row, type Timeline } from "../timeline/data.ts"
import { mermaid } from "../timeline/mermaid.ts"
import { leftOut, pick } from "../timeline/pick.ts"
import { count, endings, took, totals } from "../timeline/words.ts"
import { headline, pathOf } from "./paths.ts"

const signs: Readonly<Record<Ending, string>> = { success: "✅", failure: "❌", interrupt: "🛑", skip: "⏭️", cut: "❔" }

/** The longest names and first lines of causes, in UTF-16 code units: a table has little room. */
const longest = 200

/** How many alerts that did not arrive are named for a step. */
const maxAlerts = 3

/** How much a summary shows at most. */
interface Limits {
  /** How many runs and steps. */
  readonly rows: number
  readonly causes: number
  /** How much of a cause, in UTF-16 code units. */
  readonly cause: number
  /** How many rows of the timeline, which is left out with none. */
  readonly chart: number
}

/** Gives ever lower limits: the timeline is left out first, then most of each cause, then rows, and last the failures. */
function* limitsFrom(maxRows: number, length: number): Generator<Limits> {
  const full: Limits = { rows: maxRows, causes: 20, cause: 4000, chart: Math.min(maxRows, 60) }
  yield full
  yield { ...full, chart: 0 }
  for (let rows = Math.min(maxRows, length); rows >= 1; rows = Math.floor(rows / 2)) {
    yield { rows, causes: Math.min(full.causes, Math.floor(rows / 4)), cause: 500, chart: 0 }
  }
  yield { rows: 0, causes: 0, cause: 0, chart: 0 }
}

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
  const untold = row.alerts?.filter(({ result }) => result === "failed") ?? []
  return [
    ...(retries(row) === 0 ? [] : [count(begun(row), "attempt")]),
    ...(row.overdue === undefined ? [] : [escape(row.overdue.limit)]),
    ...(row.ending === "success" ? [] : [escape(why(row))]),
    ...(isUndone(row.hooks) ? ["undone"] : []),
    ...failed.map(({ kind, name }) => `hook “${escape(name)}” (${kind}) failed`),
    ...untold.slice(0, maxAlerts).map(({ text, title }) => `alert “${escape(title)}” ${escape(text)}`),
    ...(untold.length > maxAlerts ? [`${count(untold.length - maxAlerts, "more alert")} not delivered`] : [])
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

/** Makes a summary of at most so many bytes, or the shortest one, where that is longer. */
export const markdown = (timeline: Timeline, maxRows: number, maxBytes = Infinity): string => {
  const causes = causesOf(timeline.rows)
  let shortest = ""
  for (const limits of limitsFrom(maxRows, timeline.rows.length)) {
    const notes = shortest === "" ? [] : [shortened]
    shortest = render(timeline, causes, limits, notes)
    if (maxBytes === Infinity || Buffer.byteLength(shortest) <= maxBytes) break
  }
  return shortest
}

const shortened = "This is shortened: GitHub shows no summary of more than 1 MiB."

const render = (
  timeline: Timeline,
  causes: ReadonlyArray<Row>,
  limits: Limits,
  notes: ReadonlyArray<string>
): string => {
  const { rows, title } = timeline
  const runs = rows.filter(({ kind }) => kind === "run")
  const [first] = runs
  const picked = pick(rows, limits.rows)
  const rest = leftOut(picked)
  const sign = runs.find(({ ending }) => ending !== "success") ?? first
  const lines = picked.rows.map(({ row }) => line(rows, row))
  return [
    `### ${sign === undefined ? "" : `${signs[sign.ending]} `}${escape(title)}`,
    first === undefined || runs.length > 1
      ? totals(rows)
      : `${endings[first.ending]} after ${took(first)} · ${totals(rows)}`,
    ...(limits.rows === 0 ? [] : [["| | step | took | |", "| --- | --- | ---: | --- |", ...lines].join("\n")]),
    ...(rest === undefined ? [] : [rest]),
    ...causes.slice(0, limits.causes).map((row) => {
      const name = row.kind === "run" ? row.name : pathOf(rows, row).join(" › ")
      return `<details><summary>${escape(name)}: ${escape(headline(row.cause) ?? "")}</summary>\n\n${
        codeBlock(fitEnd(row.cause ?? "", limits.cause).trimEnd(), "text")
      }\n\n</details>`
    }),
    ...(causes.length > limits.causes ? [`… and ${count(causes.length - limits.causes, "more failure")}`] : []),
    ...(limits.chart === 0 ? [] : [codeBlock(mermaid(timeline, limits.chart).trimEnd(), "mermaid")]),
    ...notes,
    ""
  ].join("\n\n")
}
