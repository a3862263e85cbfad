/**
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Alerter } from "../Alerter.ts"
import { heldBack } from "../internal/alerts/metrics.ts"
import { iso, Millis, remember, timeOf, withFields } from "./internal/entries.ts"
import { countOf } from "./internal/options.ts"
import { around, isFailure, type Post, subject } from "./internal/policy.ts"
import { makeState, type Persisted } from "./internal/state/persisted.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface AfterConsecutiveOptions<P extends string | undefined = undefined> {
  /** The name, for this use alone, under which the `KeyValueStore` remembers. In memory unless set. */
  readonly persist?: P | undefined
}

/**
 * Lets failures of the same step (or with the same `dedupeKey`, or title) pass only
 * from the `n`th in a row on. It and those that follow say how many there have been,
 * in a field `in a row`. A failure is a `warning`, or worse; a `success` ends the
 * row, and passes, as does an `info`, which ends none.
 *
 * Ask it early: pipe it after `dedupe`, `recovered` and `throttle`, so that what it
 * drops counts as delivered nowhere, and what they drop is counted here.
 *
 * An `n` that is no whole number of at least 1 is a defect when the layer is built.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { afterConsecutive } from "effect-epilogue/delivery"
 *
 * const alerter = Slack.layerConfig().pipe(afterConsecutive(3))
 *
 * // for a script that starts anew each time, with the count in a KeyValueStore
 * const everyMinute = Slack.layerConfig().pipe(afterConsecutive(3, { persist: "every-minute" }))
 * ```
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
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => around((post) => make(post, n, options?.persist))(self)
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
          if (alert.severity === "success") yield* state.modify((streaks) => streaks.delete(key))
          return yield* inner(alert)
        }
        const at = yield* timeOf(alert)
        const { count, since } = yield* state.modify((streaks) => {
          const before = streaks.get(key) ?? { count: 0, since: at }
          const streak = { ...before, count: before.count + 1 }
          remember(streaks, key, streak)
          return streak
        })
        if (count < n) return yield* heldBack("afterConsecutive")
        yield* inner(count === 1 ? alert : withFields(alert, { "in a row": `${count} failures since ${iso(since)}` }))
      })
  })
