/**
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Alerter } from "../Alerter.ts"
import { droppedByAll } from "../internal/alerts/metrics.ts"
import { checked } from "../internal/model/options.ts"
import * as Writer from "../internal/text/writer.ts"
import { atPlace, isAt, quietly } from "./internal/places.ts"
import type { Post } from "./internal/policy.ts"
import { combine, oneOf, postAll } from "./internal/several.ts"

/**
 * Options of {@link fanOut}.
 *
 * @category models
 * @since 0.1.0
 */
export interface FanOutOptions {
  /** Whether a post succeeds if all alerters deliver the alert, or if any does. `"all"` by default. */
  readonly succeeds?: "all" | "any" | undefined
}

/**
 * Posts each alert to several alerters at the same time.
 *
 * **When to use**
 *
 * For alerts that are to arrive in more than one place: in the team's chat and with whoever is on call.
 *
 * **Details**
 *
 * - The post ends when all alerters have ended. A slow or broken one keeps no other from delivering.
 * - With `"all"` the post fails if any alerter fails: with its error if it is the only one, else with one error of the
 *   channel `"fanOut"` that contains all messages.
 * - With `"any"` the post fails only if all alerters fail. If some do, their errors are logged as a warning.
 * - Policies around the `fanOut` know which alerters an alert has reached. While one is down, what they post again goes to
 *   that one alone, and a recovery to those that were told of the failure.
 *
 * **Gotchas**
 *
 * - A layer that stands in the list twice gets each alert twice.
 * - With `persist`, policies know the alerters by their positions in the list.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { fanOut } from "effect-epilogue/delivery"
 * import { Config } from "effect"
 *
 * const alerter = fanOut([
 *   Slack.layerConfig(),
 *   Slack.layerConfig({ webhookUrl: Config.Redacted("ON_CALL_SLACK") })
 * ], { succeeds: "any" })
 * ```
 *
 * @see {@link fallback} for using a second alerter only if the first fails
 * @see {@link route} for choosing one alerter by the alert
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
  combine(
    "fanOut",
    layers,
    (posts) => Effect.sync(() => toAll(posts, checked("fanOut", options ?? {}, { succeeds: 0 }).succeeds ?? "all"))
  )

const toAll = (posts: ReadonlyArray<Post>, succeeds: "all" | "any"): Post => {
  if (posts.length === 0) throw new Error("fanOut: the list of alerters must not be empty")
  const members = posts.map((post, i) => ({ name: `${i}`, post: atPlace(`${i}`, post) }))
  return (alert) =>
    Effect.gen(function*() {
      const hears = (name: string) =>
        alert.recovers.length === 0 || alert.recovers.some((failure) => isAt(failure, name))
      const outcomes = yield* postAll(
        "fanOut",
        alert,
        members.map(({ name, post }) => post(hears(name) ? alert : quietly(alert))),
        succeeds
      )
      const errors = outcomes.filter((outcome) => typeof outcome !== "boolean")
      const posted = outcomes.filter((outcome) => typeof outcome === "boolean")
      if (errors.length === 0) return yield* droppedByAll(posted)
      if (succeeds === "any" && posted.length > 0) {
        yield* droppedByAll(posted)
        return yield* Writer.logWarning(
          "effect-epilogue: an alert did not reach all of its channels",
          ...errors.map(({ message }) => message)
        )
      }
      return yield* Effect.fail(oneOf("fanOut", errors))
    })
}
