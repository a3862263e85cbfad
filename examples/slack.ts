/**
 * Posts failures to Slack, in a thread for each run if a bot posts them.
 *
 *     SLACK_WEBHOOK_URL=https://hooks.slack.com/services/… bun examples/slack.ts
 *     SLACK_BOT_TOKEN=xoxb-… SLACK_CHANNEL=C0123456789 bun examples/slack.ts --bot
 */
import { Data, Effect } from "effect"
import { AlerterHooks, Pipeline, Step, StepContext } from "effect-epilogue"
import { Slack } from "effect-epilogue/alerters"
import { runMain } from "effect-epilogue/main"

class UploadError extends Data.TaggedError("UploadError")<{ readonly bucket: string }> {
  override get message() {
    return `bucket <${this.bucket}> is read-only, tell @everyone`
  }
}

const fetchRates = Step.make("fetch-rates", Effect.as(StepContext.annotate("currencies", 31), ["EUR", "USD"]))

const upload = Step.make("upload", Effect.fail(new UploadError({ bucket: "rates" })))

export const program = Pipeline.make("exchange-rates", Effect.andThen(fetchRates, upload)).pipe(
  // an alert for each failed step, and a summary at the end of the run
  Pipeline.stepHooks(AlerterHooks.failure),
  Pipeline.hooks(AlerterHooks.summary)
)

if (import.meta.main) {
  const slack = process.argv.includes("--bot") ? Slack.layerBotConfig() : Slack.layerConfig()
  runMain(Effect.provide(program, slack))
}
