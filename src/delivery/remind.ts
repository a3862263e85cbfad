/**
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Alerter } from "../Alerter.ts"
import type { Telling } from "../internal/alerts/digest.ts"
import type { Pending } from "./internal/open/pending.ts"
import { reminder } from "./internal/open/texts.ts"
import * as Watching from "./internal/open/watching.ts"
import { countOf, limitOf, millisOf } from "./internal/options.ts"
import { configured, type Post } from "./internal/policy.ts"
import type { Persisted } from "./internal/state/persisted.ts"

/**
 * Options of {@link remind}.
 *
 * @category models
 * @since 0.1.0
 */
export interface RemindOptions<P extends string | undefined = undefined> {
  /** The time between two alerts about the same failure. */
  readonly every: Duration.Input
  /**
   * When reminders end though nobody has reacted: a number of reminders, or for how long after the first alert, as in
   * `"2 days"`. `"7 days"` unless set; `Infinity` for never.
   */
  readonly until?: number | Exclude<Duration.Input, number> | undefined
  /** Whether people are told, once, who has acknowledged a failure. True unless set. */
  readonly announce?: boolean | undefined
  /**
   * The name of this policy's state in the {@link Store}, used by no other policy of its kind. In memory by default.
   */
  readonly persist?: P | undefined
  /** The time zone of the times in alerts. The channel's by default, else the machine's. */
  readonly timeZone?: DateTime.TimeZone | undefined
}

/**
 * Posts the alert of a failure again each `every`, until it has recovered, somebody has acknowledged it, or `until` is
 * reached.
 *
 * **When to use**
 *
 * For failures that stay until somebody reacts, in channels where a single message is easily missed.
 *
 * **Details**
 *
 * - A reminder is the latest alert about the failure, with `Reminder:` in its title, the tag `reminder`, and fields that
 *   say since when it has been so, how often it was told, and which reminder it is. It is sent where the failure was.
 * - A failure is an alert of severity `warning` or worse, and counts if it was delivered. It ends with an alert about the
 *   same subject that `resolves`, as a success does. The subject is the alert's `dedupeKey`, else its step or run, else
 *   its title.
 * - When the failure is reported again, the next reminder comes `every` after that. A report that `dedupe` or `throttle`
 *   only counts puts nothing off.
 * - {@link Acknowledgements}, `epilogue ack` and buttons end the reminders until the failure has recovered. People are
 *   told once who it was.
 * - With `persist`, reminders go on in later processes. One that is due is posted by the first process that uses the
 *   policy, `epilogue alert --flush` for instance. Of several processes at the same time, one posts it.
 * - Reminders that were due while no process ran are posted as one.
 * - A reminder that could not be posted is tried again, after ten minutes or `every`.
 * - Up to 10,000 failures are remembered. Beyond that the oldest is forgotten.
 *
 * **Gotchas**
 *
 * - A failure that a hook of your own has posted ends with a success of its `dedupeKey`, which has to be posted, too.
 *   `AlerterHooks.failure` sees to that.
 * - Without `persist`, reminders end with the scope, which the log says. They suit programs that run for long.
 * - Reminders pass all policies that `remind` is piped after: pipe it after `quietHours` and `digest`, so that these hold
 *   them, and before `dedupe` and `throttle`.
 * - An `every` that is not positive and finite, and an `until` that leaves no time for a reminder, are a defect when the
 *   layer is built.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { dedupe, quietHours, remind } from "effect-epilogue/delivery"
 *
 * const alerter = Slack.layerConfig().pipe(
 *   quietHours({ from: "22:00", to: "07:00", persist: "nightly" }),
 *   remind({ every: "1 hour", until: 12, persist: "nightly" }),
 *   dedupe({ window: "1 day", persist: "nightly" })
 * )
 * ```
 *
 * @see {@link escalate} for telling somebody else
 * @see {@link Acknowledgements} for acknowledging failures in code
 *
 * @category policies
 * @since 0.1.0
 */
export const remind: {
  <P extends string | undefined = undefined>(
    options: RemindOptions<P>
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R | Persisted<P>>
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: RemindOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>>
} = dual(
  2,
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: RemindOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => configured("remind", options, known, make, "wants")(self)
)

/** The number of reminders, and the milliseconds after the first alert, that `until` allows. */
const limits = (every: number, until: RemindOptions["until"] = "7 days") => {
  if (typeof until === "number") {
    return { times: until === Infinity ? until : countOf("remind", "until", until), span: Infinity }
  }
  const span = limitOf("remind", "until", until)
  if (span < every) throw new Error("remind: until must not be less than every")
  return { times: Infinity, span }
}

const known = { every: 0, until: 0, announce: 0, persist: 0, timeZone: 0 } as const

const make = <P extends string | undefined>(
  inner: Post,
  options: RemindOptions<P>,
  telling: Telling
): Effect.Effect<Post, never, Scope.Scope | Persisted<P>> =>
  Effect.suspend(() => {
    const every = millisOf("remind", "every", options.every)
    const { span, times } = limits(every, options.until)
    const due = ({ count, from }: Pick<Pending, "count" | "from">, now: number) =>
      count < times && now + every <= from + span ? now + every : undefined
    return Watching.make<P>(inner, {
      policy: "remind",
      persist: options.persist,
      telling,
      announces: options.announce ?? true,
      period: every,
      due,
      postpones: true,
      make: (open, now) => {
        const { count, from } = open.pending
        const isLast = due({ count: count + 1, from }, now) === undefined
        return reminder(open, { number: count + 1, of: times, isLast, now, telling })
      },
      post: inner,
      reach: () => inner,
      resolve: (alert) => inner(alert),
      isOwed: () => false
    })
  })
