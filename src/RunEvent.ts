/**
 * Describes everything that happens in a run as events, and provides observers that receive them.
 *
 * **Details**
 *
 * A run without observers builds no events, so they cost nothing where they are not used.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as internal from "./internal/engine/observers.ts"
import type { Observer, RunEvent } from "./internal/model/events.ts"
import * as observers from "./internal/model/observers.ts"

export type { HookInfo, RunInfo, StepInfo } from "./internal/model/eventInfo.ts"
export type {
  AlertPosted,
  AttemptFailed,
  HookEnded,
  HookFailed,
  HookSkipped,
  HookStarted,
  Observer,
  Outcome,
  RunEnded,
  RunEvent,
  RunLogged,
  RunOverdue,
  RunStarted,
  StepEnded,
  StepLogged,
  StepOverdue,
  StepProgress,
  StepSkipped,
  StepStarted
} from "./internal/model/events.ts"
export type { Synchronous } from "./internal/model/synchronous.ts"

/**
 * The observers of all runs inside. Each run reads them once, when it starts.
 *
 * @see {@link layer} for adding observers
 *
 * @category references
 * @since 0.1.0
 */
export const Observers: Context.Reference<ReadonlyArray<Observer>> = observers.Observers

/**
 * Adds observers to those that are already provided. An observer that is among those is not added again.
 *
 * **Gotchas**
 *
 * Layers side by side in one `Layer.mergeAll` don't see each other, so only the observers of one of them would
 * be called: give all observers to one call, or stack the layers with `Layer.provideMerge`.
 *
 * @example
 * ```ts
 * import { RunEvent } from "effect-epilogue"
 *
 * const trace = RunEvent.layer((event) => console.log(event._tag))
 * ```
 *
 * @see {@link layerEffect} for observers that do slow work
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (...observers: ReadonlyArray<Observer>): Layer.Layer<never> => internal.layer(observers)

/**
 * Adds an observer that handles events on a fiber of its own, one after another, so that the run does not wait
 * for it. Closing the layer's scope waits until all events are handled.
 *
 * **Details**
 *
 * An event whose handling fails is logged, as is one that takes longer than `Hook.defaultTimeout`. The events
 * after it are handled all the same.
 *
 * @see {@link layer} for observers that are functions
 *
 * @category layers
 * @since 0.1.0
 */
export const layerEffect = <R>(
  observer: (event: RunEvent) => Effect.Effect<unknown, unknown, R>
): Layer.Layer<never, never, R> => internal.layerEffect(observer)
