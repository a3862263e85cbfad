/**
 * Formats runs for the log of a CI server that folds groups of lines. Groups of steps that run side by side would
 * interleave. So each run is a group, and its steps, and the runs that begin meanwhile, are lines of it. The lines of
 * what failed are printed once more below the group, which may be folded.
 */
import * as Cause from "effect/Cause"
import { printableLine } from "../../../internal/text/printable.ts"
import type { RunEvent } from "../../../RunEvent.ts"
import { line } from "../events/line.ts"
import { StepNames } from "../events/stepNames.ts"

/** How many lines about failures are kept to be printed at the end of a run. */
const remembered = 50

interface Group {
  readonly runId: string
  readonly failed: Array<string>
  more: number
}

/** How a server wants groups and lines to be written. */
export interface Format {
  /** Returns the line that begins a group. The title is one printable line. */
  readonly begin: (title: string, event: RunEvent) => string
  /** Returns the line that ends the group. */
  readonly end: (event: RunEvent) => string
  /** Returns a printable line that is no command to the server. */
  readonly plain: (line: string) => string
  /** Returns more lines about an event: annotations of what failed. */
  readonly more: (event: RunEvent, names: StepNames) => ReadonlyArray<string>
}

/** Returns a function from an event to the lines to print for it. It keeps the state of the log. */
export const grouped = ({ begin, end, more, plain }: Format): (event: RunEvent) => ReadonlyArray<string> => {
  let group: Group | undefined
  const names = new StepNames()
  return (event) => {
    names.observe(event)
    const text = line(event, names)
    // no name or message can forge a second line
    const told = text === undefined ? undefined : printableLine(text)
    const lines = told === undefined ? [] : [plain(told)]
    if (event._tag === "RunStarted" && group === undefined) {
      group = { runId: event.runId, failed: [], more: 0 }
      return [begin(told ?? "", event)]
    }
    if (group !== undefined && lines.length > 0 && isFailure(event)) {
      if (group.failed.length < remembered) group.failed.push(...lines)
      else group.more++
    }
    if (event._tag !== "RunEnded" || event.runId !== group?.runId) return [...lines, ...more(event, names)]
    const { failed, more: others } = group
    group = undefined
    return [
      end(event),
      ...failed,
      ...(others === 0 ? [] : [`  … and ${others} more that failed`]),
      ...lines,
      ...more(event, names)
    ]
  }
}

const isFailure = (event: RunEvent): boolean =>
  event._tag === "HookFailed" || (event._tag === "StepEnded" && event.outcome === "failure" && hasReason(event.exit))

const hasReason = (exit: Extract<RunEvent, { readonly _tag: "StepEnded" }>["exit"]): boolean =>
  exit._tag === "Failure" && !Cause.hasInterruptsOnly(exit.cause)
