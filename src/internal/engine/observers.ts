/** How observers are provided. */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type { Observer, RunEvent } from "../../RunEvent.ts"
import { defaultTimeout } from "../model/hook.ts"

type Observers = Context.Reference<ReadonlyArray<Observer>>

/**
 * Built anew wherever it is provided: one that is remembered would bring back the observers of where it was first. Who
 * is told already is not told twice.
 */
export const layer = (key: Observers, observers: ReadonlyArray<Observer>): Layer.Layer<never> =>
  Layer.fresh(Layer.effect(
    key,
    Effect.map(key, (present) => [...present, ...observers.filter((observer) => !present.includes(observer))])
  ))

/** @internal */
export const layerEffect = <R>(
  key: Observers,
  observer: (event: RunEvent) => Effect.Effect<unknown, unknown, R>
): Layer.Layer<never, never, R> => {
  const own = new WeakSet<Observer>()
  return Layer.fresh(Layer.effect(
    key,
    Effect.gen(function*() {
      const present = yield* key
      if (present.some((one) => own.has(one))) return present
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
      const offer: Observer = (event) => void Queue.offerUnsafe(queue, event)
      own.add(offer)
      return [...present, offer]
    })
  ))
}
