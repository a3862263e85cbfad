/** Hooks and limits of steps and runs that are overdue. */
import type * as Duration from "effect/Duration"
import { onOverdue, watching } from "../engine/overdue.ts"
import { overdueMistakes, type OverdueOptions, toMillis } from "../model/overdue.ts"
import type { PipelineOwner, StepOwner } from "../model/owner.ts"
import { combinator } from "./combinator.ts"
import { hooks, isPipeline, isStep, modify, withMistakes } from "./step.ts"

const takesSelf = (args: IArguments): boolean => isStep(args[0]) || isPipeline(args[0])

/** Attaches an overdue hook, with a limit of its own or without. */
export const attachOverdue: any = combinator(
  takesSelf,
  (self: StepOwner | PipelineOwner, ...args: ReadonlyArray<any>): any => hooks(self, onOverdue(...args))
)

/** @internal */
export const overdue: any = combinator(
  takesSelf,
  (self: StepOwner | PipelineOwner, after: Duration.Input, options?: OverdueOptions): any => {
    const input = { ...options, after }
    const mistakes = overdueMistakes("it", input)
    return mistakes.length > 0
      ? withMistakes(self, mistakes)
      : modify(self, { overdue: { ...self.overdue, limit: { ...toMillis(input), watching } } })
  }
)
