/** Formats recorded runs as a table. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { label, type Segment } from "../../internal/text/columns.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { count } from "../../internal/text/words.ts"
import { statusMarks } from "../../report/internal/events/tree.ts"
import type { Recorded } from "../../report/Record.ts"
import type { Display } from "../terminal.ts"
import { inColumns } from "./inColumns.ts"
import { localTime } from "./since.ts"

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
        [count(run.steps), "plain"]
      ]
    })
  ]
  return inColumns(rows, pipeline, { colors, columns })
}

/** Returns how many characters tell the ids apart. */
export const shortest = (ids: ReadonlyArray<string>): number => {
  const different = new Set(ids).size
  let length = 8
  while (length < 64 && new Set(ids.map((id) => id.slice(0, length))).size < different) length++
  return length
}
