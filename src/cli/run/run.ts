/**
 * `epilogue run`, `check`, `explain` and `schema`.
 *
 * They import the user's modules. So they are bundled apart from the rest of the command, without `effect` and the
 * library: both have to be the same module instances as the user's.
 */
import * as Effect from "effect/Effect"
import { ConfigFile } from "../../config/index.ts"
import { explainOne } from "../../config/internal/file/positions.ts"
import * as Guard from "../../internal/model/guard.ts"
import { ExitCode, type LoadRequest, type RunRequest } from "../request.ts"
import { connect, reportingAlerts, reportingEvents, type Supervisor } from "../supervise/child.ts"
import * as Supervision from "../supervise/config.ts"
import { supervise } from "../supervise/parent.ts"
import { toLostCode } from "../supervise/protocol.ts"
import { written } from "../terminal.ts"
import { err, errBlock, out, services } from "./environment.ts"
import { load } from "./loading.ts"
import { errorText, explained, plural } from "./output.ts"
import { again, type CommandLine } from "./runtime.ts"
import { failed, guardFor, session } from "./session.ts"
import { keep } from "./stdout.ts"

/** Runs a pipeline: in this process, or in a child process that runs the same command under supervision. */
export const run = async (request: RunRequest): Promise<number> => {
  const supervisor = connect()
  // before the user's modules are imported, since they may print, and before an alert of a crash is posted
  const write = request.json ? keep() : undefined
  if (supervisor === undefined && request.supervise !== false) {
    const guard = guardFor()
    const read = Effect.provide(Guard.provide(Supervision.read(request), guard), services)
    const supervision = await Effect.runPromise(read)
    if (supervision !== undefined && (request.supervise ?? supervision.alerter !== undefined)) {
      const command = await again()
      if (!("refused" in command)) {
        if (request.progress === "tree") {
          err("progress is plain lines, since the run is supervised; --no-supervise shows the tree")
        }
        return superviseChild(supervision, command, guard)
      }
      if (request.supervise === true) {
        err(`error: the run can't be supervised: ${command.refused}`)
        return ExitCode.usage
      }
      // a run that nobody asked to supervise goes on, but its crash would not be alerted
      err(`the run is not supervised: ${command.refused}`)
    }
  }
  const code = await runHere(request, supervisor, write)
  return supervisor?.isLost() === true ? toLostCode(code) : code
}

/** Supervises a child process that runs the same command line. */
const superviseChild = async (
  { alerter, pipeline }: Supervision.Supervision,
  command: CommandLine,
  guard: Guard.Guard
): Promise<number> => {
  const supervised = Guard.provide(supervise({ ...command, pipeline, alerter, guard }), guard)
  const result = await Effect.runPromise(supervised.pipe(Effect.provide(services), Effect.result))
  if (result._tag === "Success") return result.success
  errBlock(guard.text(`error: ${errorText(result.failure)}`))
  return ExitCode.failed
}

/** Runs a pipeline in this process, and reports to the supervisor, if there is one. */
const runHere = (
  request: RunRequest,
  supervisor: Supervisor | undefined,
  write: ((text: string) => void) | undefined
): Promise<number> =>
  session({ ...request, supervisor, write }, ({ afterRuns, messages, observed }) =>
    Effect.gen(function*() {
      // the supervisor learns of each alert that was delivered, so that it repeats none
      const { pipeline, pipelineName, unusedSteps } = yield* load(
        request,
        supervisor === undefined ? undefined : reportingAlerts(supervisor)
      )
      supervisor?.send({ _tag: "Loaded", pipelineName })
      messages.interrupt = `interrupting ${pipelineName}`
      messages.failure = `${pipelineName} failed: `
      afterRuns(Effect.map(unusedSteps, (steps) => {
        for (const step of steps) err(`the config names a step "${step}", which never ran`)
      }))
      yield* observed(supervisor === undefined ? pipeline : Effect.provide(pipeline, reportingEvents(supervisor)))
      return ExitCode.success
    }))

/** Loads what the request names and prints lines about it, or the mistakes in the config or a module. */
const withLoaded = async (
  request: LoadRequest,
  lines: (loaded: ConfigFile.Loaded) => ReadonlyArray<string>
): Promise<number> => {
  const guard = guardFor()
  const exit = await Effect.runPromiseExit(Effect.provide(Guard.provide(load(request), guard), services))
  if (exit._tag === "Failure") {
    return failed(exit.cause, { prefix: "error: ", nothingHasRun: true, redact: guard.text })
  }
  for (const line of lines(exit.value)) out(guard.text(line))
  return ExitCode.success
}

/** Loads what a run would load, reports all mistakes, and runs nothing. */
export const check = (request: LoadRequest): Promise<number> =>
  withLoaded(request, ({ pipelineName, steps, warnings }) => {
    for (const warning of warnings) err(`warning: ${explainOne(warning)}`)
    return [`${pipelineName}: no mistakes found (${plural(steps.length, "step")} known)`]
  })

/** Prints the hooks of each step, and the source of each. */
export const explain = (request: LoadRequest): Promise<number> => withLoaded(request, explained)

/** Prints the JSON Schema of configs. */
export const schema = async (): Promise<number> => {
  await written(`${JSON.stringify(ConfigFile.jsonSchema(), null, 2)}\n`)
  return ExitCode.success
}
