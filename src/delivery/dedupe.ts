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
  ask,
  heldBack as heldBackField,
  heldBackBefore,
  iso,
  locks,
  Millis,
  remember,
  withFields
} from "./internal/entries.ts"
import { limitOf } from "./internal/options.ts"
import { around, isDigest, isFailure, type Post, subject } from "./internal/policy.ts"
import { makeState, type Persisted } from "./internal/state/persisted.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface DedupeOptions<P extends string | undefined = undefined> {
  /** For how long after its delivery an alert keeps others like it back. */
  readonly window: Duration.Input
  /** The name, for this use alone, under which the `KeyValueStore` remembers. In memory unless set. */
  readonly persist?: P | undefined
  /**
   * What alerts that are alike have in common. Unless this says it: the alert's
   * `dedupeKey`, or else its step (or title), its tags and the first line of its body.
   */
  readonly by?: ((alert: Alert) => string | undefined) | undefined
}

/**
 * Holds back alerts like one that was delivered not long ago, and as severe. The next
 * that is delivered after the window says how many there were, in a field `held back`.
 *
 * What was not delivered holds nothing back: of two at once the second waits for the
 * first, and is tried if that fails. A success after a delivered failure is never held
 * back, nor a failure after a delivered success: both are news. (What goes back and
 * forth all the time is for `throttle`.) Where none is delivered any more, nobody is
 * told how many there were. Up to 10,000 kinds of alerts are remembered;
 * if there are more, the oldest is forgotten.
 *
 * Alerts of the standard hooks have a `dedupeKey` for their step, whatever the error;
 * `by` may tell errors apart, as in the example.
 *
 * Pipe `throttle` and `afterConsecutive` after `dedupe`: asked later, nearer to the
 * channel, they might drop what `dedupe` takes for delivered. Pipe `digest` and
 * `quietHours` before it, since what they make of several alerts is like none of them.
 *
 * A window that makes no sense is a defect when the layer is built; an infinite one is
 * for ever.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { dedupe } from "effect-epilogue/delivery"
 *
 * const alerter = Slack.layerConfig().pipe(
 *   dedupe({ window: "1 hour", by: (alert) => `${alert.dedupeKey} ${alert.tags.join(" ")}` })
 * )
 *
 * // for a script that runs each night, with the state in a KeyValueStore
 * const nightly = Slack.layerConfig().pipe(dedupe({ window: "3 days", persist: "nightly-etl" }))
 * ```
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
  ): Layer.Layer<Alerter, E, R | Persisted<P>> => around((post) => make(post, options))(self)
)

const Entry = Schema.Struct({
  /** When the last one was delivered. */
  at: Millis,
  /** How many have been held back since. */
  held: Schema.Natural,
  /** The opposite has been delivered since: a failure after a success, or a success after a failure. */
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
    // What seems to come from the future is of a clock that was wrong, and might hold back for ever.
    const holds = ({ at, over }: Entry, now: number) => !over && now >= at && now - at < length

    /** The entry of the key, and whether it holds back this alert, which is counted then. */
    const check = (key: string, before: number, now: number) =>
      state.modify((entries) => {
        // the oldest come first
        for (const [key, entry] of entries) {
          if (holds(entry, now)) break
          if (entry.held === 0) entries.delete(key)
        }
        const entry = entries.get(key)
        const held = entry !== undefined && holds(entry, now)
        if (held) entries.set(key, { ...entry, held: entry.held + 1 + before })
        return { entry, held }
      })

    const mark = (alert: Alert, name: string, at: number) =>
      state.modify((entries) => {
        remember(entries, keyOf(alert.severity, name), { at, held: 0, over: false })
        for (const severity of opposites(alert)) {
          const key = keyOf(severity, name)
          const before = entries.get(key)
          if (before !== undefined) entries.set(key, { ...before, over: true })
        }
      })

    return (alert) =>
      Effect.flatMap(nameOf(alert, by), (name) => {
        const key = keyOf(alert.severity, name)
        return oneAtATime(key)(Effect.uninterruptibleMask((restore) =>
          Effect.gen(function*() {
            const { entry, held } = yield* check(key, heldBackBefore(alert), yield* Clock.currentTimeMillis)
            if (held) return yield* heldBack("dedupe")
            yield* restore(Effect.suspend(() => inner(counted(alert, entry))))
            yield* mark(alert, name, yield* Clock.currentTimeMillis)
          })
        ))
      })
  })

/** Which news this makes old. */
const opposites = (alert: Alert): ReadonlyArray<Severity> =>
  isFailure(alert) ? ["success"] : alert.severity === "success" ? ["warning", "error", "critical"] : []

const keyOf = (severity: Severity, name: string): string => `${severity} ${name}`

const counted = (alert: Alert, entry: Entry | undefined): Alert =>
  entry === undefined || entry.held === 0
    ? alert
    : withFields(alert, { [heldBackField]: `${entry.held} more like it since ${iso(entry.at)}` })

const nameOf = (alert: Alert, by: DedupeOptions<undefined>["by"]): Effect.Effect<string> =>
  Effect.map(
    by === undefined ? Effect.undefined : ask("dedupe", by, alert, undefined),
    (name) => short(name ?? alert.dedupeKey ?? fingerprint(alert))
  )

/** The step and the error. */
const fingerprint = (alert: Alert): string =>
  JSON.stringify([
    subject(alert),
    alert.tags,
    (alert.body ?? "").trimStart().split("\n", 1)[0],
    // a digest is like another only where the same alerts are in it
    ...(isDigest(alert) ? [alert.title, alert.detail] : [])
  ])

/** An error's message may be of any length, but what is remembered may not. */
const short = (name: string): string =>
  name.length <= 300 ? name : `${name.slice(0, 200)} ${name.length} ${Hash.string(name)}`
