/** Makes the tables of docs/cost.md of the results of benchmarks. */
import { figure, isMet, type RowId, rows } from "./rows.ts"

/** A line that a benchmark writes to `BENCH_RESULTS`. */
export type Result =
  | { readonly runtime: string; readonly id: RowId; readonly actual: number }
  | { readonly runtime: string; readonly name: string; readonly nanos: number }

/** The comments between which docs/cost.md has the tables. */
export const markers = { begin: "<!-- bench: begin -->", end: "<!-- bench: end -->" }

/** The runtimes of the columns. */
export const columns = ["bun", "deno", "node"] as const

/** Returns a table in Markdown as `dprint` formats it. */
const markdown = (lines: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const row = (cells: ReadonlyArray<string>) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`
  return [row(lines[0]!), row(widths.map((width) => "-".repeat(width))), ...lines.slice(1).map(row)].join("\n")
}

const title = (results: ReadonlyArray<Result>, column: string): string => {
  const runtime = results.find(({ runtime }) => runtime.startsWith(column))?.runtime ?? column
  return runtime[0]!.toUpperCase() + runtime.slice(1)
}

const finder = (results: ReadonlyArray<Result>) => (column: string, is: (result: Result) => boolean) =>
  results.find((result) => result.runtime.startsWith(column) && is(result))

/** Returns the table of times beside those of other libraries, which docs/comparison.md has, too. */
export const peersTable = (results: ReadonlyArray<Result>): string => {
  const find = finder(results)
  const names = [...new Set(results.flatMap((result) => "name" in result ? [result.name] : []))]
  const times = names.map((name) => [
    name,
    ...columns.map((column) => {
      const result = find(column, (result) => "name" in result && result.name === name)
      return result === undefined || !("name" in result) ? "–" : result.nanos.toFixed(0)
    })
  ])
  return markdown([["ns a step", ...columns.map((column) => title(results, column))], ...times])
}

/** Returns the tables: the goals, and the times beside those of other libraries. */
export const tables = (results: ReadonlyArray<Result>): string => {
  const find = finder(results)
  const goals = Object.entries(rows).map(([id, { most, unit, work }]) => [
    work,
    `≤ ${most} ${unit}`,
    ...columns.map((column) => {
      const result = find(column, (result) => "id" in result && result.id === id)
      return result === undefined || !("id" in result)
        ? "–"
        : `${figure(result.actual)} ${isMet(result.id, result.actual) ? "✓" : "✗"}`
    })
  ])
  const titles = columns.map((column) => title(results, column))
  return [
    markdown([["", "goal", ...titles], ...goals]),
    peersTable(results)
  ].join("\n\n")
}

/** Puts the tables between the markers of a text. */
export const withTables = (text: string, tables: string): string => {
  const begin = text.indexOf(markers.begin)
  const end = text.indexOf(markers.end)
  if (begin < 0 || end < begin) throw new Error(`the text has no ${markers.begin} before ${markers.end}`)
  return `${text.slice(0, begin + markers.begin.length)}\n\n${tables}\n\n${text.slice(end)}`
}
