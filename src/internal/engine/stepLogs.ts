/** Keeps the last lines that each step has logged, and tells observers of what is logged. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Logger from "effect/Logger"
import type { LogLevel, Severity } from "effect/LogLevel"
import * as References from "effect/References"
import { StepContext } from "../model/context.ts"
import { evaluatedIn, type LogEntry, type Occurrence, type StepLogs } from "../model/occurrence.ts"
import { innerContext } from "../model/spanTracers.ts"
import { causeHeadline } from "../text/errors.ts"
import { clean, fitEnd, oneLine } from "../text/fit.ts"
import { isError, readOr } from "../text/read.ts"
import { type Left, text } from "../text/redact.ts"
import { pathText } from "../text/stepLabel.ts"

/** The longest message of an event, and how many characters of a value are read for it, in UTF-16 code units. */
const maxMessage = 4_000

/** The longest line that an alert shows, and all of its lines together: a channel that cuts the detail keeps the stack. */
const maxLine = 200
const maxLines = 1_500

const maxAnnotations = 10
const maxAnnotation = 100

/** A line, and the step or the run that logged it. */
interface Line {
  readonly by: Occurrence
  readonly text: string
}

/** Makes a keeper of so many lines for each step. */
export const make = (most: number): StepLogs => {
  const kept = new WeakMap<Occurrence, Array<Line>>()

  const keep = (by: Occurrence, entry: LogEntry): void => {
    // of a message with more lines than are kept, the first ones: they say what it is about
    const lines = written(entry).split("\n").filter((line) => line.trim() !== "").slice(0, most)
      .map((text): Line => ({ by, text }))
    // those around it have its lines, too, since an alert about them may be the only one
    for (let at: Occurrence | undefined = by; at !== undefined; at = at.around) {
      let own = kept.get(at)
      if (own === undefined) kept.set(at, own = [])
      for (const line of lines) own.push(line)
      while (own.length > most) own.shift()
    }
  }

  const logger: Logger.Logger<unknown, void> = Logger.make((options) => {
    const context = innerContext(options.fiber, Context.getOrUndefined(options.fiber.context, StepContext))
    const by = context === undefined ? undefined : evaluatedIn(context)
    // the logger of a layer around an outer run is among those of an inner run, which may have another
    if (by === undefined || by.run.stepLogs?.logger !== logger) return
    const entry = entryOf(options)
    if (most > 0) keep(by, entry)
    by.run.logged(by, entry)
  })

  return {
    logger,
    lastLines: (occurrence, heading) => {
      const lines = kept.get(occurrence)
      return lines === undefined ? undefined : blockOf(lines, occurrence, heading)
    }
  }
}

// -----------------------------------------------------------------------------
// entries
// -----------------------------------------------------------------------------

/** Makes the entry of a log call. A logger that throws would fail the step. */
const entryOf = ({ cause, fiber, logLevel, message }: Logger.Options<unknown>): LogEntry => {
  const left: Left = { objects: 1_000, characters: maxMessage }
  const parts = readOr([message], () => Array.isArray(message) ? [...message] : [message]).map((part) =>
    textOf(part, left)
  )
  if (cause.reasons.length > 0) parts.push(readOr("<unreadable>", () => oneLine(causeHeadline(cause))))
  const annotations = fiber.getRef(References.CurrentLogAnnotations)
  return {
    logLevel: severityOf(logLevel),
    message: fitEnd(clean([...parts, ...notesOf(annotations)].join(" ").slice(0, 2 * maxMessage)).trim(), maxMessage)
  }
}

/** Returns the text of a value. An error has its first line: its stack is in the alert, or nobody's concern. */
const textOf = (part: unknown, left: Left): string =>
  readOr(
    "<unreadable>",
    () => isError(part) ? oneLine(causeHeadline(Cause.fail(part)).slice(0, maxMessage)) : text(part, [], left)
  )

const notesOf = (annotations: Readonly<Record<string, unknown>>): ReadonlyArray<string> => {
  const names = Object.keys(annotations)
  const shown = names.slice(0, maxAnnotations).map((name) => {
    const value = textOf(annotations[name], { objects: 100, characters: maxAnnotation })
    return fitEnd(oneLine(`${name.slice(0, maxAnnotation)}=${value}`), maxAnnotation)
  })
  return names.length > maxAnnotations ? [...shown, "…"] : shown
}

/** `All` and `None` are limits, which no message has, though a logger's type allows for them. */
const severityOf = (level: LogLevel): Severity => level === "All" ? "Trace" : level === "None" ? "Fatal" : level

/** Writes an entry as people read it: the level is left out where it says nothing. */
const written = ({ logLevel, message }: LogEntry): string =>
  logLevel === "Info" ? message : `${logLevel.toUpperCase()} ${message}`

// -----------------------------------------------------------------------------
// the end of an alert
// -----------------------------------------------------------------------------

/** Returns lines as a text, each with the step that logged it, unless that is the one that the text is about. */
const blockOf = (lines: ReadonlyArray<Line>, about: Occurrence, heading: string): string => {
  const { guard } = about.run
  const shown: Array<string> = []
  let room = maxLines
  for (const { by, text } of lines.toReversed()) {
    const name = by === about ? "" : labelOf(by, about)
    // the one step of a command has the name of its run
    const label = name === "" || name === about.run.pipelineName
      ? ""
      : `${fitEnd(oneLine(name), maxAnnotation)} | `
    const whole = label + text
    // once more, and before it is cut: the secret may have become one since
    const line = fitEnd(guard === undefined ? whole : guard.text(whole), maxLine)
    room -= line.length + 3
    if (room < 0) break
    shown.push(`  ${line}`)
  }
  return [heading, ...shown.toReversed()].join("\n")
}

/** Names a step by its path inside another, or inside its own run where that is another. */
const labelOf = (by: Occurrence, about: Occurrence): string =>
  by.run === about.run
    ? pathText(by.labels.slice(about.labels.length), " › ")
    : pathText([by.run.pipelineName, ...by.labels], " › ")
