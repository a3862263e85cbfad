/**
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Hash from "effect/Hash"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Alert, Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import type { Telling } from "../internal/alerts/digest.ts"
import { countedOnly } from "../internal/alerts/metrics.ts"
import { withNote } from "../internal/alerts/notes.ts"
import { callSafely, locks, Millis, remember } from "./internal/entries.ts"
import * as Counts from "./internal/hold/count.ts"
import * as Summaries from "./internal/hold/summary.ts"
import { limitOf } from "./internal/options.ts"
import { allPlaces, type Arrival, arrivalOf, arriveAt, conclude, isTold, quietly } from "./internal/places.ts"
import { configured, isDigest, isFailure, isNotice, orTaken, type Post, subject } from "./internal/policy.ts"
import { makeState, type Persisted } from "./internal/state/persisted.ts"

/**
 * Options of {@link dedupe}.
 *
 * @category models
 * @since 0.1.0
 */
export interface DedupeOptions<P extends string | undefined = undefined> {
  /** For how long after the delivery of an alert its duplicates are held back. `Infinity` is for ever. */
  readonly window: Duration.Input
  /**
   * The name of this policy's state in the {@link Store}, used by no other policy of its kind. In memory by default.
   */
  readonly persist?: P | undefined
  /** The time zone of the times in alerts. The channel's by default, else the machine's. */
  readonly timeZone?: DateTime.TimeZone | undefined
  /**
   * Returns the key that duplicates have in common, or `undefined` for the default: the alert's `dedupeKey` (else its
   * step, else its title) and, for a failure, the kind of the error: its tags, and the first line of the body, in which
   * numbers count as equal.
   */
  readonly by?: ((alert: Alert) => string | undefined) | undefined
}

/**
 * Holds back duplicates of an alert that was delivered recently with the same severity.
 *
 * **When to use**
 *
 * For jobs that run often and fail for the same reason each time: the first failure is delivered, its repeats are
 * counted.
 *
 * **Details**
 *
 * - The first duplicate that is delivered after the window reports in a field `held back` how many there were. If none
 *   comes within another window, or a success has come, a summary does, with the counts by title and the highest
 *   severity. When the scope closes, it is posted at once, for up to 30 seconds; if that fails, `onLost` gets it. A
 *   recovery, as `recovered` makes it, counts the failures itself.
 * - With `persist`, a window that is open when the scope closes goes on in the next process, with its counts. The summary
 *   then tells what was held back in windows that have ended.
 * - A summary has the tags `digest` and `held back`. It is about alerts that were delivered: `PagerDuty` makes it a change
 *   event, which pages nobody.
 * - An alert whose delivery fails holds nothing back. One that has reached some alerters of a `fanOut` is posted to the
 *   others the next time. Of two duplicates at the same time, the second waits for the first, and is delivered if that
 *   fails.
 * - A success that resolves a delivered failure is delivered within the window too, as is a failure after a delivered
 *   success. Use `throttle` for steps that fail and succeed all the time.
 * - Up to 10,000 keys are remembered. Beyond that the oldest is forgotten.
 *
 * **Gotchas**
 *
 * - A `dedupeKey` says which step an alert is about, whatever the error: with `by: (alert) => alert.dedupeKey`, the
 *   second error of a step is held back after the first.
 * - Pipe `digest` and `quietHours` before `dedupe`. Their combined alerts are duplicates of nothing.
 * - Processes that share a store each deliver a duplicate that they get while the first is still being delivered: if they
 *   held it back, and that delivery failed, nobody would deliver it.
 * - A window that is not positive is a defect when the layer is built.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { dedupe } from "effect-epilogue/delivery"
 *
 * const alerter = Slack.layerConfig().pipe(
 *   dedupe({ window: "1 hour" })
 * )
 *
 * // for a script that runs each night: the state is kept in a Store
 * const nightly = Slack.layerConfig().pipe(dedupe({ window: "3 days", persist: "nightly-etl" }))
 * ```
 *
 * @see {@link throttle} for limiting all alerts, duplicates or not
 * @see {@link recovered} for an alert when a step succeeds again
 *
 * @category policies
 * @since 0.1.0
 */
export const dedupe: {
  <P extends string | undefined = undefined>(
    options: DedupeOptions<P>
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R | Persisted<P>>
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: DedupeOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>>
} = dual(
  2,
  <E, R, P extends string | undefined = undefined>(
    self: Layer.Layer<Alerter, E, R>,
    options: DedupeOptions<P>
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => configured("dedupe", options, known, make, "takes")(self)
)

const Entry = Schema.Struct({
  /** When an alert with this key was delivered last. */
  at: Millis,
  /** Whether the opposite has been delivered since: a success after a failure, or a failure after a success. */
  over: Schema.Boolean,
  /** Where the alert has arrived, if there are several places. */
  told: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Whether there are places where it has not arrived. */
  open: Schema.optionalKey(Schema.Boolean),
  /** The duplicates that have been held back since. */
  held: Schema.optionalKey(Counts.Count)
})
type Entry = (typeof Entry)["Type"]
type Report = ReadonlyArray<readonly [key: string, count: Counts.Count]>

const known = { window: 0, persist: 0, timeZone: 0, by: 0 } as const

const make = <P extends string | undefined>(
  inner: Post,
  { by, persist, window }: DedupeOptions<P>,
  telling: Telling
): Effect.Effect<Post, never, Scope.Scope | Persisted<P>> =>
  Effect.gen(function*() {
    const state = yield* makeState("dedupe", persist, Entry)
    const length = limitOf("dedupe", "window", window)
    const oneAtATime = locks()
    // A time in the future was stored while the clock was wrong. It must not hold back alerts until then.
    const holds = ({ at, over }: Entry, now: number) => !over && now >= at && now - at < length

    const isDue = (entry: Entry, now: number) => entry.held !== undefined && !holds(entry, now)

    const { changed, isLate } = yield* Summaries.make<Entry, Report>(inner, {
      policy: "dedupe",
      state,
      isStored: persist !== undefined,
      telling,
      title: telling.words.repeatsHeldBack,
      isRepeats: true,
      next: (entries, now) => {
        let next: number | undefined
        for (const { at, held, over } of entries.values()) {
          if (held === undefined) continue
          // for another window, a duplicate that is delivered may report them
          const due = at > now ? now : at + (over ? length : 2 * length)
          if (due < Infinity && (next === undefined || due < next)) next = due
        }
        return next
      },
      take: (entries, now, _, all) => {
        const report: Array<Report[number]> = []
        for (const [key, entry] of entries) {
          const { held, ...rest } = entry
          if (held === undefined || !(all || isDue(entry, now))) continue
          report.push([key, held])
          entries.set(key, rest)
        }
        return report
      },
      rows: (report) => report.map(([, count]) => ({ name: count.worst.title, count })),
      end: (_, report, told) =>
        told ? Effect.void : state.modify((entries) => {
          for (const [key, count] of report) {
            const entry = entries.get(key) ?? { at: count.since, over: true }
            entries.set(key, { ...entry, held: Counts.sum(entry.held, count) })
          }
        }),
      pause: Math.min(length, maxPause)
    })

    /** Returns the entry of the key and whether it holds back the alert, which it counts in that case. */
    const check = (key: string, alert: Alert, now: number) =>
      state.modify((entries) => {
        // Removes expired entries. The oldest come first, so it stops at the first that still holds back.
        for (const [key, entry] of entries) {
          if (holds(entry, now)) break
          if (entry.held === undefined) entries.delete(key)
        }
        const entry = entries.get(key)
        const isHeld = entry !== undefined && holds(entry, now) && entry.open !== true && !isLate()
        if (isHeld) {
          entries.set(key, { ...entry, held: Counts.sum(entry.held, Counts.countOf(alert, now, telling.words)) })
        }
        return { entry, isHeld }
      })

    /** Returns whether a summary may be due earlier. */
    const markTold = (alert: Alert, { about, kind }: Name, entry: Entry | undefined, arrival: Arrival, now: number) =>
      state.modify((entries) => {
        if (!isTold(arrival)) return false
        const isOpen = Exit.isFailure(arrival.exit)
        if (!alert.quiet) {
          remember(entries, keyOf(alert.severity, about, kind), {
            at: isOpen && entry !== undefined ? entry.at : now,
            over: false,
            told: allPlaces(alert.told, arrival.told),
            open: isOpen
          })
        }
        const opposite = opposites(alert).map((severity) => keyOf(severity, about, ""))
        let isEarlier = false
        // not all entries for each failure of a storm, where the key of what tells the opposite is known
        const known = isFailure(alert) && (alert.dedupeKey !== undefined || by !== undefined)
          ? opposite
          : entries.keys()
        for (const key of opposite.length === 0 ? [] : known) {
          if (!opposite.some((prefix) => key.startsWith(prefix))) continue
          const before = entries.get(key)
          if (before === undefined || before.over) continue
          const { held, ...rest } = before
          // a recovery tells how many failures there were, with those that were held back
          const isReported = held === undefined || (alert.recovers.length > 0 && !isOpen)
          entries.set(key, { ...rest, over: true, ...(isReported ? {} : { held }) })
          isEarlier ||= !isReported
        }
        return isEarlier
      })

    const deliver = (alert: Alert, name: Name, entry: Entry | undefined, post: Post) =>
      Effect.gen(function*() {
        const arrival = yield* arrivalOf(post(alert))
        if (yield* markTold(alert, name, entry, arrival, yield* Clock.currentTimeMillis)) changed()
        yield* conclude(arrival)
      })

    return (alert) => {
      if (isDigest(alert) || isNotice(alert)) return inner(alert)
      return Effect.flatMap(nameOf(alert, by), (name) => {
        // what tells that something is well again is never a repeat of what has been told
        if (alert.quiet || alert.recovers.length > 0) return deliver(alert, name, undefined, inner)
        const key = keyOf(alert.severity, name.about, name.kind)
        return oneAtATime(key)(Effect.uninterruptibleMask((restore) =>
          Effect.gen(function*() {
            const now = yield* Clock.currentTimeMillis
            const { entry, isHeld } = yield* check(key, alert, now)
            if (isHeld) {
              changed()
              yield* countedOnly(alert, "dedupe")
              yield* arriveAt(entry?.told ?? [])
              if (alert.resolves) yield* restore(Effect.suspend(() => inner(quietly(alert))))
              return
            }
            // one that has reached some alerters goes to the others
            const isAgain = entry?.open === true && holds(entry, now)
            yield* deliver(
              withCount(isAgain ? alert.with({ told: entry.told }) : alert, entry, telling),
              name,
              isAgain ? entry : undefined,
              (alert) => orTaken(restore(Effect.suspend(() => inner(alert))))
            )
          })
        ))
      })
    }
  })

/** The longest time between two attempts to post a summary. */
const maxPause = 60 * 60_000

/** Returns the severities whose alerts are delivered again once this alert has been. */
const opposites = (alert: Alert): ReadonlyArray<Severity> =>
  isFailure(alert) ? ["success"] : alert.resolves ? ["warning", "error", "critical"] : []

/** The subject of an alert and, for a failure, the kind of its error. */
interface Name {
  readonly about: string
  readonly kind: string
}

// a separator that ends the first part, so that all kinds of one subject have a prefix of their own
const keyOf = (severity: Severity, about: string, kind: string): string => `${severity} ${about}\n${kind}`

const withCount = (alert: Alert, entry: Entry | undefined, { words, zone }: Telling): Alert =>
  entry?.held === undefined
    ? alert
    : withNote(
      alert,
      { kind: "held back", name: words.heldBack, count: entry.held.count },
      words.moreLikeItSince(entry.held.count, Counts.timeIn(entry.at, zone))
    )

const nameOf = (alert: Alert, by: DedupeOptions<undefined>["by"]): Effect.Effect<Name> =>
  Effect.map(
    by === undefined ? Effect.undefined : callSafely("dedupe", by, alert, undefined),
    (name) =>
      name === undefined
        ? { about: shorten(subject(alert)), kind: shorten(kindOf(alert)) }
        : { about: shorten(name), kind: "" }
  )

/**
 * Returns the kind of a failure: the tags of its errors, and the first line of its body, which has the class of the
 * error and its message. Numbers in it count as equal, since they differ from one time to the next.
 */
const kindOf = (alert: Alert): string =>
  isFailure(alert) || alert.dedupeKey === undefined
    ? JSON.stringify([
      alert.tags,
      (alert.body ?? "").trimStart().split("\n", 1)[0]!.replace(/\d+/g, "0")
    ])
    : ""

/** Shortens a long key to its beginning, length and hash, since the keys of all entries are stored. */
const shorten = (text: string): string => shortened(text.replaceAll("\n", " "))

const shortened = (name: string): string =>
  name.length <= 300 ? name : `${name.slice(0, 200)} ${name.length} ${Hash.string(name)}`
