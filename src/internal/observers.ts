/** How observers are provided. */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type { Observer, RunEvent } from "../RunEvent.ts"
import { defaultTimeout } from "./hook.ts"

type Observers = Context.Reference<ReadonlyArray<Observer>>

/** @internal */
export const layer = (key: Observers, observers: ReadonlyArray<Observer>): Layer.Layer<never> =>
  Layer.effect(key, Effect.map(key, (present) => [...present, ...observers]))

/** @internal */
export const layerEffect = <R>(
  key: Observers,
  observer: (event: RunEvent) => Effect.Effect<unknown, unknown, R>
): Layer.Layer<never, never, R> =>
  Layer.effect(
    key,
    Effect.gen(function*() {
      const queue = yield* Queue.unbounded<RunEvent, Cause.Done>()
      const handle = (event: RunEvent) =>
        Effect.catchCause(
          Effect.flatMap(defaultTimeout, (limit) => Effect.timeout(Effect.suspend(() => observer(event)), limit)),
          (cause) => Effect.logError(`observer failed on ${event._tag}`, cause)
        )
      const worker = yield* Effect.forkDetach(
        Effect.forever(Effect.flatMap(Queue.take(queue), handle)).pipe(Effect.exit),
        { startImmediately: true }
      )
      // ends the queue and waits until the worker has seen all that was in it
      yield* Effect.addFinalizer(() => Effect.andThen(Queue.end(queue), Fiber.await(worker)))
      return [...(yield* key), (event: RunEvent) => void Queue.offerUnsafe(queue, event)]
    })
  )
