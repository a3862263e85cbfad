/**
 * `epilogue exec`: runs any command as a pipeline of one step, with the hooks, alerts, limits and monitors of a config
 * file. A bundle of its own, like that of `run.ts`, since the file may name modules of hooks.
 *
 * No other process supervises it: what may crash is the command, and that is a process of its own already.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { hostname } from "node:os"
import process from "node:process"
import * as AlerterHooks from "../../AlerterHooks.ts"
import { CommandFailed } from "../../config/CommandFailed.ts"
import { readText } from "../../config/internal/file/readText.ts"
import type { LoadedFile } from "../../config/internal/load.ts"
import type { Given } from "../../config/internal/settings.ts"
import { CurrentGuard } from "../../internal/model/secrets.ts"
import { readOr } from "../../internal/text/read.ts"
import { isStopCode } from "../../main/internal/signals.ts"
import * as Pipeline from "../../Pipeline.ts"
import * as Step from "../../Step.ts"
import { StepContext } from "../../StepContext.ts"
import { type ExecRequest, ExitCode } from "../request.ts"
import { err } from "../run/environment.ts"
import { causeText } from "../run/output.ts"
import { program } from "../run/program.ts"
import { session } from "../run/session.ts"
import { keep } from "../run/stdout.ts"
import type { Supervision } from "../supervise/config.ts"
import * as Command from "./command.ts"
import { secretsIn, type Shown, shownCommand } from "./commandLine.ts"

/** The exit code of a run that was stopped at its time limit, as `timeout` of GNU has it. */
const timedOut = 124

/** How long a command may take to end at its time limit, unless that is set, in milliseconds. */
const defaultGrace = 5_000

/** The facts that become known of a run while it goes on. */
interface State {
  /** The exit code of the last attempt, and whether that was stopped. */
  attempt: { readonly exitCode: number; readonly isStopped: boolean } | undefined
  /** The signal that has interrupted the run. */
  stoppedBy: () => NodeJS.Signals | undefined
  /** Why the run failed. */
  cause: Cause.Cause<unknown> | undefined
  /** Why the command failed for good, whatever becomes of the hooks. */
  failed: CommandFailed | undefined
  grace: number
}

/** Runs a command, and returns the exit code. */
export const exec = async (request: ExecRequest): Promise<number> => {
  // standard output is the command's alone
  keep()
  const { args, command, config, name } = request
  const text = config === undefined ? undefined : await Effect.runPromise(Effect.cached(readText(config)))
  const shown = shownCommand(command, args)
  const state: State = {
    attempt: undefined,
    stoppedBy: () => undefined,
    cause: undefined,
    failed: undefined,
    grace: defaultGrace
  }
  const code = await session({ ...request, describe, isQuiet: true }, (session) => {
    state.stoppedBy = session.stoppedBy
    const given = givenOf(request, shown, state)
    const main = program({ ...request, pipeline: undefined, params: {}, texts: {} }, {
      text,
      name,
      options: () => ({ given }),
      onLoaded: (loaded, supervision) => {
        state.grace = graceIn(loaded, name)
        warn(request, loaded, supervision)
      }
    })(session)
    return CurrentGuard.pipe(
      Effect.tap((guard) => Effect.sync(() => guard?.add([...shown.secrets, ...secretsIn(process.env)]))),
      Effect.andThen(main),
      Effect.tapCause((cause) =>
        Effect.sync(() => {
          state.cause = cause
        })
      )
    )
  })
  return codeOf(code, state)
}

/** Returns the exit code of the command in place of that of a run. */
const codeOf = (code: number, { attempt, cause, failed }: State): number => {
  // what stops its hooks changes nothing about that
  if (failed !== undefined && (isStopCode(code) || code === ExitCode.failed)) return failed.exitCode
  if (isStopCode(code)) return attempt?.isStopped === true ? attempt.exitCode : code
  if (code !== ExitCode.failed) return code
  const error = cause === undefined ? undefined : Cause.squash(cause)
  return error instanceof CommandFailed ? error.exitCode : Cause.isTimeoutError(error) ? timedOut : code
}

/** Says why a run failed. The fields of the command's error are in its message. */
const describe = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof CommandFailed ? error.message : causeText(cause)
}

// -----------------------------------------------------------------------------
// the pipeline
// -----------------------------------------------------------------------------

/** The hooks of a file that has none of its own. A success is no news, unless it is well again. */
const defaultHooks = [
  AlerterHooks.failure,
  AlerterHooks.interrupt,
  AlerterHooks.overdue
]

const givenOf = (request: ExecRequest, shown: Shown, state: State): Given => {
  const { args, command, grace, name, retry, retryDelay, tail } = request
  const step = Step.make(
    name,
    Command.run({
      command,
      args,
      tail,
      shown: shown.text,
      stoppedBy: () => state.stoppedBy(),
      grace: () => state.grace,
      graceOfSignal: grace,
      onEnd: (exitCode, isStopped) => {
        state.attempt = { exitCode, isStopped }
      }
    })
  )
  return {
    name,
    pipeline: Pipeline.annotate(
      Pipeline.make(
        name,
        step.pipe(
          Effect.onInterrupt(() => {
            const signal = state.stoppedBy()
            return signal === undefined ? Effect.void : StepContext.annotate({ signal })
          }),
          Effect.onError((cause) =>
            Effect.sync(() => {
              const error = Cause.squash(cause)
              if (error instanceof CommandFailed && !Cause.hasInterrupts(cause)) state.failed = error
            })
          )
        )
      ),
      { command: shown.text, ...host() }
    ),
    module: { command: step },
    hooks: defaultHooks,
    retries: Command.isWorthRetrying,
    retry: retry === undefined
      ? undefined
      : { times: retry, ...(retryDelay === undefined ? {} : { delay: Duration.millis(retryDelay) }) },
    graceOf: (given) => {
      const own = grace === undefined ? given : Duration.millis(grace)
      return Duration.sum(own ?? Duration.millis(defaultGrace), killing)
    }
  }
}

/** Names the machine, if that needs no permission: Deno has one for it. */
const host = (): { readonly host?: string } => readOr({}, () => ({ host: hostname() }))

/** How long a command that was killed may take to be gone, on a busy machine, before the run goes on without it. */
const killing = Duration.seconds(2)

/** Returns how long the command may take to end at its time limit. Hooks run once it has ended. */
const graceIn = ({ steps, timeout }: LoadedFile, name: string): number => {
  const graces = [timeout, steps.find(({ step }) => step === name)?.timeout].flatMap((one) =>
    one === undefined ? [] : [one.grace]
  )
  return graces.length === 0 ? defaultGrace : Math.min(...graces) - Duration.toMillis(killing)
}

/** Says that nobody will be told, where that is so. */
const warn = ({ config, name }: ExecRequest, { hasHooks }: LoadedFile, { alerter, monitors }: Supervision): void => {
  if (alerter !== undefined || monitors.length > 0 || hasHooks) return
  const why = config === undefined
    ? "there is no config file (see --config) and no --monitor"
    : `${config} has no alerter, no hooks and no monitor`
  err(`epilogue: nobody will be told if ${name} fails: ${why}`)
}
