/** Finds steps of one name without keys among the exports of a module. */
import type { StepOwner } from "../../../internal/model/owner.ts"
import { isStep } from "../../../internal/steps/step.ts"
import type { Problem } from "../file/positions.ts"
import { quote } from "../file/positions.ts"
import type { Exported } from "../loading.ts"

/** How many exports of one name are listed. */
const most = 5

/**
 * Returns a warning for each name that several exported steps without keys have. Steps that combinators made of one step
 * have its body, and are the same step.
 */
export const sameNames = ({ module }: Exported): ReadonlyArray<Pick<Problem, "found" | "expected">> => {
  const byName = new Map<string, Map<unknown, string>>()
  for (const [name, value] of Object.entries(module)) {
    if (!isStep(value)) continue
    // the cast: the exports of a module have no types at run time, and a step has these fields
    const step = value as unknown as StepOwner
    if (step.key !== undefined) continue
    const bodies = byName.get(step.name) ?? new Map<unknown, string>()
    byName.set(step.name, bodies)
    const body = step.raw ?? step.body
    // the step itself stands for those that were made of it
    if (!bodies.has(body) || step.raw === undefined) bodies.set(body, name)
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
