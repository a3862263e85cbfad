/** Finds steps of one name without keys among the exports of a module. */
import { hasProperty } from "effect/Predicate"
import type { StepOwner } from "../../../internal/model/owner.ts"
import { StepFnMayHaveKey, StepFnTypeId } from "../../../internal/model/step.ts"
import { isStep } from "../../../internal/steps/step.ts"
import type { Problem } from "../file/positions.ts"
import { quote } from "../file/positions.ts"
import type { Exported } from "../loading.ts"

/** How many exports of one name are listed. */
const most = 5

/** A step without a key, or a function whose steps have none. Steps of one body are the same step. */
interface Unkeyed {
  readonly name: string
  readonly body: unknown
  /** Whether combinators may have made it of another step. */
  readonly isMade: boolean
}

const unkeyed = (value: unknown): Unkeyed | undefined => {
  if (isStep(value)) {
    // the cast: the exports of a module have no types at run time, and a step has these fields
    const { body, key, name, raw } = value as StepOwner
    return key === undefined ? { name, body: raw ?? body, isMade: raw !== undefined } : undefined
  }
  if (typeof value !== "function" || !hasProperty(value, StepFnTypeId) || !hasProperty(value, StepFnMayHaveKey)) {
    return undefined
  }
  const { [StepFnMayHaveKey]: mayHaveKey, [StepFnTypeId]: name } = value
  return typeof name === "string" && typeof mayHaveKey === "function" && mayHaveKey() === false
    ? { name, body: value, isMade: false }
    : undefined
}

/**
 * Returns a warning for each name that several exported steps, and functions of `Step.fn`, without keys have. Steps
 * that combinators made of one step have its body, and are the same step. A combinator that gets the arguments of a
 * call may set a key, and is not called.
 */
export const sameNames = ({ module }: Exported): ReadonlyArray<Pick<Problem, "found" | "expected">> => {
  const byName = new Map<string, Map<unknown, string>>()
  for (const [name, value] of Object.entries(module)) {
    const step = unkeyed(value)
    if (step === undefined) continue
    const bodies = byName.get(step.name) ?? new Map<unknown, string>()
    byName.set(step.name, bodies)
    // the step itself stands for those that were made of it
    if (!bodies.has(step.body) || !step.isMade) bodies.set(step.body, name)
  }
  return [...byName].filter(([, bodies]) => bodies.size > 1).map(([name, bodies]) => {
    const all = [...bodies.values()]
    const more = all.length > most ? ` and ${all.length - most} more` : ""
    return {
      found: `${all.length} steps named ${quote(name)} without keys: the exports ${
        all.slice(0, most).join(", ")
      }${more}`,
      expected:
        "a name of its own for each step of a run, or a key (Step.key): alerts and recoveries take steps of one " +
        "name without keys for one"
    }
  })
}
