/**
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Alert, type Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { heldBack } from "../internal/alerts/metrics.ts"
import { atLeast } from "../internal/model/severity.ts"
import { localTime } from "../internal/text/localTime.ts"
import * as Writer from "../internal/text/writer.ts"
import { explain, heldBack as heldBackField, withFields } from "./internal/entries.ts"
import { alerts, inTime } from "./internal/hold/digest.ts"
import * as Timer from "./internal/hold/timer.ts"
import { countOf, millisOf } from "./internal/options.ts"
import { around, type Post } from "./internal/policy.ts"
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
   * The name of this policy's entry in the `KeyValueStore`, used by no other policy of its kind. In memory by default.
   */
  readonly persist?: P | undefined
  /** The time zone of the times in alerts. The machine's by default. */
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
 * - The next alert that passes reports the held back alerts in a field `held back`: those about its own subject, and
 *   those that the overall limit held back. If none passes by the end of the window, a summary is posted, with the
 *   counts by subject and their highest severity. A summary takes a slot of the overall limit, and waits for one.
 * - An alert takes its slot when it is posted. If its delivery fails, the slot is free again.
 * - A hundred subjects have a count of their own. Held back alerts about further subjects are counted together.
 * - When the scope closes, the summary is posted at once, whatever the limit, for up to 30 seconds. If that fails, the
 *   counts are logged as an error. With `persist`, the store keeps them for the next process instead.
 *
 * **Gotchas**
 *
 * - Pipe `digest` and `quietHours` before `throttle`. Otherwise it holds back their combined alerts like any other.
 * - Processes that use the same `persist` name at the same time may together exceed the limit by a few alerts.
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
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => around((post) => make(post, options))(self)
)

const limitOf = (name: string, { limit, window }: Pick<ThrottleOptions, "limit" | "window">): Counts.Limit => ({
  limit: countOf("throttle", `${name}limit`, limit),
  window: millisOf("throttle", `${name}window`, window)
})

const make = <P extends string | undefined>(
  post: Post,
  options: ThrottleOptions<P>
): Effect.Effect<Post, never, Scope.Scope | Persisted<P>> =>
  Effect.gen(function*() {
    const zone = options.timeZone ?? DateTime.zoneMakeLocal()
    const limits: Counts.Limits = {
      overall: limitOf("", options),
      perKey: options.perKey === undefined ? undefined : limitOf("perKey.", options.perKey)
    }
    const always = options.always === undefined ? () => false : atLeast(options.always)
    const state = yield* makeState("throttle", options.persist, Counts.Entry)
    // the deliveries that have not ended yet
    const inFlight = new Set<string>()
    let closed = false
    // whether the next process will find the counts in the store
    let outlives = options.persist !== undefined
    // the earliest time of the next summary, after one that failed
    let notBefore = -Infinity

    // Once the scope has closed, nothing in this process reports held back alerts, so all of them pass.
    const isLate = () => closed && !outlives

    const begin = (alert: Alert, now: number, id: string) =>
      state.modify((entries): Counts.Report | undefined => {
        if (isLate()) return []
        if (always(alert) || alert.recovers.length > 0) return Counts.takeCounts(entries, Counts.keyOf(alert))
        const report = Counts.admit(entries, limits, inFlight, alert, now, id)
        if (report !== undefined) inFlight.add(id)
        return report
      })

    /**
     * Ends a delivery. After a success its slot counts from now on. After a failure the slot and the report are
     * returned.
     */
    const end = (id: string, key: string, report: Counts.Report, exit: Exit.Exit<unknown, unknown>) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const late = isLate()
        yield* state.modify((entries) => {
          if (Exit.isFailure(exit)) Counts.freeSlot(entries, id)
          else if (inFlight.has(id)) Counts.takeSlot(entries, key, id, now)
          if (Exit.isFailure(exit) && !late) Counts.addCounts(entries, report)
          inFlight.delete(id)
        })
        if (Exit.isFailure(exit) && late) yield* logLost(report)
      })

    const deliver = (alert: Alert, restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const id = globalThis.crypto.randomUUID()
        const report = yield* begin(alert, now, id)
        if (report === undefined) {
          changed()
          yield* heldBack("throttle")
          // that it is well again is told, though the success itself is not
          if (alert.resolves) yield* restore(Effect.suspend(() => post(alert.with({ quiet: true }))))
          return
        }
        const exit = yield* Effect.exit(restore(Effect.suspend(() => post(withReport(alert, report, zone)))))
        yield* end(id, Counts.keyOf(alert), report, exit)
        changed()
        return yield* exit
      })

    const summarise = (take: Take) =>
      Effect.uninterruptible(Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const id = globalThis.crypto.randomUUID()
        const report = yield* state.modify((entries) => {
          const report = take(entries, now, id)
          if (report.length > 0) inFlight.add(id)
          return report
        })
        if (report.length === 0) return
        const exit = yield* Timer.attempt(post, () => summaryOf(report, now, zone))
        yield* end(id, Counts.others, report, exit)
        if (Exit.isSuccess(exit)) return
        notBefore = (yield* Clock.currentTimeMillis) + limits.overall.window
        yield* Writer.logWarning(
          "effect-epilogue: throttle: the summary of held back alerts could not be posted",
          explain(exit.cause)
        )
      }))

    const due: Take = (entries, now, id) => Counts.summarise(entries, limits, inFlight, now, id)

    const changed = yield* Timer.make({
      next: state.modify((entries) => {
        const at = Counts.nextSummary(entries, limits, inFlight)
        return at === undefined ? undefined : Math.max(at, notBefore)
      }),
      flush: summarise(due),
      close: Effect.gen(function*() {
        closed = true
        const { size } = yield* state.unsaved
        outlives = options.persist !== undefined && size === 0
        // Also posts a summary that is due: the next process may be as short as this one and never reach its timer.
        yield* summarise(size === 0 ? due : takeAll)
      }),
      closed: Effect.flatMap(
        state.unsaved,
        ({ size }) => size === 0 ? Effect.void : Effect.flatMap(state.modify(takeAll), logLost)
      )
    })

    return (alert) => Effect.uninterruptibleMask((restore) => deliver(alert, restore))
  })

/** Takes the counts that a summary is to report. */
type Take = (entries: Counts.Entries, now: number, id: string) => Counts.Report

const takeAll = (entries: Counts.Entries): Counts.Report => Counts.takeCounts(entries, undefined)

const withReport = (alert: Alert, report: Counts.Report, zone: DateTime.TimeZone): Alert =>
  report.length === 0 ? alert : withFields(alert, { [heldBackField]: sentence(report, zone) })

const sentence = (report: Counts.Report, zone: DateTime.TimeZone): string => {
  const { count, since } = Counts.total(report)
  const subjects = Counts.bySubject(report).map(({ count, name }) => `${name} (${count})`).join(", ")
  return `${alerts(count)} since ${localTime(DateTime.makeUnsafe(since), zone)}: ${subjects}`
}

const summaryOf = (report: Counts.Report, now: number, zone: DateTime.TimeZone): Alert => {
  const { count, severity, since } = Counts.total(report)
  return Alert.make({
    title: `${alerts(count)} held back`,
    body: `Since ${localTime(DateTime.makeUnsafe(since), zone)}${inTime(", ", now - since)}.`,
    severity,
    fields: Counts.bySubject(report).map(({ count, name }) => ({ name, value: `${count}` }))
  })
}

const logLost = (report: Counts.Report): Effect.Effect<void> => {
  if (report.length === 0) return Effect.void
  return Writer.logError(
    `effect-epilogue: throttle: ${alerts(Counts.total(report).count)} held back, never reported`,
    Counts.bySubject(report).map(({ count, name }) => `${name}: ${count}`).join("\n")
  )
}
