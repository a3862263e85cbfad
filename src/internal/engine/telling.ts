/** Tells of what nearly every step has: that it started and ended, and that a hook of it did. */
import type * as Exit from "effect/Exit"
import type { HookInfo, Outcome } from "../model/events.ts"
import type { Planned } from "../model/plan.ts"
import type { Evaluation } from "./evaluation.ts"
import { toDuration } from "./run.ts"

/** `now` is on the monotonic clock, in nanoseconds, as are all times here but `at`. */
export const tellStarted = (evaluation: Evaluation, now: number): void => {
  const { run } = evaluation
  const at = run.millisAt(now)
  run.tap?.stepStarted(evaluation, at)
  if (run.others.length > 0) {
    // a step has one
    run.emit({ _tag: "StepStarted", ...evaluation.info!, params: evaluation.params }, at, run.others)
  }
}

/** @internal */
export const tellEnded = (
  evaluation: Evaluation,
  exit: Exit.Exit<unknown, unknown>,
  outcome: Outcome,
  now: number,
  nanos: number
): void => {
  const { attempt: attempts, run } = evaluation
  const at = run.millisAt(now)
  run.tap?.stepEnded(evaluation, at, exit, outcome, nanos)
  if (run.others.length > 0) {
    const ended = { outcome, exit, attempts, duration: toDuration(nanos), annotations: evaluation.annotations }
    run.emit({ _tag: "StepEnded", ...evaluation.info!, ...ended }, at, run.others)
  }
}

/** @internal */
export const tellHookEnded = (evaluation: Evaluation, planned: Planned, since: number): void => {
  const { run } = evaluation
  const now = run.nanos()
  const nanos = now - since
  const at = run.millisAt(now)
  run.tap?.hookEnded(evaluation, at, planned, nanos)
  if (run.others.length > 0) {
    run.emit({ _tag: "HookEnded", ...hookInfo(evaluation, planned), duration: toDuration(nanos) }, at, run.others)
  }
}

/** @internal */
export const hookInfo = (evaluation: Evaluation, { hook, index, level }: Planned): HookInfo => ({
  hook: hook.name,
  kind: hook.kind,
  level,
  hookIndex: index,
  step: evaluation.info
})
