/**
 * Formats runs for the log of GitHub Actions, with workflow commands: lines that begin with `::`, or contain the older
 * form `##[`, are commands to the runner.
 *
 * - https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 * - how the runner parses them, and so what has to be escaped:
 *   https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 *
 * Groups can't nest, and groups of steps that run side by side would interleave. So each run is a group, and its steps,
 * and the runs that begin meanwhile, are lines of it. A failure is annotated at once, since the process may not live to
 * the end of the run, and printed once more below the group, which GitHub shows folded.
 */
import * as Cause from "effect/Cause"
import { causeText, refusalIn } from "../../../internal/text/errors.ts"
import { printable, printableLine, withoutCommands } from "../../../internal/text/printable.ts"
import { pathText } from "../../../internal/text/stepLabel.ts"
import type { RunEvent } from "../../../RunEvent.ts"
import { line, owner } from "../events/line.ts"
import { StepNames } from "../events/stepNames.ts"

/** Formats an event as one line. No name or message can forge a second line. */
const plain = (event: RunEvent, names: StepNames): string | undefined => {
  const text = line(event, names)
  return text === undefined ? undefined : printableLine(text)
}

/** Escapes the data of a command, and what would be an older command in it. Printable text has no carriage return. */
const escapeData = (text: string): string =>
  printable(text).replaceAll("##[", "##\\u{5b}").replaceAll("%", "%25").replaceAll("\n", "%0A")

const escapeProperty = (text: string): string =>
  escapeData(printableLine(text)).replaceAll(":", "%3A").replaceAll(",", "%2C")

const annotation = (severity: "error" | "warning", title: string, message: string): string =>
  `::${severity} title=${escapeProperty(title)}::${escapeData(message)}`

/** How many lines about failures are kept to be printed at the end of a run. */
const remembered = 50

interface Group {
  readonly runId: string
  readonly failed: Array<string>
  more: number
}

/** Returns a function from an event to the lines to print for it. It keeps the state of the log. */
export const make = (): (event: RunEvent) => ReadonlyArray<string> => {
  let group: Group | undefined
  const names = new StepNames()
  /**
   * The last annotated failure of each run. A step or run around it that fails for the same reason is not annotated.
   */
  const annotated = new Map<string, { readonly path: ReadonlyArray<string>; readonly why: string }>()

  const errors = (event: RunEvent): ReadonlyArray<string> => {
    if (event._tag === "HookFailed") {
      const title = `hook "${event.hook}" (${event.kind}) of ${owner(event, names)} failed`
      return [annotation("warning", title, causeText(event.cause))]
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

  return (event) => {
    names.observe(event)
    const told = plain(event, names)
    const lines = told === undefined ? [] : [withoutCommands(told)]
    if (event._tag === "RunStarted" && group === undefined) {
      group = { runId: event.runId, failed: [], more: 0 }
      return [`::group::${escapeData(told ?? "")}`]
    }
    if (group !== undefined && lines.length > 0 && isFailure(event)) {
      if (group.failed.length < remembered) group.failed.push(...lines)
      else group.more++
    }
    if (event._tag !== "RunEnded" || event.runId !== group?.runId) return [...lines, ...errors(event)]
    const { failed, more } = group
    group = undefined
    return [
      "::endgroup::",
      ...failed,
      ...(more === 0 ? [] : [`  … and ${more} more that failed`]),
      ...lines,
      ...errors(event)
    ]
  }
}

const isFailure = (event: RunEvent): boolean =>
  event._tag === "HookFailed" || (event._tag === "StepEnded" && event.outcome === "failure" && hasReason(event.exit))

const hasReason = (exit: Extract<RunEvent, { readonly _tag: "StepEnded" }>["exit"]): boolean =>
  exit._tag === "Failure" && !Cause.hasInterruptsOnly(exit.cause)
