/** The texts that the command prints for people. */
import * as Duration from "effect/Duration"
import type { ConfigFile } from "../../config/index.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { plural } from "../../internal/text/words.ts"
import { defaultFolder } from "../../report/internal/record/names.ts"

export { causeText, errorText } from "../../internal/text/errors.ts"
export { line } from "../../report/internal/events/line.ts"
export { StepNames } from "../../report/internal/events/stepNames.ts"

/**
 * Returns a line for each time limit, each step and each of its hooks, in the order in which they run, with their source
 * and reason.
 */
export const explained = (
  { deadline, language, logs, monitors, overdue, pipelineName, project, record, steps, timeout }: ConfigFile.Loaded
): ReadonlyArray<string> => [
  pipelineName,
  ...(project === undefined ? [] : ofProject(project)),
  ...limits("  ", timeout),
  ...late("  ", overdue),
  ...(deadline === undefined ? [] : [`  deadline: ${deadline.at}${again(deadline.every)}`]),
  ...(language === undefined ? [] : [`  language of alerts: ${language}`]),
  ...(logs === undefined ? [] : [`  logs: ${logsText(logs)}`]),
  ...(record === undefined ? [] : [`  record: in ${defaultFolder}${keptText(record.keep)}`]),
  ...monitors.map(({ every, from, moves, name, pipelines }) =>
    `  monitor: ${name} (${place(from)}), told of ${moves.join(", ")}${
      pipelines === undefined ? "" : ` of ${pipelines.join(", ")}`
    }${every === undefined ? "" : `, every ${formatDuration(every)} while a run goes on`}`
  ),
  ...steps.flatMap(({ hooks, inCode, overdue, step, timeout }) => [
    `  ${step}${inCode ? "" : ` (hooks that it has in code are not known: ${unknown})`}`,
    ...limits("    ", timeout),
    ...late("    ", overdue),
    ...hooks.map(({ from, kind, name, why }) => `    ${kind}: ${name} (${place(from)}): ${why}`),
    ...(hooks.length === 0 ? ["    no hooks"] : [])
  ]),
  ...(steps.length === 0 ? [`  ${noSteps}`] : [])
]

/** Says why no step is known before a run. */
export const noSteps = "no steps are known: its module exports none, and the file names none"

const unknown = "a function makes it, or its module does not export it"

const ofProject = ({ file, values }: ConfigFile.ExplainedProject): ReadonlyArray<string> => [
  `  defaults: ${file}`,
  ...values.map(({ applies, key, position }) =>
    `    ${key} (${place({ file, position })})${applies ? "" : ": the config has one of its own"}`
  )
]

const limits = (indent: string, timeout: ConfigFile.ExplainedTimeout | undefined): ReadonlyArray<string> =>
  timeout === undefined
    ? []
    : [`${indent}timeout: ${formatDuration(timeout.limit)}, and ${formatDuration(timeout.grace)} more to stop`]

const late = (indent: string, overdue: ConfigFile.ExplainedOverdue | undefined): ReadonlyArray<string> =>
  overdue === undefined ? [] : [`${indent}overdue: after ${formatDuration(overdue.after)}${again(overdue.every)}`]

const logsText = (logs: number | false): string =>
  logs === false
    ? "nothing is kept of what steps log"
    : logs === 0
    ? "in records, and not in alerts"
    : `alerts end with the last ${logs === 1 ? "line" : `${logs} lines`} of a step`

const keptText = (keep: ConfigFile.RecordDocument["keep"]): string => {
  if (keep === undefined) return ""
  const { age, runs } = keep
  const ofAge = age === undefined ? "" : ` of the last ${formatDuration(Duration.toMillis(age))}`
  return runs === undefined
    ? `, where those${ofAge} are kept`
    : `, where at most ${plural(runs, "run")}${ofAge} ${runs === 1 ? "is" : "are"} kept`
}

const again = (every: number | undefined): string => every === undefined ? "" : `, then every ${formatDuration(every)}`

const place = (from: ConfigFile.ExplainedHook["from"]): string => {
  if (from === "code") return from
  const { file, position } = from
  return position === undefined ? file : `${file}:${position.line}:${position.column}`
}
