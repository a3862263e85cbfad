/** Steps whose result is recorded. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { Evaluation } from "../../../internal/engine/evaluation.ts"
import { evaluate } from "../../../internal/engine/life.ts"
import { span } from "../../../internal/engine/spans.ts"
import { currentView, View } from "../../../internal/engine/view.ts"
import type { Occurrence } from "../../../internal/model/occurrence.ts"
import { unknownMistakes } from "../../../internal/model/options.ts"
import type { Evaluator, StepOwner } from "../../../internal/model/owner.ts"
import { combinator } from "../../../internal/steps/combinator.ts"
import { isStep, withEvaluator, withMistakes } from "../../../internal/steps/step.ts"
import { crashesMistakes } from "../crashes/crashes.ts"
import { conditionSchema, endRecordSchema, insideOptions } from "../stored/records.ts"
import { refuseSecrets } from "../stored/secrets.ts"
import { attempts } from "./attempts.ts"
import { concurrentStep } from "./concurrentStep.ts"
import { DurableKeeper } from "./keeper.ts"

/**
 * Returns the durable run whose body directly contains what is evaluated; `undefined` inside a step or a hook, which is
 * one activity as a whole, so that nothing in it is recorded by itself.
 */
export const enclosingRun = (around: Occurrence | undefined, inHook: boolean): DurableKeeper | undefined =>
  !inHook && around instanceof Evaluation && around.isRun && around.keeper instanceof DurableKeeper
    ? around.keeper
    : undefined

/** Returns the durable run whose body a fiber evaluates, as {@link enclosingRun} does. */
export const runOf = (fiber: Fiber.Fiber<unknown, unknown>): DurableKeeper | undefined => {
  const view = currentView(fiber)
  return view === undefined ? undefined : enclosingRun(View.viewed(view), View.inHook(view))
}

const evaluator = ({ crashes, error, success = Schema.Void }: Options, options: number): Evaluator => {
  const end = endRecordSchema(insideOptions(success, options), error)
  const storage = { end, condition: conditionSchema(error), crashes }
  return {
    evaluate: (owner: StepOwner, fiber: Fiber.Fiber<unknown, unknown>) => {
      const run = runOf(fiber)
      if (run === undefined) return evaluate(owner, fiber)
      const evaluateOn = (fiber: Fiber.Fiber<unknown, unknown>) => {
        const keeper = new DurableKeeper(owner, fiber, run.durable, storage)
        const { evaluation } = keeper
        if (evaluation.plan.defect !== undefined) return Effect.die(evaluation.plan.defect)
        // the evaluation's owner, and not `owner`, has the changes that a config file makes to the step
        keeper.attempts = () => attempts(keeper, evaluation.owner as StepOwner)
        return span(evaluation, fiber, keeper.bodyAndHooks)
      }
      return fiber === run.durable.body ? evaluateOn(fiber) : concurrentStep(Effect.withFiber(evaluateOn))
    }
  }
}

/** The options of `Durable.step`, with their types erased. */
export interface Options {
  readonly success?: Schema.Top | undefined
  readonly error?: Schema.Top | undefined
  readonly crashes?: number | undefined
}

/** @internal */
export const step: any = combinator(
  (args) => isStep(args[0]),
  (self: StepOwner, options: Options = {}): any => {
    const { crashes, error, success } = options
    if (success !== undefined) refuseSecrets(self.name, "success", success)
    if (error !== undefined) refuseSecrets(self.name, "error", error)
    const mistakes = [
      ...unknownMistakes(
        "its durable step",
        options,
        { success: 0, error: 0, crashes: 0 } satisfies Record<keyof Options, 0>
      ),
      ...crashesMistakes(crashes)
    ]
    return withEvaluator(withMistakes(self, mistakes), evaluator(options, self.skips?.options ?? 0))
  }
)
