/** Where output goes, and what that can show. */
import process from "node:process"
import { hasColors, type Mode, modeFor } from "../report/internal/progress/settings.ts"
import { look as surroundings } from "../report/internal/progress/surroundings.ts"

export const out = (text: string): void => void process.stdout.write(`${text}\n`)
export const err = (text: string): void => void process.stderr.write(`${text}\n`)

/** Resolved when it is written, or nobody reads it any more. */
export const written = (content: string | Uint8Array): Promise<void> =>
  new Promise((resolve) => process.stdout.write(content, () => resolve()))

/** How progress is shown where nobody says it: the lines are for standard output. */
export const usualMode = (): Mode => modeFor("stdout", surroundings())

/** What tables and trees are made for. */
export interface Look {
  readonly isTerminal: boolean
  /** Infinite, where nobody looks at it line by line. */
  readonly columns: number
  readonly colors: boolean
}

/** That of standard output. */
export const look = (): Look => {
  const { env, isTTY: { stdout: isTerminal } } = surroundings()
  const { columns } = process.stdout
  return {
    isTerminal,
    columns: isTerminal ? columns > 0 ? columns : 80 : Infinity,
    // who forces colours wants them in a pipe, too
    colors: hasColors(env) && (isTerminal ? env["TERM"] !== "dumb" : env["FORCE_COLOR"] !== undefined)
  }
}
