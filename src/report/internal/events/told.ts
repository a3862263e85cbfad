/** Converts events from JSON, as a supervised process tells them, for what shows them while they happen. */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { StepSkipped } from "../../../internal/model/skip.ts"
import type { RunEvent, StepInfo } from "../../../RunEvent.ts"
import type { EventJson, StepJson } from "./eventJson.ts"

const infoOf = ({ index, parent, stepKey, stepLabels, stepName, stepPath }: StepJson): StepInfo => ({
  stepName,
  stepKey,
  stepPath,
  stepLabels: stepLabels ?? stepPath,
  index,
  parent
})

/** A cause of which only the text is known. Displays show its first line. */
const causeOf = (text: string): Cause.Cause<unknown> => Cause.fail(text.trim().split(/[\r\n]/, 1)[0]!)

const exitOf = (
  { cause, outcome }: Pick<Extract<EventJson, { readonly _tag: "RunEnded" }>, "outcome" | "cause">
): Exit.Exit<unknown, unknown> =>
  outcome === "success"
    ? Exit.void
    : outcome === "interrupt"
    ? Exit.interrupt()
    : outcome === "skip"
    ? Exit.fail(new StepSkipped({ reason: cause }))
    : Exit.failCause(causeOf(cause ?? "failed"))

/**
 * Returns the event, or `undefined` for one that only records have. Of causes it has the first line, of exits no value, and
 * parameters are left out.
 */
export const fromEventJson = (event: EventJson): RunEvent | undefined => {
  const { pipelineName, runId, runName } = event
  const run = { pipelineName, runId, runName, at: DateTime.makeUnsafe(event.at) }
  switch (event._tag) {
    case "RunStarted":
      return { _tag: event._tag, ...run, annotations: {} }
    case "StepStarted":
      return { _tag: event._tag, ...run, ...infoOf(event), params: {}, annotations: {} }
    case "StepProgress":
      return { _tag: event._tag, ...run, ...infoOf(event), done: event.done, total: event.total }
    case "AttemptFailed":
      return {
        _tag: event._tag,
        ...run,
        ...infoOf(event),
        attempt: event.attempt,
        cause: causeOf(event.cause),
        delay: Duration.millis(event.delayMillis),
        isLast: event.isLast === true
      }
    case "StepOverdue":
      return { _tag: event._tag, ...run, ...infoOf(event), ...latenessOf(event), attempt: event.attempt }
    case "RunOverdue":
      return {
        _tag: event._tag,
        ...run,
        ...latenessOf(event),
        deadline: event.deadline === undefined
          ? undefined
          : Option.getOrUndefined(DateTime.makeZonedFromString(event.deadline))
      }
    case "StepEnded":
      return {
        _tag: event._tag,
        ...run,
        ...infoOf(event),
        outcome: event.outcome,
        exit: exitOf(event),
        attempts: event.attempts,
        duration: Duration.millis(event.durationMillis),
        annotations: event.annotations ?? {}
      }
    case "StepSkipped":
      return {
        _tag: event._tag,
        ...run,
        ...infoOf(event),
        reason: event.reason,
        attempts: event.attempts,
        duration: Duration.millis(event.durationMillis),
        annotations: event.annotations ?? {}
      }
    case "HookStarted":
    case "HookSkipped":
      return { _tag: event._tag, ...run, ...hookOf(event) }
    case "HookEnded":
      return { _tag: event._tag, ...run, ...hookOf(event), duration: Duration.millis(event.durationMillis) }
    case "HookFailed":
      return {
        _tag: event._tag,
        ...run,
        ...hookOf(event),
        duration: Duration.millis(event.durationMillis),
        cause: causeOf(event.cause)
      }
    case "RunEnded":
      return {
        _tag: event._tag,
        ...run,
        outcome: event.outcome,
        exit: exitOf(event),
        duration: Duration.millis(event.durationMillis),
        steps: event.steps,
        hookFailures: event.hookFailures,
        annotations: event.annotations ?? {}
      }
    case "StepLogged":
    case "RunLogged":
    case "AlertPosted":
    case "AlertsOmitted":
    case "RunCrashed":
    case "RunSuspended":
    case "ClockChanged":
      return undefined
  }
}

const latenessOf = (
  { elapsedMillis, limitMillis, times }: Extract<EventJson, { readonly _tag: "StepOverdue" | "RunOverdue" }>
) => ({ elapsed: Duration.millis(elapsedMillis), limit: Duration.millis(limitMillis), times })

const hookOf = ({ hook, hookIndex, kind, level, step }: Extract<EventJson, { readonly hook: string }>) => ({
  hook,
  kind,
  level,
  hookIndex,
  step: step === undefined ? undefined : infoOf(step)
})
