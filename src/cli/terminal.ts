/**
 * Writes the output of the command, and says what standard output can show. All of it is made printable here, and in
 * GitHub Actions no line of it is a workflow command.
 */
import type * as Cause from "effect/Cause"
import { writeSync } from "node:fs"
/* oxlint-disable eslint/no-restricted-properties -- this is the writer */
import process from "node:process"
import { codeOf } from "../internal/files/private.ts"
import { causeDetail } from "../internal/text/errors.ts"
import { printableBlock, printableJson, printableStyled } from "../internal/text/printable.ts"
import { colorsOn, isTerminal, type StreamName } from "../internal/text/terminal.ts"
import { flushed as flushedBy, forLog, line } from "../internal/text/writer.ts"
import { type Mode, modeFor, surroundings } from "../report/internal/progress/settings.ts"

/** Whether a person can be asked: both ends of the conversation are a terminal. */
export const canAsk = (): boolean => process.stdin.isTTY && isTerminal("stdout")

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

/** Standard output could not be written: its disk is full, say. */
export class OutputLost extends Error {}

/**
 * Writes the content of a file to standard output. Resolves when it is written, or the pipe's reader is gone, and rejects
 * with an {@link OutputLost} where it can't be written.
 */
export const written = (content: string | Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    const done = (error?: unknown): void => {
      if (error === undefined || error === null || codeOf(error) === "EPIPE") resolve()
      else reject(new OutputLost(`can't write to standard output: ${codeOf(error)}`))
    }
    try {
      process.stdout.write(content, done)
    } catch (error) {
      // Deno writes to files at once
      done(error)
    }
  })

// bound now, since `--json` replaces `stdout.write` later
const { stdout } = process
const write = stdout.write.bind(stdout)

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
