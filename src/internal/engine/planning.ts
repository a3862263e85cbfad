/** Chooses the hooks of an evaluation: by what is around, and by its own. */
import type * as Fiber from "effect/Fiber"
import { RunDefaults, StepDefaults } from "../model/defaults.ts"
import type { Table } from "../model/hooks.ts"
import type { PipelineOwner, StepOwner } from "../model/owner.ts"
import { type Plan, plan } from "../model/plan.ts"

/** Returns the plan of an owner. A new one is made only under other hooks than last time. */
export const planFor = (owner: StepOwner | PipelineOwner, under: Table, defaults: Table | undefined): Plan => {
  const { cache } = owner
  if (cache.under !== under || cache.defaults !== defaults || cache.plan === undefined) {
    cache.plan = plan(owner, under, defaults)
    cache.under = under
    cache.defaults = defaults
  }
  return cache.plan
}

/** The hooks that layers give to steps and to runs. */
export interface Defaults {
  readonly steps: Table | undefined
  readonly runs: Table | undefined
}

/** Returns the hooks that layers around a run give, or `undefined` without any. */
export const defaultsOf = (fiber: Fiber.Fiber<unknown, unknown>): Defaults | undefined => {
  const steps = fiber.getRef(StepDefaults)
  const runs = fiber.getRef(RunDefaults)
  return steps === undefined && runs === undefined ? undefined : { steps, runs }
}

/**
 * Returns the hooks that layers give to a step inside of another evaluation, whose own are `around`, where it is evaluated
 * in another context than that one's body. In a hook they are none, as those of the pipeline are, unless a layer in the
 * hook gives some.
 */
export const stepDefaultsOf = (
  fiber: Fiber.Fiber<unknown, unknown>,
  around: Table | undefined,
  inHook: boolean
): Table | undefined => {
  const defaults = fiber.getRef(StepDefaults)
  return inHook && defaults === around ? undefined : defaults
}
