/** The child process of a supervised run, as the parent has it. */
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import process from "node:process"
import type { Death } from "./alerts.ts"
import { reader, type Told, variable } from "./protocol.ts"

/** The child could not be started. */
export class SpawnError extends Data.TaggedError("SpawnError")<{ readonly command: string; readonly code: string }> {
  override get message(): string {
    return `${this.command} could not be started: ${this.code}`
  }
}

export interface Child {
  /** Succeeds when it has ended and all that it told has been read. */
  readonly death: Effect.Effect<Death>
  readonly isDead: () => boolean
  readonly kill: (signal: NodeJS.Signals) => boolean
}

/** How much of stderr is kept. */
const maxTail = 16 * 1024

/**
 * The ends of the pipes may be held open by a process that the child started. Then it
 * is waited so long for what is still in them, and while there is more, no longer than
 * that. In milliseconds.
 */
const drain = { first: 400, more: 100, most: 3000 }

/** What a process is run with. */
export interface Invocation {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>> | undefined
}

/** @internal */
export const start = (
  { args, command, env }: Invocation,
  onTold: (told: Told) => void
): Effect.Effect<Child, SpawnError> =>
  Effect.callback((resume) => {
    const fail = (error: unknown) => {
      const code = error instanceof Error ? ("code" in error ? String(error.code) : error.message) : String(error)
      resume(Effect.fail(new SpawnError({ command, code })))
    }
    const since = Date.now()
    try {
      const child = spawn(command, args, {
        stdio: ["inherit", "inherit", "pipe", "pipe"],
        env: { ...process.env, ...env, [variable]: "3" }
      })
      const death = Deferred.makeUnsafe<Death>()
      const isDead = follow(child, since, onTold, (end) => Deferred.doneUnsafe(death, Effect.succeed(end)))
      // not `child.kill`, since Deno then tells that signal as the end, whatever the end was
      const kill = (signal: NodeJS.Signals) => !isDead() && child.pid !== undefined && send(child.pid, signal)
      child.on("error", fail)
      child.once("spawn", () => resume(Effect.succeed({ death: Deferred.await(death), isDead, kill })))
    } catch (error) {
      // Bun throws
      fail(error)
    }
  })

const send = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, signal)
  } catch {
    // it has just exited
    return false
  }
}

/** Whether it has exited is what is returned. */
const follow = (
  child: ChildProcess,
  since: number,
  onTold: (told: Told) => void,
  onDeath: (death: Death) => void
): () => boolean => {
  let dead = false
  let tail = ""
  let reads = 0
  const told = child.stdio[3]
  // of the four, these two are ours to read
  const pipes = [child.stderr, told].flatMap((pipe) =>
    pipe !== null && pipe !== undefined && "read" in pipe ? [pipe] : []
  )
  const ends = pipes.map((pipe) =>
    new Promise<void>((resolve) => {
      pipe.once("close", resolve)
      pipe.once("end", resolve)
      pipe.on("error", () => resolve())
    })
  )
  for (const pipe of pipes) {
    pipe.setEncoding("utf8")
    const take = pipe === told ? reader(onTold) : (text: string) => {
      process.stderr.write(text)
      tail = (tail + text).slice(-maxTail)
    }
    pipe.on("data", (text: string) => {
      reads++
      take(text)
    })
  }
  child.once("exit", (code, signal) => {
    dead = true
    const at = Date.now()
    let timer: ReturnType<typeof setTimeout>
    const done = () => {
      clearTimeout(timer)
      for (const pipe of pipes) pipe.destroy()
      onDeath({ code: code ?? undefined, signal: signal ?? undefined, at, since, stderr: tail })
    }
    // twice at least: on a busy machine a timer may come before what is there to be read
    const wait = (millis: number) => {
      const before = reads
      timer = setTimeout(() => {
        if (millis === drain.more && (reads === before || Date.now() - at > drain.most)) done()
        else wait(drain.more)
      }, millis)
    }
    wait(drain.first)
    void Promise.all(ends).then(done)
  })
  return () => dead
}
