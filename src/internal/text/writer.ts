/**
 * The one way by which the library writes to standard output, standard error and effect's `Console`, and logs.
 *
 * **Details**
 *
 * All text is made printable first. In GitHub Actions, no line is a workflow command, except for those that are passed
 * to {@link command}. The functions of the command `epilogue` are in `cli/terminal.ts`.
 */
import * as Cause from "effect/Cause"
// oxlint-disable-next-line eslint/no-restricted-imports -- this is the writer
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { legible } from "./legible.ts"
import { printable, printableBlock, printableLine, withoutCommands } from "./printable.ts"
import { isError, readOr } from "./read.ts"
import { type StreamName, variable } from "./terminal.ts"

/** Makes lines harmless if this process is a step of GitHub Actions, whose runner reads both streams for commands. */
export const forLog = (text: string): string =>
  (text.includes("::") || text.includes("##[")) && variable("GITHUB_ACTIONS") === "true" ? withoutCommands(text) : text

/** Makes text of unknown origin one line for a terminal or a log. */
export const line = (text: string): string => forLog(printableLine(text))

/**
 * Prints rendered text of one or several lines, which may have colours: what others wrote in it has to be printable
 * already.
 */
export const print = (text: string, stream: StreamName = "stdout"): Effect.Effect<void> =>
  Effect.suspend(() => stream === "stderr" ? Console.error(forLog(text)) : Console.log(forLog(text)))

/** A function that prints a line at once. */
export type Printer = (line: string) => void

/** Returns printers of single lines to effect's `Console` of the current fiber, which tests can replace. */
export const printers: Effect.Effect<{
  readonly line: (stream: StreamName) => Printer
  /** Prints a workflow command of GitHub Actions, or a line that is known to be none. */
  readonly command: Printer
}> = Effect.map(Console.Console, (console) => ({
  line: (stream) => (text) => stream === "stdout" ? console.log(line(text)) : console.error(line(text)),
  command: (text) => console.log(text)
}))

/**
 * Loggers print the text of a message and of errors as it is. An error or a cause whose text is printable is passed on,
 * since loggers may record its structure.
 */
const loggable = (part: unknown): unknown => {
  if (typeof part === "string") return forLog(printableBlock(part))
  const isCause = Cause.isCause(part)
  if (!isCause && !isError(part)) return part
  const cause = isCause ? part : Cause.die(part)
  const shown = legible(cause)
  const text = Cause.pretty(shown)
  if (forLog(printable(text)) !== text) return forLog(printableBlock(text))
  return shown === cause ? part : shown
}

/* oxlint-disable eslint/no-restricted-properties -- this is the writer */

type Write = (text: string, then: () => void) => unknown

/** Calls a function once all that was written to standard output, by `write`, and to standard error is written. */
export const flushed = (then: () => void, write: Write = (text, then) => process.stdout.write(text, then)): void =>
  void write("", () => process.stderr.write("", then))

const logging =
  (log: (...message: ReadonlyArray<unknown>) => Effect.Effect<void>) =>
  (message: string, ...about: ReadonlyArray<unknown>): Effect.Effect<void> =>
    // whatever can't be read of the rest, the message is logged
    Effect.suspend(() =>
      log(line(message), ...about.map((part) => readOr("<unreadable>", (): unknown => loggable(part))))
    )

/** Logs a message on one line, and text or causes about it. */
export const logDebug = logging(Effect.logDebug)

/** As {@link logDebug}, as information. */
export const logInfo = logging(Effect.logInfo)

/** As {@link logDebug}, as a warning. */
export const logWarning = logging(Effect.logWarning)

/** As {@link logDebug}, as an error. */
export const logError = logging(Effect.logError)
