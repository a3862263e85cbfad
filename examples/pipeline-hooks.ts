/**
 * A success and a failure hook for every step of a pipeline, and a step with its own success hook.
 *
 *     bun examples/pipeline-hooks.ts
 */
import { Cause, Effect } from "effect"
import { Hook, Hooks, Pipeline, Step, StepContext } from "effect-epilogue"
import { runMain } from "effect-epilogue/main"

// Hooks for every step take any value and any error.
const defaults = Hooks.make(
  Hook.onSuccess(() => StepContext.use(({ stepName }) => Effect.log(`${stepName} succeeded`))),
  Hook.onFailure((cause) =>
    StepContext.use(({ stepName }) => Effect.logError(`${stepName} failed: ${Cause.squash(cause)}`))
  )
)

const load = Step.make("load", Effect.succeed([3, 1, 2]))

// Its success hook replaces the pipeline's. It has no failure hook, so the pipeline's runs.
const sort = Step.fn("sort")(
  (rows: ReadonlyArray<number>) => Effect.sync(() => rows.toSorted((a, b) => a - b)),
  Step.onSuccess((rows) => Effect.log(`sorted ${rows.length} rows`))
)

const publish = Step.fn("publish")((rows: ReadonlyArray<number>) => Effect.fail(`no room for ${rows.length} rows`))

export const pipeline = Pipeline.make(
  "report",
  Effect.gen(function*() {
    const rows = yield* load
    const sorted = yield* sort(rows)
    return yield* publish(sorted)
  })
).pipe(Pipeline.stepHooks(defaults))

// The pipeline fails with the error of its last step, which this example expects.
if (import.meta.main) runMain(Effect.exit(pipeline))
