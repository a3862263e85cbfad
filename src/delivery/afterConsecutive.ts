/**
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Alert } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import type { Telling } from "../internal/alerts/digest.ts"
import { dropped } from "../internal/alerts/metrics.ts"
import { heldBackBefore, withNote } from "../internal/alerts/notes.ts"
import { overdueTag } from "../internal/alerts/notices.ts"
import { checked } from "../internal/model/options.ts"
import { Millis, remember, timeOf } from "./internal/entries.ts"
import { timeIn } from "./internal/hold/count.ts"
import { countOf } from "./internal/options.ts"
import { around, isDigest, isFailure, isNotice, isRepeats, type Post, subject } from "./internal/policy.ts"
import { makeState, type Persisted } from "./internal/state/persisted.ts"

/**
 * Options of {@link afterConsecutive}.
 *
 * @category models
 * @since 0.1.0
 */
export interface AfterConsecutiveOptions<P extends string | undefined = undefined> {
  /**
   * The name of this policy's state in the {@link Store}, used by no other policy of its kind. In memory by default.
   */
  readonly persist?: P | undefined
  /** The time zone of the times in alerts. The channel's by default, else the machine's. */
  readonly timeZone?: DateTime.TimeZone | undefined
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
 * Failures are counted whether or not their delivery succeeds. A run that is overdue and then fails counts once.
 *
 * **Gotchas**
 *
 * - Pipe `afterConsecutive` after `dedupe` and `throttle`. Otherwise it does not count the alerts that they hold back.
 * - An `n` that is not a whole number of at least 1 is a defect when the layer is built.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { afterConsecutive } from "effect-epilogue/delivery"
 *
 * const alerter = Slack.layerConfig().pipe(afterConsecutive(3))
 *
 * // for a script that a scheduler starts again and again: the count is kept in a Store
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
  ): Layer.Layer<Alerter, E, R | Persisted<P>> =>
    around((post, zone, words) => {
      const { persist, timeZone = zone } = checked("afterConsecutive", options ?? {}, known)
      return make(post, n, persist, { zone: timeZone, words })
    }, "wants")(self)
)

const Streak = Schema.Struct({
  count: Schema.Natural,
  since: Millis,
  /** The id of the run that the last one of them has said to be overdue. */
  late: Schema.optionalKey(Schema.String)
})

const known = { persist: 0, timeZone: 0 } as const

const make = <P extends string | undefined>(
  inner: Post,
  n: number,
  persist: P,
  { words, zone }: Telling
): Effect.Effect<Post, never, Persisted<P>> =>
  Effect.map(makeState("afterConsecutive", persist, Streak), (state) => {
    countOf("afterConsecutive", "n", n)

    /** Counts a failure. */
    const count = (alert: Alert) =>
      Effect.flatMap(timeOf(alert), (at) =>
        state.modify((streaks) => {
          const { count, late, since } = streaks.get(subject(alert)) ?? { count: 0, since: at }
          const run = alert.source?.runId
          const isLate = alert.tags.includes(overdueTag)
          // a run that was overdue, and then fails, has failed once
          const isCounted = !isLate && run !== undefined && late === run
          const streak = {
            count: isCounted ? count : count + 1,
            since,
            ...(isLate && run !== undefined ? { late: run } : {})
          }
          remember(streaks, subject(alert), streak)
          return streak
        }))

    const reset = (alert: Alert) => state.modify((streaks) => streaks.delete(subject(alert)))

    /** Drops a combined alert if it has nothing but failures that are to be dropped. */
    const combined = (alert: Alert) =>
      Effect.gen(function*() {
        let isNews = alert.combines.length === 0 || isRepeats(alert)
        for (const part of isRepeats(alert) ? [] : alert.combines) {
          if (!isFailure(part)) {
            isNews = true
            if (part.resolves) yield* reset(part)
          } else if ((yield* count(part)).count >= n || heldBackBefore(part) > 0) isNews = true
        }
        yield* isNews ? inner(alert) : dropped(alert, "afterConsecutive")
      })

    return (alert) =>
      Effect.gen(function*() {
        if (isNotice(alert)) return yield* inner(alert)
        if (isDigest(alert)) return yield* combined(alert)
        if (!isFailure(alert)) {
          if (alert.resolves) yield* reset(alert)
          return yield* inner(alert)
        }
        const { count: failures, since } = yield* count(alert)
        if (failures < n) return yield* dropped(alert, "afterConsecutive")
        yield* inner(
          failures === 1
            ? alert
            : withNote(
              alert,
              { kind: "in a row", name: words.inARow, count: failures, since },
              words.failuresInARow(failures, timeIn(since, zone))
            )
        )
      })
  })
