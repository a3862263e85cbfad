/**
 * A nightly job that survives `kill -9`: when it is started again, it continues with the step that was cut off. A SQLite
 * file stores the results of steps, the hooks that have run, and the alerts until they have arrived.
 *
 *     bun examples/durable.ts
 *     bun examples/durable.ts --die-in write    # kill -9 in the middle of that step
 *     bun examples/durable.ts                   # the steps before it do not run again
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, FileSystem, Layer, Schema } from "effect"
import { Alerter, AlerterHooks, Pipeline, Step } from "effect-epilogue"
import { Durable, Outbox } from "effect-epilogue/durable"
import { runMain } from "effect-epilogue/main"
import { dirname, join } from "node:path"
import { parseArgs } from "node:util"
import * as Weather from "./nightly-etl/Weather.ts"

const { values } = parseArgs({
  options: {
    day: { type: "string", default: new Date().toISOString().slice(0, 10) },
    folder: { type: "string", default: join(import.meta.dirname, "out") },
    "die-in": { type: "string" }
  }
})

const source = join(import.meta.dirname, "data", "seattle-weather.csv")

/** Kills the process if `--die-in` names this step. As in a power cut, no finalizer runs. */
const mayDieIn = (step: string) =>
  Effect.sync(() => {
    if (values["die-in"] === step) process.kill(process.pid, "SIGKILL")
  })

// -----------------------------------------------------------------------------
// steps
// -----------------------------------------------------------------------------

/** Stages the data in a file. The result that is stored should be small, so it is the path, and not the data. */
const load = (staged: string) =>
  Step.make(
    "load",
    Effect.gen(function*() {
      console.log("load: reading the weather")
      const fs = yield* FileSystem.FileSystem
      yield* fs.makeDirectory(dirname(staged), { recursive: true })
      yield* fs.writeFileString(staged, yield* fs.readFileString(source))
      yield* mayDieIn("load")
      return staged
    }).pipe(Effect.orDie)
  ).pipe(Durable.step({ success: Schema.String }))

const aggregate = (file: string) =>
  Step.make(
    "aggregate",
    Effect.gen(function*() {
      console.log("aggregate: four years, by month")
      const fs = yield* FileSystem.FileSystem
      const days = yield* Weather.parse(source, yield* Effect.orDie(fs.readFileString(file)))
      yield* mayDieIn("aggregate")
      return Weather.byMonth(days)
    })
  ).pipe(
    Step.onSuccess((months) => Effect.sync(() => console.log(`${months.length} months`))),
    Durable.step({ success: Schema.Array(Weather.Month), error: Weather.BadRows })
  )

const write = (months: ReadonlyArray<Weather.Month>, out: string) =>
  Step.make(
    "write",
    Effect.gen(function*() {
      console.log("write: the report")
      const fs = yield* FileSystem.FileSystem
      // a step that was cut off runs again, so its effects must be safe to repeat
      yield* fs.writeFileString(`${out}.tmp`, Weather.toMarkdown(months))
      yield* mayDieIn("write")
      yield* fs.rename(`${out}.tmp`, out)
    }).pipe(Effect.orDie)
  ).pipe(Durable.step())

// -----------------------------------------------------------------------------
// pipeline
// -----------------------------------------------------------------------------

export const nightly = Durable.pipeline("nightly", {
  payload: { day: Schema.String, folder: Schema.String },
  success: Schema.Int,
  error: Weather.BadRows,
  // starting the job again continues the run of that day
  idempotencyKey: ({ day, folder }) => `${folder}/${day}`
}, ({ day, folder }) =>
  Pipeline.make(
    "nightly",
    Effect.gen(function*() {
      const staged = yield* load(join(folder, `weather-${day}.csv`))
      const months = yield* aggregate(staged)
      yield* write(months, join(folder, `seattle-${day}.md`))
      return months.length
    })
  ).pipe(
    Pipeline.stepHooks(AlerterHooks.failure),
    Pipeline.hooks(AlerterHooks.success)
  ))

// -----------------------------------------------------------------------------
// the script
// -----------------------------------------------------------------------------

if (import.meta.main) {
  const { day, folder } = values
  const engine = Durable.layerSqlite({ filename: join(folder, "durable.db") })
  const job = nightly.layer.pipe(
    Layer.provide([Outbox.layer(Alerter.layerConsole), NodeFileSystem.layer]),
    Layer.provideMerge(engine)
  )
  nightly.workflow.execute({ day, folder }).pipe(
    Effect.provide(job),
    Effect.tap((months) => Effect.sync(() => console.log(`done: ${months} months`))),
    runMain
  )
}
