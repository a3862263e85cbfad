/** One hook by itself: what `runner.ts` does with one, without a step around it. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { defaultTimeout } from "../Hook.ts"
import type { StepContext } from "../StepContext.ts"
import type { Result } from "../testing/TestHook.ts"
import { outcomeOf } from "./evaluation.ts"
import { type HookImpl, type Occasion, skipped } from "./hook.ts"

/** The occasion on which a hook of its kind is called with this exit, or `undefined` where it is not. */
const occasionOf = (
  { kind }: HookImpl,
  exit: Exit.Exit<unknown, unknown>,
  context: StepContext.Shape
): { readonly occasion: Occasion } | undefined => {
  switch (kind) {
    case "start":
      return { occasion: undefined }
    case "retry":
      return exit._tag === "Success"
        ? undefined
        : { occasion: { attempt: context.attempt, cause: exit.cause, delay: Duration.zero } }
    case "exit":
      return { occasion: exit }
    default:
      return outcomeOf(exit) === kind ? { occasion: exit } : undefined
  }
}

/** @internal */
export const run = (
  erased: any, // a Hook, whose types were checked by the caller
  exit: Exit.Exit<unknown, unknown>,
  context: StepContext.Shape
): Effect.Effect<Result, never, any> => {
  const hook: HookImpl = erased
  const called = occasionOf(hook, exit, context)
  if (called === undefined) return Effect.succeed({ _tag: "NotCalled" })
  return Effect.flatMap(defaultTimeout, (limit) =>
    Effect.suspend(() => hook.run(called.occasion, context)).pipe(
      Effect.timeoutOrElse({
        duration: hook.timeout ?? limit,
        orElse: () => Effect.fail(new Cause.TimeoutError(`hook "${hook.name}" exceeded its time limit`))
      }),
      Effect.matchCause({
        onFailure: (cause): Result => ({ _tag: "Failed", cause }),
        onSuccess: (value): Result => ({ _tag: value === skipped ? "Skipped" : "Ended" })
      })
    ))
}
