/**
 * Shows the progress of a run: three files that are fetched at the same time, one of them on the second attempt; a bar;
 * a hook that takes time and one that fails. It needs no network.
 *
 *     bun examples/progress.ts                             # a live tree
 *     bun examples/progress.ts 2>&1 | cat                  # lines, as in a log
 *     GITHUB_ACTIONS=true bun examples/progress.ts 2>&1 | cat
 */
import { Data, Effect, Schedule } from "effect"
import { Hook, Hooks, Pipeline, Step, StepContext } from "effect-epilogue"
import { runMain } from "effect-epilogue/main"
import { Report } from "effect-epilogue/report"

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number }> {
  override get message(): string {
    return `the server answered with ${this.status}`
  }
}

// -----------------------------------------------------------------------------
// steps
// -----------------------------------------------------------------------------

/** How often the request for a file still fails. */
const failuresLeft = new Map([["stations.csv", 1]])

const fetch = Step.fn("fetch")(
  function*(file: string, millis: number) {
    yield* Effect.sleep(millis)
    const left = failuresLeft.get(file) ?? 0
    failuresLeft.set(file, left - 1)
    if (left > 0) return yield* new HttpError({ status: 503 })
    yield* StepContext.annotate({ bytes: millis * 31 })
    yield* Effect.logInfo(`fetched ${file}`)
    return millis * 2
  },
  Step.retry({ times: 2, schedule: Schedule.spaced("800 millis") }),
  (step, file) => Step.key(step, file)
)

const check = Step.fn("check")(function*(rows: number) {
  for (let done = 0; done <= rows; done += 50) {
    yield* StepContext.progress(done, rows)
    yield* Effect.sleep("20 millis")
  }
  yield* StepContext.annotate({ rows })
})

const publish = Step.make("publish", Effect.sleep("300 millis")).pipe(
  Step.hooks(Hooks.make(
    Hook.onSuccess(() => Effect.sleep("1500 millis")).pipe(Hook.named("refresh the cache")),
    Hook.onSuccess(() => Effect.fail("nobody is on call")).pipe(Hook.named("page"))
  ))
)

// -----------------------------------------------------------------------------
// pipeline
// -----------------------------------------------------------------------------

const load = Step.make(
  "load",
  Effect.all([fetch("weather.csv", 700), fetch("stations.csv", 400), fetch("sensors.csv", 1100)], {
    concurrency: "unbounded"
  })
)

const weather = Pipeline.make(
  "weather",
  Effect.gen(function*() {
    const rows = yield* load
    yield* check(rows.reduce((sum, n) => sum + n))
    yield* publish
  })
)

// -----------------------------------------------------------------------------
// the script
// -----------------------------------------------------------------------------

runMain(Effect.provide(weather, Report.layerProgress()))
