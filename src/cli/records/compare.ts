/** Implements `epilogue compare`, which compares two recorded runs step by step. */
import * as Effect from "effect/Effect"
import { statSync } from "node:fs"
import { fit, label, type Segment, type Style } from "../../internal/text/columns.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { pathText } from "../../internal/text/stepLabel.ts"
import { count, plural } from "../../internal/text/words.ts"
import { comparisonOf, thresholdOf } from "../../report/Compare.ts"
import type { ComparedRun, ComparedStep, Comparison, Difference, Evaluated } from "../../report/Compared.ts"
import type { Side } from "../../report/internal/compare/compare.ts"
import {
  byChange,
  changedIn,
  changeLooks,
  changeWords,
  differenceText,
  numberedName,
  percentText
} from "../../report/internal/compare/words.ts"
import { Runs } from "../../report/internal/events/model.ts"
import { statusMarks } from "../../report/internal/events/tree.ts"
import { abandonedAfter } from "../../report/internal/record/format.ts"
import type { RecordError } from "../../report/RecordError.ts"
import { type CompareRequest, UsageError } from "../request.ts"
import { display, err, outFitted, outJson } from "../terminal.ts"
import { eachPiece, fileOf, perform } from "./find.ts"
import { inColumns } from "./inColumns.ts"
import { localTime } from "./since.ts"
import { shortest } from "./table.ts"

/** Prints how the later run differs from the earlier one. */
export const compare = (request: CompareRequest): Promise<number> =>
  perform(Effect.gen(function*() {
    const { folder, json, order, threshold } = request
    const before = yield* sideOf({ folder, run: request.before })
    const after = yield* sideOf({ folder, run: request.after })
    const names = [before.run.pipelineName, after.run.pipelineName].map((name) => JSON.stringify(name))
    if (names[0] !== names[1]) {
      return yield* new UsageError({
        message:
          `${request.before} is a run of ${names[0]}, and ${request.after} one of ${names[1]}: expected two runs ` +
          "of one pipeline, as \"epilogue runs --pipeline NAME\" lists them"
      })
    }
    const comparison = comparisonOf(before, after, thresholdOf({ ratio: threshold / 100 }))
    if (json) return yield* Effect.promise(() => outJson([comparison]))
    const { colors, columns } = display()
    const title = fit([[label(comparison.after.pipelineName), "bold"]], columns, colors).text
    const runs = inColumns(runRows(comparison), { column: 1, least: 8 }, { colors, columns })
    const steps = inColumns(stepRows(comparison, order), { column: 0, least: 12 }, { colors, columns })
    yield* Effect.promise(() => outFitted([title, ...runs, "", ...steps]))
    const changed = changedIn(comparison.steps)
    err(
      changed === 0 ? "no step has changed" : `${count(changed)} of ${plural(comparison.steps.length, "step")} changed`
    )
  }))

/** Reads the last run of the record that the command line names. */
const sideOf = (named: { readonly folder: string | undefined; readonly run: string }) =>
  Effect.gen(function*(): Effect.fn.Return<Side, RecordError | UsageError> {
    const file = yield* fileOf(named)
    const runs = new Runs()
    yield* eachPiece(file, (events) => {
      for (const event of events) runs.apply(event)
    })
    const isTouched = Date.now() - statSync(file.path).mtimeMs < abandonedAfter
    // there is an event at least, and so a run
    return { run: [...runs.byId.values()].at(-1)!, open: isTouched ? "running" : "cutOff" }
  })

const runRows = ({ after, before, run }: Comparison): ReadonlyArray<ReadonlyArray<Segment>> => {
  const length = shortest([before.runId, after.runId])
  const row = (name: string, { runId, runName, startedAt }: ComparedRun, end: Evaluated | undefined) =>
    [
      [name, "dim"],
      [`${label(runId).slice(0, length)}  ${label(runName)}`, "plain"],
      [localTime(startedAt), "plain"],
      endOf(end),
      ["", "plain"]
    ] as const
  const [change, style] = changesOf(run)
  return [
    row("before", before, run.before),
    row("after", after, run.after).with(4, [[differenceOf(run), percentOf(run), change].join("  ").trim(), style])
  ]
}

const stepRows = ({ steps }: Comparison, order: CompareRequest["order"]): ReadonlyArray<ReadonlyArray<Segment>> => [
  ["STEP", "BEFORE", "AFTER", "DIFFERENCE", "", "CHANGE"].map((text): Segment => [text, "dim"]),
  ...(order === "run" ? steps : byChange(steps)).map((step): ReadonlyArray<Segment> => [
    [nameOf(step, order), "plain"],
    endOf(step.before),
    endOf(step.after),
    [differenceOf(step), "plain"],
    [percentOf(step), "plain"],
    changesOf(step)
  ])
]

/** The depth from which on steps are no longer indented further. */
const deepest = 12

/** Returns the name of a step below the one around it, or with its path where these are apart. */
const nameOf = (step: ComparedStep, order: CompareRequest["order"]): string => {
  const { depth, path } = step
  const name = label(numberedName(step))
  return order === "run"
    ? `${"  ".repeat(Math.min(depth, deepest))}${name}`
    : pathText([...path.slice(0, -1).map(label), name], " > ")
}

const endOf = (end: Evaluated | undefined): Segment => {
  if (end === undefined) return ["–", "dim"]
  const { attempts, durationMillis, status } = end
  const [mark, style] = statusMarks[status]
  return [`${mark} ${formatDuration(durationMillis)}${attempts > 1 ? ` (${plural(attempts, "attempt")})` : ""}`, style]
}

const differenceOf = ({ differenceMillis }: Difference): string =>
  differenceMillis === undefined ? "" : differenceText(differenceMillis)

const percentOf = ({ ratio }: Difference): string => ratio === undefined ? "" : percentText(ratio)

const styles: Readonly<Record<"worse" | "better" | "other", Style>> = { worse: "red", better: "green", other: "yellow" }

const changesOf = ({ changes }: Difference): Segment => [
  changes.map((change) => changeWords[change]).join(", "),
  changes[0] === undefined ? "plain" : styles[changeLooks[changes[0]]]
]
