/**
 * A nightly job that alerts at once only when something has changed:
 * - A step that fails night after night alerts once, not every night.
 * - When it succeeds again, it alerts once more.
 * - Successes are posted as one message a week.
 *
 * Each night is a process of its own, so the policies keep their state in a file, which two nights that overlap can
 * share.
 *
 *     SLACK_WEBHOOK_URL=… bun examples/quiet-nights.ts --store /var/lib/nightly.db
 *     SLACK_WEBHOOK_URL=… bun examples/quiet-nights.ts --store /var/lib/nightly.db --broken
 */
import { Effect, Layer } from "effect"
import { AlerterHooks, Pipeline, Step, StepContext } from "effect-epilogue"
import { Slack } from "effect-epilogue/alerters"
import { dedupe, digest, recovered, route, Store } from "effect-epilogue/delivery"
import { runMain } from "effect-epilogue/main"
import { parseArgs } from "node:util"

const slack = Slack.layerConfig()

const atOnce = slack.pipe(dedupe({ window: "30 days", persist: "at-once" }))

const weekly = slack.pipe(digest({ window: "7 days", persist: "weekly" }))

export const alerter = route([
  { when: { atLeast: "warning" }, to: atOnce },
  { when: { tag: "recovered" }, to: atOnce }
], { otherwise: weekly }).pipe(recovered({ persist: "outages" }))

export const nightly = (broken: boolean) => {
  const sync = Step.make(
    "sync",
    broken ? Effect.fail("the mirror does not answer") : StepContext.annotate("files", 31)
  )
  const prune = Step.make("prune", Effect.void)
  return Pipeline.make("mirror", Effect.andThen(Effect.exit(sync), prune)).pipe(Pipeline.stepHooks(AlerterHooks.all))
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { store: { type: "string", default: "examples/out/quiet-nights.db" }, broken: { type: "boolean" } }
  })
  const layer = Layer.provide(alerter, Store.layerSqlite({ filename: values.store }))
  runMain(Effect.provide(nightly(values.broken === true), layer))
}
