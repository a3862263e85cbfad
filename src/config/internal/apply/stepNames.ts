/** The steps that can be known without running anything. */
import { hasProperty } from "effect/Predicate"
import { StepFnTypeId } from "../../../internal/model/step.ts"
import { isStep } from "../../../internal/steps/step.ts"
import { closest } from "../../../internal/text/closest.ts"
import type { Problem } from "../modules/modules.ts"

/** Of the steps that a module exports, and of the functions that make steps. */
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
 * What is wrong with the name of a step. A module need not export its steps, so a name
 * that it does not export may be right; not so one that is much like one that it does.
 */
export const mistakeOf = (name: string, known: ReadonlySet<string>): Problem | undefined => {
  if (known.has(name)) return undefined
  const meant = closest(name, known)
  return meant === undefined ? undefined : {
    found: `${JSON.stringify(name)}, and the module exports a step ${JSON.stringify(meant)}`,
    expected: `the name of a step (did you mean ${meant}? If it is another, export it too)`
  }
}
