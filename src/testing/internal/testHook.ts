/** One hook by itself: what `runner.ts` does with one, without a step around it. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { withinLimit } from "../../internal/engine/hookRunner.ts"
import { outcomeOf } from "../../internal/engine/outcome.ts"
import { type HookImpl, type Occasion, skipped } from "../../internal/model/hook.ts"
import { hookMistakes } from "../../internal/model/hooks.ts"
import type { StepContext } from "../../StepContext.ts"
import type { Result } from "../TestHook.ts"

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
      // as `Effect.retry`, which tries again after errors only
      return exit._tag === "Success" || !Cause.hasFails(exit.cause)
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
  const mistakes = hookMistakes(hook)
  if (mistakes.length > 0) return Effect.die(new TypeError(mistakes.join("; ")))
  const called = occasionOf(hook, exit, context)
  if (called === undefined) return Effect.succeed({ _tag: "NotCalled" })
  return Effect.suspend(() => hook.run(called.occasion, context)).pipe(
    Effect.forkDetach({ startImmediately: true }),
    Effect.flatMap((fiber) => withinLimit(hook, fiber)),
    Effect.map((end): Result =>
      end._tag === "Failure"
        ? { _tag: "Failed", cause: end.cause }
        : { _tag: end.value === skipped ? "Skipped" : "Ended" }
    )
  )
}
