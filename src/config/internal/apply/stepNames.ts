/** Finds the names of steps without running anything, to check those in a file. */
import { hasProperty } from "effect/Predicate"
import { StepFnTypeId } from "../../../internal/model/step.ts"
import { isStep } from "../../../internal/steps/step.ts"
import { closest } from "../../../internal/text/closest.ts"
import type { Refusal } from "../modules/refusal.ts"

/** Returns the names of the steps, and of the functions that make steps, among the exports of a module. */
export const stepNames = (module: Readonly<Record<string, unknown>>): ReadonlySet<string> =>
  new Set(
    Object.values(module).flatMap((value) => {
      if (isStep(value) && hasProperty(value, "name") && typeof value.name === "string") return [value.name]
      if (typeof value !== "function" || !hasProperty(value, StepFnTypeId)) return []
      const name = value[StepFnTypeId]
      return typeof name === "string" ? [name] : []
    })
  )

/**
 * Returns the mistake in the name of a step, if it is close to the name of an exported step.
 *
 * Any other unknown name is accepted, since a module need not export its steps.
 */
export const mistakeOf = (name: string, known: ReadonlySet<string>): Refusal | undefined => {
  if (known.has(name)) return undefined
  const meant = closest(name, known)
  return meant === undefined ? undefined : {
    found: `${JSON.stringify(name)}, and the module exports a step ${JSON.stringify(meant)}`,
    expected: `the name of a step (did you mean ${meant}? If it is another step, export that too)`
  }
}
