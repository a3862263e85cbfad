/** Runs an effect as the whole of a process. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import { CurrentLedger } from "../../internal/alerts/ledger.ts"
import { Undelivered } from "../../internal/alerts/undelivered.ts"
import { StepContext } from "../../internal/model/context.ts"
import * as Guard from "../../internal/model/guard.ts"
import { CurrentHolding } from "../../internal/model/holding.ts"
import { durationMistakes, refuse } from "../../internal/model/options.ts"
import { skippedOf } from "../../internal/model/skip.ts"
import { CurrentStopping } from "../../internal/model/stopping.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { causeText } from "../../internal/text/errors.ts"
import { printableBlock } from "../../internal/text/printable.ts"
import { readOr } from "../../internal/text/read.ts"
import type { MainOptions } from "../MainOptions.ts"
import { type Ending, listenToEnd, stuckIn } from "./ending.ts"
import { codeOfSignal, defaultGrace, interruptedItself, type Listening, listenTo } from "./signals.ts"
import * as Staying from "./staying.ts"
import * as Stopping from "./stopping.ts"
import { listenToUncaught, type Throwing, uncaughtDetail, uncaughtLine } from "./uncaught.ts"

/** The process that an effect is run as: tests have one of their own. */
export interface Host extends Listening, Throwing, Ending {
  readonly on: Listening["on"] & Throwing["on"] & Ending["on"]
  readonly off: Listening["off"] & Throwing["off"] & Ending["off"]
  readonly exit: (code: number) => void
  /** Prints lines to standard error at once. */
  readonly print: (text: string) => void
  /** Calls a function once all output is written. */
  readonly flushed: (then: () => void) => void
}

/** The exit codes besides those of signals. That of an alert is the one of `epilogue run`. */
const ExitCode = {
  success: 0,
  failed: 1,
  alertLost: 3,
  /** That of Node, where a promise at the top level of a module is never settled. */
  unsettled: 13,
  interrupted: 130
} as const

/** The longest time of a timer. */
const longest = 2_147_483_647

const stuck = stuckIn("the run")

/** Says what becomes of the runs when the process is asked to stop. */
const stoppingText = (durable: string | undefined, isOver: boolean): string =>
  durable === undefined
    ? isOver
      ? "the run has ended: what follows it is interrupted, and what it has used is closed; a second signal ends the process at once"
      : "interrupting the run, whose hooks run before the process ends; a second signal ends it at once"
    : `stopping once the steps under way have ended, or their time is up: ${durable}. Other runs are interrupted, and ` +
      "their hooks run; a second signal ends the process at once"

/** Interrupts the effect where the process is asked to stop, and ends the process with the exit code. */
export const run = <A, E>(
  effect: Effect.Effect<A, E>,
  { disableErrorReporting = false, grace = defaultGrace, keepAlive = false, requireAlerts = false }: MainOptions,
  host: Host
): void => {
  refuse("runMain", durationMistakes("grace", grace))
  const guard = Guard.make()
  const undelivered = new Undelivered()
  /** The exit code of a run that was asked to stop. `isSure`: whatever the run ends with. */
  let stopped: { readonly code: number; readonly isSure: boolean } | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false
  /** Whether the effect has ended, so that only its output is to be written yet. */
  let hasEnded = false
  let fiber: Fiber.Fiber<A, E> | undefined
  const staying = Staying.make()
  const stopping = Stopping.make(staying.count)

  const say = (text: string): void => host.print(printableBlock(guard.text(text)))

  /** Ends the process while hooks may be running. */
  const quit = (why: string | undefined, code: number): void => {
    isOver = true
    release()
    stopListening()
    if (why !== undefined) say(why)
    undelivered.addOpen("the process ended")
    undelivered.lines(guard.text).forEach(say)
    host.exit(code)
  }

  const stop = (code: number, isSure: boolean, signal?: NodeJS.Signals, failure?: string): void => {
    stopped = { code, isSure }
    const millis = Duration.toMillis(grace)
    if (millis <= longest) {
      timer = setTimeout(() => quit(`quit, since the run has not ended within ${formatDuration(millis)}`, code), millis)
      // where nothing else is left, nothing can end the run within it either
      timer.unref()
    }
    stopping.stop(signal, failure)
    if (fiber !== undefined) stopping.interrupt(fiber)
  }

  const onSignal = (signal: NodeJS.Signals): void => {
    const code = codeOfSignal(signal)
    if (stopped !== undefined) return hasEnded ? host.exit(code) : quit(`quit on ${signal}`, code)
    if (hasEnded) return void (stopped = { code, isSure: false })
    say(`${signal}: ${stoppingText(staying.text(), stopping.isOver())}`)
    stop(code, false, signal)
  }

  const onUncaught = (error: unknown): void => {
    say(uncaughtDetail(error))
    if (stopped === undefined) stop(ExitCode.failed, true, undefined, uncaughtLine(error))
    else stopped = { ...stopped, code: ExitCode.failed, isSure: true }
  }

  const onEmpty = (): void => {
    if (stopped !== undefined) return quit(`quit: ${stuck}`, stopped.code)
    say(`error: ${stuck}. It is interrupted`)
    stop(ExitCode.unsettled, true, undefined, stuck)
  }

  /** Where something ends the process by itself. A library that does must not make a success of a run under way. */
  const onExit = (code: number): void => {
    // that of the step that calls process.exit, where one does: the effect may not have returned from its first turn
    const current = Fiber.getCurrent() ?? fiber
    const isRunning = stopped !== undefined || current?.context.mapUnsafe.has(StepContext.key) === true
    quit(
      isRunning
        ? "error: the process was ended, as by process.exit, before the run had ended: no more hooks run"
        : undefined,
      code === ExitCode.success && isRunning ? stopped?.code ?? ExitCode.failed : code
    )
  }

  // before the fiber starts, so that no signal ends the process by default
  const stopListening = listenTo(onSignal, host)
  const listeners = [
    listenToUncaught(onUncaught, host),
    listenToEnd({ onExit, onEmpty: keepAlive ? undefined : onEmpty }, host)
  ]
  const alive = keepAlive ? setInterval(() => {}, longest) : undefined
  const release = (): void => {
    for (const remove of listeners) remove()
    clearInterval(alive)
    clearTimeout(timer)
  }

  /** Prints why the effect has failed, once. Returns the exit code. */
  const failed = (cause: Cause.Cause<unknown>): number => {
    if (Cause.hasInterruptsOnly(cause)) {
      // what has stopped it from outside has been said
      if (stopped === undefined && !disableErrorReporting) say(`error: ${interruptedItself}`)
      return stopped?.code ?? ExitCode.interrupted
    }
    if (skippedOf(Exit.failCause(cause)) !== undefined) return ExitCode.success
    const error = Cause.squash(cause)
    // an error that can't be read has no settings either
    const isReported = readOr(true, () => Runtime.getErrorReported(error))
    if (!disableErrorReporting && isReported) say(`error: ${causeText(cause)}`)
    return readOr(ExitCode.failed, () => Runtime.getErrorExitCode(error))
  }

  fiber = Effect.runFork(
    Guard.provide(effect, guard).pipe(
      Effect.provideService(CurrentLedger, undelivered.ledger),
      Effect.provideService(CurrentStopping, stopping),
      Effect.provideService(CurrentHolding, staying.holding)
    )
  )
  fiber.addObserver((exit) => {
    if (isOver) return
    hasEnded = true
    release()
    const ended = exit._tag === "Success" ? ExitCode.success : failed(exit.cause)
    const codeOf = () =>
      undelivered.codeOf(
        stopped?.isSure === true ? stopped.code : ended,
        requireAlerts ? ExitCode.alertLost : undefined
      )
    // a success leaves the process to what else it does, such as posts that are under way, and its exit code to
    // `process.exitCode`
    const leaves = codeOf() === ExitCode.success && stopped === undefined
    if (!leaves) undelivered.addOpen("the process ended")
    undelivered.lines(guard.text).forEach(say)
    if (leaves) return stopListening()
    const code = codeOf()
    host.flushed(() => {
      stopListening()
      host.exit(code)
    })
  })
}
