/** The command `exec`: runs any command with hooks, alerts, limits and monitors. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Stdio from "effect/Stdio"
import { type ExecRequest, tails, UsageError } from "../request.ts"
import { configOf } from "./config.ts"
import * as Flags from "./flags.ts"

/** Loads the command, which imports the library. */
// oxlint-disable-next-line eslint/no-restricted-imports -- loads the bundle when a command needs it
const library = () => import("../exec/exec.ts")

const time = (name: string, what: string) => Flag.optional(Flags.text(name, "TIME", what))

/**
 * Returns the command and its arguments: all that comes after the first `--`. Fails for what comes before, which would
 * become a part of the command otherwise.
 */
const commandIn = (operands: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { args } = yield* Stdio.Stdio
    const given = yield* args
    const at = given.indexOf("--")
    const own = at < 0 ? [] : given.slice(at + 1)
    const usage = (message: string) => Effect.fail(new UsageError({ message }))
    // not quoted, since an argument may be a password
    if (at < 0) {
      return yield* usage(
        `the command comes after --, as in epilogue exec -- pg_dump shop${
          operands.length === 0 ? "" : ": there is no -- on the command line"
        }`
      )
    }
    if (operands.length > own.length) return yield* usage("there is an argument before --: the command comes after it")
    const [command = "", ...rest] = own
    return command === "" ? yield* usage("there is no command after --") : { command, args: rest }
  })

const nameOf = (command: string, given: string | undefined) =>
  Effect.gen(function*() {
    const path = yield* Path.Path
    const name = (given ?? path.basename(command)).trim()
    return name === ""
      ? yield* Effect.fail(new UsageError({ message: "--name takes a name, got an empty text" }))
      : name
  })

const attempts = (count: Option.Option<number>, delay: number | undefined) =>
  Option.isNone(count) && delay !== undefined
    ? Effect.fail(new UsageError({ message: "--retry-delay has no effect without --retry" }))
    : Option.isSome(count) && !(count.value >= 0)
    ? Effect.fail(new UsageError({ message: `--retry takes a number of attempts after the first, got ${count.value}` }))
    : Effect.succeed(Option.getOrUndefined(count))

/** @internal */
export const make = (perform: Flags.Perform) =>
  Command.make("exec", {
    command: Argument.String("command").pipe(
      Argument.withMetavar("-- COMMAND [ARGUMENT...]"),
      Argument.withDescription("The command with its arguments, after --. No shell looks at them"),
      Argument.atLeast(0)
    ),
    config: Flags.config(
      "The config file with the alerter, the hooks and the limits; unless set, epilogue.yaml in this folder, or above it in its repository, if there is one"
    ),
    name: Flag.String("name").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription(
        "The name in alerts and records, and of the step in the file; unless set, that of the command"
      ),
      Flag.optional
    ),
    runName: Flags.runName,
    timeout: time("timeout", "The time limit of the run: \"2 hours\", 90m, or a number of seconds"),
    grace: time(
      "grace",
      "How long the command may take to end after SIGTERM, before SIGKILL. Unless set, 5 seconds after a time limit, and " +
        "as long as it likes after a signal"
    ),
    retry: Flag.Int("retry").pipe(
      Flag.withMetavar("TIMES"),
      Flag.withDescription("The number of attempts after the first; only the last failure is told"),
      Flag.optional
    ),
    retryDelay: time("retry-delay", "The time between attempts; none unless set"),
    tail: Flag.Literals("tail", tails).pipe(
      Flag.withMetavar("OUTPUT"),
      Flag.withDescription(
        "Whose last lines alerts end with. auto, the default, is standard error, and standard output where both go to " +
          "the same place; nothing on a terminal, which the command then has for itself"
      ),
      Flag.withDefault("auto" as const)
    ),
    requireAlerts: Flags.requireAlerts,
    monitors: Flags.monitors,
    alertUrls: Flags.alertUrls,
    progress: Flag.Literals("progress", ["none", "plain", "github", "gitlab"]).pipe(
      Flag.withMetavar("HOW"),
      Flag.withDescription(
        "How to display progress, on standard error: none, the default, plain lines, or groups of GitHub or GitLab"
      ),
      Flag.withDefault("none" as const)
    ),
    record: Flags.record,
    junit: Flags.junit,
    root: Flags.root,
    allowOutside: Flags.allowOutside,
    project: Flags.project
  }, ({ command, config, grace, junit, name, record, retry, retryDelay, root, runName, timeout, ...input }) =>
    Effect.gen(function*() {
      const run = yield* commandIn(command)
      const delay = yield* Flags.optionalTime("retry-delay", retryDelay, { zero: true })
      const request: ExecRequest = {
        ...input,
        ...run,
        name: yield* nameOf(run.command, Option.getOrUndefined(name)),
        config: yield* configOf(Option.getOrUndefined(config)),
        runName: Option.getOrUndefined(runName),
        timeout: yield* Flags.optionalTime("timeout", timeout),
        grace: yield* Flags.optionalTime("grace", grace, { zero: true }),
        retry: yield* attempts(retry, delay),
        retryDelay: delay,
        record: Option.getOrUndefined(record),
        junit: Option.getOrUndefined(junit),
        root: yield* Flags.rootOf(root),
        logLevel: yield* Flags.logLevel
      }
      yield* perform(async () =>
        (await library()).exec(request)
      )
    })).pipe(
      Command.withDescription(
        "Run any command, and tell when it fails: with the alerter, the hooks, the limits and the monitors of a config " +
          "file. Its input, its outputs and its signals are the command's. The exit code is the command's, 128 + n if " +
          "signal n has killed it, 127 if it was not found, 126 if it is not executable, 124 if its time limit was up, 2 " +
          "if the config or the command line is wrong; with --require-alerts 3 if it succeeds and an alert did not arrive."
      ),
      Command.withShortDescription("Run any command, and tell when it fails"),
      Command.withExamples([
        {
          command: "epilogue exec --config alerts.yaml -- pg_dump --file shop.sql shop",
          description: "Tell when a backup fails"
        },
        {
          command:
            "epilogue exec -c alerts.yaml --timeout 1h --retry 2 --retry-delay 5m -- rsync -a /data backup:/data",
          description: "Stop it after an hour, and try again twice"
        },
        { command: "epilogue exec -- pg_dump shop | gzip > shop.sql.gz", description: "Pipe what it writes" }
      ])
    )
