/** Days and months of weather: schemas, the CSV reader, and the report. This module does not use steps. */
import { Array, Effect, Result, Schema, SchemaIssue } from "effect"

// -----------------------------------------------------------------------------
// days
// -----------------------------------------------------------------------------

// Without the pattern an empty cell would be decoded as 0.
const decimal = Schema.String.check(Schema.isPattern(/^-?\d+(\.\d+)?$/, { expected: "a number" })).pipe(
  Schema.decodeTo(Schema.FiniteFromString)
)

const between = (minimum: number, maximum: number) => decimal.check(Schema.isBetween({ minimum, maximum }))

// A pattern would accept February 30th.
const isCalendarDate = Schema.makeFilter((date: string) => {
  const time = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().slice(0, 10) === date
}, { expected: "a date" })

/** A row. The limits are beyond any weather of Seattle, so that a value outside of them is a mistake. */
export const Day = Schema.Struct({
  date: Schema.String.check(isCalendarDate),
  /** mm */
  precipitation: between(0, 500),
  /** °C */
  temp_max: between(-40, 50),
  temp_min: between(-40, 50),
  /** m/s */
  wind: between(0, 60),
  weather: Schema.Literals(["drizzle", "fog", "rain", "snow", "sun"])
}).check(
  Schema.makeFilter(({ temp_max: max, temp_min: min }) => min <= max || `temp_min ${min} is above temp_max ${max}`)
)

export type Day = typeof Day.Type

const columns = Object.keys(Day.fields)

// -----------------------------------------------------------------------------
// reading
// -----------------------------------------------------------------------------

/** A row that can't be decoded, and the reason. */
export interface BadRow {
  readonly line: number
  readonly reason: string
}

/** Fails the reading of a text, with all of its bad rows. */
export class BadRows extends Schema.TaggedError<BadRows>()("BadRows", {
  file: Schema.String,
  total: Schema.Int,
  rows: Schema.Array(Schema.Struct({ line: Schema.Int, reason: Schema.String }))
}) {
  override get message() {
    return `${this.rows.length} of ${this.total} rows of ${this.file} are bad`
  }
}

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

const decode = Schema.decodeUnknownResult(Day, { errors: "all", reportInput: true })

const parseRow = (text: string): Result.Result<Day, string> => {
  // Enough for a file without quotes. For others use a CSV parser.
  const cells = text.split(",")
  if (cells.length !== columns.length) return Result.fail(`${cells.length} columns in place of ${columns.length}`)
  return Result.mapError(
    decode(Object.fromEntries(Array.zip(columns, cells))),
    ({ issue }) => issuesOf(issue).issues.map(({ message, path }) => [...path ?? [], message].join(": ")).join("; ")
  )
}

/** Parses a CSV text into days. */
export const parse = (file: string, text: string): Effect.Effect<ReadonlyArray<Day>, BadRows> => {
  const [header, ...lines] = text.trimEnd().split(/\r?\n/)
  const bad: Array<BadRow> = []
  const days = new Map<string, Day>()
  if (header !== columns.join(",")) bad.push({ line: 1, reason: `the header is not "${columns}"` })
  lines.forEach((text, index) => {
    // Line 1 is the header.
    const line = index + 2
    const row = parseRow(text)
    if (Result.isFailure(row)) bad.push({ line, reason: row.failure })
    else if (days.has(row.success.date)) bad.push({ line, reason: `a second row for ${row.success.date}` })
    else days.set(row.success.date, row.success)
  })
  return bad.length === 0
    ? Effect.succeed([...days.values()])
    : Effect.fail(new BadRows({ file, total: lines.length, rows: bad }))
}

/** Spoils lines 60, 120, … of a text with mistakes that such files have in real life, always the same. */
export const corrupt = (text: string): string => {
  const mistakes: ReadonlyArray<(cells: Array<string>) => ReadonlyArray<string>> = [
    (cells) => cells.with(1, "trace"),
    (cells) => cells.with(0, "2012-02-30"),
    (cells) => cells.slice(0, 4),
    (cells) => cells.with(2, "-9999"),
    (cells) => cells.with(5, "hail"),
    ([date, rain, max, min, ...rest]) => [date!, rain!, min!, max!, ...rest],
    (cells) => cells.with(4, "")
  ]
  const lines = text.split("\n")
  mistakes.forEach((mistake, index) => {
    const at = 60 * (index + 1) - 1
    lines[at] = mistake(lines[at]!.split(",")).join(",")
  })
  return lines.join("\n")
}

// -----------------------------------------------------------------------------
// months
// -----------------------------------------------------------------------------

export const Month = Schema.Struct({
  /** As in `2012-01`. */
  month: Schema.String,
  days: Schema.Finite,
  precipitation: Schema.Finite,
  meanMax: Schema.Finite,
  meanMin: Schema.Finite,
  highest: Schema.Finite,
  lowest: Schema.Finite,
  meanWind: Schema.Finite,
  wetDays: Schema.Finite
})

export type Month = typeof Month.Type

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((a, b) => a + b, 0)
const mean = (numbers: ReadonlyArray<number>) => sum(numbers) / numbers.length

/** Sums days up by month, earliest first. */
export const byMonth = (days: ReadonlyArray<Day>): ReadonlyArray<Month> =>
  Object.entries(Array.groupBy(days, ({ date }) => date.slice(0, 7)))
    .toSorted(([a], [b]) => a < b ? -1 : 1)
    .map(([month, days]) => ({
      month,
      days: days.length,
      precipitation: sum(days.map((day) => day.precipitation)),
      meanMax: mean(days.map((day) => day.temp_max)),
      meanMin: mean(days.map((day) => day.temp_min)),
      highest: Math.max(...days.map((day) => day.temp_max)),
      lowest: Math.min(...days.map((day) => day.temp_min)),
      meanWind: mean(days.map((day) => day.wind)),
      wetDays: days.filter((day) => day.precipitation > 0).length
    }))

/** Formats months as a table in Markdown. */
export const toMarkdown = (months: ReadonlyArray<Month>): string => {
  const row = (cells: ReadonlyArray<string | number>) =>
    `| ${cells.map((cell) => typeof cell === "number" ? cell.toFixed(1) : cell).join(" | ")} |`
  return [
    "# Weather in Seattle, by month",
    "",
    row(["month", "days", "wet days", "rain, mm", "mean max, °C", "mean min, °C", "highest", "lowest", "wind, m/s"]),
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ...months.map((m) =>
      row([
        m.month,
        String(m.days),
        String(m.wetDays),
        m.precipitation,
        m.meanMax,
        m.meanMin,
        m.highest,
        m.lowest,
        m.meanWind
      ])
    ),
    ""
  ].join("\n")
}
