/** The signals that ask a run to stop. */
import * as fs from "node:fs"
import { constants } from "node:os"
import process from "node:process"
import { mayRead, variable } from "../../internal/text/terminal.ts"

/** @internal */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGQUIT" | "SIGHUP"

/** The environment variable that tells a supervised child that SIGHUP is ignored. */
export const hangupVariable = "EPILOGUE_IGNORES_SIGHUP"

/** The bit of SIGHUP in the mask of ignored signals. */
const hangup = 1n

const read = <A>(f: () => A): A | undefined => {
  try {
    return f()
  } catch {
    return undefined
  }
}

/** Returns the exit code of a process that a signal has ended, as shells have it. */
export const codeOfSignal = (signal: NodeJS.Signals | undefined): number =>
  128 + (signal === undefined ? 0 : constants.signals[signal] ?? 0)

/** The signals that interrupt a run: Ctrl-C, a stop by a service manager, Ctrl-\, and the end of the terminal. */
const interrupting: ReadonlyArray<StopSignal> = ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP"]

/** The time that hooks and finalizers have unless it is set: more than a hook and a mailbox take. */
export const defaultGrace = "2 minutes"

/** Says of a run that ended by an interruption, where nothing from outside has stopped it. */
export const interruptedItself = "it interrupted itself: no signal did"

/** The exit codes of runs that a signal has interrupted. */
export const stopCodes: ReadonlyArray<number> = interrupting.map(codeOfSignal)

/** Returns whether an exit code is that of a run that a signal has interrupted. */
export const isStopCode = (code: number | undefined): boolean => code !== undefined && stopCodes.includes(code)

/**
 * Whether the process was started to outlive its terminal, as by `nohup`, which makes it ignore SIGHUP. Node resets that
 * when it starts: there, the signs are what `nohup` does to a terminal, an input that can't be read and `nohup.out`.
 */
const ignoresHangup = (): boolean => {
  if (variable(hangupVariable) !== undefined) return true
  // on Deno, where looking takes all permissions, and would ask for them on a terminal
  if (!mayRead()) return false
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(read(() => fs.readFileSync("/proc/self/status", "utf8")) ?? "")?.[1]
  if (mask !== undefined && (BigInt(`0x${mask}`) & hangup) !== 0n) return true
  const link = (fd: number) => read(() => fs.readlinkSync(`/proc/self/fd/${fd}`))
  const flags = /^flags:\s*(\d+)$/m.exec(read(() => fs.readFileSync("/proc/self/fdinfo/0", "utf8")) ?? "")?.[1]
  const unreadable = link(0) === "/dev/null" && flags !== undefined && (Number.parseInt(flags, 8) & 3) === 1
  return unreadable || [1, 2].some((fd) => link(fd)?.endsWith("/nohup.out") === true)
}

let hangupIgnored: boolean | undefined

/** Returns whether SIGHUP is to be ignored. Looks once, before anything listens to the signal. */
export const isHangupIgnored = (): boolean => hangupIgnored ??= ignoresHangup()

/** Returns the signals that interrupt a run of this process: SIGHUP does not where the process ignores it. */
export const stopSignals = (): ReadonlyArray<StopSignal> =>
  isHangupIgnored() ? interrupting.filter((signal) => signal !== "SIGHUP") : interrupting

/** The part of a process that listens to signals. */
export interface Listening {
  readonly on: (event: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void) => unknown
  readonly off: (event: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void) => unknown
}

/**
 * The time for which a signal is not heard again, in milliseconds. `timeout` sends its signal to the process and to its
 * group, `npm` and shells pass on one that the process has had from the terminal: only a later one is another one.
 */
export const echo = 300

/** Returns a function that calls `onSignal`, but for a signal that repeats the last one. */
const withoutEcho = (onSignal: (signal: NodeJS.Signals) => void): (signal: NodeJS.Signals) => void => {
  let last: { readonly signal: NodeJS.Signals; readonly at: number } | undefined
  return (signal) => {
    const at = performance.now()
    if (last?.signal === signal && at - last.at < echo) return
    last = { signal, at }
    onSignal(signal)
  }
}

/** Listens to signals, which then do not end the process by themselves. Returns a function that stops listening. */
export const listenTo = (onSignal: (signal: NodeJS.Signals) => void, host: Listening = process): () => void => {
  // where a runtime took over that the process ignores SIGHUP, it has to stay so
  const ignored = isHangupIgnored() ? ["SIGHUP" as const] : []
  const ignore = () => {}
  const hear = withoutEcho(onSignal)
  const listeners = [
    ...stopSignals().map((signal) => [signal, hear] as const),
    ...ignored.map((signal) => [signal, ignore] as const)
  ].filter(([signal, listener]) =>
    // Windows has no SIGQUIT
    read(() => {
      host.on(signal, listener)
      return true
    }) === true
  )
  return () => {
    for (const [signal, listener] of listeners) host.off(signal, listener)
  }
}

/** Returns what the command answers to the first signal. A service manager that sends SIGTERM has pressed no key. */
export const answerTo = (signal: NodeJS.Signals, message: string): string =>
  signal === "SIGINT"
    ? `${message}; press Ctrl-C again to quit at once`
    : `${signal}: ${message}; another signal quits at once`
