/** Runs effects by `runMain` as processes of their own, within the process of a test. */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { EventEmitter } from "node:events"
import { Pipeline, Step } from "../../src/index.ts"
import type { MainOptions } from "../../src/main/index.ts"
import { type Host, run } from "../../src/main/internal/main.ts"

/** Runs an effect as a process of its own, which ends once `exit` is called or, by itself, with what the effect does. */
export const start = <A, E>(
  effect: Effect.Effect<A, E>,
  options: MainOptions = {},
  changes: Partial<Pick<Host, "exit" | "flushed">> = {}
) => {
  const host = new EventEmitter()
  const printed: Array<string> = []
  const end = Promise.withResolvers<number | "by itself">()
  run(
    // an effect that succeeds leaves the process to end by itself, after the observers of its fiber
    Effect.onExit(effect, () => Effect.sync(() => setImmediate(() => end.resolve("by itself")))).pipe(
      Effect.provideService(Logger.CurrentLoggers, new Set())
    ),
    options,
    {
      on: host.on.bind(host),
      off: host.off.bind(host),
      listenerCount: host.listenerCount.bind(host),
      exit: end.resolve,
      onUnload: (listener) => {
        host.on("unload", listener)
        return () => host.off("unload", listener)
      },
      print: (text) => printed.push(text),
      flushed: (then) => then(),
      ...changes
    }
  )
  return { emit: host.emit.bind(host), listening: () => host.eventNames(), end: end.promise, printed }
}

/** Waits until it is interrupted, and says that hooks have run. */
export const waiting = (then: Effect.Effect<unknown> = Effect.void) => {
  const ran: Array<string> = []
  const began = Promise.withResolvers<void>()
  const pipeline = Pipeline.make(
    "job",
    Step.make("wait", Effect.andThen(Effect.sync(began.resolve), Effect.never)).pipe(
      Step.onInterrupt(() => Effect.andThen(then, Effect.sync(() => ran.push("interrupt"))))
    )
  )
  return { pipeline, ran, began: began.promise }
}
