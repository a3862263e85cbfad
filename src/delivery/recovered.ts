/**
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Alert } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import type { Telling } from "../internal/alerts/digest.ts"
import { fromJson, single, SingleJson } from "../internal/alerts/json.ts"
import { dropped } from "../internal/alerts/metrics.ts"
import { locks, Millis, remember, timeOf } from "./internal/entries.ts"
import { allPlaces, arrivalOf, bothPlaces, conclude, isTold, showQuiet } from "./internal/places.ts"
import {
  configured,
  isDigest,
  isFailure,
  isLike,
  isNoFailure,
  isNotice,
  isRepeats,
  orTaken,
  type Post,
  subject
} from "./internal/policy.ts"
import { recovery } from "./internal/recovery.ts"
import { makeState, type Persisted } from "./internal/state/persisted.ts"

/**
 * Options of {@link recovered}.
 *
 * @category models
 * @since 0.1.0
 */
export interface RecoveredOptions<P extends string | undefined = undefined> {
  /**
   * The name of this policy's state in the {@link Store}, used by no other policy of its kind. In memory by default.
   */
  readonly persist?: P | undefined
  /** The time zone of the times in alerts. The channel's by default, else the machine's. */
  readonly timeZone?: DateTime.TimeZone | undefined
  /** Whether to post or drop successes that do not follow a delivered failure. `"post"` by default. */
  readonly successes?: "post" | "drop" | undefined
}

/**
 * Turns the first success that resolves delivered failures about the same subject into a recovery.
 *
 * **When to use**
 *
 * To let people know that a failure which they were alerted to is over. With `successes: "drop"` they read about
 * failures and recoveries alone.
 *
 * **Details**
 *
 * The subject of an alert is its `dedupeKey`, else the step or run in its `source`, else its title. A failure is an
 * alert of severity `warning` or worse, and counts if it was delivered.
 *
 * A recovery has `recovered` in its title and tags, and the number of failures, the time of the first and the duration of
 * the outage in its fields. Interruptions and what was overdue are recovered from, too, and do not count as failures. The
 * recovery goes where the failures were delivered: to the alerters of a `route` or `fanOut` that were told of them. A
 * failure that `minSeverity` or `afterConsecutive` has dropped was not delivered, and is not recovered from. Where a later
 * one was, those that `afterConsecutive` has dropped before it count, as they do in its alert. The outage is forgotten
 * once the recovery has been delivered; if that fails, the next success is the recovery.
 *
 * **Gotchas**
 *
 * - A failure that a hook of your own has posted recovers with a success that has its `dedupeKey`, and that you post, too.
 *   `AlerterHooks.failure` posts it by itself.
 * - A step without a key (`Step.key`) has recovered at the end of a run in which it succeeded and no evaluation of it
 *   failed for good, since another evaluation may fail after the first has succeeded. One with a key has at once.
 *
 * @example
 * ```ts
 * import { AlerterHooks } from "effect-epilogue"
 * import { Slack } from "effect-epilogue/alerters"
 * import { afterConsecutive, recovered } from "effect-epilogue/delivery"
 *
 * // the hook of failures is enough: what succeeds is posted to the policy, and people read of the recovery
 * const hooks = AlerterHooks.failure
 *
 * // a script that runs each night alerts from the second failed night in a row on, and when a night succeeds again
 * const alerter = Slack.layerConfig().pipe(
 *   recovered({ successes: "drop", persist: "nightly-etl" }),
 *   afterConsecutive(2, { persist: "nightly-etl" })
 * )
 * ```
 *
 * @see {@link afterConsecutive} for ignoring single failures
 * @see {@link dedupe} for holding back repeated failures
 *
 * @category policies
 * @since 0.1.0
 */
export const recovered: {
  <P extends string | undefined = undefined>(
    options?: RecoveredOptions<P>
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R | Persisted<P>>
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options?: RecoveredOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>>
} = dual(
  (args) => Layer.isLayer(args[0]),
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: RecoveredOptions<P> = {}
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => configured("recovered", options, known, make, "wants")(self)
)

const Outage = Schema.Struct({
  failures: Schema.Natural,
  /** How many of them are interruptions, or of what is overdue. */
  others: Schema.optionalKey(Schema.Natural),
  since: Millis,
  /** The failures that were delivered, one of each severity and tags, by which the recovery finds their channels. */
  alerts: Schema.optionalKey(Schema.Array(SingleJson)),
  /** The places that have been told of the recovery, where others have not. */
  told: Schema.optionalKey(Schema.Array(Schema.String))
})
type Outage = (typeof Outage)["Type"]

const known = { persist: 0, timeZone: 0, successes: 0 } as const

const make = <P extends string | undefined>(
  inner: Post,
  { persist, successes = "post" }: RecoveredOptions<P>,
  telling: Telling
): Effect.Effect<Post, never, Persisted<P>> =>
  Effect.map(makeState("recovered", persist, Outage), (state) => {
    const oneAtATime = locks()

    const failed = (post: Post, alert: Alert, at: number) =>
      Effect.gen(function*() {
        const arrival = yield* arrivalOf(post(alert))
        // one that was dropped, or has reached nobody, is not to be recovered from
        if (isTold(arrival)) {
          yield* state.modify((outages) => count(outages, alert.with({ told: arrival.told }), at))
        }
        yield* conclude(arrival)
      })

    const succeeded = (post: Post, alert: Alert, key: string, at: number) =>
      Effect.gen(function*() {
        const outage = yield* state.modify((outages) => outages.get(key))
        if (outage !== undefined) {
          const { alerts = [], failures, others = 0, since, told = [] } = outage
          const over = { alerts: alerts.map(fromJson), failures: failures - others, since, told }
          const arrival = yield* arrivalOf(post(recovery(alert, over, at, telling)))
          yield* state.modify((outages) => {
            const now = outages.get(key)
            if (now === undefined) return
            // another process may have delivered a failure meanwhile
            const later = now.failures - failures
            if (Exit.isFailure(arrival.exit)) {
              outages.set(key, { ...now, told: allPlaces(now.told, arrival.told) })
            } else if (later > 0) {
              outages.set(key, { ...now, failures: later, others: (now.others ?? 0) - others, since: at, told: [] })
            } else outages.delete(key)
          })
          if (alert.quiet && isTold(arrival)) yield* showQuiet
          yield* conclude(arrival)
        } else if (successes === "post" || alert.quiet) {
          yield* post(alert)
        } else {
          yield* dropped(alert, "recovered")
        }
      })

    /** Posts the end of what was overdue, of which it tells: nothing is to be recovered from where nothing else has failed. */
    const ended = (post: Post, alert: Alert, key: string) =>
      Effect.gen(function*() {
        const arrival = yield* arrivalOf(post(alert))
        if (isTold(arrival)) {
          yield* state.modify((outages) => {
            const outage = outages.get(key)
            if (outage?.alerts?.every((one) => alert.recovers.some((over) => isLike(one, over))) !== true) return
            if (Exit.isFailure(arrival.exit)) {
              outages.set(key, { ...outage, told: allPlaces(outage.told, arrival.told) })
            } else outages.delete(key)
          })
        }
        yield* conclude(arrival)
      })

    /** Posts a combined alert, and keeps what it has told of failures and successes. */
    const combined = (alert: Alert) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const arrival = yield* arrivalOf(orTaken(restore(Effect.suspend(() => inner(alert)))))
          // duplicates of a failure do not begin it anew, since it may be over
          if (isTold(arrival) && !isRepeats(alert)) {
            for (const part of alert.combines) {
              const at = yield* timeOf(part)
              yield* state.modify((outages) => {
                if (isFailure(part)) count(outages, part.with({ told: arrival.told }), at)
                else if (part.resolves) outages.delete(subject(part))
              })
            }
          }
          yield* conclude(arrival)
        })
      )

    return (alert) => {
      if (isNotice(alert)) return inner(alert)
      if (isDigest(alert)) {
        return successes === "drop" && alert.combines.length > 0 && alert.combines.every(isPlainSuccess)
          ? dropped(alert, "recovered")
          : combined(alert)
      }
      const failure = isFailure(alert)
      if (!failure && !alert.resolves && alert.recovers.length === 0) {
        return isPlainSuccess(alert) && successes === "drop" ? dropped(alert, "recovered") : inner(alert)
      }
      const key = subject(alert)
      return Effect.flatMap(timeOf(alert), (at) =>
        // Only the post is interruptible: a delivered failure must not be missing from the state.
        oneAtATime(key)(Effect.uninterruptibleMask((restore) => {
          const post: Post = (alert) => orTaken(restore(Effect.suspend(() => inner(alert))))
          return failure
            ? failed(post, alert, at)
            : alert.resolves
            ? succeeded(post, alert, key, at)
            : ended(post, alert, key)
        })))
    }
  })

/** Counts a failure that has been told. */
const count = (outages: Map<string, Outage>, alert: Alert, at: number): void => {
  const key = subject(alert)
  const { alerts = [], failures, others = 0, since: first, told = [] } = outages.get(key) ?? { failures: 0, since: at }
  // nothing has failed before the first failure
  const since = failures === others ? at : first
  // the alert says how many have failed before it, since when: a recovery that told of fewer would contradict it
  const row = alert.notes.find(({ kind }) => kind === "in a row")
  remember(outages, key, {
    failures: Math.max(failures + 1, row?.count ?? 0),
    others: isNoFailure(alert) ? others + 1 : others,
    since: Math.min(since, row?.since ?? since),
    alerts: withAlert(alerts, alert),
    // whoever has been told of another failure is to be told of the recovery again
    told: alert.told.length === 0 ? [] : told.filter((place) => !alert.told.includes(place))
  })
}

const isPlainSuccess = ({ recovers, severity }: Alert): boolean => severity === "success" && recovers.length === 0

/** The most failures of one outage that are kept, and the length of their texts. */
const maxAlerts = 5
const maxText = 300

/** Adds a failure, or its places if there is one of its severity and tags, and so of its route as a rule. */
const withAlert = (alerts: ReadonlyArray<typeof SingleJson.Type>, alert: Alert): typeof alerts => {
  const like = alerts.findIndex((one) => isLike(one, alert))
  const at = like < 0 && alerts.length === maxAlerts ? maxAlerts - 1 : like
  return at >= 0
    ? alerts.map((one, i) => i === at ? { ...one, told: bothPlaces(one.told ?? [], alert.told) } : one)
    : [
      ...alerts,
      single(alert.with({
        title: alert.title.slice(0, maxText),
        body: alert.body?.slice(0, maxText),
        fields: alert.fields.slice(0, 20).map(({ name, value }) => ({ name, value: value.slice(0, maxText) })),
        detail: undefined,
        attachments: [],
        quiet: false
      }))
    ]
}
