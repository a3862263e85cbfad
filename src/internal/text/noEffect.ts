/** Says what stands where an Effect is expected, for programs that the compiler has not seen. */
import * as Exit from "effect/Exit"
import { hasProperty } from "effect/Predicate"
import { frameless } from "./frameless.ts"

/** The key of an Effect of version 3, whose values this version can't run. */
const effect3 = Symbol.for("effect/Effect")

/** Describes a value that is no Effect, and says how to make one of it. */
export const noEffect = (value: unknown): string => {
  if (typeof value === "function") return "a function, and no Effect: call it"
  if (value === undefined) return "undefined, and no Effect: wrap it, as in Effect.sync(() => …)"
  if (hasProperty(value, effect3)) return "an Effect of effect 3: npm ls effect lists both versions"
  if (hasProperty(value, "then")) return "a promise, and no Effect: wrap it, as in Effect.promise(() => …)"
  if (hasProperty(value, "next")) return "a generator, and no Effect: wrap it, as in Effect.gen(function*() { … })"
  return `${value === null ? "null" : typeof value}, and no Effect`
}

/** Returns the defect of a function that returned something else than an Effect. */
export const returnedNoEffect = (returned: string, value: unknown): Exit.Exit<never> =>
  Exit.die(frameless(new TypeError(`${returned} ${noEffect(value)}`)))
