/**
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Alert } from "../Alert.ts"
import type { Alerter, AlerterError } from "../Alerter.ts"
import type { Telling } from "../internal/alerts/digest.ts"
import { fromJson } from "../internal/alerts/json.ts"
import { droppedBy, droppedByAll } from "../internal/alerts/metrics.ts"
import { checked } from "../internal/model/options.ts"
import { timeOf } from "./internal/entries.ts"
import type { Pending } from "./internal/open/pending.ts"
import { escalation } from "./internal/open/texts.ts"
import * as Watching from "./internal/open/watching.ts"
import { millisOf } from "./internal/options.ts"
import { showQuiet } from "./internal/places.ts"
import type { Post } from "./internal/policy.ts"
import { recovery } from "./internal/recovery.ts"
import { combine, oneOf, postAll } from "./internal/several.ts"
import type { Persisted } from "./internal/state/persisted.ts"

/**
 * Options of {@link escalate}.
 *
 * @category models
 * @since 0.1.0
 */
export interface EscalateOptions<E = never, R = never, P extends string | undefined = undefined> {
  /** How long after people were told of a failure it is escalated. */
  readonly after: Duration.Input
  /** The alerter to which it is escalated. It may have policies of its own, `escalate` for the next level among them. */
  readonly to: Layer.Layer<Alerter, E, R>
  /** Whether people are told, once, who has acknowledged a failure. True unless set. */
  readonly announce?: boolean | undefined
  /**
   * The name of this policy's state in the {@link Store}, used by no other policy of its kind. In memory by default.
   */
  readonly persist?: P | undefined
  /** The time zone of the times in alerts. That of both alerters by default, else the machine's. */
  readonly timeZone?: DateTime.TimeZone | undefined
}

/**
 * Posts a failure to a second alerter if it has neither recovered nor been acknowledged some time after it was told.
 *
 * **When to use**
 *
 * For failures that somebody has to react to: the chat first, then whoever is on call.
 *
 * **Details**
 *
 * - The second alerter gets the latest alert about the failure, with `Escalated:` in its title, the tag `escalated`, and
 *   fields that say since when it has been so and how often it was told. It gets it once for each failure, however often
 *   that is repeated.
 * - Reminders of a failure that was escalated, who has acknowledged it, and its recovery go to both alerters.
 * - A failure is an alert of severity `warning` or worse, and counts if the first alerter delivered it. It ends with an
 *   alert about the same subject that `resolves`, as a success does.
 * - {@link Acknowledgements}, `epilogue ack` and buttons keep a failure from being escalated until it has recovered.
 * - With `persist`, a failure that is due is escalated by the first process that uses the policy, `epilogue alert --flush`
 *   for instance. Of several processes at the same time, one does.
 * - If the second alerter can't deliver it, that is tried again after ten minutes or `after`.
 * - Up to 10,000 failures are remembered. Beyond that the oldest is forgotten.
 *
 * **Gotchas**
 *
 * - A failure that a hook of your own has posted is escalated, recovered or not, unless a success of its `dedupeKey` is
 *   posted, too. `AlerterHooks.failure` sees to that.
 * - A script that ends before `after` is over escalates nothing by itself. Set `persist`, and run it again or
 *   `epilogue alert --flush` from cron. Without `persist`, the log says that the failure is forgotten.
 * - What the first alerter holds (`digest`, `quietHours`) counts as told.
 * - An `after` that is not positive and finite is a defect when the layer is built.
 *
 * @example
 * ```ts
 * import { PagerDuty, Slack } from "effect-epilogue/alerters"
 * import { escalate, remind } from "effect-epilogue/delivery"
 *
 * // chat, reminded of each hour; half an hour later the engineer on call, an hour after that the second one
 * const second = PagerDuty.layerConfig()
 * const onCall = Slack.layerConfig().pipe(
 *   escalate({ after: "1 hour", to: second, persist: "second" })
 * )
 * const alerter = Slack.layerConfig().pipe(
 *   remind({ every: "1 hour", persist: "nightly" }),
 *   escalate({ after: "30 minutes", to: onCall, persist: "nightly" })
 * )
 * ```
 *
 * @see {@link remind} for telling the same people again
 * @see {@link fallback} for an alerter that is used if the first one fails
 * @see {@link Acknowledgements} for acknowledging failures in code
 *
 * @category policies
 * @since 0.1.0
 */
export const escalate: {
  <E2, R2, P extends string | undefined = undefined>(
    options: EscalateOptions<E2, R2, P>
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E | E2, R | R2 | Persisted<P>>
  <E, R, E2, R2, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: EscalateOptions<E2, R2, P>
  ): Layer.Layer<Alerter, E | E2, R | R2 | Persisted<P>>
} = dual(
  2,
  <E, R, E2, R2, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: EscalateOptions<E2, R2, P>
  ): Layer.Layer<Alerter, E | E2, R | R2 | Persisted<P>> =>
    combine(
      "escalate",
      [self, options.to],
      ([first, second], { words, zone }) =>
        make(first, second, checked("escalate", options, known), {
          zone: options.timeZone ?? zone ?? DateTime.zoneMakeLocal(),
          words
        }),
      "wants"
    )
)

const known = { after: 0, to: 0, announce: 0, persist: 0, timeZone: 0 } as const

const make = <P extends string | undefined>(
  first: Post,
  second: Post,
  { after, announce = true, persist }: EscalateOptions<unknown, unknown, P>,
  telling: Telling
): Effect.Effect<Post, never, Scope.Scope | Persisted<P>> =>
  Effect.suspend(() => {
    const period = millisOf("escalate", "after", after)

    /** Posts to both alerters, to each its own alerts. */
    const both = (alert: Alert, beyond: ReadonlyArray<Alert>): Effect.Effect<void, AlerterError> =>
      Effect.gen(function*() {
        const outcomes = yield* postAll("escalate", alert, [
          droppedBy(first(alert)),
          ...beyond.map((alert) => droppedBy(second(alert)))
        ])
        const errors = outcomes.filter((outcome) => typeof outcome !== "boolean")
        if (errors.length > 0) return yield* Effect.fail(oneOf("escalate", errors))
        yield* droppedByAll(outcomes.filter((outcome) => typeof outcome === "boolean"))
      })

    return Watching.make<P>(first, {
      policy: "escalate",
      persist,
      telling,
      announces: announce,
      period,
      due: ({ count, from }) => count === 0 ? from + period : undefined,
      postpones: false,
      make: (open, now) => escalation(open, { now, telling }).with({ told: open.pending.told }),
      post: second,
      reach: (pending) => pending.count === 0 ? first : (alert) => both(alert, [elsewhere(alert, pending)]),
      resolve: (alert, closed) =>
        closed.length === 0
          ? first(alert)
          : Effect.gen(function*() {
            const recoveries = yield* Effect.forEach(closed, (one) => recoveryOf(one, telling))
            yield* both(alert, recoveries)
            if (alert.quiet) yield* showQuiet
          }),
      isOwed: ({ count }, isBeingTold) => count > 0 || isBeingTold
    })
  })

/** Returns an alert about a failure as the second alerter gets it, which knows the failure by places of its own. */
const elsewhere = (alert: Alert, { alert: failure, told }: Pending): Alert =>
  alert.with({ told: [], recovers: alert.recovers.length === 0 ? [] : [fromJson(failure).with({ told })] })

/** Returns the alert by which the second alerter learns that a failure is over. */
const recoveryOf = ({ by, entry, pending }: Watching.Closed, telling: Telling): Effect.Effect<Alert> =>
  Effect.map(timeOf(by), (at) => {
    const failure = fromJson(pending.alert).with({ told: pending.told })
    // another policy has made a recovery of it
    if (by.recovers.length > 0) return by.with({ quiet: false, told: [], recovers: [failure] })
    const outage = { alerts: [failure], failures: entry?.failures ?? 1, since: entry?.since ?? pending.since, told: [] }
    return recovery(by, outage, at, telling)
  })
