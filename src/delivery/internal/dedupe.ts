import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Hash from "effect/Hash"
import * as Schema from "effect/Schema"
import type { Alert, Severity } from "../../Alert.ts"
import { heldBack } from "../../internal/alerts/metrics.ts"
import type { DedupeOptions } from "../dedupe.ts"
import { ask, heldBack as heldBackField, heldBackBefore, iso, locks, Millis, remember, withFields } from "./entries.ts"
import { limitOf } from "./options.ts"
import { isDigest, isFailure, type Post, subject } from "./policy.ts"
import * as State from "./state/state.ts"

const Entry = Schema.Struct({
  /** When the last one was delivered. */
  at: Millis,
  /** How many have been held back since. */
  held: Schema.Natural,
  /** The opposite has been delivered since: a failure after a success, or a success after a failure. */
  over: Schema.Boolean
})
type Entry = (typeof Entry)["Type"]

/** @internal */
export const make = <P extends string | undefined>(
  inner: Post,
  { by, persist, window }: DedupeOptions<P>
): Effect.Effect<Post, never, State.Persisted<P>> =>
  Effect.map(State.make("dedupe", persist, Entry), (state) => {
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
