/** Formats events as lines, for what `epilogue run` prints and for progress without a terminal. */
import * as Duration from "effect/Duration"
import { formatDuration } from "../../../internal/text/duration.ts"
import { causeLine } from "../../../internal/text/errors.ts"
import { plural } from "../../../internal/text/words.ts"
import type { HookInfo, RunEvent } from "../../../RunEvent.ts"
import type { StepNames } from "./stepNames.ts"
import { marks } from "./tree.ts"

const time = (duration: Duration.Duration): string => formatDuration(Duration.toMillis(duration))

/** Returns the path of the step that a hook belongs to, or the name of the pipeline for a hook of the run itself. */
export const owner = (
  { pipelineName, runId, step }: HookInfo & { readonly pipelineName: string; readonly runId: string },
  names: StepNames
): string => step === undefined ? pipelineName : names.text(runId, step)

/**
 * Formats an event, or returns `undefined` for progress and for hooks that start, succeed or are skipped. `names` have
 * observed the events up to this one.
 */
export const line = (event: RunEvent, names: StepNames): string | undefined => {
  const { runId } = event
  switch (event._tag) {
    case "RunStarted":
      return `▶ ${event.pipelineName} (run ${event.runName})`
    case "StepStarted":
      return `  ▶ ${names.text(runId, event)}${names.annotations(runId, event.annotations)}`
    case "AttemptFailed":
      return `  ↻ ${names.text(runId, event)}: attempt ${event.attempt} failed, the next follows in ${
        time(event.delay)
      }: ${causeLine(event.cause)}`
    case "StepEnded": {
      const { annotations, attempts, exit, outcome } = event
      const tried = attempts > 1 ? `, ${plural(attempts, "attempt")}` : ""
      const why = exit._tag === "Failure" ? `: ${causeLine(exit.cause)}` : ""
      const shown = names.annotations(runId, annotations)
      return `  ${marks[outcome]} ${names.text(runId, event)} (${time(event.duration)}${tried})${why}${shown}`
    }
    case "HookFailed":
      return `  ! hook "${event.hook}" (${event.kind}) of ${owner(event, names)} failed after ${
        time(event.duration)
      }: ${causeLine(event.cause)}`
    case "RunEnded": {
      const { hookFailures, outcome, steps } = event
      const failed = hookFailures > 0 ? `, ${plural(hookFailures, "hook")} failed` : ""
      return `${marks[outcome]} ${event.pipelineName} (${time(event.duration)}, ${plural(steps, "step")}${failed})`
    }
    case "StepProgress":
    case "HookStarted":
    case "HookEnded":
    case "HookSkipped":
      return undefined
  }
}
