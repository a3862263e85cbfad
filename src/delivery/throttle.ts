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
import { formatDuration } from "../internal/text/duration.ts"
import { localTime } from "../internal/text/localTime.ts"
import { explain, heldBack as heldBackField, withFields } from "./internal/entries.ts"
import { alerts } from "./internal/hold/digest.ts"
import * as Window from "./internal/hold/timer.ts"
import { countOf, millisOf } from "./internal/options.ts"
import { around, type Post } from "./internal/policy.ts"
import { makeState, type Persisted } from "./internal/state/persisted.ts"
import * as Counts from "./internal/throttle/counts.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface ThrottleOptions<P extends string | undefined = undefined> {
  /** So many alerts at most, of all kinds, … */
  readonly limit: number
  /** … in any time span of this length. */
  readonly window: Duration.Input
  /**
   * So many about the same thing, besides: alerts with the same `dedupeKey`, or from
   * the same step or run, or else with the same title.
   */
  readonly perKey?: { readonly limit: number; readonly window: Duration.Input } | undefined
  /** Alerts at least as severe always pass, and are not counted. None unless set. */
  readonly always?: Severity | undefined
  /** The name, for this use alone, under which the `KeyValueStore` keeps the counts. In memory unless set. */
  readonly persist?: P | undefined
  /** In which times are shown. The machine's unless set. */
  readonly timeZone?: DateTime.TimeZone | undefined
}

/**
 * Lets no more than so many alerts through in any time span. What is too much is not
 * delivered but counted, and its post succeeds.
 *
 * The next alert that passes says in a field `held back` how many there were: those
 * that were too many of its own kind, and those that were too many of all. If none
 * passes by the end of the window, a summary does, with the counts by subject and the
 * highest severity. It needs room within the limit, too, and waits for it.
 *
 * An alert takes its place when it is posted; if its delivery fails, the place is free
 * again. Held back alerts of a hundred subjects are counted each by itself, those of
 * further subjects together.
 *
 * When the scope closes, the summary is posted at once, limit or no limit, for up to
 * 30 seconds; if that fails the counts are logged as an error. With `persist` they
 * are kept in the store instead, for the next process. Processes that use the same
 * name at the same time may let a few more through.
 *
 * Pipe `digest` and `quietHours` before it, since it holds back what these make of
 * several alerts like any other.
 *
 * A limit or a window that makes no sense is a defect when the layer is built.
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
    // passes in use: they count, however long a delivery takes
    const underway = new Set<string>()
    let closed = false
    // whether the next process knows the counts
    let outlives = options.persist !== undefined
    // after a summary that failed
    let notBefore = -Infinity

    // nobody would tell of it any more
    const isLate = () => closed && !outlives

    const begin = (alert: Alert, now: number, id: string) =>
      state.modify((entries): Counts.Told | undefined => {
        if (isLate()) return []
        if (always(alert)) return Counts.tell(entries, Counts.keyOf(alert))
        const told = Counts.enter(entries, limits, underway, alert, now, id)
        if (told !== undefined) underway.add(id)
        return told
      })

    /** What came of a delivery: the pass was used now, or not at all. */
    const end = (id: string, key: string, told: Counts.Told, exit: Exit.Exit<unknown, unknown>) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const late = isLate()
        yield* state.modify((entries) => {
          if (Exit.isFailure(exit)) Counts.giveBack(entries, id)
          else if (underway.has(id)) Counts.pass(entries, key, id, now)
          if (Exit.isFailure(exit) && !late) Counts.add(entries, told)
          underway.delete(id)
        })
        if (Exit.isFailure(exit) && late) yield* lost(told)
      })

    const deliver = (alert: Alert, restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const id = globalThis.crypto.randomUUID()
        const told = yield* begin(alert, now, id)
        if (told === undefined) {
          changed()
          return yield* heldBack("throttle")
        }
        const exit = yield* Effect.exit(restore(Effect.suspend(() => post(telling(alert, told, zone)))))
        yield* end(id, Counts.keyOf(alert), told, exit)
        changed()
        return yield* exit
      })

    const summarise = (take: Take) =>
      Effect.uninterruptible(Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const id = globalThis.crypto.randomUUID()
        const told = yield* state.modify((entries) => {
          const told = take(entries, now, id)
          if (told.length > 0) underway.add(id)
          return told
        })
        if (told.length === 0) return
        const exit = yield* Window.attempt(post, () => summaryOf(told, now, zone))
        yield* end(id, Counts.others, told, exit)
        if (Exit.isSuccess(exit)) return
        notBefore = (yield* Clock.currentTimeMillis) + limits.overall.window
        yield* Effect.logWarning(
          "effect-epilogue: throttle: what was held back could not be told",
          explain(exit.cause)
        )
      }))

    const due: Take = (entries, now, id) => Counts.summarise(entries, limits, underway, now, id)

    const changed = yield* Window.make({
      next: state.modify((entries) => {
        const at = Counts.nextSummary(entries, limits, underway)
        return at === undefined ? undefined : Math.max(at, notBefore)
      }),
      flush: summarise(due),
      close: Effect.gen(function*() {
        closed = true
        const { size } = yield* state.unsaved
        outlives = options.persist !== undefined && size === 0
        // What is due must not wait for the next process, which may be as short as this one.
        yield* summarise(size === 0 ? due : takeAll)
      }),
      closed: Effect.flatMap(
        state.unsaved,
        ({ size }) => size === 0 ? Effect.void : Effect.flatMap(state.modify(takeAll), lost)
      )
    })

    return (alert) => Effect.uninterruptibleMask((restore) => deliver(alert, restore))
  })

type Entries = Map<string, typeof Counts.Entry.Type>

const takeAll = (entries: Entries): Counts.Told => Counts.tell(entries, undefined)

/** Takes from the entries what is to be told. */
type Take = (entries: Entries, now: number, id: string) => Counts.Told

const telling = (alert: Alert, told: Counts.Told, zone: DateTime.TimeZone): Alert =>
  told.length === 0 ? alert : withFields(alert, { [heldBackField]: sentence(told, zone) })

const sentence = (told: Counts.Told, zone: DateTime.TimeZone): string => {
  const { count, since } = Counts.total(told)
  const subjects = Counts.bySubject(told).map(({ count, name }) => `${name} (${count})`).join(", ")
  return `${alerts(count)} since ${localTime(DateTime.makeUnsafe(since), zone)}: ${subjects}`
}

const summaryOf = (told: Counts.Told, now: number, zone: DateTime.TimeZone): Alert => {
  const { count, severity, since } = Counts.total(told)
  const time = formatDuration(now - since)
  return Alert.make({
    title: `${alerts(count)} held back`,
    body: `Since ${localTime(DateTime.makeUnsafe(since), zone)}${time === "" ? "" : `, in ${time}`}.`,
    severity,
    fields: Counts.bySubject(told).map(({ count, name }) => ({ name, value: `${count}` }))
  })
}

const lost = (told: Counts.Told): Effect.Effect<void> => {
  if (told.length === 0) return Effect.void
  return Effect.logError(
    `effect-epilogue: throttle: nobody was told of ${alerts(Counts.total(told).count)} held back`,
    Counts.bySubject(told).map(({ count, name }) => `${name}: ${count}`).join("\n")
  )
}
