/**
 * An alerter of one's own, and another in its place. The pipeline stays as it is.
 *
 *     bun examples/custom-alerter.ts
 *     bun examples/custom-alerter.ts --json
 */
import { Console, DateTime, Effect } from "effect"
import { Alerter, AlerterHooks, Pipeline, Step } from "effect-epilogue"

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

/** One line an alert. A function from an alert to an Effect is all it takes. */
export const oneLine = Alerter.layer((alert) => Console.log(`[${alert.severity}] ${alert.title}`))

/** The same alerts for a machine to read, one JSON object a line. */
export const jsonLines = Alerter.layer(
  ({ at, fields, severity, title }) =>
    Console.log(JSON.stringify({
      at: at && DateTime.formatIso(at),
      severity,
      title,
      ...Object.fromEntries(fields.map(({ name, value }) => [name, value]))
    })),
  // as errors of this alerter name it
  { channel: "json-lines" }
)

if (import.meta.main) {
  const alerter = process.argv.includes("--json") ? jsonLines : oneLine
  await Effect.runPromiseExit(pipeline.pipe(Effect.provide(alerter)))
}
