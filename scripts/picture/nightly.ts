/** The job that `scripts/picture.ts` runs for the picture of the README. It needs `SLACK_WEBHOOK_URL`. */
import { Data, Effect, Schedule } from "effect"
import { AlerterHooks, Pipeline, Step, StepContext } from "effect-epilogue"
import { Slack } from "effect-epilogue/alerters"
import { runMain } from "effect-epilogue/main"
import { Report } from "effect-epilogue/report"

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number; readonly url: string }> {}

const fetch = Step.fn("fetch")(
  function*(table: string, pages: number) {
    for (let page = 1; page <= pages; page++) {
      yield* Effect.sleep("100 millis")
      if (table === "prices") yield* StepContext.progress(page, 12)
    }
    if (table === "prices") return yield* new HttpError({ status: 503, url: "/prices" })
    yield* StepContext.annotate("rows", pages * 487)
  },
  Step.retry({ times: 1, schedule: Schedule.spaced("1 second") }),
  (step, table) => Step.key(step, table)
)

const load = Step.make(
  "load",
  Effect.all([fetch("customers", 6), fetch("prices", 9), fetch("orders", 16)], { concurrency: "unbounded" })
)

const nightly = Pipeline.make("nightly", load).pipe(
  Pipeline.runName("tonight"),
  Pipeline.stepHooks(AlerterHooks.failure)
)

nightly.pipe(Effect.ignore, Effect.provide([Report.layerProgress(), Slack.layerConfig()]), runMain)
