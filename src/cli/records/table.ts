/** Formats recorded runs as a table. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { fit, label, type Segment, take, width } from "../../internal/text/columns.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { statusMarks } from "../../report/internal/events/tree.ts"
import type { Recorded } from "../../report/Record.ts"
import type { Display } from "../terminal.ts"
import { localTime } from "./since.ts"

const gap = "  "

/** The column that is cut where there is too little room, and the width that it keeps. */
const pipeline = { column: 2, least: 8 }

/** Returns the lines of the table, with a header line. */
export const table = (runs: ReadonlyArray<Recorded>, { colors, columns }: Display): ReadonlyArray<string> => {
  const length = shortest(runs.map(({ runId }) => runId))
  const rows = [
    ["RUN", "STATUS", "PIPELINE", "STARTED", "DURATION", "STEPS"].map((text): Segment => [text, "dim"]),
    ...runs.map((run): ReadonlyArray<Segment> => {
      const [mark, style] = statusMarks[run.status]
      return [
        [label(run.runId).slice(0, length), "plain"],
        [`${mark} ${run.status}`, style],
        [label(run.pipelineName), "bold"],
        [localTime(DateTime.toEpochMillis(run.startedAt)), "plain"],
        [formatDuration(Duration.toMillis(run.duration)), "plain"],
        [String(run.steps), "plain"]
      ]
    })
  ]
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => width(row[i]![0]))))
  const total = widths.reduce((sum, one) => sum + one, gap.length * (widths.length - 1))
  widths[pipeline.column] = Math.max(
    Math.min(pipeline.least, widths[pipeline.column]!),
    widths[pipeline.column]! - Math.max(0, total - columns)
  )
  return rows.map((row) => {
    const line = row.flatMap(([text, style], i): ReadonlyArray<Segment> => {
      const room = widths[i]!
      const cell = width(text) > room ? `${take(text, room - 1)}…` : text
      const isLast = i + 1 === row.length
      return [[cell, style], [isLast ? "" : " ".repeat(room - width(cell)) + gap, "plain"]]
    })
    return fit(line, columns, colors).text
  })
}

/** Returns how many characters tell the ids apart. */
const shortest = (ids: ReadonlyArray<string>): number => {
  const different = new Set(ids).size
  let length = 8
  while (length < 64 && new Set(ids.map((id) => id.slice(0, length))).size < different) length++
  return length
}
