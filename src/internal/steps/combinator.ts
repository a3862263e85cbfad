/** Combinators in both forms, whose data-last form can be told from functions of the user. */
import { dual } from "effect/Function"
import { hasProperty } from "effect/Predicate"

const TakesSelfOnly: unique symbol = Symbol.for("effect-epilogue/TakesSelfOnly")

/** A function of a step or a pipeline, and of nothing else. */
export interface TakesSelf {
  (self: any): any
  [TakesSelfOnly]?: true
}

/**
 * Makes a combinator in both forms, as `dual` does. The data-last form is marked as a function that reads nothing but
 * the step: `Step.fn` applies it once, and not at each call. Its `length` would not tell, since a function of the user
 * with default parameters, or with rest parameters, has the same.
 *
 * Such a combinator may change the body only by a `Wrap`: the bodies of calls are put in the place of the template's.
 */
export const combinator: typeof dual = (arity: any, body: any): any => {
  // most have two arguments, and are called for each step that is made in a loop
  if (arity === 2) {
    return function(self: any, argument: any): any {
      return arguments.length >= 2 ? body(self, argument) : marked((step) => body(step, self))
    }
  }
  const either = dual(arity, body)
  return function(this: unknown) {
    const result: any = either.apply(this, arguments as any)
    return typeof result === "function" ? marked(result) : result
  }
}

const marked = (f: TakesSelf): TakesSelf => {
  f[TakesSelfOnly] = true
  return f
}

/** Whether a function is the data-last form of a combinator of this library. */
export const takesSelfOnly = (f: unknown): f is TakesSelf => hasProperty(f, TakesSelfOnly)
