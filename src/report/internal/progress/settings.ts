/** Chooses how progress is shown, by where the process runs. */
import { fstatSync } from "node:fs"
import { type Environment, isTerminal, type StreamName, variable } from "../../../internal/text/terminal.ts"

/** @internal */
export type Mode = "tree" | "plain" | "github" | "gitlab"

/** @internal */
export interface Surroundings {
  readonly env: Environment
  readonly isTTY: Readonly<Record<StreamName, boolean>>
  /** Returns whether a stream goes into a pipe, which may lead to the same terminal. */
  readonly isPiped: (stream: StreamName) => boolean
}

/** Reads the surroundings of this process. */
export const surroundings = (): Surroundings => ({
  env: Object.fromEntries(["CI", "GITHUB_ACTIONS", "GITLAB_CI", "TERM"].map((name) => [name, variable(name)])),
  isTTY: { stdout: isTerminal("stdout"), stderr: isTerminal("stderr") },
  isPiped: (stream) => {
    try {
      const stats = fstatSync(stream === "stdout" ? 1 : 2)
      return stats.isFIFO() || stats.isSocket()
    } catch {
      return true
    }
  }
})

/**
 * Chooses the tree on a terminal that can move its cursor and that a person looks at, and lines elsewhere.
 *
 * Where the other stream is piped, as in `script.ts | tee log`, the pipe's reader may write to the same terminal: its
 * output would tear the tree, which knows only what this process writes.
 */
export const modeFor = (stream: StreamName, { env, isPiped, isTTY }: Surroundings): Mode => {
  const other = stream === "stdout" ? "stderr" : "stdout"
  if (!isTTY[stream]) {
    return env["GITHUB_ACTIONS"] === "true" ? "github" : env["GITLAB_CI"] === "true" ? "gitlab" : "plain"
  }
  if (env["TERM"] === "dumb" || isSet(env["CI"])) return "plain"
  return !isTTY[other] && isPiped(other) ? "plain" : "tree"
}

const isSet = (value: string | undefined): boolean =>
  value !== undefined && value !== "" && value !== "0" && value !== "false"
