/**
 * Formats runs for the log of GitHub Actions, with workflow commands: lines that begin with `::`, or contain the older
 * form `##[`, are commands to the runner.
 *
 * - https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 * - how the runner parses them, and so what has to be escaped:
 *   https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 *
 * Groups can't nest. A failure is annotated at once, since the process may not live to the end of the run.
 */
import { causeText, refusalIn } from "../../../internal/text/errors.ts"
import { printable, printableLine, withoutCommands } from "../../../internal/text/printable.ts"
import { pathText } from "../../../internal/text/stepLabel.ts"
import type { RunEvent } from "../../../RunEvent.ts"
import { late, owner } from "../events/line.ts"
import type { StepNames } from "../events/stepNames.ts"
import { grouped } from "./groups.ts"

/** Escapes the data of a command, and what would be an older command in it. Printable text has no carriage return. */
const escapeData = (text: string): string =>
  printable(text).replaceAll("##[", "##\\u{5b}").replaceAll("%", "%25").replaceAll("\n", "%0A")

const escapeProperty = (text: string): string =>
  escapeData(printableLine(text)).replaceAll(":", "%3A").replaceAll(",", "%2C")

const annotation = (severity: "error" | "warning", title: string, message: string): string =>
  `::${severity} title=${escapeProperty(title)}::${escapeData(message)}`

/** Returns a function from an event to the lines to print for it. It keeps the state of the log. */
export const make = (): (event: RunEvent) => ReadonlyArray<string> => {
  /**
   * The last annotated failure of each run. A step or run around it that fails for the same reason is not annotated.
   */
  const annotated = new Map<string, { readonly path: ReadonlyArray<string>; readonly why: string }>()

  const annotations = (event: RunEvent, names: StepNames): ReadonlyArray<string> => {
    if (event._tag === "HookFailed") {
      const title = `hook "${event.hook}" (${event.kind}) of ${owner(event, names)} failed`
      // a step that is not undone leaves behind what the run has done
      return [annotation(event.kind === "rollback" ? "error" : "warning", title, causeText(event.cause))]
    }
    if (event._tag === "StepOverdue" || event._tag === "RunOverdue") {
      // once: an annotation for each time would hide the others, of which a run has few
      if (event.times > 1) return []
      const title = event._tag === "StepOverdue"
        ? pathText([event.pipelineName, ...names.path(event.runId, event)], " > ")
        : event.pipelineName
      return [annotation("warning", `${title} is overdue`, late(event, names))]
    }
    if (event._tag !== "StepEnded" && event._tag !== "RunEnded") return []
    const path = event._tag === "StepEnded" ? names.path(event.runId, event) : []
    const last = annotated.get(event.runId)
    if (event._tag === "RunEnded") annotated.delete(event.runId)
    if (event.outcome !== "failure" || event.exit._tag === "Success") return []
    const why = causeText(event.exit.cause)
    if (last !== undefined && last.why === why && path.every((name, i) => last.path[i] === name)) return []
    if (event._tag === "StepEnded") annotated.set(event.runId, { path, why })
    const title = pathText([event.pipelineName, ...path], " > ")
    const refusal = refusalIn(event.exit.cause)
    return [annotation(refusal === undefined ? "error" : "warning", `${title} ${refusal ?? "failed"}`, why)]
  }

  return grouped({
    begin: (title) => `::group::${escapeData(title)}`,
    end: () => "::endgroup::",
    plain: withoutCommands,
    more: annotations
  })
}
