/**
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { lasted, type Telling } from "../internal/alerts/digest.ts"
import { atLeast } from "../internal/model/severity.ts"
import * as Held from "./internal/hold/held.ts"
import { countOf, millisOf } from "./internal/options.ts"
import { configured, passesAtOnce, type Post } from "./internal/policy.ts"
import type { Persisted } from "./internal/state/persisted.ts"

/**
 * Options of {@link digest}.
 *
 * @category models
 * @since 0.1.0
 */
export interface DigestOptions<P extends string | undefined = undefined> {
  /** For how long alerts are held, counted from the first of them. */
  readonly window: Duration.Input
  /** The largest number of alerts that are held. One more ends the window early. 100 by default. */
  readonly max?: number | undefined
  /** The severity from which on alerts are posted at once. `"critical"` by default. */
  readonly immediate?: Severity | undefined
  /**
   * The name of this policy's state in the {@link Store}, used by no other policy of its kind. In memory by default.
   */
  readonly persist?: P | undefined
  /** The time zone of the times in alerts. The channel's by default, else the machine's. */
  readonly timeZone?: DateTime.TimeZone | undefined
}

/**
 * Holds alerts for the length of a window, then posts them as one alert.
 *
 * **When to use**
 *
 * For alerts that nobody needs to read at once: a summary of all successes once a week, or one message instead of
 * fifty when many items fail within minutes.
 *
 * **Details**
 *
 * - The title says how many alerts there were of which severity. A code block lists each with its time, severity,
 *   title, the first line of its body and its field `held back`; beyond 500 it lists the most severe. The digest has
 *   the highest severity, the tag `digest`, the tags of all alerts (up to 50 together) and, where all are of one run, the
 *   part of their `source` that is the same. It has no `idempotencyKey`.
 * - If the window ends with a single alert, that is posted unchanged. The digest has no attachments; its field `not
 *   attached` names them.
 * - What says that something is well again reaches channels that keep incidents, such as `PagerDuty`,
 *   `Opsgenie`, `GitHubIssues` and `Alertmanager`, at once.
 * - The recovery of an alert that was posted at once is, too. If something about its subject is held, that is posted
 *   with it.
 * - The post of an alert that is held succeeds. A repeat with the same `idempotencyKey` is not held twice.
 * - A digest whose delivery fails is kept, and tried again with the next, a window later at the latest.
 * - When the scope closes, held alerts are posted at once, for up to 30 seconds. If that fails, their titles are logged
 *   as an error.
 * - With `persist`, held alerts stay in the store instead when the scope closes, unless the store has failed. The
 *   window goes on over any number of processes, and the first that runs at its end or later posts the digest. Of
 *   several processes that share a `Store.layerSqlite`, exactly one posts it. A process that is killed between the
 *   delivery and the update of the store leaves the digest to be posted again.
 *
 * **Gotchas**
 *
 * - A digest of failures is an incident of its own in `PagerDuty`, which nothing resolves. Pipe `digest` around the
 *   channels that people read.
 * - A window that is not positive and finite, or a `max` that is not a whole number of at least 1, is a defect when the
 *   layer is built.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { digest } from "effect-epilogue/delivery"
 *
 * const alerter = Slack.layerConfig().pipe(digest({ window: "10 minutes", immediate: "error" }))
 *
 * // once a week, for a script that runs each night: held alerts are kept in a Store
 * const weekly = Slack.layerConfig().pipe(digest({ window: "7 days", persist: "nightly-etl" }))
 * ```
 *
 * @see {@link quietHours} for holding alerts during some hours of the day
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
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => configured("digest", options, known, make)(self)
)

const known = { window: 0, max: 0, immediate: 0, persist: 0, timeZone: 0 } as const

const make = <P extends string | undefined>(
  post: Post,
  options: DigestOptions<P>,
  telling: Telling
): Effect.Effect<Post, never, Scope.Scope | Persisted<P>> =>
  Effect.gen(function*() {
    const window = millisOf("digest", "window", options.window)
    const isUrgent = atLeast(options.immediate ?? "critical")
    const { hold, pass } = yield* Held.make<P>(post, {
      policy: "digest",
      persist: options.persist,
      due: (now, open) => Math.min(open() ?? Infinity, now + window),
      opens: (now) => now,
      max: countOf("digest", "max", options.max ?? 100),
      title: (since, now) => (count, tally) => {
        const { words } = telling
        const took = lasted(now - since, words)
        return took === undefined ? words.digest(count, tally) : words.digestWithin(count, took, tally)
      },
      telling
    })
    return (alert) => passesAtOnce(alert, isUrgent) ? pass(alert) : hold(alert)
  })
