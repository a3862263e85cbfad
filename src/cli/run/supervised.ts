/** Runs a command again in a child process, under supervision. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { Path } from "effect/Path"
import * as Guard from "../../internal/model/guard.ts"
import { colorsOn, type StreamName } from "../../internal/text/terminal.ts"
import { ExitCode, type Showing, type UsageError } from "../request.ts"
import type { Supervision } from "../supervise/config.ts"
import { supervise, type SuperviseOptions, type Tree } from "../supervise/parent.ts"
import { errBlock, services } from "./environment.ts"
import { shownAs } from "./observers.ts"
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
  options: Omit<SuperviseOptions<unknown, FileSystem | Path>, "tree"> & {
    readonly guard: Guard.Guard
    readonly progress: Showing["progress"]
  }
): Promise<number> => {
  const { emit, guard, progress } = options
  const tree = emit === undefined && shownAs(progress) === "tree" ? await treeOn("stdout") : undefined
  const supervised = Guard.provide(supervise({ ...options, tree }), guard)
  const result = await Effect.runPromise(supervised.pipe(Effect.provide(services), Effect.result))
  if (result._tag === "Success") return result.success
  errBlock(guard.text(`error: ${errorText(result.failure)}`))
  return ExitCode.failed
}

/** Makes the tree of the child's runs. */
const treeOn = async (stream: StreamName): Promise<Tree> => {
  const { liveOn } = await import("../../report/internal/progress/liveOn.ts")
  return liveOn(stream, colorsOn(stream), Context.empty()).watch()
}
