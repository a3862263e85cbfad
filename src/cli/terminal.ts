/**
 * Writes the output of the command, and says what standard output can show. All of it is made printable here, and in
 * GitHub Actions no line of it is a workflow command.
 */
import type * as Cause from "effect/Cause"
import { hasProperty } from "effect/Predicate"
import { writeSync } from "node:fs"
/* oxlint-disable eslint/no-restricted-properties -- this is the writer */
import process from "node:process"
import { codeOf, withWords } from "../internal/files/private.ts"
import { deniedText } from "../internal/text/denied.ts"
import { causeDetail } from "../internal/text/errors.ts"
import { printableBlock, printableJson, printableStyled } from "../internal/text/printable.ts"
import { colorsOn, isTerminal, type StreamName } from "../internal/text/terminal.ts"
import { flushed as flushedBy, forLog, line } from "../internal/text/writer.ts"
import { type Mode, modeFor, surroundings } from "../report/internal/progress/settings.ts"

export { deniedText }

/** Says why a file can't be used: which permission of Deno is missing, or the code of the system. */
export const whyOf = ({ _tag, cause }: { readonly _tag: string; readonly cause?: unknown }): string =>
  deniedText(cause) ?? (cause === undefined ? _tag : withWords(codeOf(cause)))

/** Whether a person can be asked: both ends of the conversation are a terminal. */
export const canAsk = (): boolean => process.stdin.isTTY && isTerminal("stdout")

/** Writes lines that are printable to standard output, such as those of the help. */
export const outBlock = (text: string): void => void process.stdout.write(`${text}\n`)

/** Writes one line to standard output: line ends in the text are shown. */
export const out = (text: string): void => void process.stdout.write(`${line(text)}\n`)

/** Writes one line to standard error: line ends in the text are shown. */
export const err = (text: string): void => void process.stderr.write(`${line(text)}\n`)

/** Writes text of several lines to standard error. The lines after the first one are indented. */
export const errBlock = (text: string): void => void process.stderr.write(`${forLog(printableBlock(text))}\n`)

/** Writes why the command itself failed to standard error. */
export const errCause = (cause: Cause.Cause<unknown>): void => errBlock(causeDetail(cause))

/** Writes lines of a child process to standard error, with their colours. */
export const errRelayed = (lines: string): void => void process.stderr.write(forLog(printableStyled(lines)))

/** Writes what a child process has written to standard output, as it is. */
export const outRelayed = (text: string): void => void process.stdout.write(text)

/** Writes a line to standard error before it returns, since the process may exit right after. */
export const errAtOnce = (text: string): void => {
  try {
    writeSync(2, `${line(text)}\n`)
  } catch {
    // a closed pipe must not keep the process from exiting
  }
}

/** Writes lines to standard output that `fit` has made printable, with their colours. */
export const outFitted = (lines: ReadonlyArray<string>): Promise<void> => written(`${forLog(lines.join("\n"))}\n`)

/** Writes lines to a terminal that `fit` has made printable, in place of the `above` lines that were written last. */
export const outInPlace = (lines: ReadonlyArray<string>, above: number): Promise<void> =>
  written(`${above > 0 ? `\r\u001b[${above}A` : ""}${lines.map((line) => `${line}\u001b[K\n`).join("")}\u001b[J`)

/** Writes values to standard output, as a line of JSON each. */
export const outJson = (values: ReadonlyArray<unknown>): Promise<void> =>
  written(values.map((value) => `${printableJson(JSON.stringify(value))}\n`).join(""))

/** Standard output could not be written: its disk is full, say. {@link lost} tells why. */
export class OutputLost extends Error {
  override readonly name = "OutputLost"
}

/** Returns whether an error is one, by its name: each bundle of the command has a class of its own. */
export const isOutputLost = (error: unknown): boolean => hasProperty(error, "name") && error.name === "OutputLost"

/**
 * Writes the content of a file to standard output. Resolves when it is written, or the pipe's reader is gone, and rejects
 * with an {@link OutputLost} where it can't be written.
 */
export const written = (content: string | Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(
      content,
      (error?: unknown) => isLoss(error) ? reject(new OutputLost(codeOf(error))) : resolve()
    )
  })

/** A pipe whose reader has ended (`EPIPE`), as `head` does, has had what that wanted. */
const isLoss = (error: unknown): boolean => error !== undefined && error !== null && codeOf(error) !== "EPIPE"

let lostBy: string | undefined

/** Says why something that was written to standard output is not there, if that is so. */
export const lost = (): string | undefined => lostBy && `can't write to standard output: ${lostBy}`

/** Returns the `write` of a stream, which throws nothing, and tells each error. */
const telling = (stream: NodeJS.WriteStream, note: (error: unknown) => void): NodeJS.WriteStream["write"] => {
  const write = stream.write.bind(stream)
  let thrown: unknown
  return (chunk: string | Uint8Array, ...options: ReadonlyArray<unknown>) => {
    const then = options.find((option) => typeof option === "function")
    const encoding = options.find((option) => typeof option === "string")
    // Bun emits the first error alone. Not to write anything is an error on Node, where nothing can be written.
    const done = (error?: unknown): void => {
      if (chunk.length > 0) note(error)
      then?.(error)
    }
    try {
      if (thrown === undefined) return Reflect.apply(write, stream, [chunk, encoding, done])
    } catch (error) {
      // Deno's stream, which throws it of a file, keeps all that is written from then on in memory
      thrown = error
    }
    done(thrown)
    return true
  }
}

// bound now, since `--json` replaces `stdout.write` later
let write: Parameters<typeof flushedBy>[1] = process.stdout.write.bind(process.stdout)

/** Tells that something which was written past the stream, to its file descriptor, is not there. */
export const noteLost = (error: unknown): void => void process.stdout.emit("error", error)

/** Lets this process go on where its output can't be written, which Node and Deno would end it for. See {@link lost}. */
export const watchOutputs = (): void => {
  for (const name of ["stdout", "stderr"] as const) {
    const note = (error: unknown): void => {
      if (name === "stdout" && isLoss(error)) lostBy ??= codeOf(error)
    }
    process[name].on("error", note)
    process[name].write = telling(process[name], note)
  }
  write = process.stdout.write.bind(process.stdout)
}

/** Calls a function once all output is written. */
export const flushed = (then: () => void): void => flushedBy(then, write)

/**
 * Ignores that the reader of a stream has ended (`EPIPE`), as `head` does. Node ends the process otherwise. Returns a
 * function that ends this.
 */
export const ignoreClosed = (stream: StreamName): () => void => {
  const ignore = () => {}
  process[stream].on("error", ignore)
  return () => void process[stream].off("error", ignore)
}

/** Returns how progress is shown unless an option says so. Its lines go to standard output. */
export const usualMode = (): Mode => modeFor("stdout", surroundings())

/** The output for which tables and trees are formatted. */
export interface Display {
  readonly isTerminal: boolean
  /** Infinite without a terminal: a program that reads the lines wants them whole. */
  readonly columns: number
  /** Infinite without a terminal. */
  readonly rows: number
  readonly colors: boolean
}

/** Returns what standard output can show. */
export const display = (): Display => {
  const { columns, rows } = process.stdout
  const onTerminal = isTerminal("stdout")
  return {
    isTerminal: onTerminal,
    // a terminal that does not tell its width
    columns: onTerminal ? columns > 0 ? columns : 80 : Infinity,
    rows: onTerminal ? rows > 0 ? rows : 24 : Infinity,
    colors: colorsOn("stdout")
  }
}
