/** The texts that the command prints for people. */
import type { ConfigFile } from "../../config/index.ts"
import { formatDuration } from "../../internal/text/duration.ts"

export { causeText, errorText } from "../../internal/text/errors.ts"
export { plural } from "../../internal/text/words.ts"
export { line } from "../../report/internal/events/line.ts"
export { StepNames } from "../../report/internal/events/stepNames.ts"

/**
 * Returns a line for each time limit, each step and each of its hooks, in the order in which they run, with their source
 * and reason.
 */
export const explained = ({ pipelineName, steps, timeout }: ConfigFile.Loaded): ReadonlyArray<string> => [
  pipelineName,
  ...limits("  ", timeout),
  ...steps.flatMap(({ hooks, inCode, step, timeout }) => [
    `  ${step}${inCode ? "" : " (its module does not export it: hooks that it has in code are not known)"}`,
    ...limits("    ", timeout),
    ...hooks.map(({ from, kind, name, why }) => `    ${kind}: ${name} (${place(from)}): ${why}`),
    ...(hooks.length === 0 ? ["    no hooks"] : [])
  ]),
  ...(steps.length === 0 ? ["  no steps are known: its module exports none, and the file names none"] : [])
]

const limits = (indent: string, timeout: ConfigFile.ExplainedTimeout | undefined): ReadonlyArray<string> =>
  timeout === undefined
    ? []
    : [`${indent}timeout: ${formatDuration(timeout.limit)}, and ${formatDuration(timeout.grace)} more to stop`]

const place = (from: ConfigFile.ExplainedHook["from"]): string => {
  if (from === "code") return from
  const { file, position } = from
  return position === undefined ? file : `${file}:${position.line}:${position.column}`
}
