/** How progress is shown, given where the process runs. */
import type { StreamName } from "./capture.ts"

/** @internal */
export type Mode = "tree" | "plain" | "github"

/** @internal */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly isTTY: Readonly<Record<StreamName, boolean>>
  /** Whether what is written to a stream goes through a pipe, perhaps to the same terminal. */
  readonly isPiped: (stream: StreamName) => boolean
}

/**
 * A tree where there is a terminal that knows what to do with it, and a person who looks at it. What comes to it by
 * another way than this process's streams would go through the tree, as in `script.ts | tee log`.
 */
export const modeFor = (stream: StreamName, { env, isPiped, isTTY }: Surroundings): Mode => {
  const other = stream === "stdout" ? "stderr" : "stdout"
  if (!isTTY[stream]) return env["GITHUB_ACTIONS"] === "true" ? "github" : "plain"
  if (env["TERM"] === "dumb" || isSet(env["CI"])) return "plain"
  return !isTTY[other] && isPiped(other) ? "plain" : "tree"
}

const isSet = (value: string | undefined): boolean =>
  value !== undefined && value !== "" && value !== "0" && value !== "false"

/** https://no-color.org: set to anything but nothing, there are none; `FORCE_COLOR` has the last word, as in Node. */
export const hasColors = ({ FORCE_COLOR: force, NO_COLOR: no }: Surroundings["env"]): boolean => {
  if (force !== undefined) return force !== "0" && force !== "false"
  return no === undefined || no === ""
}
