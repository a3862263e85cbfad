/** Says what stands where an Effect is expected, for programs that the compiler has not seen. */
import * as Exit from "effect/Exit"
import { hasProperty } from "effect/Predicate"
import { frameless } from "./frameless.ts"

/** Describes a value that is no Effect, and says how to make one of it. */
export const noEffect = (value: unknown): string => {
  if (typeof value === "function") return "a function, and no Effect: call it"
  // the key of an Effect of version 3, whose values this version can't run
  if (hasProperty(value, Symbol.for("effect/Effect"))) return "an Effect of effect 3: see npm ls effect"
  if (hasProperty(value, "then")) return "a promise, and no Effect: wrap it, as in Effect.promise(() => …)"
  if (hasProperty(value, "next")) return "a generator, and no Effect: wrap it, as in Effect.gen(function*() { … })"
  return `${value === null ? value : typeof value}, and no Effect${
    value === undefined ? ": wrap it, as in Effect.sync(() => …)" : ""
  }`
}

/** Returns the defect of a function that returned something else than an Effect. */
export const returnedNoEffect = (returned: string, value: unknown): Exit.Exit<never> => {
  // a promise that is rejected while nobody waits for it ends the process
  void Promise.allSettled([value])
  return Exit.die(frameless(new TypeError(`${returned} ${noEffect(value)}`)))
}
