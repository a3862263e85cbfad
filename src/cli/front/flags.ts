/** The flags that several commands share. */
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { LogLevel } from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import { durationIn } from "../../internal/text/parseDuration.ts"
import { type Progress, progresses, type Showing, UsageError } from "../request.ts"
import { deniedText, whyOf } from "../terminal.ts"

/** Performs the action of a command, whose exit code becomes that of the process. */
export type Perform = (action: () => Promise<number>) => Effect.Effect<void>

/** Makes a flag that takes a text. */
export const text = (name: string, metavar: string, what: string): Flag.Flag<string> =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(what))

/** Makes a flag that is off unless it is given. */
export const on = (name: string, what: string): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(Flag.withDescription(what), Flag.withDefault(false))

/** Refuses an empty path, which a variable that is not set becomes. */
export const named: (path: Flag.Flag<string>) => Flag.Flag<string> = Flag.filter(
  (path) => path !== "",
  () => "a path, not an empty text"
)

/** Makes the flag that names a config file. */
export const config = (what: string): Flag.Flag<Option.Option<string>> =>
  text("config", "FILE", what).pipe(Flag.withAlias("c"), named, Flag.optional)

/** Takes a value only as `--record=FILE`: in `--record nightly.yaml` the file is the config to run. */
export const record: Flag.Flag<Option.Option<string>> = Flag.String("record").pipe(
  Flag.withMetavar("FILE"),
  Flag.withOptionalValue(""),
  Flag.withDescription(
    "Record the run in .epilogue/runs, for epilogue runs, show and report; or append it to a file: --record=FILE"
  ),
  Flag.optional
)

/** @internal */
export const junit: Flag.Flag<Option.Option<string>> = Flag.String("junit").pipe(
  Flag.withMetavar("FILE"),
  Flag.withDescription("Write the steps as test results in JUnit XML, for a CI server"),
  named,
  Flag.optional
)

/** @internal */
export const requireAlerts: Flag.Flag<boolean> = on(
  "require-alerts",
  "Exit with 3 where an alert did not arrive, though the run succeeded. A run that fails or is interrupted keeps its " +
    "own exit code"
)

/** @internal */
export const monitors: Flag.Flag<ReadonlyArray<string>> = Flag.String("monitor").pipe(
  Flag.withMetavar("URL"),
  Flag.withDescription(
    "Tell a monitor when the run begins and how it ends, also where the job can't begin. Known by their addresses: " +
      "Healthchecks.io, Cronitor, Sentry Crons (a DSN), Better Stack and Uptime Kuma; any other is requested when the " +
      "run has succeeded"
  ),
  Flag.atLeast(0)
)

/** @internal */
export const alertUrls: Flag.Flag<ReadonlyArray<string>> = Flag.String("alert-url").pipe(
  Flag.withMetavar("URL"),
  Flag.withDescription(
    "Send alerts to the channel of this URL, as slack://TOKEN_A/TOKEN_B/TOKEN_C, in place of the config's alerter; may be " +
      "given more than once. Others on the machine see a command line in ps: '${ALERT_URL}', in single quotes, is read from " +
      "the environment"
  ),
  Flag.atLeast(0)
)

/** @internal */
export const progress: Flag.Flag<Option.Option<Progress>> = Flag.Literals("progress", progresses).pipe(
  Flag.withMetavar("HOW"),
  Flag.withDescription(
    "How to display progress. auto, the default, is a live tree on a terminal, groups in GitHub Actions, sections in GitLab CI, and plain " +
      "lines elsewhere"
  ),
  Flag.optional
)

/** @internal */
export const root: Flag.Flag<Option.Option<string>> = Flag.String("root").pipe(
  Flag.withMetavar("DIR"),
  Flag.withDescription("The folder that no path in the config may leave; unless set, the folder of the config"),
  Flag.optional
)

/** @internal */
export const allowOutside: Flag.Flag<boolean> = on("allow-outside", "Allow paths in the config to leave that folder")

/** Returns the absolute path of that folder, and fails where there is none. */
export const rootOf = (
  root: Option.Option<string>
): Effect.Effect<string | undefined, UsageError, FileSystem.FileSystem | Path.Path> =>
  Option.isNone(root) ? Effect.undefined : Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const { resolve } = yield* Path.Path
    const stat = yield* Effect.result(fs.stat(root.value))
    const problem = Result.isSuccess(stat)
      ? stat.success.type === "Directory" ? undefined : `expected a folder, found the file ${root.value}`
      // Deno may allow the files of a folder alone
      : deniedText(stat.failure.reason.cause) === undefined
      ? `can't read ${root.value}: ${whyOf(stat.failure.reason)}`
      : undefined
    return problem === undefined ? resolve(root.value) : yield* new UsageError({ message: `--root: ${problem}` })
  })

/** @internal */
export const project: Flag.Flag<boolean> = Flag.Boolean("project").pipe(
  Flag.withNegation("no-project"),
  Flag.withDescription(
    "Take what neither the config nor the code sets from the epilogue.yaml above it in the repository; the default (see --no-project)"
  ),
  Flag.withDefault(true)
)

/** @internal */
export const runName: Flag.Flag<Option.Option<string>> = Flag.String("run-name").pipe(
  Flag.withMetavar("NAME"),
  Flag.withDescription("The name of the run"),
  Flag.optional
)

/** @internal */
export const logLevel: Effect.Effect<LogLevel | undefined, never, GlobalFlag.Setting.Identifier<"log-level">> = Effect
  .map(GlobalFlag.LogLevel, Option.getOrUndefined)

/** @internal */
export const pipelines: Flag.Flag<ReadonlyArray<string>> = Flag.String("pipeline").pipe(
  Flag.withMetavar("NAME"),
  Flag.withDescription("Only runs of this pipeline; may be given more than once"),
  Flag.atLeast(0)
)

/** @internal */
export const limit: Flag.Flag<number> = Flag.Int("limit").pipe(
  Flag.withAlias("n"),
  Flag.withDescription("The largest number of runs, the newest first; 20 unless set, 0 for all"),
  Flag.withDefault(20)
)

/** Fails unless the value of a flag is a number of runs. */
export const checkCount = (flag: string, n: number): Effect.Effect<void, UsageError> =>
  Number.isSafeInteger(n) && n >= 0
    ? Effect.void
    : Effect.fail(new UsageError({ message: `--${flag} ${n} is not a number of runs` }))

/** Makes a request of these flags. */
export const toShowing = ({ json, junit, progress, record }: {
  readonly junit: Option.Option<string>
  readonly json: boolean
  readonly progress: Option.Option<Progress>
  readonly record: Option.Option<string>
}): Effect.Effect<Showing, UsageError> =>
  json && Option.isSome(progress)
    ? Effect.fail(new UsageError({ message: "--progress does not go with --json, which prints events for a program" }))
    : Effect.succeed({
      json,
      progress: Option.getOrElse(progress, () => "auto" as const),
      record: Option.getOrUndefined(record),
      junit: Option.getOrUndefined(junit)
    })

/** Parses a duration such as `90m`, `1h30m` or a number of seconds, to milliseconds. Returns `undefined` for others. */
const durationMillis = (text: string): number | undefined =>
  /^\s*\d{1,15}(?:\.\d{1,15})?\s*$/.test(text)
    ? Number(text) * 1000
    : durationIn(text) ?? durationIn(text.toLowerCase())

/** Checks the flags of a command that removes runs, which needs one of them at least. */
export const pruneFlags = (
  keep: Option.Option<number>,
  older: Option.Option<string>
): Effect.Effect<{ readonly keep: number | undefined; readonly older: number | undefined }, UsageError> =>
  Effect.gen(function*() {
    if (Option.isNone(keep) && Option.isNone(older)) {
      return yield* new UsageError({ message: "say what to keep: --older TIME, --keep N, or both" })
    }
    if (Option.isSome(keep)) yield* checkCount("keep", keep.value)
    const millis = Option.isSome(older) ? durationMillis(older.value) : undefined
    if (Option.isSome(older) && millis === undefined) {
      return yield* new UsageError({
        message: `--older takes a duration such as 30d or "12 hours", got ${JSON.stringify(older.value)}`
      })
    }
    return { keep: Option.getOrUndefined(keep), older: millis }
  })

/** Parses the value of a flag that takes a time, to milliseconds. */
export const optionalTime = (
  flag: string,
  text: Option.Option<string>,
  { zero = false }: { readonly zero?: boolean } = {}
): Effect.Effect<number | undefined, UsageError> => {
  if (Option.isNone(text)) return Effect.undefined
  const millis = durationMillis(text.value)
  return millis === undefined || (millis === 0 && !zero)
    ? Effect.fail(
      new UsageError({
        message: `--${flag} takes a duration such as "2 hours" or 90m, or a number of seconds, got ${
          JSON.stringify(text.value)
        }`
      })
    )
    : Effect.succeed(millis)
}
