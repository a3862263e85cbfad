/**
 * A night's job on real data: reads Seattle's daily weather, checks every row, sums
 * it up by month, writes a report. It alerts when a step fails and when all went well.
 *
 *     bun examples/nightly-etl.ts
 *     bun examples/nightly-etl.ts --out /tmp/report.md
 *     bun examples/nightly-etl.ts --corrupt    # meets bad rows: alerts, exits with 1, writes nothing
 */
import { Cause, Effect, FileSystem, Layer, Runtime, Schema } from "effect"
import { Alerter, AlerterHooks, Params, Pipeline, Step, StepContext } from "effect-epilogue"
import { dirname, join, relative } from "node:path"
import { parseArgs } from "node:util"
import * as NodeFileSystem from "./nightly-etl/NodeFileSystem.ts"
import * as Weather from "./nightly-etl/Weather.ts"

export class EtlParams extends Params.Service<EtlParams>()("EtlParams", {
  source: Schema.NonEmptyString,
  out: Schema.NonEmptyString,
  /** Spoil some rows after reading, to see what happens. */
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

/** How many bad rows an alert shows. */
const shown = 5

/**
 * What stands in for the pipeline's hook where rows are bad: the standard alert, made
 * critical, with file, line and reason. It takes any cause, not only `BadRows` as
 * `Step.onFailureTag` would: a step's own failure hook overrides the pipeline's, so a
 * bug in the step would otherwise raise no alert at all.
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
    // In the same folder, since a rename is atomic only within a file system.
    const temporary = `${out}.${runId}.tmp`
    yield* fs.makeDirectory(dirname(out), { recursive: true })
    yield* fs.writeFileString(temporary, Weather.toMarkdown(months)).pipe(
      Effect.andThen(fs.rename(temporary, out)),
      Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true }))),
      // Ctrl-C waits for these few milliseconds: nothing is left half done, nor lying about.
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
    // Of the run, so that its success alert shows them.
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

/** Beside this file, and shown as seen from where the script runs. */
const beside = (path: string) => relative(process.cwd(), join(import.meta.dirname, path))

const paramsFromArgs = Layer.unwrap(Effect.sync(() => {
  const { values } = parseArgs({ options: { out: { type: "string" }, corrupt: { type: "boolean" } } })
  return EtlParams.layer({
    source: beside("data/seattle-weather.csv"),
    out: values.out ?? beside("out/seattle-by-month.md"),
    corrupt: values.corrupt ?? false
  })
}))

// An application has `NodeRuntime.runMain`; this is all there is to it.
const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  const interrupt = () => fiber.interruptUnsafe()
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt)
  fiber.addObserver((exit) => {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt)
    // 0, or 1 after a failure, or 130 after an interruption
    teardown(exit, (code) => {
      process.exitCode = code
    })
  })
})

if (import.meta.main) {
  runMain(nightlyEtl.pipe(
    Effect.provide([Alerter.layerConsole, NodeFileSystem.layer, paramsFromArgs])
  ))
}
