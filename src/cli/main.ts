#!/usr/bin/env node
/** The command. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as CliCommand from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import manifest from "../../package.json" with { type: "json" }
import * as Command from "./front/commands.ts"
import { ExitCode, UsageError } from "./request.ts"

let code: number = ExitCode.success

const command = Command.make((action) =>
  Effect.promise(async () => {
    code = await action()
  })
)

/** Standard output is for results: what is wrong with the command line goes elsewhere, and help only where asked for. */
const presenter = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Console.error([
        ...event.errors.map(({ message }) => `error: ${message}`),
        `see: ${event.commandPath.join(" ")} --help`
      ].join("\n"))
      : CliOutput.defaultPresenter.present(event)
})

const codeOf = (cause: Cause.Cause<unknown>): Effect.Effect<number> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.succeed(ExitCode.interrupted)
  const error = Cause.squash(cause)
  // which have been presented
  if (CliError.isCliError(error)) return Effect.succeed(ExitCode.usage)
  if (error instanceof UsageError) return Effect.as(Console.error(`error: ${error.message}`), ExitCode.usage)
  return Effect.as(Console.error(Cause.pretty(cause)), ExitCode.failed)
}

// as it is now: a run may keep it for events
const { stdout } = process
const write = stdout.write.bind(stdout)

/** Ends the process, as what a pipeline or a module left open would keep it, once all is written. */
const finish = (code: number): void => {
  write("", () => process.stderr.write("", () => process.exit(code)))
}

// whoever reads the output may have had enough of it
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})

// not awaited: while a module is, Bun goes on after errors that nobody has caught
void Effect.runPromise(
  CliCommand.run(command, { version: manifest.version }).pipe(
    Effect.map(() => code),
    Effect.catchCause(codeOf),
    Effect.provide([
      NodeServices.layer,
      presenter,
      Layer.succeed(CliConfig.CliConfig, {
        builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel]
      })
    ])
  )
).then(finish)
