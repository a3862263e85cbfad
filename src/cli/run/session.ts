/**
 * The loop that every command goes through which runs pipelines, in memory or durable: it
 * connects observers and signals, waits for the program, prints why it failed and returns the
 * exit code.
 */
import type * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type { LogLevel } from "effect/LogLevel"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { Alerter } from "../../Alerter.ts"
import { variableProblems } from "../../config/internal/variables.ts"
import { CurrentLedger } from "../../internal/alerts/ledger.ts"
import { Undelivered } from "../../internal/alerts/undelivered.ts"
import * as Guard from "../../internal/model/guard.ts"
import { CurrentHolding } from "../../internal/model/holding.ts"
import { CurrentStopping } from "../../internal/model/stopping.ts"
import { deniedText } from "../../internal/text/denied.ts"
import { tagOf, textProperty } from "../../internal/text/read.ts"
import { host } from "../../main/internal/hosted.ts"
import { codeOfSignal, interruptedItself } from "../../main/internal/signals.ts"
import * as Staying from "../../main/internal/staying.ts"
import * as Stopping from "../../main/internal/stopping.ts"
import type { RecordError } from "../../report/RecordError.ts"
import type { RunEvent } from "../../RunEvent.ts"
import * as StepLogs from "../../StepLogs.ts"
import { ExitCode, type Showing, type UsageError } from "../request.ts"
import { reportingAlerts, reportingLedger, type Supervisor } from "../supervise/child.ts"
import { toLine, toMessage } from "../supervise/protocol.ts"
import { err, errBlock, out, services } from "./environment.ts"
import * as Observers from "./observers.ts"
import * as OpenWork from "./openWork.ts"
import { causeText, line, StepNames } from "./output.ts"
import * as Signals from "./signals.ts"
import { jsonLines, keep } from "./stdout.ts"

/** The handle by which a program uses its session. */
export interface Session {
  /** Writes an object as a JSON line to standard output. `undefined` unless `--json` was given. */
  readonly emit: ((value: object) => void) | undefined
  /**
   * Provides an effect that runs pipelines with the observers, the console as its alerter, and a
   * tracer that knows which hooks are running.
   */
  readonly observed: <A, E, R>(
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | RecordError | UsageError, Exclude<R, Alerter>>
  /** Records runs as a config file says, unless the command line says where to. */
  readonly recordAs: Observers.Observers["recordAs"]
  /** The current texts, which the program replaces as it learns more. */
  readonly messages: {
    /** The answer to the first Ctrl-C. `durable` names the durable runs under way and says that they go on, if there are any. */
    interrupt: string | ((durable: string | undefined) => string)
    /** The prefix of the line that says why the program failed. */
    failure: string
  }
  /** Removes secrets from a text that is to be printed. */
  readonly redact: (text: string) => string
  /** Registers an effect to run after the program, however that ended, provided that a run had begun. */
  readonly afterRuns: (report: Effect.Effect<void>) => void
  /** Whether a signal has interrupted the program. */
  readonly isInterrupted: () => boolean
  /** The signal that has interrupted the program, if one has. */
  readonly stoppedBy: () => NodeJS.Signals | undefined
  /** Why the process itself has interrupted the program, if it has: an error that nothing catches, for example. */
  readonly failure: () => string | undefined
  /** Whether a run has begun. */
  readonly begun: () => boolean
}

/** A program of the command. It succeeds with the exit code. */
export type Program = (session: Session) => Effect.Effect<number, unknown, NodeServices.NodeServices>

/** @internal */
export interface SessionOptions extends FailureOptions, Partial<Showing> {
  readonly logLevel: LogLevel | undefined
  /** The process that supervises this one, if any. It prints the answers to signals. */
  readonly supervisor?: Supervisor | undefined
  /** Writes to standard output, where the caller has kept that for events already. */
  readonly write?: ((text: string) => void) | undefined
  /**
   * Whether the command was asked for this run. Lines of other runs begin with the run's id.
   * Every run is the command's own unless this is set.
   */
  readonly isOwn?: ((runId: string) => boolean) | undefined
  /** Whether a success becomes exit code 3 where an alert did not arrive. */
  readonly requireAlerts?: boolean | undefined
  /** Whether a run that succeeds prints nothing by itself. */
  readonly isQuiet?: boolean | undefined
  /** Whether other commands may interrupt its runs, as `epilogue durable interrupt` does. */
  readonly isShared?: boolean | undefined
}

/** Returns the guard of a command, which passes what it learns on to the supervisor, if there is one. */
export const guardFor = (supervisor?: Pick<Supervisor, "send">): Guard.Guard =>
  Guard.make([], supervisor && ((value) => supervisor.send({ _tag: "Secret", value })))

/** Runs a program to its end and returns the exit code. */
export const session = async (options: SessionOptions, program: Program): Promise<number> => {
  const {
    isOwn = () => true,
    json = false,
    junit,
    logLevel,
    progress = "plain",
    record,
    requireAlerts = false,
    isQuiet = false,
    isShared = false,
    supervisor
  } = options
  // before the user's modules are imported, since they may run themselves, and print
  host()
  const write = options.write ?? (json ? keep() : undefined)
  const emit = write && jsonLines(write)
  const guard = guardFor(supervisor)
  const openWork = OpenWork.make(supervisor)
  const undelivered = new Undelivered()
  const ledger = supervisor === undefined
    ? undelivered.ledger
    : reportingLedger(supervisor, undelivered.ledger, guard.alert)
  /** Returns the lines of a process that ends before its alerts are posted. */
  const cutOffAlerts = (): ReadonlyArray<string> => {
    undelivered.addOpen("the process ended")
    return undelivered.lines(guard.text)
  }
  const names = new StepNames()
  let interrupt: Session["messages"]["interrupt"] = "interrupting"
  const answer = (): string =>
    stopping.isOver() && !isShared && staying.count() === 0
      ? "the run has ended: what follows it is interrupted, and what it has used is closed"
      : typeof interrupt === "string"
      ? interrupt
      : interrupt(staying.text())
  let toldAnswer: string | undefined
  const tellAnswer = (): void => {
    if (supervisor !== undefined && answer() !== toldAnswer) {
      supervisor.send({ _tag: "Answer", text: toldAnswer = answer() })
    }
  }
  const messages: Session["messages"] = {
    get interrupt() {
      return interrupt
    },
    set interrupt(text) {
      interrupt = text
      tellAnswer()
    },
    failure: "error: "
  }
  let report: Effect.Effect<void> = Effect.void
  let interrupted = false
  const staying = Staying.make(tellAnswer)
  const stopping = Stopping.make(staying.count, tellAnswer)

  const print = (event: RunEvent): void => {
    if (write !== undefined) return write(toLine(toMessage(event)))
    names.observe(event)
    const text = line(event, names)
    if (text !== undefined) out(isOwn(event.runId) ? text : `${event.runId.slice(0, 8)} ${text}`)
  }
  const observers = await Observers.make(
    { json, junit, progress, record },
    {
      isShown: supervisor?.shows === true,
      isOwn,
      observer: openWork.observer,
      onRecording: (place) => supervisor?.send({ _tag: "Recording", ...place }),
      print
    }
  )
  const observation = Layer.mergeAll(
    observers.layer,
    Layer.succeed(Tracer.Tracer, openWork.tracer),
    supervisor === undefined ? Alerter.layerConsole : reportingAlerts(supervisor)(Alerter.layerConsole),
    StepLogs.layer(),
    isShared ? keepAlive : Layer.empty
  )
  const main = program({
    emit: emit && ((value) => emit(guard.value(value))),
    observed: (effect) => Effect.provide(effect, observation),
    recordAs: observers.recordAs,
    messages,
    redact: guard.text,
    afterRuns: (effect) => {
      report = effect
    },
    isInterrupted: () => interrupted,
    stoppedBy: stopping.signal,
    failure: stopping.failure,
    begun: openWork.started
  })

  /** The exit code where the process has failed, whatever its runs end with. */
  let failedWith: number | undefined
  const stopCatching = Signals.catchFailures({
    redact: guard.text,
    isSupervised: supervisor !== undefined,
    staysAlive: isShared,
    begun: openWork.started,
    // a durable run goes on after a crash, which its supervisor counts
    crashes: () => staying.count() > 0 || (isShared && supervisor !== undefined),
    interruptedWith: () => {
      const stoppedBy = stopping.signal()
      return failedWith ?? (stoppedBy === undefined ? undefined : codeOfSignal(stoppedBy))
    },
    interrupt: (why, code) => {
      failedWith = code
      interrupted = true
      supervisor?.send({ _tag: "Failing", why: guard.text(why), at: Date.now() })
      stopping.stop(undefined, why)
      fiber.interruptUnsafe(fiber.id)
    },
    cutOff: supervisor === undefined ? cutOffAlerts : () => [],
    print: observers.say
  })
  // Registered before the fiber starts, so that no signal ends the process by default. Never removed: the process has
  // nothing left to do after this, and a signal that comes then must not take the place of the exit code.
  Signals.listen(
    () => supervisor === undefined ? answer() : undefined,
    (signal) => {
      supervisor?.send({ _tag: "Stopping" })
      stopping.stop(signal)
      stopping.interrupt(fiber, () => {
        interrupted = true
      })
    },
    supervisor === undefined ? () => [...openWork.open(), ...cutOffAlerts()] : undefined,
    observers.say
  )
  const fiber = Effect.runFork(Effect.provide(Guard.provide(main, guard), [
    services,
    Layer.succeed(CurrentLedger, ledger),
    Layer.succeed(CurrentStopping, stopping),
    Layer.succeed(CurrentHolding, staying.holding),
    logLevel === undefined ? Layer.empty : Layer.succeed(References.MinimumLogLevel, logLevel)
  ]))
  // a run that nobody supervises any more, and that nobody can stop, ends: its hooks tell of it
  const stopWatching = supervisor?.onGone(() => {
    interrupted = true
    stopping.stop(undefined, "the process that supervised the run was killed")
    fiber.interruptUnsafe(fiber.id)
  })
  const exit = await Effect.runPromise(Fiber.await(fiber))
  stopWatching?.()
  stopCatching()
  const ended = exit._tag === "Success"
    ? exit.value
    : failed(exit.cause, {
      ...options,
      redact: guard.text,
      prefix: messages.failure,
      nothingHasRun: !openWork.started()
    })
  const stoppedBy = stopping.signal()
  if (ended === ExitCode.interrupted && !interrupted && !isShared) {
    err(guard.text(`${messages.failure}${interruptedItself}`))
  }
  const code = failedWith ??
    (ended === ExitCode.interrupted && stoppedBy !== undefined && interrupted ? codeOfSignal(stoppedBy) : ended)
  const recorded = observers.recorded()
  if (recorded !== undefined && !(isQuiet && code === ExitCode.success)) err(recorded)
  if (openWork.started()) await Effect.runPromise(report)
  // posts that their hooks no longer wait for
  undelivered.addOpen("the process ended")
  if (emit === undefined) undelivered.lines(guard.text).forEach(err)
  else undelivered.json(guard.text).forEach(emit)
  return undelivered.codeOf(code, requireAlerts ? ExitCode.alertLost : undefined)
}

/** A worker waits for runs of other processes, which does not keep the runtime from ending the process. */
const keepAlive: Layer.Layer<never> = Layer.effectDiscard(
  Effect.acquireRelease(
    Effect.sync(() => setInterval(() => {}, 2_147_483_647)),
    (timer) => Effect.sync(() => clearInterval(timer))
  )
)

// -----------------------------------------------------------------------------
// failures
// -----------------------------------------------------------------------------

/** @internal */
export interface FailureOptions {
  /** Describes a cause; `causeText` unless set. */
  readonly describe?: ((cause: Cause.Cause<unknown>) => string) | undefined
}

/**
 * Prints why a program failed, and returns the exit code: 130 after an interruption (`session` knows of the signal), 2
 * where the config, the command line or the environment is wrong and nothing has run, else 1.
 */
export const failed = (
  cause: Cause.Cause<unknown>,
  { describe = causeText, nothingHasRun, prefix, redact }: FailureOptions & {
    readonly prefix: string
    readonly nothingHasRun: boolean
    /** Removes secrets from what is printed. */
    readonly redact: (text: string) => string
  }
): number => {
  if (Cause.hasInterruptsOnly(cause)) return ExitCode.interrupted
  const error = Cause.squash(cause)
  const denied = nothingHasRun ? deniedText(error) : undefined
  if (denied !== undefined) {
    err(redact(`error: ${denied}`))
    return ExitCode.usage
  }
  if (!nothingHasRun || !isMistake(error)) {
    errBlock(redact(`${prefix}${describe(cause)}`))
    return ExitCode.failed
  }
  const message = redact(error.message)
  // each line of the message of a `ConfigFileError` begins with a place in the file, as a compiler's does
  if (error._tag === "ConfigFileError") message.split("\n").forEach(err)
  // the message is one line, which may quote an argument
  else if (error._tag === "UsageError") err(`error: ${message}`)
  else {
    const variables = variableProblems(error)
    for (const { expected, found } of variables) err(redact(`error: expected ${expected}, found ${found}`))
    if (variables.length === 0) errBlock(`error: ${message}`)
  }
  return ExitCode.usage
}

/** Errors that say, where nothing has run yet, that the config, the command line or the environment is wrong. */
const mistakes: ReadonlySet<unknown> = new Set([
  "UsageError",
  "ConfigFileError",
  "ParamsError",
  "ConfigError",
  "DatabaseRefused",
  "RecordError",
  "StoreError",
  "InvalidAnswer"
])

/** Compares tags, since the user's modules may load copies of these classes. `ConfigError` is not an `Error`. */
const isMistake = (error: unknown): error is { readonly _tag: string; readonly message: string } =>
  mistakes.has(tagOf(error)) && textProperty(error as object, "message") !== undefined // tagged values are objects
