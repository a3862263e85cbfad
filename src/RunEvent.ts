/**
 * The events of a run, as data, and the observers that get them.
 *
 * A run without observers builds no events.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as internal from "./internal/engine/observers.ts"
import type { Observer, RunEvent } from "./internal/model/events.ts"
import * as observers from "./internal/model/observers.ts"

export type {
  AttemptFailed,
  HookEnded,
  HookFailed,
  HookInfo,
  HookSkipped,
  HookStarted,
  Observer,
  Outcome,
  RunEnded,
  RunEvent,
  RunInfo,
  RunStarted,
  StepEnded,
  StepInfo,
  StepProgress,
  StepStarted
} from "./internal/model/events.ts"

/**
 * The observers of the runs inside. Each run reads them once, when it starts.
 *
 * @category references
 * @since 0.1.0
 */
export const Observers: Context.Reference<ReadonlyArray<Observer>> = observers.Observers

/**
 * Adds observers to those that are provided already, except for those that are
 * among them.
 *
 * **Gotchas**
 *
 * Layers side by side in one `Layer.mergeAll` don't see each other: give all
 * observers to one call, or stack the layers with `Layer.provideMerge`.
 *
 * @see {@link layerEffect} for observers that do slow work
 *
 * @example
 * ```ts
 * import { RunEvent } from "effect-epilogue"
 *
 * const trace = RunEvent.layer((event) => console.log(event._tag))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (...observers: ReadonlyArray<Observer>): Layer.Layer<never> => internal.layer(observers)

/**
 * Adds an observer that works on its own fiber, one event after another, without
 * holding up the run. Closing the layer's scope waits until it has handled the
 * events that are left, so that none is lost.
 *
 * **Details**
 *
 * A failure is logged, and so is an event that takes longer than
 * `Hook.defaultTimeout`; the events after it are handled all the same.
 *
 * @see {@link layer} for observers that are functions
 *
 * @category layers
 * @since 0.1.0
 */
export const layerEffect = <R>(
  observer: (event: RunEvent) => Effect.Effect<unknown, unknown, R>
): Layer.Layer<never, never, R> => internal.layerEffect(observer)
