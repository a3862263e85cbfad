/** Writes the command's output, and says what standard output can show. */
import process from "node:process"
import { colorsOn, isTerminal } from "../internal/text/terminal.ts"
import { type Mode, modeFor, surroundings } from "../report/internal/progress/settings.ts"

/** Writes a line to standard output. */
export const out = (text: string): void => void process.stdout.write(`${text}\n`)

/** Writes a line to standard error. */
export const err = (text: string): void => void process.stderr.write(`${text}\n`)

/** Writes to standard output. Resolves when the content is written, or the pipe's reader is gone. */
export const written = (content: string | Uint8Array): Promise<void> =>
  new Promise((resolve) => process.stdout.write(content, () => resolve()))

/** Returns how progress is shown unless an option says so. Its lines go to standard output. */
export const usualMode = (): Mode => modeFor("stdout", surroundings())

/** What tables and trees are formatted for. */
export interface Display {
  readonly isTerminal: boolean
  /** Infinite without a terminal: a program that reads the lines wants them whole. */
  readonly columns: number
  readonly colors: boolean
}

/** Returns what standard output can show. */
export const display = (): Display => {
  const { columns } = process.stdout
  const onTerminal = isTerminal("stdout")
  return {
    isTerminal: onTerminal,
    // a terminal that does not tell its width
    columns: onTerminal ? columns > 0 ? columns : 80 : Infinity,
    colors: colorsOn("stdout")
  }
}
