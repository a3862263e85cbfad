/** Steps whose result is recorded. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { dual } from "effect/Function"
import * as Schema from "effect/Schema"
import type { Durable, StepOwner } from "../../../internal/engine/evaluation.ts"
import { span } from "../../../internal/engine/spans.ts"
import { currentView, View } from "../../../internal/engine/view.ts"
import { evaluateHere, isStep, withDurable } from "../../../internal/steps/step.ts"
import { endRecordSchema } from "../stored/records.ts"
import { attempts } from "./attempts.ts"
import { concurrentStep } from "./concurrentStep.ts"
import { DurableEvaluation } from "./evaluation.ts"

/**
 * Returns the durable run whose body directly contains the fiber; `undefined` inside a step or a hook, which is one
 * activity as a whole, so that nothing in it is recorded by itself.
 */
export const enclosingRun = (view: View | undefined): DurableEvaluation | undefined => {
  if (view === undefined || View.inHook(view)) return undefined
  const evaluation = View.evaluation(view)
  return evaluation instanceof DurableEvaluation && evaluation.isRun ? evaluation : undefined
}

const evaluator = (success: Schema.Top, error: Schema.Top | undefined, key: string | undefined): Durable => {
  const storage = { end: endRecordSchema(success, error), key }
  return {
    evaluate: (owner: StepOwner, fiber: Fiber.Fiber<unknown, unknown>) => {
      const run = enclosingRun(currentView(fiber))
      if (run === undefined) return evaluateHere(owner, fiber)
      const evaluateOn = (fiber: Fiber.Fiber<unknown, unknown>) => {
        const evaluation = new DurableEvaluation(owner, fiber, run.durable, storage)
        if (evaluation.plan.defect !== undefined) return Effect.die(evaluation.plan.defect)
        // the evaluation's owner, and not `owner`, has the changes that a config file makes to the step
        evaluation.attempts = () => attempts(evaluation, evaluation.owner as StepOwner)
        return span(evaluation, evaluation.bodyAndHooks)
      }
      return fiber === run.durable.body ? evaluateOn(fiber) : concurrentStep(Effect.withFiber(evaluateOn))
    }
  }
}

/** The options of `Durable.step`, with their types erased. */
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
