/** The hooks that the config file names: plain functions, or hooks with policies. */
import { type Cause, Console, Effect } from "effect"
import { Hook, StepContext } from "effect-epilogue"

/** A function becomes a hook of the kind that the file names it for. */
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
