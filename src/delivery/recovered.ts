/**
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Alert } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { fromJson, SingleJson, toJson } from "../internal/alerts/json.ts"
import { dropped } from "../internal/alerts/metrics.ts"
import { formatDuration } from "../internal/text/duration.ts"
import { subjectText } from "../internal/text/stepLabel.ts"
import { iso, locks, Millis, remember, timeOf, withFields } from "./internal/entries.ts"
import { aroundAll, isFailure, type Post, subject } from "./internal/policy.ts"
import { makeState, type Persisted } from "./internal/state/persisted.ts"

/**
 * Options of {@link recovered}.
 *
 * @category models
 * @since 0.1.0
 */
export interface RecoveredOptions<P extends string | undefined = undefined> {
  /**
   * The name of this policy's entry in the `KeyValueStore`, used by no other policy of its kind. In memory by default.
   */
  readonly persist?: P | undefined
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
 * A recovery has `recovered` in its title and tags, and the number of failures, the time of the first and the duration
 * of the outage in its fields. The outage is forgotten once the recovery has been delivered; if its delivery fails, the
 * next success is the recovery.
 *
 * **Gotchas**
 *
 * - Attach hooks for success too (`AlerterHooks.all`): a recovery is a success.
 * - A step without a key (`Step.key`) has recovered at the end of a run in which it succeeded and no evaluation of it
 *   failed for good, since another evaluation may fail after the first has succeeded. One with a key has at once.
 * - Pipe `throttle` and `afterConsecutive` after `recovered`. Piped before, they stand between it and the channel, and
 *   it takes the failures that they drop for delivered.
 * - Pipe `digest` and `quietHours` before `recovered`, since their combined alerts name no step.
 * - `minSeverity` above `success` drops successes that it gets before `recovered` has made recoveries of them: pipe it
 *   before `recovered`, where it passes the recoveries of what it has passed.
 *
 * @example
 * ```ts
 * import { AlerterHooks } from "effect-epilogue"
 * import { Slack } from "effect-epilogue/alerters"
 * import { afterConsecutive, recovered } from "effect-epilogue/delivery"
 *
 * // hooks for failure and success, since a recovery is a success
 * const hooks = AlerterHooks.all
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
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => aroundAll((post) => make(post, options), "wants")(self)
)

const Outage = Schema.Struct({
  failures: Schema.Natural,
  since: Millis,
  /** The failures that were delivered, one of each severity and tags, by which the recovery finds their channels. */
  alerts: Schema.optionalKey(Schema.Array(SingleJson))
})
type Outage = (typeof Outage)["Type"]

const make = <P extends string | undefined>(
  inner: Post,
  { persist, successes = "post" }: RecoveredOptions<P>
): Effect.Effect<Post, never, Persisted<P>> =>
  Effect.map(makeState("recovered", persist, Outage), (state) => {
    const oneAtATime = locks()

    const failed = (post: Post, alert: Alert, key: string, at: number) =>
      Effect.andThen(
        post(alert),
        state.modify((outages) => {
          const before = outages.get(key) ?? { failures: 0, since: at }
          remember(outages, key, {
            ...before,
            failures: before.failures + 1,
            alerts: withAlert(before.alerts ?? [], alert)
          })
        })
      )

    const succeeded = (post: Post, alert: Alert, key: string, at: number) =>
      Effect.gen(function*() {
        const outage = yield* state.modify((outages) => outages.get(key))
        if (outage !== undefined) {
          yield* post(recovery(alert, outage, at))
          yield* state.modify((outages) => outages.delete(key))
        } else if (successes === "post" || alert.quiet) {
          yield* post(alert)
        } else {
          yield* dropped("recovered")
        }
      })

    return (alert) => {
      const failure = isFailure(alert)
      if (!failure && !alert.resolves) {
        return alert.severity === "success" && successes === "drop" ? dropped("recovered") : inner(alert)
      }
      const key = subject(alert)
      return Effect.flatMap(timeOf(alert), (at) =>
        // Only the post is interruptible: a delivered failure must not be missing from the state.
        oneAtATime(key)(Effect.uninterruptibleMask((restore) => {
          const post: Post = (alert) => restore(Effect.suspend(() => inner(alert)))
          return failure ? failed(post, alert, key, at) : succeeded(post, alert, key, at)
        })))
    }
  })

/** How many failures of one outage are kept, and how long their texts are. */
const maxAlerts = 5
const maxText = 300

/** Adds a failure, unless there is one of its severity and tags, and so of its route as a rule. */
const withAlert = (alerts: ReadonlyArray<typeof SingleJson.Type>, alert: Alert): typeof alerts =>
  alerts.length === maxAlerts ||
    alerts.some(({ severity, tags }) => severity === alert.severity && tags.join() === alert.tags.join())
    ? alerts
    : [
      ...alerts,
      toJson(alert.with({
        title: alert.title.slice(0, maxText),
        body: alert.body?.slice(0, maxText),
        fields: alert.fields.slice(0, 20).map(({ name, value }) => ({ name, value: value.slice(0, maxText) })),
        detail: undefined,
        attachments: [],
        recovers: []
      }))
    ]

const recovery = (alert: Alert, { alerts = [], failures, since }: Outage, at: number): Alert => {
  const about = nameOf(alert)
  const title = about === undefined ? `Recovered: ${alert.title}` : `${about} recovered`
  // A title that the user has set is kept in the body: it says more than that the step succeeded.
  const ownTitle = about === undefined || alert.title === `${about} succeeded` ? [] : [alert.title]
  const body = [...ownTitle, ...(alert.body === undefined ? [] : [alert.body])].join("\n")
  return withFields(
    alert.with({
      title,
      body: body === "" ? undefined : body,
      tags: [...alert.tags, "recovered"],
      quiet: false,
      recovers: alerts.map(fromJson)
    }),
    {
      failures: String(failures),
      "failing since": iso(since),
      for: formatDuration(Math.max(0, at - since))
    }
  )
}

/** Returns the name of the step or run as the standard hooks write it. */
const nameOf = ({ source }: Alert): string | undefined => source === undefined ? undefined : subjectText(source)
