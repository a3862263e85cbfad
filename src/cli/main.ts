#!/usr/bin/env node
/** The entry point of the command `epilogue`. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as CliCommand from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
// oxlint-disable-next-line eslint/no-restricted-imports -- the help's is replaced
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hasProperty } from "effect/Predicate"
import manifest from "../../package.json" with { type: "json" }
import { useBun } from "./front/bunx.ts"
import * as Command from "./front/commands.ts"
import { tellOldNode } from "./front/oldNode.ts"
import { useProxies } from "./front/proxies.ts"
import { ExitCode, UsageError } from "./request.ts"
import {
  deniedText,
  err,
  errAtOnce,
  errBlock,
  errCause,
  flushed,
  isOutputLost,
  lost,
  outBlock,
  watchOutputs
} from "./terminal.ts"

let code: number = ExitCode.success

const command = Command.make((action) =>
  Effect.promise(async () => {
    code = await action()
  })
)

/**
 * Removes a quoted argument that may hold a password. A URL or `password=…` in the place of another argument, or without
 * its flag, would be repeated by the message.
 */
const withoutAddress = (message: string): string => {
  const [from, to] = [message.indexOf("\""), message.lastIndexOf("\"")]
  return from < to && /:\/\/|@|pass|pwd/i.test(message.slice(from, to))
    ? `${message.slice(0, from)}<redacted>${message.slice(to + 1)}`
    : message
}

/**
 * Joins a value such as `-1h` to the flag before it, as in `--since -1h`: the parser would read it as the flags `-1` and
 * `-h`, and print the help. No flag of the command begins with a digit.
 */
const withNegatives = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = args.indexOf("--")
  const isValue = (i: number) => (end < 0 || i < end) && /^-\.?\d/.test(args[i]!) && /^--[^=]+$/.test(args[i - 1] ?? "")
  return args.flatMap((arg, i) =>
    isValue(i) ? [] : i + 1 < args.length && isValue(i + 1) ? [`${arg}=${args[i + 1]}`] : [arg]
  )
}

/** Says how a file is given to a flag that needs none, where one stands after it. */
const cureOf = (error: CliError.CliError): string =>
  error._tag === "UnexpectedArgument" &&
    error.arguments.some((argument) => process.argv[process.argv.indexOf(argument) - 1] === "--record")
    ? `: to record to a file, write --record=FILE`
    : ""

/** Prints mistakes in the command line to standard error, in a line each, without the whole help on standard output. */
const presenter = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Effect.sync(() => {
        for (const error of event.errors) errBlock(`error: ${withoutAddress(error.message)}${cureOf(error)}`)
        err(`see: ${event.commandPath.join(" ")} --help`)
      })
      : CliOutput.defaultPresenter.present(event)
})

const codeOf = (cause: Cause.Cause<unknown>): Effect.Effect<number> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.succeed(ExitCode.interrupted)
  const error = Cause.squash(cause)
  // the presenter has printed it already
  if (CliError.isCliError(error)) return Effect.succeed(ExitCode.usage)
  return Effect.sync(() => {
    const mistake = error instanceof UsageError ? error.message : deniedText(error)
    if (mistake !== undefined) err(`error: ${mistake}`)
    // `finish` says of any command that its output is lost
    else if (!isOutputLost(error)) errCause(cause)
    return mistake !== undefined ? ExitCode.usage : ExitCode.failed
  })
}

/**
 * Ends the process once all output is written. Without this, a timer or a connection that a pipeline or a module left
 * open would keep the process alive. A success whose output is lost is none.
 */
const finish = (code: number): void => {
  // an output that can't be written may never call back
  process.exitCode = code
  flushed(() => {
    const why = lost()
    if (why !== undefined) errAtOnce(`error: ${why}`)
    process.exit(why === undefined || code !== ExitCode.success ? code : ExitCode.failed)
  })
}

/**
 * Tells of a permission of Deno that is missing, where no run listens to what nothing catches: `node:fs` of Deno does not
 * pass on that it may not know the user.
 */
const tellDenied = (): void =>
  globalThis.addEventListener?.("unhandledrejection", (event) => {
    const denied = hasProperty(event, "reason") ? deniedText(event.reason) : undefined
    if (denied === undefined || process.listenerCount("unhandledRejection") > 0) return
    event.preventDefault()
    errAtOnce(`error: ${denied}`)
    process.exit(ExitCode.usage)
  })

useBun()
tellOldNode()
tellDenied()
watchOutputs()

// not awaited, since Bun does not exit on an uncaught error while the top level of a module is awaiting
void Effect.runPromise(
  Effect.try({ try: useProxies, catch: (error) => error }).pipe(
    Effect.andThen(CliCommand.runWith(command, { version: manifest.version })(withNegatives(process.argv.slice(2)))),
    Effect.map(() => code),
    Effect.catchCause(codeOf),
    // the consoles of Bun and Deno write past the stream: the one tells of no error, the other throws it
    Effect.updateService(Console.Console, (console) => Object.assign(Object.create(console), { log: outBlock })),
    Effect.provide([
      NodeServices.layer,
      presenter,
      Layer.succeed(CliConfig.CliConfig, {
        builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel]
      })
    ])
  )
).then(finish)
