/** Where output goes, and what that can show. */
import { fstatSync } from "node:fs"
import process from "node:process"
import { hasColors, type Mode, modeFor } from "../internal/report/progress/settings.ts"

export const out = (text: string): void => void process.stdout.write(`${text}\n`)
export const err = (text: string): void => void process.stderr.write(`${text}\n`)

/** How progress is shown where nobody says it: the lines are for standard output. */
export const usualMode = (): Mode => {
  const { env, stderr, stdout } = process
  return modeFor("stdout", {
    env,
    isTTY: { stdout: stdout.isTTY, stderr: stderr.isTTY },
    isPiped: (stream) => {
      try {
        const stats = fstatSync(stream === "stdout" ? 1 : 2)
        return stats.isFIFO() || stats.isSocket()
      } catch {
        return true
      }
    }
  })
}

/** What tables and trees are made for. */
export interface Look {
  readonly isTerminal: boolean
  /** Infinite, where nobody looks at it line by line. */
  readonly columns: number
  readonly colors: boolean
}

/** That of standard output. */
export const look = (): Look => {
  const { env, stdout: { columns, isTTY } } = process
  return {
    isTerminal: isTTY,
    columns: isTTY ? columns > 0 ? columns : 80 : Infinity,
    // who forces colours wants them in a pipe, too
    colors: hasColors(env) && (isTTY ? env["TERM"] !== "dumb" : env["FORCE_COLOR"] !== undefined)
  }
}
