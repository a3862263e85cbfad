/**
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import type { Alerter } from "../Alerter.ts"
import * as internal from "./internal/fanOut.ts"
import { combine } from "./internal/several.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface FanOutOptions {
  /** How many channels an alert must have reached: `"all"` unless set, or `"any"` of them. */
  readonly succeeds?: "all" | "any" | undefined
}

/**
 * Posts each alert to several alerters at once. The post ends when that to each of
 * them has ended, so a slow or broken one keeps no other from delivery.
 *
 * With `"all"` it fails if any failed: with that one's error, or with one of the
 * channel `"fanOut"` that tells of each. With `"any"` it fails only if all did, and
 * logs a warning with the errors of those that failed beside one that did not.
 *
 * A layer that stands in the list twice gets each alert twice. The list must not be
 * empty, which the compiler sees to.
 *
 * Pipe `digest`, `quietHours`, `dedupe` and `throttle` around each layer of the list
 * rather than around all: what failed in one channel and is tried again is posted to
 * the others again.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { fanOut } from "effect-epilogue/delivery"
 * import { Config } from "effect"
 *
 * const everybody = fanOut([
 *   Slack.layerConfig(),
 *   Slack.layerConfig({ webhookUrl: Config.Redacted("ON_CALL_SLACK") })
 * ], { succeeds: "any" })
 * ```
 *
 * @category policies
 * @since 0.1.0
 */
export const fanOut = <
  const Layers extends readonly [
    Layer.Layer<Alerter, unknown, unknown>,
    ...ReadonlyArray<Layer.Layer<Alerter, unknown, unknown>>
  ]
>(
  layers: Layers,
  options?: FanOutOptions
): Layer.Layer<Alerter, Layer.Error<Layers[number]>, Layer.Services<Layers[number]>> =>
  combine(layers, (posts) => internal.toAll(posts, options?.succeeds ?? "all"))
