/** Handles Ctrl-C (the first interrupts, the second quits), errors that nothing catches, and an early `process.exit`. */
import * as Duration from "effect/Duration"
import process from "node:process"
import { inspect } from "node:util"
import { deniedText } from "../../internal/text/denied.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { answerTo, codeOfSignal, defaultGrace, listenTo } from "../../main/internal/signals.ts"
import { listenToUncaught } from "../../main/internal/uncaught.ts"
import { onUnload } from "../../main/internal/unload.ts"
import { ExitCode } from "../request.ts"
import { errAtOnce } from "../terminal.ts"

/** How long a run that an error has interrupted may take to end, in milliseconds: as long as with `runMain`. */
const grace = Duration.toMillis(defaultGrace)

/** Whether the command itself ends the process. */
let isEnding = false

const end = (code: number): void => {
  isEnding = true
  process.exit(code)
}

/**
 * Says so where something else ends the process before the command does, as a library that calls `process.exit`, says what
 * that cuts off, and makes no success of it. Returns a function that stops listening.
 */
export const catchExit = (cutOff: () => ReadonlyArray<string> = () => []): () => void => {
  const stop = (): void => {
    process.off("exit", onExit)
    stopOnDeno()
  }
  const onExit = (code: number): void => {
    stop()
    if (isEnding) return
    errAtOnce("error: the process was ended, as by process.exit, before the command was done")
    for (const line of cutOff()) errAtOnce(line)
    if (code === ExitCode.success) process.exit(ExitCode.failed)
  }
  process.on("exit", onExit)
  const stopOnDeno = onUnload(onExit)
  return stop
}

/**
 * Prints an error that nothing catches, without the secrets that `redact` removes, and calls `interrupt`. Where that
 * interrupts nothing, ends the process, as the runtime does, and says what the end `cutOff`. Leaves it to listeners of the
 * user's, if there are any. Returns a function that removes it.
 */
export const catchUncaught = (
  redact: (text: string) => string,
  interrupt: (error: unknown) => boolean,
  cutOff: () => ReadonlyArray<string>
): () => void => {
  let timer: NodeJS.Timeout | undefined
  const quit = (): void => {
    for (const line of cutOff()) errAtOnce(line)
    end(ExitCode.failed)
  }
  return listenToUncaught((error) => {
    const denied = deniedText(error)
    const text = denied === undefined ? `uncaught ${inspect(error)}` : `error: ${denied}`
    for (const line of redact(text).split("\n")) errAtOnce(line)
    if (!interrupt(error)) return quit()
    // a body that can't be interrupted may wait for what the error has ended
    timer ??= setTimeout(() => {
      errAtOnce(`quit, since the run has not ended within ${formatDuration(grace)}`)
      quit()
    }, grace).unref()
  })
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
