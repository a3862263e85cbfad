/**
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { atLeast } from "../internal/model/severity.ts"
import { formatDuration } from "../internal/text/duration.ts"
import * as Held from "./internal/hold/held.ts"
import { countOf, millisOf } from "./internal/options.ts"
import { around, type Post } from "./internal/policy.ts"
import type { Persisted } from "./internal/state/persisted.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface DigestOptions<P extends string | undefined = undefined> {
  /** For how long alerts are held, from the first on. */
  readonly window: Duration.Input
  /** If more are held than this, they are posted before the window ends. 100 unless set. */
  readonly max?: number | undefined
  /** Alerts at least as severe are posted at once. `"critical"` unless set. */
  readonly immediate?: Severity | undefined
  /** The name, for this use alone, under which the `KeyValueStore` keeps what is held. In memory unless set. */
  readonly persist?: P | undefined
  /** In which times are shown. The machine's unless set. */
  readonly timeZone?: DateTime.TimeZone | undefined
}

/**
 * Posts the alerts of a window as one: how many there were of which severity, and in
 * a code block each one's time, severity, title, first line of the body and what it has
 * to tell of others held back, the 500 worst if there are more. It has the highest
 * severity of them, the tag `digest`, the tags of all (up to 50 together), and where
 * they come from, as far as that is the same. An alert that remains alone is posted as
 * it is.
 *
 * A repeat of a post that is held, with the same `idempotencyKey`, is not held too. A
 * digest has no `idempotencyKey`, as it is none of the posts in it.
 *
 * The post of an alert that is held succeeds. A digest that can't be delivered is kept
 * and tried again with the next, a window later at the latest.
 *
 * When the scope closes, what is held is posted at once, for up to 30 seconds; if that
 * fails the titles are logged as an error. With `persist` it stays in the store
 * instead (unless the store failed): the window goes on, over any number of processes,
 * and the first that runs at its end or later posts the digest. A process that is
 * killed between the delivery and the note of it in the store leaves the digest to be
 * posted again; of processes that run at the same time one posts it, unless they do so
 * within the same moment.
 *
 * Pipe it around each of several channels, not around a `fanOut` to all of them: one
 * that is down would have the others get the digest again with each attempt.
 *
 * A window or a `max` that makes no sense is a defect when the layer is built.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { digest } from "effect-epilogue/delivery"
 *
 * const alerter = Slack.layerConfig().pipe(digest({ window: "10 minutes", immediate: "error" }))
 *
 * // once a week, for a script that runs each night, with the state in a KeyValueStore
 * const weekly = Slack.layerConfig().pipe(digest({ window: "7 days", persist: "nightly-etl" }))
 * ```
 *
 * @category policies
 * @since 0.1.0
 */
export const digest: {
  <P extends string | undefined = undefined>(
    options: DigestOptions<P>
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R | Persisted<P>>
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: DigestOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>>
} = dual(
  2,
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: DigestOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => around((post) => make(post, options))(self)
)

const make = <P extends string | undefined>(
  post: Post,
  options: DigestOptions<P>
): Effect.Effect<Post, never, Scope.Scope | Persisted<P>> =>
  Effect.gen(function*() {
    const window = millisOf("digest", "window", options.window)
    const isUrgent = atLeast(options.immediate ?? "critical")
    const hold = yield* Held.make<P>(post, {
      policy: "digest",
      persist: options.persist,
      due: (now, open) => Math.min(open() ?? Infinity, now + window),
      opens: (now) => now,
      max: countOf("digest", "max", options.max ?? 100),
      when: (since, now) => {
        const time = formatDuration(now - since)
        return time === "" ? "" : ` in ${time}`
      },
      zone: options.timeZone ?? DateTime.zoneMakeLocal()
    })
    return (alert) => isUrgent(alert) ? post(alert) : hold(alert)
  })
