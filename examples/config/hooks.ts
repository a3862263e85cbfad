/** Hooks that the file names: hooks with their policies, or plain functions. */
import { type Cause, Console, Effect } from "effect"
import { Hook, StepContext } from "effect-epilogue"

/** A function is wrapped as a hook of the kind under which it stands. */
export const onFailure = (cause: Cause.Cause<unknown>) =>
  Effect.gen(function*() {
    const { params, stepName } = yield* StepContext
    yield* Console.log(`${stepName} failed with ${JSON.stringify(params)}: ${cause.reasons.length} reason(s)`)
  })

export const onSuccess = () => Effect.flatMap(StepContext, ({ stepName }) => Console.log(`${stepName} succeeded`))

export const celebrate = Hook.onSuccess((accuracy: number) => Console.log(`accuracy ${accuracy}`)).pipe(
  Hook.named("celebrate"),
  Hook.timeout("5 seconds")
)
