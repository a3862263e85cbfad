/** Formats events as lines, for what `epilogue run` prints and for progress without a terminal. */
import * as Duration from "effect/Duration"
import { formatDuration } from "../../../internal/text/duration.ts"
import { causeLine, plural } from "../../../internal/text/words.ts"
import type { HookInfo, Outcome, RunEvent } from "../../../RunEvent.ts"

const time = (duration: Duration.Duration): string => formatDuration(Duration.toMillis(duration))

/** Returns the path of the step that a hook belongs to, or the name of the pipeline for a hook of the run itself. */
export const owner = ({ pipelineName, step }: HookInfo & { readonly pipelineName: string }): string =>
  step?.stepPath.join(" > ") ?? pipelineName

/** @internal */
export const marks: Readonly<Record<Outcome, string>> = { success: "✓", failure: "✗", interrupt: "■" }

/** Formats an event, or returns `undefined` for progress and for hooks that start, succeed or are skipped. */
export const line = (event: RunEvent): string | undefined => {
  switch (event._tag) {
    case "RunStarted":
      return `▶ ${event.pipelineName} (run ${event.runName})`
    case "StepStarted":
      return `  ▶ ${event.stepPath.join(" > ")}`
    case "AttemptFailed":
      return `  ↻ ${event.stepPath.join(" > ")}: attempt ${event.attempt} failed, the next follows in ${
        time(event.delay)
      }: ${causeLine(event.cause)}`
    case "StepEnded": {
      const { attempts, exit, outcome } = event
      const tried = attempts > 1 ? `, ${plural(attempts, "attempt")}` : ""
      const why = exit._tag === "Failure" ? `: ${causeLine(exit.cause)}` : ""
      return `  ${marks[outcome]} ${event.stepPath.join(" > ")} (${time(event.duration)}${tried})${why}`
    }
    case "HookFailed":
      return `  ! hook "${event.hook}" (${event.kind}) of ${owner(event)} failed after ${time(event.duration)}: ${
        causeLine(event.cause)
      }`
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
