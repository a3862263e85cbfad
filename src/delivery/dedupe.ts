/**
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Hash from "effect/Hash"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Alert, Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { heldBack } from "../internal/alerts/metrics.ts"
import {
  callSafely,
  heldBack as heldBackField,
  heldBackBefore,
  iso,
  locks,
  Millis,
  remember,
  withFields
} from "./internal/entries.ts"
import { limitOf } from "./internal/options.ts"
import { aroundAll, isDigest, isFailure, type Post, subject } from "./internal/policy.ts"
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
   * The name of this policy's entry in the `KeyValueStore`, used by no other policy of its kind. In memory by default.
   */
  readonly persist?: P | undefined
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
 *   comes, they are not reported.
 * - An alert whose delivery fails holds nothing back. Of two duplicates at the same time, the second waits for the
 *   first, and is delivered if that fails.
 * - A success that resolves a delivered failure is delivered within the window too, as is a failure after a delivered
 *   success.
 *   Use `throttle` for steps that fail and succeed all the time.
 * - Up to 10,000 keys are remembered. Beyond that the oldest is forgotten.
 *
 * **Gotchas**
 *
 * - A `dedupeKey` says which step an alert is about, whatever the error: with `by: (alert) => alert.dedupeKey`, the
 *   second error of a step is held back after the first.
 * - Pipe `throttle` and `afterConsecutive` after `dedupe`. Piped before, they stand between it and the channel, and it
 *   takes the alerts that they drop for delivered.
 * - Pipe `digest` and `quietHours` before `dedupe`. Their combined alerts are duplicates of nothing.
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
 * // for a script that runs each night: the state is kept in a KeyValueStore
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
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => aroundAll((post) => make(post, options), "takes")(self)
)

const Entry = Schema.Struct({
  /** When an alert with this key was delivered last. */
  at: Millis,
  /** How many duplicates have been held back since. */
  held: Schema.Natural,
  /** Whether the opposite has been delivered since: a success after a failure, or a failure after a success. */
  over: Schema.Boolean
})
type Entry = (typeof Entry)["Type"]

const make = <P extends string | undefined>(
  inner: Post,
  { by, persist, window }: DedupeOptions<P>
): Effect.Effect<Post, never, Persisted<P>> =>
  Effect.map(makeState("dedupe", persist, Entry), (state) => {
    const length = limitOf("dedupe", "window", window)
    const oneAtATime = locks()
    // A time in the future was stored while the clock was wrong. It must not hold back alerts until then.
    const holds = ({ at, over }: Entry, now: number) => !over && now >= at && now - at < length

    /** Returns the entry of the key and whether it holds back the alert, which it counts in that case. */
    const check = (key: string, before: number, now: number) =>
      state.modify((entries) => {
        // Removes expired entries. The oldest come first, so it stops at the first that still holds back.
        for (const [key, entry] of entries) {
          if (holds(entry, now)) break
          if (entry.held === 0) entries.delete(key)
        }
        const entry = entries.get(key)
        const held = entry !== undefined && holds(entry, now)
        if (held) entries.set(key, { ...entry, held: entry.held + 1 + before })
        return { entry, held }
      })

    const markDelivered = (alert: Alert, { about, kind }: Name, at: number) =>
      state.modify((entries) => {
        if (!alert.quiet) remember(entries, keyOf(alert.severity, about, kind), { at, held: 0, over: false })
        const opposite = opposites(alert).map((severity) => keyOf(severity, about, ""))
        if (opposite.length === 0) return
        for (const [key, before] of entries) {
          if (!before.over && opposite.some((prefix) => key.startsWith(prefix))) {
            entries.set(key, { ...before, over: true })
          }
        }
      })

    return (alert) =>
      Effect.flatMap(nameOf(alert, by), (name) => {
        // what tells that something is well again is never a repeat of what has been told
        if (alert.quiet || alert.recovers.length > 0) {
          return Effect.tap(
            inner(alert),
            () => Effect.flatMap(Clock.currentTimeMillis, (now) => markDelivered(alert, name, now))
          )
        }
        const key = keyOf(alert.severity, name.about, name.kind)
        return oneAtATime(key)(Effect.uninterruptibleMask((restore) =>
          Effect.gen(function*() {
            const { entry, held } = yield* check(key, heldBackBefore(alert), yield* Clock.currentTimeMillis)
            if (held) return yield* heldBack("dedupe")
            yield* restore(Effect.suspend(() => inner(withCount(alert, entry))))
            yield* markDelivered(alert, name, yield* Clock.currentTimeMillis)
          })
        ))
      })
  })

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

const withCount = (alert: Alert, entry: Entry | undefined): Alert =>
  entry === undefined || entry.held === 0
    ? alert
    : withFields(alert, { [heldBackField]: `${entry.held} more like it since ${iso(entry.at)}` })

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
      (alert.body ?? "").trimStart().split("\n", 1)[0]!.replace(/\d+/g, "0"),
      // Digests of a step have no body: they are duplicates only if they list the same alerts.
      ...(isDigest(alert) ? [alert.title, alert.detail] : [])
    ])
    : ""

/** Shortens a long key to its beginning, length and hash, since the keys of all entries are stored. */
const shorten = (text: string): string => shortened(text.replaceAll("\n", " "))

const shortened = (name: string): string =>
  name.length <= 300 ? name : `${name.slice(0, 200)} ${name.length} ${Hash.string(name)}`
