/** Records how the condition of a step ended: it is not asked again when the run resumes. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Schema from "effect/Schema"
import type { Evaluation } from "../../../internal/engine/evaluation.ts"
import { type Problem, unstorableExit } from "../stored/unstorable.ts"
import { withoutSecrets } from "../stored/withoutSecrets.ts"
import type { RecordOptions } from "./activity.ts"
import { type AttemptKeeper, attemptOnce } from "./attemptOnce.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

/** The keeper of the step. */
interface ConditionKeeper extends AttemptKeeper {
  readonly evaluation: Evaluation
  readonly storage: { readonly condition?: Schema.Top | undefined }
  readonly record: (name: string, schema: Schema.Top, execute: AnyEffect, options?: RecordOptions) => AnyEffect
}

/** @internal */
export const recordCondition = (keeper: ConditionKeeper, condition: AnyEffect): AnyEffect => {
  const { condition: schema } = keeper.storage
  if (schema === undefined) return condition
  const { label, run } = keeper.evaluation
  const stored = (exit: Exit.Exit<unknown, unknown>) => withoutSecrets(exit, run.guard)
  const replace = (exit: Exit.Exit<unknown, unknown>) => (problem: Problem) =>
    Effect.succeed(stored(unstorableExit(label, exit, problem)))
  const execute = Effect.map(attemptOnce(keeper, condition, 0), stored)
  return Effect.flatten(keeper.record(`${keeper.key}/when`, schema, execute, { replace }))
}
