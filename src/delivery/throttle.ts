/**
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Alert, Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import type { Telling } from "../internal/alerts/digest.ts"
import { countedOnly } from "../internal/alerts/metrics.ts"
import { withNote } from "../internal/alerts/notes.ts"
import { checked } from "../internal/model/options.ts"
import { atLeast } from "../internal/model/severity.ts"
import { sentence, total } from "./internal/hold/count.ts"
import * as Summaries from "./internal/hold/summary.ts"
import { countOf, millisOf } from "./internal/options.ts"
import { arrivalOf, conclude, isTold, quietly, shownBy } from "./internal/places.ts"
import { configured, isQuestion, orTaken, type Post } from "./internal/policy.ts"
import { makeState, type Persisted } from "./internal/state/persisted.ts"
import * as Counts from "./internal/throttle/counts.ts"

/**
 * Options of {@link throttle}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ThrottleOptions<P extends string | undefined = undefined> {
  /** The largest number of alerts, about all subjects together, in any time span as long as `window`. */
  readonly limit: number
  /** The length of the time span that `limit` applies to. */
  readonly window: Duration.Input
  /**
   * An additional limit for each subject. The subject of an alert is its `dedupeKey`, else the step or run in its
   * `source`, else its title.
   */
  readonly perKey?: { readonly limit: number; readonly window: Duration.Input } | undefined
  /** The severity from which on alerts always pass, without taking a slot of the limits. None by default. */
  readonly always?: Severity | undefined
  /**
   * The name of this policy's state in the {@link Store}, used by no other policy of its kind. In memory by default.
   */
  readonly persist?: P | undefined
  /** The time zone of the times in alerts. The channel's by default, else the machine's. */
  readonly timeZone?: DateTime.TimeZone | undefined
}

/**
 * Limits how many alerts are delivered in any time span. Alerts beyond the limit are counted instead of delivered, and
 * their post succeeds.
 *
 * **When to use**
 *
 * To protect people, and channels that limit their callers, from a flood of alerts: hundreds of items that fail for
 * the same reason, or a step that fails and recovers all the time.
 *
 * **Details**
 *
 * - The recovery of something that was told passes, whatever the limit. What says that something is well again reaches
 *   `recovered` and channels that keep incidents at once, though the success itself is held back.
 * - The next alert that passes reports the held back alerts in a field `held back`: those about its own subject, and
 *   those that the overall limit held back. If none passes by the end of the window, a summary is posted, with the
 *   counts by subject, failures and recoveries apart, and their highest severity. A summary takes a slot of the overall
 *   limit, and waits for one.
 * - An alert takes its slot when it is posted. If its delivery fails, the slot is free again.
 * - A hundred subjects have a count of their own. Held back alerts about further subjects are counted together.
 * - When the scope closes, the summary is posted at once, whatever the limit, for up to 30 seconds. If that fails, the
 *   counts are logged as an error, and `onLost` gets the summary. With `persist`, the store keeps them for the next
 *   process instead.
 *
 * **Gotchas**
 *
 * - Pipe `digest` and `quietHours` before `throttle`. Otherwise it holds back their combined alerts like any other.
 * - Processes that use the same `persist` name at the same time keep the limit together, but may exceed it by a few
 *   alerts where their deliveries take longer than the window, or where their store is a `KeyValueStore`.
 * - A limit that is not a whole number of at least 1, or a window that is not positive and finite, is a defect when the
 *   layer is built.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { throttle } from "effect-epilogue/delivery"
 *
 * const alerter = Slack.layerConfig().pipe(
 *   throttle({
 *     limit: 20,
 *     window: "10 minutes",
 *     perKey: { limit: 3, window: "1 hour" },
 *     always: "critical"
 *   })
 * )
 * ```
 *
 * @see {@link dedupe} for holding back repeats of the same alert
 * @see {@link digest} for combining alerts instead of counting them
 *
 * @category policies
 * @since 0.1.0
 */
export const throttle: {
  <P extends string | undefined = undefined>(
    options: ThrottleOptions<P>
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R | Persisted<P>>
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: ThrottleOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>>
} = dual(
  2,
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: ThrottleOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => configured("throttle", options, known, make)(self)
)

/** Makes an Effect interruptible where the caller's was. */
type Restore = <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>

const limitOf = (name: string, { limit, window }: Pick<ThrottleOptions, "limit" | "window">): Counts.Limit => ({
  limit: countOf("throttle", `${name}limit`, limit),
  window: millisOf("throttle", `${name}window`, window)
})

const known = { limit: 0, window: 0, perKey: 0, always: 0, persist: 0, timeZone: 0 } as const

const make = <P extends string | undefined>(
  post: Post,
  options: ThrottleOptions<P>,
  telling: Telling
): Effect.Effect<Post, never, Scope.Scope | Persisted<P>> =>
  Effect.gen(function*() {
    const limits: Counts.Limits = {
      overall: limitOf("", options),
      perKey: options.perKey === undefined
        ? undefined
        : limitOf("perKey.", checked("throttle", options.perKey, { limit: 0, window: 0 }, "perKey"))
    }
    const always = options.always === undefined ? () => false : atLeast(options.always)
    const state = yield* makeState("throttle", options.persist, Counts.Entry)
    // the deliveries that have not ended yet
    const inFlight = new Set<string>()

    /**
     * Ends a delivery. If somebody has been told, its slot counts from now on. Otherwise the slot and the report are
     * returned.
     */
    const end = (id: string, key: string, report: Counts.Report, told: boolean) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        state.modify((entries) => {
          if (!told) Counts.freeSlot(entries, id)
          else if (inFlight.has(id)) Counts.takeSlot(entries, key, id, now)
          if (!told) Counts.addCounts(entries, report)
          inFlight.delete(id)
        }))

    const { changed, isLate, loseCounts } = yield* Summaries.make<typeof Counts.Entry.Type, Counts.Report>(post, {
      policy: "throttle",
      state,
      isStored: options.persist !== undefined,
      telling,
      title: telling.words.alertsHeldBack,
      isRepeats: false,
      next: (entries, now) => Counts.nextSummary(entries, limits, inFlight, now),
      take: (entries, now, id, all) => {
        const report = all
          ? Counts.takeCounts(entries, undefined)
          : Counts.summarise(entries, limits, inFlight, now, id)
        if (report.length > 0 && id !== "") inFlight.add(id)
        return report
      },
      rows: Counts.rows,
      end: (id, report, told) => end(id, Counts.others, report, told),
      pause: limits.overall.window
    })

    const holdBack = (entries: Counts.Entries, alert: Alert, now: number) =>
      Counts.holdBack(entries, limits, inFlight, alert, { now, words: telling.words })

    const begin = (alert: Alert, now: number, id: string) =>
      state.modify((entries): Counts.Report | undefined => {
        // Once the scope has closed, nothing in this process reports held back alerts, so all of them pass.
        if (isLate()) return []
        if (always(alert) || isQuestion(alert) || alert.recovers.length > 0) {
          return Counts.takeCounts(entries, Counts.keyOf(alert))
        }
        const report = Counts.admit(entries, limits, inFlight, alert, { now, id })
        // whether one that resolves something is held back is known once it has been posted quietly
        if (report !== undefined) inFlight.add(id)
        else if (!alert.resolves) holdBack(entries, alert, now)
        return report
      })

    /** Tells that something is well again, though the success itself is held back. */
    const settle = (alert: Alert, now: number, restore: Restore) =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(restore(shownBy(Effect.suspend(() => post(quietly(alert))))))
        // a policy within has made a recovery of it, which people have been shown
        if (Exit.isSuccess(exit) && exit.value) return
        const lost = yield* state.modify((entries) => {
          if (isLate()) return holdBack(new Map(entries), alert, now)
          holdBack(entries, alert, now)
          return []
        })
        yield* loseCounts(Counts.rows(lost))
        changed()
        yield* countedOnly(alert, "throttle")
        yield* exit
      })

    const deliver = (alert: Alert, restore: Restore) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const id = globalThis.crypto.randomUUID()
        const report = yield* begin(alert, now, id)
        if (report === undefined) {
          if (alert.resolves) return yield* settle(alert, now, restore)
          changed()
          return yield* countedOnly(alert, "throttle")
        }
        const arrival = yield* arrivalOf(
          orTaken(restore(Effect.suspend(() => post(withReport(alert, report, telling)))))
        )
        const isLost = !isTold(arrival) && isLate()
        yield* end(id, Counts.keyOf(alert), isLost ? [] : report, isTold(arrival))
        if (isLost) yield* loseCounts(Counts.rows(report))
        changed()
        yield* conclude(arrival)
      })

    return (alert) => Effect.uninterruptibleMask((restore) => deliver(alert, restore))
  })

const withReport = (alert: Alert, report: Counts.Report, telling: Telling): Alert => {
  const rows = Counts.rows(report)
  const { words } = telling
  return rows.length === 0
    ? alert
    : withNote(
      alert,
      { kind: "held back", name: words.heldBack, count: total(rows).count },
      sentence(rows, telling)
    )
}
