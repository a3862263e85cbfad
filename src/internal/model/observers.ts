/** The references to the observers of a run. */
import * as Context from "effect/Context"
import type { Observer } from "./events.ts"

/** The public reference. Defined here, and not in `RunEvent.ts`, so that a step loads only this. */
export const Observers: Context.Reference<ReadonlyArray<Observer>> = Context.Reference<ReadonlyArray<Observer>>(
  "effect-epilogue/RunEvent/Observers",
  { defaultValue: () => [] }
)

/**
 * The observers of alerters that need to know of runs. Apart from {@link Observers}: an alerter's layer beside a layer
 * of observers would otherwise replace them.
 */
export const AlerterObservers: Context.Reference<ReadonlyArray<Observer>> = Context.Reference<ReadonlyArray<Observer>>(
  "effect-epilogue/Alerter/Observers",
  { defaultValue: () => [] }
)

/** The observers of monitors, apart from the others for the same reason. */
export const MonitorObservers: Context.Reference<ReadonlyArray<Observer>> = Context.Reference<ReadonlyArray<Observer>>(
  "effect-epilogue/Monitor/Observers",
  { defaultValue: () => [] }
)
