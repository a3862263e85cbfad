/** Starts the child process of a supervised run, and reads its pipes. */
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import process from "node:process"
import type { Scrub } from "../../internal/text/secrets.ts"
import { hangupVariable, isHangupIgnored } from "../../main/internal/signals.ts"
import { errRelayed, outRelayed } from "../terminal.ts"
import type { Death } from "./alerts.ts"
import { killsForMemory, watch } from "./memory.ts"
import { type Message, postsVariable, reader, showsVariable, variable } from "./protocol.ts"
import * as Relay from "./relay.ts"

/** The child could not be started. */
export class SpawnError extends Data.TaggedError("SpawnError")<{ readonly command: string; readonly code: string }> {
  override get message(): string {
    return `${this.command} could not be started: ${this.code}`
  }
}

/** A running child process. */
export interface Child {
  /** Succeeds when the child has ended and all its reports have been read. */
  readonly death: Effect.Effect<Death>
  readonly isDead: () => boolean
  readonly kill: (signal: NodeJS.Signals) => boolean
}

/** The number of characters of stderr that are kept, the last ones. */
const maxTail = 16 * 1024

/**
 * How long to read the pipes after the child has ended, in milliseconds. They do not end by themselves while a process
 * that the child started holds them open. Reading takes `first`, then goes on by `more` while there is data, for `most`
 * at most.
 */
const drain = { first: 400, more: 100, most: 3000 }

/** The command line of a process, and its environment. */
export interface Invocation {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Whether this process has an alerter. */
  readonly posts: boolean
  /** Whether this process shows the runs of the child, and what it prints. */
  readonly shows: boolean
  /** Removes secrets from what the child writes to stderr. */
  readonly scrub: Scrub
}

/** @internal */
export const start = (
  { args, command, env, posts, scrub, shows }: Invocation,
  onMessage: (message: Message) => void
): Effect.Effect<Child, SpawnError> =>
  Effect.callback((resume) => {
    const fail = (error: unknown) => {
      const code = error instanceof Error ? ("code" in error ? String(error.code) : error.message) : String(error)
      resume(Effect.fail(new SpawnError({ command, code })))
    }
    const since = Date.now()
    try {
      const child = spawn(command, args, {
        stdio: ["inherit", shows ? "pipe" : "inherit", "pipe", "pipe"],
        env: {
          ...process.env,
          ...env,
          [variable]: "3",
          ...(posts ? { [postsVariable]: "1" } : {}),
          ...(shows ? { [showsVariable]: "1" } : {}),
          ...(isHangupIgnored() ? { [hangupVariable]: "1" } : {})
        }
      })
      const death = Deferred.makeUnsafe<Death>()
      const killsBefore = killsForMemory()
      const isDead = follow(child, since, scrub, onMessage, (end) => {
        const killed = end.signal === "SIGKILL" && killsForMemory() > killsBefore
        Deferred.doneUnsafe(death, Effect.succeed(killed ? { ...end, outOfMemory: true } : end))
      })
      // not `child.kill`, since Deno then reports that signal as the end, whatever the end was
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
    // the process has just exited
    return false
  }
}

/** Reads the pipes of a child until its end. Returns a function that tells whether the child has exited. */
const follow = (
  child: ChildProcess,
  since: number,
  scrub: Scrub,
  onMessage: (message: Message) => void,
  onDeath: (death: Death) => void
): () => boolean => {
  let dead = false
  let tail = ""
  // of all that is written, since a long stack trace may follow what says so
  const memory = watch()
  const relay = Relay.make((text) => errRelayed(scrub(text)))
  let reads = 0
  const messages = child.stdio[3]
  // what is not a pipe is inherited
  const pipes = [child.stdout, child.stderr, messages].flatMap((pipe) =>
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
    const take = pipe === messages ? reader(onMessage) : pipe === child.stdout ? outRelayed : (text: string) => {
      relay.take(text)
      memory.take(text)
      // longer than what is shown in the end: a secret whose beginning is cut off here could not be found
      tail = (tail + text).slice(-2 * maxTail)
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
      relay.end()
      for (const pipe of pipes) pipe.destroy()
      const stderr = scrub(tail).slice(-maxTail)
      // a process that has succeeded has only passed on what another one wrote
      const outOfMemory = code !== 0 && memory.found()
      onDeath({ code: code ?? undefined, signal: signal ?? undefined, at, since, stderr, outOfMemory })
    }
    // waits twice at least: on a busy machine the timer may fire before data that has already arrived is read
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
