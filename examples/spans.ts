/**
 * A program that has spans and no steps, of which no line is changed: its spans become steps.
 *
 *     bun examples/spans.ts
 */
import { Data, Effect, Layer, Schedule } from "effect"
import { Alerter, AlerterHooks, Spans } from "effect-epilogue"
import { runMain } from "effect-epilogue/main"
import { Report } from "effect-epilogue/report"

// the program that is there already

class NoSuchTable extends Data.TaggedError("NoSuchTable")<{ readonly table: string }> {}

const query = Effect.fn("sql.query")(function*(table: string) {
  yield* Effect.sleep("20 millis")
  return table === "prices" ? yield* new NoSuchTable({ table }) : 412
})

const load = Effect.fn("load")(function*(table: string) {
  yield* Effect.annotateCurrentSpan({ table })
  const rows = yield* query(table).pipe(Effect.retry({ times: 1, schedule: Schedule.spaced("10 millis") }))
  yield* Effect.annotateCurrentSpan({ rows })
  return rows
})

const nightly = Effect.forEach(["orders", "prices"], load).pipe(Effect.withSpan("nightly"))

// what is new

const seen = Spans.layer({
  steps: /^(nightly|load)$/,
  key: ({ attributes }) => attributes.get("table")?.toString(),
  hooks: AlerterHooks.failure
}).pipe(
  Layer.provideMerge(Report.layerProgress({ mode: "plain", stream: "stdout" })),
  Layer.provide(Alerter.layerConsole)
)

nightly.pipe(Effect.ignore, Effect.provide(seen), runMain)
