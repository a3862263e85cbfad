/** Runs the command `epilogue` from its sources as a child process, on each runtime. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { echo } from "../../src/main/internal/signals.ts"
import { type Runtime, someRuntimes } from "./runtimes.ts"

export const root: string = join(import.meta.dirname, "../..")

const bin = (name: string) => join(root, "node_modules/.bin", name)

export const runtimes = {
  bun: [bin("bun")],
  deno: [bin("deno"), "run", "-A"],
  node: [bin("node"), "--conditions=@effect-epilogue/source"]
} as const satisfies Record<Runtime, ReadonlyArray<string>>

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  /** Waits until the process has written `text` to standard output or standard error. Dies if it ends before. */
  readonly wrote: (text: string) => Effect.Effect<void>
  readonly kill: (signal: NodeJS.Signals) => void
  /** Sends a signal that does not count as a repetition of the last one. */
  readonly killAgain: (signal: NodeJS.Signals) => Effect.Effect<void>
  readonly ended: Effect.Effect<Ended>
  /** The text that it has written so far. */
  readonly output: Pick<Ended, "stdout" | "stderr">
  readonly child: ChildProcess
}

/** Starts the command. When the scope closes, it is killed with SIGKILL. */
export const start = (
  runtime: Runtime,
  args: ReadonlyArray<string>,
  options: {
    readonly cwd?: string
    /** Flags of the runtime. */
    readonly flags?: ReadonlyArray<string>
    readonly env?: Readonly<Record<string, string>>
    /** What comes from standard input, which is empty unless set. */
    readonly input?: string
  } = {}
): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const [command, ...flags] = runtimes[runtime]
      const child = spawn(command, [...flags, ...options.flags ?? [], join(root, "src/cli/main.ts"), ...args], {
        cwd: options.cwd ?? root,
        env: { ...process.env, NO_COLOR: "1", ...options.env },
        stdio: ["pipe", "pipe", "pipe"]
      })
      // a command that does not read it may have ended
      child.stdin.on("error", () => {}).end(options.input)
      const output = { stdout: "", stderr: "" }
      const waiting = new Set<() => void>()
      for (const name of ["stdout", "stderr"] as const) {
        child[name].setEncoding("utf8").on("data", (chunk: string) => {
          output[name] += chunk
          for (const look of waiting) look()
        })
      }
      const closed = new Promise<Ended>((resolve) =>
        child.once("close", (code, signal) => {
          resolve({ code, signal, ...output })
          for (const look of waiting) look()
        })
      )
      const wrote = (text: string) =>
        Effect.callback<void>((resume) => {
          const look = () => {
            const found = output.stdout.includes(text) || output.stderr.includes(text)
            if (!found && child.exitCode === null && child.signalCode === null) return
            waiting.delete(look)
            resume(found ? Effect.void : Effect.die(new Error(`it ended without: ${text}\n${JSON.stringify(output)}`)))
          }
          waiting.add(look)
          look()
        })
      const running: Running = {
        child,
        output,
        wrote,
        kill: (signal) => void child.kill(signal),
        killAgain: (signal) => Effect.delay(Effect.sync(() => void child.kill(signal)), echo + 100),
        ended: Effect.promise(() => closed)
      }
      return running
    }),
    ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
  )

/** Runs the command to its end. */
export const epilogue = (
  runtime: Runtime,
  args: ReadonlyArray<string>,
  options?: Parameters<typeof start>[2]
): Effect.Effect<Ended> => Effect.scoped(Effect.flatMap(start(runtime, args, options), ({ ended }) => ended))

/** Runs an Effect for each of {@link someRuntimes}, concurrently. The code of the test decides which these are. */
export const onEachRuntime = <A, E, R>(f: (runtime: Runtime) => Effect.Effect<A, E, R>): Effect.Effect<void, E, R> =>
  Effect.forEach(someRuntimes(`${f}`), f, { concurrency: "unbounded", discard: true })

/** Asserts the exit code of a process, and shows its output where the code differs. */
export const assertExitCode = (ended: Ended, code: number): void =>
  assert.equal(ended.code, code, `${JSON.stringify(ended, null, 2)}`)
