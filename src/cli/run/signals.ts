/** Handles Ctrl-C (the first interrupts, the second quits), and what else ends a process before its run has ended. */
import * as Duration from "effect/Duration"
import { deniedText } from "../../internal/text/denied.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { listenToEnd, stuckIn } from "../../main/internal/ending.ts"
import { answerTo, codeOfSignal, defaultGrace, listenTo } from "../../main/internal/signals.ts"
import { listenToUncaught, uncaughtDetail, uncaughtLine } from "../../main/internal/uncaught.ts"
import { ExitCode } from "../request.ts"
import { end, onExit } from "../supervise/processEnd.ts"
import { errAtOnce } from "../terminal.ts"

/** How long a run that a failure has interrupted may take to end, in milliseconds: as long as with `runMain`. */
const grace = Duration.toMillis(defaultGrace)

const stuckLoading = stuckIn("loading the module or a layer")

/** Ends the process, and says why, where loading a module does or where that never ends. Returns a function that stops this. */
export const catchEnd = (): () => void =>
  listenToEnd({
    onExit: onExit(() => []),
    onEmpty: () => {
      errAtOnce(`error: ${stuckLoading}`)
      end(ExitCode.unsettled)
    }
  })

/** The state of a session, and its answers to failures of its process. */
export interface Failing {
  /** Removes secrets. */
  readonly redact: (text: string) => string
  /** Whether another process tells of an end of this one. */
  readonly isSupervised: boolean
  /** Whether the process stays alive though nothing is left to do. */
  readonly staysAlive: boolean
  /** Whether a run has begun. */
  readonly begun: () => boolean
  /** Whether errors that nothing catches end the process at once, since its runs go on in the next one. */
  readonly crashes: () => boolean
  /** The exit code of runs that are being interrupted already. */
  readonly interruptedWith: () => number | undefined
  /** Interrupts the program, so that the hooks of its runs tell why. */
  readonly interrupt: (why: string, code: number) => void
  /** Says what an end cuts off. */
  readonly cutOff: () => ReadonlyArray<string>
  /** Writes a line to standard error at once. Set where writing to the file descriptor itself would garble the tree. */
  readonly print?: ((line: string) => void) | undefined
}

/**
 * Interrupts the program where nothing catches an error, or nothing is left that could end what it waits for, and says why.
 * Ends the process where its runs go on in the next one, or do not end within the grace. Tells of other ends of it, too.
 * Leaves errors to listeners of the user's, if there are any. Returns a function that stops this.
 */
export const catchFailures = (
  { begun, crashes, cutOff, interrupt, interruptedWith, isSupervised, print = errAtOnce, redact, staysAlive }: Failing
): () => void => {
  let timer: NodeJS.Timeout | undefined
  const say = (text: string): void => redact(text).split("\n").forEach(print)
  const quit = (code: number): void => {
    for (const line of cutOff()) errAtOnce(line)
    end(code)
  }
  const stop = (why: string, code: number): void => {
    interrupt(why, code)
    // a body that can't be interrupted may wait for what the error has ended
    timer ??= setTimeout(() => {
      errAtOnce(`quit, since the run has not ended within ${formatDuration(grace)}`)
      quit(code)
    }, grace).unref()
  }
  const onUncaught = (error: unknown): void => {
    const denied = deniedText(error)
    say(denied === undefined ? uncaughtDetail(error) : `error: ${denied}`)
    if (crashes()) quit(ExitCode.failed)
    else stop(uncaughtLine(error), ExitCode.failed)
  }
  const onEmpty = (): void => {
    const stuck = begun() ? stuckIn("the run") : stuckLoading
    const code = interruptedWith()
    if (code === undefined) {
      say(`error: ${stuck}. It is interrupted`)
      return stop(stuck, ExitCode.unsettled)
    }
    errAtOnce(`quit: ${stuck}`)
    quit(code)
  }
  const stops = [
    listenToUncaught(onUncaught),
    listenToEnd({
      // a supervisor tells of it
      onExit: isSupervised ? undefined : onExit(cutOff),
      onEmpty: staysAlive ? undefined : onEmpty
    })
  ]
  return () => {
    clearTimeout(timer)
    for (const stop of stops) stop()
  }
}

/**
 * Listens to the signals that ask a run to stop, and returns a function that removes the listeners.
 *
 * The first signal prints `message`, if there is one, and calls `interrupt`, so that hooks and finalizers run. The second
 * prints `open`, the work that it cuts off, and exits. A supervised process, which has no `open`, leaves this to its
 * supervisor: Ctrl-C reaches both processes, and the supervisor passes signals on, so a second one may be the same again.
 */
export const listen = (
  message: () => string | undefined,
  interrupt: (signal: NodeJS.Signals) => void,
  open: (() => ReadonlyArray<string>) | undefined,
  say: (line: string) => void = errAtOnce
): () => void => {
  let received = false
  const onSignal = (signal: NodeJS.Signals) => {
    if (!received) {
      received = true
      const text = message()
      if (text !== undefined) say(open === undefined ? text : answerTo(signal, text))
      interrupt(signal)
      return
    }
    if (open === undefined) return
    const lines = open()
    say(lines.length === 0 ? "quit" : "quit, and cut off:")
    for (const line of lines) say(`  ${line}`)
    end(codeOfSignal(signal))
  }
  return listenTo(onSignal)
}
