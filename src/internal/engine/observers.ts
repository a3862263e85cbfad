/** The layers that provide observers. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type { Observer, RunEvent } from "../model/events.ts"
import { defaultTimeout } from "../model/hook.ts"
import { Observers } from "../model/observers.ts"
import * as Writer from "../text/writer.ts"

/**
 * Adds observers, except for those that are there already.
 *
 * The layer is fresh, so that it is built wherever it is provided: a memoized one would bring back the observers of the
 * place where it was built first.
 */
export const layer = (observers: ReadonlyArray<Observer>): Layer.Layer<never> =>
  Layer.fresh(Layer.effect(
    Observers,
    Effect.map(Observers, (present) => [...present, ...observers.filter((observer) => !present.includes(observer))])
  ))

/** Adds an observer that handles events on a fiber of its own. */
export const layerEffect = <R>(
  observer: (event: RunEvent) => Effect.Effect<unknown, unknown, R>
): Layer.Layer<never, never, R> => {
  const own = new WeakSet<Observer>()
  return Layer.fresh(Layer.effect(
    Observers,
    Effect.gen(function*() {
      const present = yield* Observers
      if (present.some((one) => own.has(one))) return present
      const queue = yield* Queue.unbounded<RunEvent, Cause.Done>()
      const handle = (event: RunEvent) =>
        Effect.catchCause(
          Effect.flatMap(defaultTimeout, (limit) => Effect.timeout(Effect.suspend(() => observer(event)), limit)),
          (cause) => Writer.logError(`observer failed on ${event._tag}`, cause)
        )
      const worker = yield* Effect.forkDetach(
        Effect.forever(Effect.flatMap(Queue.take(queue), handle)).pipe(Effect.exit),
        { startImmediately: true }
      )
      // ends the queue, and waits until the worker has handled the events in it
      yield* Effect.addFinalizer(() => Effect.andThen(Queue.end(queue), Fiber.await(worker)))
      const offer: Observer = (event) => void Queue.offerUnsafe(queue, event)
      own.add(offer)
      return [...present, offer]
    })
  ))
}
