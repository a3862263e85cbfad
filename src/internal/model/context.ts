/** The statics of `StepContext`. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type { StepContext } from "../../StepContext.ts"

/** The key under which a context keeps the function that annotates it. */
export const Annotate: unique symbol = Symbol.for("effect-epilogue/StepContext/Annotate")

/** The key under which a context says when the step ended, in milliseconds, where its hooks may run long after that. */
export const Ended: unique symbol = Symbol.for("effect-epilogue/StepContext/Ended")

const endOf = (context: StepContext.Shape): number =>
  hasProperty(context, Ended) && typeof context[Ended] === "number" ? context[Ended] : Infinity

/** A context that a user made by hand, for a test say, has nothing to write to: then nothing is noted. */
export const annotate = (context: StepContext.Shape, values: Readonly<Record<string, unknown>>): void => {
  if (hasProperty(context, Annotate)) (context[Annotate] as (values: Readonly<Record<string, unknown>>) => void)(values)
}

/** The key under which a context keeps the function that tells how far its step is. */
export const Progress: unique symbol = Symbol.for("effect-epilogue/StepContext/Progress")

/** @internal */
export const progress = (context: StepContext.Shape, done: number, total: number | undefined): void => {
  // a method of ours, which has the symbol: see `view.ts`
  const tellable = context as StepContext.Shape & { readonly [Progress]?: (done: number, total?: number) => void }
  tellable[Progress]?.(done, total)
}

/** @internal */
export const elapsed = <I>(key: Context.Key<I, StepContext.Shape>): Effect.Effect<Duration.Duration, never, I> =>
  Effect.flatMap(key, (context) =>
    Effect.map(Clock.currentTimeMillis, (now) =>
      // a wall clock can be set back
      Duration.millis(Math.max(0, Math.min(now, endOf(context)) - DateTime.toEpochMillis(context.startedAt)))))
