/** Runs a command again in a child process, under supervision. */
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { Path } from "effect/Path"
import * as Guard from "../../internal/model/guard.ts"
import { ExitCode, type UsageError } from "../request.ts"
import type { Supervision } from "../supervise/config.ts"
import { supervise, type SuperviseOptions } from "../supervise/parent.ts"
import { errBlock, services } from "./environment.ts"
import { errorText } from "./output.ts"
import { failed } from "./session.ts"

/** Reads the settings of a supervisor. Returns the exit code instead where the command line is wrong. */
export const settings = async (
  read: Effect.Effect<Supervision, UsageError, FileSystem | Path>,
  guard: Guard.Guard
): Promise<Supervision | number> => {
  const exit = await Effect.runPromiseExit(Effect.provide(Guard.provide(read, guard), services))
  return exit._tag === "Success"
    ? exit.value
    : failed(exit.cause, { prefix: "error: ", nothingHasRun: true, redact: guard.text })
}

/** Supervises a child process that runs the same command line. Returns the exit code. */
export const superviseChild = async (
  options: SuperviseOptions<unknown, FileSystem | Path> & { readonly guard: Guard.Guard }
): Promise<number> => {
  const { guard } = options
  const supervised = Guard.provide(supervise(options), guard)
  const result = await Effect.runPromise(supervised.pipe(Effect.provide(services), Effect.result))
  if (result._tag === "Success") return result.success
  errBlock(guard.text(`error: ${errorText(result.failure)}`))
  return ExitCode.failed
}
