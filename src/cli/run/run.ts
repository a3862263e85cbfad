/**
 * `epilogue run`, `check`, `explain` and `schema`.
 *
 * They import the user's modules. So they are bundled apart from the rest of the command, without `effect` and the
 * library: both have to be the same module instances as the user's.
 */
import * as Effect from "effect/Effect"
import { ConfigFile } from "../../config/index.ts"
import { explainOne } from "../../config/internal/file/positions.ts"
import { readText } from "../../config/internal/file/readText.ts"
import type { LoadedFile } from "../../config/internal/load.ts"
import * as Guard from "../../internal/model/guard.ts"
import { plural } from "../../internal/text/words.ts"
import { host } from "../../main/internal/hosted.ts"
import { ExitCode, type LoadRequest, type RunRequest } from "../request.ts"
import { connect, type Supervisor } from "../supervise/child.ts"
import * as Supervision from "../supervise/config.ts"
import { toLostCode } from "../supervise/protocol.ts"
import { written } from "../terminal.ts"
import { err, out, services } from "./environment.ts"
import { type CommandOptions, load } from "./loading.ts"
import { explained, noSteps } from "./output.ts"
import { program } from "./program.ts"
import { again } from "./runtime.ts"
import { failed, guardFor, session } from "./session.ts"
import { catchEnd } from "./signals.ts"
import { jsonLines, keep } from "./stdout.ts"
import { settings, superviseChild } from "./supervised.ts"

/** Runs a pipeline: in this process, or in a child process that runs the same command under supervision. */
export const run = async (request: RunRequest): Promise<number> => {
  const supervisor = connect()
  // before the user's modules are imported, since they may run themselves, and print, and before an alert of a crash is posted
  host()
  const write = request.json ? keep() : undefined
  const text = request.config === undefined
    ? undefined
    : await Effect.runPromise(Effect.cached(readText(request.config)))
  if (supervisor === undefined && request.supervise !== false) {
    const guard = guardFor()
    const supervision = await settings(Supervision.read(request, text), guard)
    if (typeof supervision === "number") return supervision
    if (request.supervise ?? (supervision.alerter !== undefined || supervision.monitors.length > 0)) {
      const command = await again()
      if (!("refused" in command)) {
        const emit = write && jsonLines(write)
        const { progress, requireAlerts } = request
        return superviseChild({ ...supervision, ...command, emit, progress, requireAlerts, guard })
      }
      if (request.supervise === true) {
        err(`error: the run can't be supervised: ${command.refused}`)
        return ExitCode.usage
      }
      // a run that nobody asked to supervise goes on, but its crash would not be alerted
      err(`the run is not supervised: ${command.refused}`)
    }
  }
  const code = await runHere(request, supervisor, write, text)
  return supervisor?.isLost() === true ? toLostCode(code) : code
}

/** Runs a pipeline in this process, and reports to the supervisor, if there is one. */
const runHere = (
  request: RunRequest,
  supervisor: Supervisor | undefined,
  write: ((text: string) => void) | undefined,
  text: Supervision.Text | undefined
): Promise<number> =>
  session(
    { ...request, supervisor, write },
    program(request, { supervisor, text, tellsUnused: true })
  )

/** Loads what the request names and prints lines about it, or the mistakes in the config or a module. */
const withLoaded = async (
  request: LoadRequest,
  lines: (loaded: LoadedFile) => ReadonlyArray<string>,
  options?: CommandOptions
): Promise<number> => {
  const guard = guardFor()
  // a module may run itself while it is loaded, or end the process
  host()
  const stopExiting = catchEnd()
  const exit = await Effect.runPromiseExit(Effect.provide(Guard.provide(load(request, options), guard), services))
  stopExiting()
  if (exit._tag === "Failure") {
    return failed(exit.cause, { prefix: "error: ", nothingHasRun: true, redact: guard.text })
  }
  for (const warning of exit.value.warnings) err(`warning: ${guard.text(explainOne(warning))}`)
  for (const line of lines(exit.value)) out(guard.text(line))
  return ExitCode.success
}

/** Loads what a run would load, builds the parts of its alerter, reports all mistakes, and runs nothing. */
export const check = (request: LoadRequest): Promise<number> =>
  withLoaded(request, ({ isMissing, pipelineName, project, steps }) => {
    const defaults = project === undefined ? "" : `, with the defaults of ${project.file}`
    const known = isMissing
      ? "it names no pipeline, so it is for epilogue exec, alert and ack, or for a project"
      : steps.length === 0
      ? noSteps
      : `${plural(steps.length, "step")} known`
    return [`${isMissing ? request.config : pipelineName}: no mistakes found (${known})${defaults}`]
  }, { buildAlerter: true, withoutPipeline: true })

/** Prints the hooks of each step, and the source of each. */
export const explain = (request: LoadRequest): Promise<number> => withLoaded(request, explained)

/** Prints the JSON Schema of configs. */
export const schema = async (): Promise<number> => {
  await written(`${JSON.stringify(ConfigFile.jsonSchema(), null, 2)}\n`)
  return ExitCode.success
}
