/**
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Alerter } from "../Alerter.ts"
import { dropped } from "../internal/alerts/metrics.ts"
import { iso, Millis, remember, timeOf, withFields } from "./internal/entries.ts"
import { countOf } from "./internal/options.ts"
import { aroundAll, isFailure, type Post, subject } from "./internal/policy.ts"
import { makeState, type Persisted } from "./internal/state/persisted.ts"

/**
 * Options of {@link afterConsecutive}.
 *
 * @category models
 * @since 0.1.0
 */
export interface AfterConsecutiveOptions<P extends string | undefined = undefined> {
  /**
   * The name of this policy's entry in the `KeyValueStore`, used by no other policy of its kind. In memory by default.
   */
  readonly persist?: P | undefined
}

/**
 * Drops failures about a subject until `n` of them have come in a row.
 *
 * **When to use**
 *
 * For steps that fail now and then and succeed on the next run, where a single failure needs no attention.
 *
 * **Details**
 *
 * The subject of an alert is its `dedupeKey`, else the step or run in its `source`, else its title. A failure is an
 * alert of severity `warning` or worse. The `n`th failure in a row and those after it are delivered, with their number
 * in a field `in a row`. A `success` is delivered and ends the row. An `info` is delivered and changes nothing.
 *
 * Failures are counted whether or not their delivery succeeds.
 *
 * **Gotchas**
 *
 * - Pipe `afterConsecutive` after `dedupe`, `recovered` and `throttle`. Otherwise they take alerts for delivered that
 *   it drops, and it does not count the alerts that they hold back.
 * - An `n` that is not a whole number of at least 1 is a defect when the layer is built.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { afterConsecutive } from "effect-epilogue/delivery"
 *
 * const alerter = Slack.layerConfig().pipe(afterConsecutive(3))
 *
 * // for a script that a scheduler starts again and again: the count is kept in a KeyValueStore
 * const everyMinute = Slack.layerConfig().pipe(afterConsecutive(3, { persist: "every-minute" }))
 * ```
 *
 * @see {@link recovered} for an alert when the step succeeds again
 *
 * @category policies
 * @since 0.1.0
 */
export const afterConsecutive: {
  <P extends string | undefined = undefined>(
    n: number,
    options?: AfterConsecutiveOptions<P>
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R | Persisted<P>>
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    n: number,
    options?: AfterConsecutiveOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>>
} = dual(
  (args) => Layer.isLayer(args[0]),
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    n: number,
    options?: AfterConsecutiveOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => aroundAll((post) => make(post, n, options?.persist), "takes")(self)
)

const Streak = Schema.Struct({ count: Schema.Natural, since: Millis })

const make = <P extends string | undefined>(
  inner: Post,
  n: number,
  persist: P
): Effect.Effect<Post, never, Persisted<P>> =>
  Effect.map(makeState("afterConsecutive", persist, Streak), (state) => {
    countOf("afterConsecutive", "n", n)
    return (alert) =>
      Effect.gen(function*() {
        const key = subject(alert)
        if (!isFailure(alert)) {
          if (alert.resolves) yield* state.modify((streaks) => streaks.delete(key))
          return yield* inner(alert)
        }
        const at = yield* timeOf(alert)
        const { count, since } = yield* state.modify((streaks) => {
          const before = streaks.get(key) ?? { count: 0, since: at }
          const streak = { ...before, count: before.count + 1 }
          remember(streaks, key, streak)
          return streak
        })
        if (count < n) return yield* dropped("afterConsecutive")
        yield* inner(count === 1 ? alert : withFields(alert, { "in a row": `${count} failures since ${iso(since)}` }))
      })
  })
