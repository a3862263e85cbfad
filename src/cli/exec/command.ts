/** Runs a command as a child process, to which it passes the inputs, outputs and signals of this process. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as References from "effect/References"
import { spawn } from "node:child_process"
import { existsSync, fstatSync } from "node:fs"
import { delimiter, join } from "node:path"
import process from "node:process"
import { isatty } from "node:tty"
import { CommandFailed } from "../../config/CommandFailed.ts"
import { deniedText } from "../../internal/text/denied.ts"
import * as Writer from "../../internal/text/writer.ts"
import { codeOfSignal } from "../../main/internal/signals.ts"
import type { ExecRequest } from "../request.ts"
import { CurrentIsShown } from "../run/logger.ts"
import { how } from "../supervise/alerts.ts"
import { killsForMemory } from "../supervise/memory.ts"
import { noteLost } from "../terminal.ts"
import { type Group, groupOf, hasOwnGroup } from "./group.ts"
import { Tail } from "./tail.ts"
import * as Tap from "./tap.ts"

/** A command, and how it is stopped. */
export interface Settings extends Pick<ExecRequest, "args" | "command" | "tail"> {
  /** The command line that people may see. */
  readonly shown: string
  /** Returns the signal that asks to stop, or `undefined` where a time limit does. */
  readonly stoppedBy: () => NodeJS.Signals | undefined
  /** Returns how long the command may take to end after its time limit, in milliseconds. */
  readonly grace: () => number
  /** How long it may take to end after a signal that was passed on, in milliseconds; as long as it likes unless set. */
  readonly graceOfSignal: number | undefined
  /** Called with the exit code of each attempt, and whether the attempt was stopped. */
  readonly onEnd: (exitCode: number, isStopped: boolean) => void
}

/** The end of a child process. */
interface End {
  readonly code: number | undefined
  readonly signal: NodeJS.Signals | undefined
  readonly outOfMemory: boolean
}

/** How long processes that the command leaves behind may take to end. */
const leftBehind = 5_000

/** The longest time between a signal of the terminal that ends the command, and the same signal to this process. */
const both = 50

/** How long the rest of the output may take to be passed on where the run is being stopped. */
const drain = 1_000

/** Runs the command once. Interruption stops it, and waits for its end. */
export const run = (settings: Settings): Effect.Effect<void, CommandFailed> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const tail = new Tail()
      const outputs = outputsOf(settings.tail, tail)
      const child = yield* Effect.onError(start(settings, outputs.stdio), () =>
        Effect.sync(() => {
          outputs.begin()
          outputs.abort()
        }))
      const kill = () => child.group.kill()
      // however this process ends, unless it is killed
      process.on("exit", kill)
      outputs.begin()
      const awaited = yield* Effect.exit(restore(Effect.tap(Deferred.await(child.ended), settled)))
      const isStopped = awaited._tag === "Failure"
      const patience = isStopped ? yield* stop(child, settings) : leftBehind
      const end = isStopped ? yield* Deferred.await(child.ended) : awaited.value
      yield* endOf(child.group, patience)
      process.off("exit", kill)
      const passed = Effect.promise(outputs.end)
      const rest = yield* Effect.exit(
        isStopped ? Effect.timeoutOption(passed, drain) : Effect.asSome(restore(passed))
      )
      if (rest._tag === "Failure" || Option.isNone(rest.value)) outputs.abort()
      const lines = tail.lines()
      yield* logged(lines)
      const exitCode = exitCodeOf(end)
      settings.onEnd(exitCode, isStopped)
      if (isStopped) return yield* Effect.failCause(awaited.cause)
      if (exitCode === 0) return
      return yield* Effect.fail(failureOf(settings, lines, exitCode, how(end), end.signal))
    })
  )

/** Waits where a key of the terminal may have ended the command, which interrupts the run as well: it has not failed. */
const settled = ({ signal }: End): Effect.Effect<void> =>
  signal === "SIGINT" || signal === "SIGQUIT" || signal === "SIGHUP" ? Effect.sleep(both) : Effect.void

const failureOf = (
  { shown }: Settings,
  tail: ReadonlyArray<string>,
  exitCode: number,
  message: string,
  signal?: NodeJS.Signals
): CommandFailed => new CommandFailed({ command: shown, exitCode, signal, tail, message })

/** Returns the exit code as a shell has it. */
const exitCodeOf = ({ code, signal }: End): number => code ?? codeOfSignal(signal)

/** Keeps lines as what the step has logged, for alerts, monitors and records. They are on standard error already. */
const logged = (lines: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.forEach(lines, (line) => Writer.logInfo(line), { discard: true }).pipe(
    Effect.provideService(CurrentIsShown, true),
    // whatever the level of what the hooks log
    Effect.provideService(References.MinimumLogLevel, "Info")
  )

// -----------------------------------------------------------------------------
// outputs
// -----------------------------------------------------------------------------

type Stdio = readonly ["inherit", "inherit" | number, "inherit" | number]

interface Outputs {
  readonly stdio: Stdio
  readonly begin: () => void
  readonly end: () => Promise<unknown>
  readonly abort: () => void
}

/**
 * Returns the outputs of the command. Those whose end is not kept are this process's own. Unless asked for, this is
 * standard output, which may be data, and not a log, unless both outputs go to the same place.
 */
const outputsOf = (kept: ExecRequest["tail"], tail: Tail): Outputs => {
  const isOne = isSameFile(1, 2)
  const keepsErr = kept === "stderr" || kept === "both" || (kept === "auto" && !isatty(2))
  const keepsOut = kept === "both" || (kept === "auto" && keepsErr && isOne)
  const err = keepsErr
    ? Tap.open(2, (bytes) => tail.take(2, bytes), keepsOut && isOne ? noteLost : undefined)
    : undefined
  const out = !keepsOut || err === undefined
    ? undefined
    : isOne
    ? err
    : Tap.open(1, (bytes) => tail.take(1, bytes), noteLost)
  const taps = [...new Set([err, out])].flatMap((tap) => tap === undefined ? [] : [tap])
  return {
    stdio: ["inherit", out?.fd ?? "inherit", err?.fd ?? "inherit"],
    begin: () => taps.forEach((tap) => tap.begin()),
    end: () => Promise.all(taps.map((tap) => tap.end())),
    abort: () => taps.forEach((tap) => tap.abort())
  }
}

const isSameFile = (a: number, b: number): boolean => {
  try {
    const [one, other] = [fstatSync(a), fstatSync(b)]
    return one.dev === other.dev && one.ino === other.ino
  } catch {
    return false
  }
}

// -----------------------------------------------------------------------------
// the process
// -----------------------------------------------------------------------------

interface Child {
  readonly group: Group
  readonly ended: Deferred.Deferred<End>
}

const start = (settings: Settings, stdio: Stdio): Effect.Effect<Child, CommandFailed> =>
  spawned(settings.command, settings.args, stdio).pipe(
    // a script without a `#!` line, which the C library gives to a shell, as shells do; Bun does not
    Effect.catchIf(
      (code) => code === "ENOEXEC",
      () => spawned("/bin/sh", [pathOf(settings.command), ...settings.args], stdio)
    ),
    Effect.mapError((code) => notStarted(settings, code))
  )

/** Returns the path of a program, as far as it can be found. */
const pathOf = (command: string): string =>
  command.includes("/")
    ? command
    : (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, command)).find(existsSync) ?? command

/** Starts a process. Fails with the code of the system's error. */
const spawned = (command: string, args: ReadonlyArray<string>, stdio: Stdio): Effect.Effect<Child, string> =>
  Effect.callback((resume) => {
    const fail = (error: unknown) =>
      resume(
        Effect.fail(
          deniedText(error) ?? (error instanceof Error && "code" in error ? String(error.code) : String(error))
        )
      )
    try {
      const own = hasOwnGroup()
      const killsBefore = killsForMemory()
      const child = spawn(command, args, { stdio: [...stdio], detached: own })
      const ended = Deferred.makeUnsafe<End>()
      child.on("error", fail)
      child.once("exit", (code, signal) => {
        const outOfMemory = signal === "SIGKILL" && killsForMemory() > killsBefore
        Deferred.doneUnsafe(
          ended,
          Effect.succeed({ code: code ?? undefined, signal: signal ?? undefined, outOfMemory })
        )
      })
      const { pid } = child
      if (pid !== undefined) resume(Effect.succeed({ group: groupOf(pid, own), ended }))
    } catch (error) {
      // Bun throws
      fail(error)
    }
  })

/** The errors of commands that could not be started. */
const unstarted = new WeakSet<object>()

/** Whether an error is one after which a command may succeed when it is run again: not that there is no such command. */
export const isWorthRetrying = (error: unknown): boolean =>
  !(typeof error === "object" && error !== null && unstarted.has(error))

/** Returns the error of a command that could not be started, with the exit codes of shells. */
const notStarted = (settings: Settings, code: string): CommandFailed => {
  const error = code === "ENOENT"
    ? failureOf(settings, [], 127, "command not found")
    : failureOf(settings, [], 126, code === "EACCES" ? "not executable" : `it could not be started: ${code}`)
  // the system may lack memory or processes for a moment
  if (code !== "EAGAIN" && code !== "ENOMEM") unstarted.add(error)
  return error
}

/**
 * Asks the command to end, as this process was asked, and kills it where it takes longer than it may. Returns how long the
 * processes that it has left behind may take.
 */
const stop = (
  { ended, group }: Child,
  { grace, graceOfSignal, stoppedBy }: Settings
): Effect.Effect<number> =>
  Effect.suspend(() => {
    const begun = Date.now()
    const signal = stoppedBy()
    group.signal(signal ?? "SIGTERM")
    const patience = signal === undefined ? grace() : graceOfSignal
    const end = Deferred.await(ended)
    if (patience === undefined) return Effect.as(end, leftBehind)
    return Effect.map(Effect.timeoutOption(end, patience), (ending) => {
      if (Option.isNone(ending)) group.kill()
      return Math.max(0, patience - (Date.now() - begun))
    })
  })

/** Ends the processes that the command has left behind. */
const endOf = (group: Group, patience: number): Effect.Effect<void> =>
  Effect.gen(function*() {
    if (!group.isLeft()) return
    group.signal("SIGTERM")
    for (let waited = 0; waited < patience && group.isLeft(); waited += 20) yield* Effect.sleep(20)
    group.kill()
  })
