/**
 * Several monitors of one run.
 *
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import { layers } from "./internal/together.ts"

/**
 * Combines monitors, so that each is told of the runs. At the end they send what is left at the same time.
 *
 * **Gotchas**
 *
 * Monitors side by side in `Layer.mergeAll` or in one `Effect.provide([…])` don't see each other: only the last would be
 * told. A monitor may stand beside alerters, and beside other observers such as progress and records.
 *
 * @example
 * ```ts
 * import { Healthchecks, layerAll, UptimeKuma } from "effect-epilogue/monitors"
 *
 * const monitors = layerAll(Healthchecks.layerConfig(), UptimeKuma.layerConfig())
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAll = <Monitors extends ReadonlyArray<Layer.Layer<never, unknown, unknown>>>(
  ...monitors: Monitors
): Layer.Layer<never, Layer.Error<Monitors[number]>, Layer.Services<Monitors[number]>> => layers(monitors)
