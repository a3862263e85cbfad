/** Steps whose result is stored. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { dual } from "effect/Function"
import * as Schema from "effect/Schema"
import type { Durable, StepOwner } from "../../../internal/engine/evaluation.ts"
import { span } from "../../../internal/engine/spans.ts"
import { currentView, View } from "../../../internal/engine/view.ts"
import { evaluateHere, isStep, withDurable } from "../../../internal/steps/step.ts"
import { factSchema } from "../stored/records.ts"
import { attempts } from "./attempts.ts"
import { besideOthers } from "./concurrentStep.ts"
import { DurableEvaluation } from "./evaluation.ts"

/**
 * The run in whose body a fiber is, outside its steps. What a step or a hook does is one activity: nothing in it is
 * recorded by itself.
 */
export const durableAround = (view: View | undefined): DurableEvaluation | undefined => {
  if (view === undefined || View.inHook(view)) return undefined
  const evaluation = View.evaluation(view)
  return evaluation instanceof DurableEvaluation && evaluation.isRun ? evaluation : undefined
}

const evaluator = (success: Schema.Top, error: Schema.Top | undefined, key: string | undefined): Durable => {
  const storing = { fact: factSchema(success, error), key }
  return {
    evaluate: (owner: StepOwner, fiber: Fiber.Fiber<unknown, unknown>) => {
      const around = durableAround(currentView(fiber))
      if (around === undefined) return evaluateHere(owner, fiber)
      const on = (fiber: Fiber.Fiber<unknown, unknown>) => {
        const evaluation = new DurableEvaluation(owner, fiber, around.durable, storing)
        if (evaluation.plan.defect !== undefined) return Effect.die(evaluation.plan.defect)
        // what a config file changes of the step is in the evaluation's owner
        evaluation.attempts = () => attempts(evaluation, evaluation.owner as StepOwner)
        return span(evaluation, evaluation.whole)
      }
      return fiber === around.durable.body ? on(fiber) : besideOthers(Effect.withFiber(on))
    }
  }
}

/** How a step's result is stored, erased. */
export interface Options {
  readonly success?: Schema.Top | undefined
  readonly error?: Schema.Top | undefined
  readonly key?: string | undefined
}

/** @internal */
export const step: any = dual(
  (args) => isStep(args[0]),
  (self: StepOwner, { error, key, success = Schema.Void }: Options = {}): any =>
    withDurable(self, evaluator(success, error, key))
)
