/** What a run prints, where it is not asked for JSON: a line for each thing that happened. */
import * as Duration from "effect/Duration"
import type { ExplainedHook } from "../config/index.ts"
import type { HookInfo, RunEvent } from "../RunEvent.ts"
import type { Loaded } from "./loading.ts"
import { causeLine, duration } from "./text.ts"

const time = (input: Duration.Duration): string => duration(Duration.toMillis(input))

const owner = ({ pipelineName, step }: HookInfo & { readonly pipelineName: string }): string =>
  step?.stepPath.join(" > ") ?? pipelineName

/** @internal */
export const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`

const marks = { success: "✓", failure: "✗", interrupt: "■" } as const

/** `undefined` for what goes without saying: hooks that did their work or had none. */
export const line = (event: RunEvent): string | undefined => {
  switch (event._tag) {
    case "RunStarted":
      return `▶ ${event.pipelineName} (run ${event.runName})`
    case "StepStarted":
      return `  ▶ ${event.stepPath.join(" > ")}`
    case "AttemptFailed":
      return `  ↻ ${event.stepPath.join(" > ")}: attempt ${event.attempt} failed, the next follows in ${
        time(event.delay)
      }: ${causeLine(event.cause)}`
    case "StepEnded": {
      const { attempts, exit, outcome } = event
      const tried = attempts > 1 ? `, ${plural(attempts, "attempt")}` : ""
      const why = exit._tag === "Failure" ? `: ${causeLine(exit.cause)}` : ""
      return `  ${marks[outcome]} ${event.stepPath.join(" > ")} (${time(event.duration)}${tried})${why}`
    }
    case "HookFailed":
      return `  ! hook "${event.hook}" (${event.kind}) of ${owner(event)} failed after ${time(event.duration)}: ${
        causeLine(event.cause)
      }`
    case "RunEnded": {
      const { hookFailures, outcome, steps } = event
      const failed = hookFailures > 0 ? `, ${plural(hookFailures, "hook")} failed` : ""
      return `${marks[outcome]} ${event.pipelineName} (${time(event.duration)}, ${plural(steps, "step")}${failed})`
    }
    case "StepProgress":
    case "HookStarted":
    case "HookEnded":
    case "HookSkipped":
      return undefined
  }
}

/** A step's hooks, in the order in which they run, each with where it comes from and why it is there. */
export const explained = ({ explain, pipelineName }: Loaded): ReadonlyArray<string> => [
  pipelineName,
  ...explain.flatMap(({ hooks, inCode, step }) => [
    `  ${step}${inCode ? "" : " (its module does not export it: hooks that it has in code are not known)"}`,
    ...hooks.map(({ from, kind, name, why }) => `    ${kind}: ${name} (${place(from)}): ${why}`),
    ...(hooks.length === 0 ? ["    no hooks"] : [])
  ]),
  ...(explain.length === 0 ? ["  no steps are known: its module exports none, and the file names none"] : [])
]

const place = (from: ExplainedHook["from"]): string => {
  if (from === "code") return from
  const { file, position } = from
  return position === undefined ? file : `${file}:${position.line}:${position.column}`
}
