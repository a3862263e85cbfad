/**
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Alerter, AlerterError } from "../Alerter.ts"
import type { Post } from "./internal/policy.ts"
import { allOf, combine, errorOf } from "./internal/several.ts"

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
  combine(layers, (posts) => toAll(posts, options?.succeeds ?? "all"))

const toAll = (posts: ReadonlyArray<Post>, succeeds: "all" | "any"): Post => {
  if (posts.length === 0) throw new Error("fanOut: no alerters are given")
  return (alert) =>
    Effect.gen(function*() {
      const outcomes = yield* Effect.forEach(
        posts,
        (post) =>
          Effect.matchCause(Effect.suspend(() => post(alert)), { onSuccess: () => undefined, onFailure: errorOf }),
        { concurrency: "unbounded" }
      )
      const errors = outcomes.filter((error) => error !== undefined)
      if (errors.length === 0) return
      if (succeeds === "any" && errors.length < posts.length) {
        return yield* Effect.logWarning(
          "effect-epilogue: an alert did not reach all of its channels",
          ...errors.map(({ message }) => message)
        )
      }
      return yield* Effect.fail(oneOf(errors))
    })
}

const oneOf = (errors: ReadonlyArray<AlerterError>): AlerterError => {
  const [first, second] = errors
  return first !== undefined && second === undefined ? first : allOf("fanOut", errors)
}
