/**
 * A step whose failure hook logs its error, and a step whose success hook logs its value.
 *
 *     bun examples/step-hooks.ts
 */
import { Data, Effect } from "effect"
import { Step } from "effect-epilogue"
import { runMain } from "effect-epilogue/main"

class BadInput extends Data.TaggedError("BadInput")<{ readonly message: string }> {}

// Step<never, BadInput>
export const failing = Step.make("my_failing_step", Effect.fail(new BadInput({ message: "no rows" }))).pipe(
  Step.onFailureTag("BadInput", (error) => Effect.logError(`Step failed: ${error.message}`))
)

// Step<number>
export const succeeding = Step.make("my_successful_step", Effect.succeed(1)).pipe(
  Step.onSuccess((value) => Effect.log(`Step succeeded: ${value}`))
)

export const program = Effect.gen(function*() {
  // The hook has run, and the caller still handles the error: a hook does not change the exit of its step.
  yield* failing.pipe(Effect.catchTag("BadInput", () => Effect.log("going on without it")))
  return yield* succeeding
})

if (import.meta.main) runMain(program)
