/**
 * A nightly job on real data: reads Seattle's daily weather, checks every row, sums it
 * up by month and writes a report. It posts an alert when a step fails, and when the
 * whole job has succeeded.
 *
 *     bun examples/nightly-etl.ts
 *     bun examples/nightly-etl.ts --out /tmp/report.md
 *     bun examples/nightly-etl.ts --corrupt    # finds bad rows: posts an alert, exits with 1, writes nothing
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Cause, Effect, FileSystem, Layer, Schema } from "effect"
import { Alerter, AlerterHooks, Params, Pipeline, Step, StepContext } from "effect-epilogue"
import { runMain } from "effect-epilogue/main"
import { dirname, join, relative } from "node:path"
import { parseArgs } from "node:util"
import * as Weather from "./nightly-etl/Weather.ts"

export class EtlParams extends Params.Service<EtlParams>()("EtlParams", {
  source: Schema.NonEmptyString,
  out: Schema.NonEmptyString,
  /** Whether to spoil some rows after reading them, to see the alert. */
  corrupt: Schema.Boolean
}) {}

// -----------------------------------------------------------------------------
// steps
// -----------------------------------------------------------------------------

const load = Step.make(
  "load",
  Effect.gen(function*() {
    const { corrupt, source } = yield* EtlParams
    const fs = yield* FileSystem.FileSystem
    const text = yield* fs.readFileString(source)
    return corrupt ? Weather.corrupt(text) : text
  })
).pipe(Step.params(EtlParams))

/** The number of bad rows that an alert lists. */
const shown = 5

/**
 * Replaces the pipeline's failure hook for `validate`: posts the standard alert as
 * critical and, where the error is `BadRows`, lists file, line and reason of each row.
 */
const alertCritical = AlerterHooks.failureWith((alert, cause: Cause.Cause<Weather.BadRows>) => {
  const critical = alert.with({ severity: "critical" })
  const error = Cause.squash(cause)
  if (!(error instanceof Weather.BadRows)) return critical
  const { file, message, rows, total } = error
  const lines = rows.slice(0, shown).map(({ line, reason }) => `${file}:${line}: ${reason}`)
  if (rows.length > shown) lines.push(`… and ${rows.length - shown} more`)
  return critical.with({
    body: message,
    fields: [...alert.fields, { name: "rows", value: `${rows.length} bad of ${total}` }],
    detail: lines.join("\n")
  })
})

const validate = Step.fn("validate")(
  function*(text: string) {
    const { source } = yield* EtlParams
    return yield* Weather.parse(source, text)
  },
  Step.hooks(alertCritical)
)

const aggregate = Step.fn("aggregate")((days: ReadonlyArray<Weather.Day>) => Effect.sync(() => Weather.byMonth(days)))

const write = Step.fn("write")(
  function*(months: ReadonlyArray<Weather.Month>) {
    const { out } = yield* EtlParams
    const { runId } = yield* StepContext
    const fs = yield* FileSystem.FileSystem
    // In the folder of the report, since a rename is atomic only within a file system.
    const temporary = `${out}.${runId}.tmp`
    yield* fs.makeDirectory(dirname(out), { recursive: true })
    yield* fs.writeFileString(temporary, Weather.toMarkdown(months)).pipe(
      Effect.andThen(fs.rename(temporary, out)),
      Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true }))),
      // Ctrl-C waits for these few milliseconds, so that it leaves no temporary file behind.
      Effect.uninterruptible
    )
  },
  Step.params(EtlParams)
)

// -----------------------------------------------------------------------------
// pipeline
// -----------------------------------------------------------------------------

export const nightlyEtl = Pipeline.make(
  "nightly-etl",
  Effect.gen(function*() {
    const text = yield* load
    const days = yield* validate(text)
    const months = yield* aggregate(days)
    yield* write(months)
    // Outside of a step this annotates the run, so that its success alert shows the numbers.
    const { out } = yield* EtlParams
    yield* StepContext.annotate({ rows: days.length, months: months.length, report: out })
    return { rows: days.length, months: months.length }
  })
).pipe(
  Pipeline.stepHooks(AlerterHooks.failure),
  Pipeline.hooks(AlerterHooks.success)
)

// -----------------------------------------------------------------------------
// the script
// -----------------------------------------------------------------------------

/** Resolves a path beside this file, relative to the working directory, so that alerts show it short. */
const beside = (path: string) => relative(process.cwd(), join(import.meta.dirname, path))

const paramsFromArgs = Layer.unwrap(Effect.sync(() => {
  const { values } = parseArgs({ options: { out: { type: "string" }, corrupt: { type: "boolean" } } })
  return EtlParams.layer({
    source: beside("data/seattle-weather.csv"),
    out: values.out ?? beside("out/seattle-by-month.md"),
    corrupt: values.corrupt ?? false
  })
}))

if (import.meta.main) {
  runMain(nightlyEtl.pipe(
    Effect.provide([Alerter.layerConsole, NodeFileSystem.layer, paramsFromArgs])
  ))
}
