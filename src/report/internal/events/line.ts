/** Formats events as lines, for what `epilogue run` prints and for progress without a terminal. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { reasonOf, skippedOf } from "../../../internal/model/skip.ts"
import { formatDuration } from "../../../internal/text/duration.ts"
import { causeLine } from "../../../internal/text/errors.ts"
import { overdueText } from "../../../internal/text/overdueText.ts"
import { joinLines, plural } from "../../../internal/text/words.ts"
import type { HookInfo, RunEvent, RunOverdue, StepOverdue } from "../../../RunEvent.ts"
import { statusSigns } from "./status.ts"
import type { StepNames } from "./stepNames.ts"
import { overdueMark, undoneMark } from "./tree.ts"

const time = (duration: Duration.Duration): string => formatDuration(Duration.toMillis(duration))

/** Returns the reason of a skip, as the end of a line. */
const because = (reason: string | undefined): string => reason === undefined ? "" : `: ${joinLines(reason)}`

/** Returns the path of the step that a hook belongs to, or the name of the pipeline for a hook of the run itself. */
export const owner = (
  { pipelineName, runId, step }: HookInfo & { readonly pipelineName: string; readonly runId: string },
  names: StepNames
): string => step === undefined ? pipelineName : names.text(runId, step)

/** Says which step or run is overdue. */
export const late = (event: StepOverdue | RunOverdue, names: StepNames): string => {
  const { elapsed, pipelineName, runId } = event
  return event._tag === "StepOverdue"
    ? `${names.text(runId, event)} ${overdueText(Duration.toMillis(elapsed))}`
    : `${pipelineName} ${
      overdueText(Duration.toMillis(elapsed), event.deadline && DateTime.formatIsoZoned(event.deadline))
    }`
}

/**
 * Formats an event, or returns `undefined` for progress, for what is logged, which loggers print, for alerts, and for hooks
 * that start, succeed or are skipped, save those that have undone a step. `names` have observed the events up to this one.
 */
export const line = (event: RunEvent, names: StepNames): string | undefined => {
  const { runId } = event
  switch (event._tag) {
    case "RunStarted":
      return `▶ ${event.pipelineName} (run ${event.runName})`
    case "StepStarted":
      return `  ▶ ${names.text(runId, event)}${names.annotations(runId, event.annotations)}`
    case "AttemptFailed":
      return `  ↻ ${names.text(runId, event)}: attempt ${event.attempt} failed, ${
        event.isLast ? "the time is up in" : "the next follows in"
      } ${time(event.delay)}: ${causeLine(event.cause)}`
    case "StepOverdue":
    case "RunOverdue":
      return `  ${overdueMark[0]} ${late(event, names)}`
    case "StepEnded": {
      const { annotations, attempts, exit, outcome } = event
      const tried = attempts > 1 ? `, ${plural(attempts, "attempt")}` : ""
      const why = exit._tag === "Failure" ? `: ${causeLine(exit.cause)}` : ""
      const shown = names.annotations(runId, annotations)
      return `  ${statusSigns[outcome]} ${names.text(runId, event)} (${time(event.duration)}${tried})${why}${shown}`
    }
    case "StepSkipped": {
      const { annotations, duration, reason } = event
      const shown = names.annotations(runId, annotations)
      return `  ${statusSigns.skip} ${names.text(runId, event)} (skipped, ${time(duration)})${because(reason)}${shown}`
    }
    case "HookEnded":
      return event.kind === "rollback"
        ? `  ${undoneMark} ${owner(event, names)} undone by hook "${event.hook}" (${time(event.duration)})`
        : undefined
    case "HookFailed":
      return `  ! hook "${event.hook}" (${event.kind}) of ${owner(event, names)} failed after ${
        time(event.duration)
      }: ${causeLine(event.cause)}`
    case "RunEnded": {
      const { exit, hookFailures, outcome, steps } = event
      const skipped = outcome === "skip" ? "skipped, " : ""
      const failed = hookFailures > 0 ? `, ${plural(hookFailures, "hook")} failed` : ""
      const details = `${skipped}${time(event.duration)}, ${plural(steps, "step")}${failed}`
      return `${statusSigns[outcome]} ${event.pipelineName} (${details})${because(reasonOf(skippedOf(exit)))}`
    }
    case "StepProgress":
    case "StepLogged":
    case "RunLogged":
    case "HookStarted":
    case "HookSkipped":
    case "AlertPosted":
      return undefined
  }
}
