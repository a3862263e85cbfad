/** Progress as an observer. */
import * as Console from "effect/Console"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { writeSync } from "node:fs"
import process from "node:process"
import { Observers } from "../../../internal/model/observers.ts"
import { colorsOn, type ColorsOption, isTerminal, type StreamName } from "../../../internal/text/terminal.ts"
import type { Observer, RunEvent } from "../../../RunEvent.ts"
import { capture } from "./capture.ts"
import { make as makeGithub, plain } from "./github.ts"
import { Live } from "./live.ts"
import type { Terminal } from "./screen.ts"
import { type Mode, modeFor, surroundings } from "./settings.ts"

/** @internal */
export interface ProgressOptions {
  readonly mode?: "auto" | Mode | undefined
  readonly stream?: StreamName | undefined
  readonly colors?: ColorsOption | undefined
}

/** What shows progress already: who is told by one of them needs no other. */
const known = new WeakSet<Observer>()

/** One for all who use it at once, from the first of them to the last. */
const sharing = <A>() => {
  let held: { readonly value: A; users: number } | undefined
  return (make: () => A): Effect.Effect<A, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.sync(() => {
        held ??= { value: make(), users: 0 }
        held.users++
        return held.value
      }),
      () =>
        Effect.sync(() => {
          if (held !== undefined && --held.users === 0) held = undefined
        })
    )
}

// The process has one terminal, or one log. Who drew on it beside others would draw over them, and groups don't nest.
const theLive = sharing<Live>()
const theLog = sharing<(event: RunEvent) => ReadonlyArray<string>>()

/** Built anew wherever it is provided: what it adds to differs from place to place. */
export const layer = (
  { colors, mode = "auto", stream = "stderr" }: ProgressOptions = {}
): Layer.Layer<never> =>
  Layer.fresh(Layer.effect(
    Observers,
    Effect.gen(function*() {
      const present = yield* Observers
      if (present.some((observer) => known.has(observer))) return present
      const chosen = mode === "auto" ? modeFor(stream, surroundings()) : mode
      const context = yield* Effect.context<never>()
      const observer = chosen === "tree"
        ? yield* tree(() => liveOn(stream, colorsOn(stream, colors), context))
        : yield* lines(chosen, stream)
      known.add(observer)
      return [...present, observer]
    })
  ))

/** By the console, which tests can replace. */
const lines = (mode: Exclude<Mode, "tree">, stream: StreamName): Effect.Effect<Observer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const console = yield* Console.Console
    yield* unread(mode === "github" ? "stdout" : stream)
    if (mode === "github") {
      const toLines = yield* theLog(makeGithub)
      // the page on workflow commands says that they are sent by standard output
      return (event) => {
        for (const text of toLines(event)) console.log(text)
      }
    }
    return (event) => {
      const text = plain(event)
      if (text === undefined) return
      if (stream === "stdout") console.log(text)
      else console.error(text)
    }
  })

/** That nobody reads it any more, as behind `head`, is no reason for a run to fail: on Node it would end the process. */
const unread = (name: StreamName): Effect.Effect<void, never, Scope.Scope> => {
  const stream = process[name]
  const use = (change: number) => {
    users[name] += change
    stream.off("error", unlessUnread)
    if (users[name] > 0) stream.on("error", unlessUnread)
  }
  return Effect.acquireRelease(
    Effect.sync(() => use(1)),
    // it is told after the write
    () => Effect.sync(() => void setImmediate(() => use(-1)))
  )
}

const users: Record<StreamName, number> = { stdout: 0, stderr: 0 }

function unlessUnread(this: NodeJS.WriteStream, error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE" && this.listenerCount("error") === 1) throw error
}

const tree = (make: () => Live): Effect.Effect<Observer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { close, observer } = (yield* theLive(make)).watch()
    yield* Effect.addFinalizer(() => Effect.sync(close))
    return observer
  })

const liveOn = (
  stream: StreamName,
  colors: boolean,
  context: Context.Context<never>
): Live => {
  const watched = (["stdout", "stderr"] as const).filter((name) => name === stream || isTerminal(name))
  return new Live({ terminal: terminalOf(stream), colors, context, capture: (handlers) => capture(watched, handlers) })
}

const terminalOf = (name: StreamName): Terminal => {
  const fd = name === "stdout" ? 1 : 2
  return {
    // not by the stream, which may keep what it is given for later
    write: (text) => writeAll(fd, Buffer.from(text)),
    size: () => ({ columns: process[name].columns ?? 0, rows: process[name].rows ?? 0 })
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4))

const writeAll = (fd: number, bytes: Uint8Array): void => {
  let written = 0
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written)
    } catch (error) {
      // a terminal that is gone is no reason for a run to fail; one that is slow catches up
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return
      Atomics.wait(pause, 0, 0, 1)
    }
  }
}
