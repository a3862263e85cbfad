/**
 * A custom alerter, and another in its place. The pipeline does not change.
 *
 *     bun examples/custom-alerter.ts
 *     bun examples/custom-alerter.ts --json
 */
import { Console, DateTime, Effect } from "effect"
import { Alerter, AlerterHooks, Pipeline, Step } from "effect-epilogue"
import { runMain } from "effect-epilogue/main"

export const pipeline = Pipeline.make(
  "backup",
  Effect.gen(function*() {
    yield* Step.make("dump", Effect.succeed("dump.sql"))
    yield* Step.make("upload", Effect.fail("no such bucket"))
  })
).pipe(
  Pipeline.runName("backup-nightly"),
  Pipeline.stepHooks(AlerterHooks.all)
)

/** Prints a line for each alert. An alerter is made of a function from an alert to an Effect. */
export const oneLine = Alerter.layer((alert) => Console.log(`[${alert.severity}] ${alert.title}`))

/** Prints a JSON object on a line for each alert, for another program. */
export const jsonLines = Alerter.layer(
  ({ at, fields, severity, title }) =>
    Console.log(JSON.stringify({
      at: at && DateTime.formatIso(at),
      severity,
      title,
      ...Object.fromEntries(fields.map(({ name, value }) => [name, value]))
    })),
  // the name of this alerter in errors
  { channel: "json-lines" }
)

if (import.meta.main) {
  const alerter = process.argv.includes("--json") ? jsonLines : oneLine
  runMain(pipeline.pipe(Effect.exit, Effect.provide(alerter)))
}
