/** Times, fields, locks and bounded maps that several policies share. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import type { Alert } from "../../Alert.ts"
import { withoutUrls } from "../../internal/text/addresses.ts"
import { causesOf } from "../../internal/text/errorParts.ts"
import { errorMessage } from "../../internal/text/errors.ts"
import * as Writer from "../../internal/text/writer.ts"

/** Milliseconds since the epoch, within the range of a `Date`. */
export const Millis: Schema.Codec<number> = Schema.Finite.check(
  Schema.isBetween({ minimum: -8.64e15, maximum: 8.64e15 })
)

/** Returns a time as ISO 8601 in UTC. */
export const iso = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

/** Returns milliseconds for measuring elapsed time, which do not change when the system clock is set. */
export const monotonicMillis: Effect.Effect<number> = Effect.map(
  Clock.monotonicTimeNanos,
  (nanos) => Number(nanos / 1_000_000n)
)

/** Returns the time of an alert: its `at`, or now. */
export const timeOf = ({ at }: Alert): Effect.Effect<number> =>
  at === undefined ? Clock.currentTimeMillis : Effect.succeed(DateTime.toEpochMillis(at))

/** Returns the alert with fields added after its own. */
export const withFields = (alert: Alert, fields: Readonly<Record<string, string>>): Alert =>
  alert.with({ fields: [...alert.fields, ...Object.entries(fields).map(([name, value]) => ({ name, value }))] })

/** Far more than scripts have steps, and few enough to fit into memory. */
const maxEntries = 10_000

/** Sets an entry and makes it the newest. Drops the oldest entries beyond the limit. */
export const remember = <A>(entries: Map<string, A>, key: string, entry: A): void => {
  entries.delete(key)
  entries.set(key, entry)
  for (const oldest of entries.keys()) {
    if (entries.size <= maxEntries) break
    entries.delete(oldest)
  }
}

/** Returns a function that runs effects with the same key one after another. A key's lock lives while it is in use. */
export const locks = () => {
  const locks = new Map<string, { readonly semaphore: Semaphore.Semaphore; users: number }>()
  return (key: string) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const lock = locks.get(key) ?? { semaphore: Semaphore.makeUnsafe(1), users: 0 }
        locks.set(key, lock)
        lock.users++
        return lock
      }),
      ({ semaphore }) => semaphore.withPermits(1)(self),
      (lock) => Effect.sync(() => --lock.users === 0 && locks.delete(key))
    )
}

/** Returns the reason for a failure as text for the log. Removes URLs, which may contain secrets. */
export const explain = (cause: Cause.Cause<unknown>): string => {
  if (Cause.hasInterruptsOnly(cause)) return "it was interrupted"
  const error = Cause.squash(cause)
  // The errors of a `KeyValueStore` have the operating system's message (no space left, say) only in `cause`.
  return withoutUrls([error, ...causesOf(error, 1)].map(errorMessage).join(": "))
}

/**
 * Calls a function from the user's options. If it throws, or returns something of another type than `otherwise` or a text
 * where that is `undefined`, logs a warning and returns `otherwise`: the alert must go on.
 */
export const callSafely = <A extends boolean | string | undefined>(
  policy: string,
  f: (alert: Alert) => A,
  alert: Alert,
  otherwise: A
): Effect.Effect<A> =>
  Effect.catchDefect(
    Effect.sync(() => {
      const returned = f(alert)
      const expected = otherwise === undefined ? "string" : typeof otherwise
      // code without types may return a promise, which holds as a condition
      if (returned !== otherwise && typeof returned !== expected) {
        const found = hasProperty(returned, "then") ? "promise" : Effect.isEffect(returned) ? "Effect" : typeof returned
        throw new TypeError(`expected a ${expected}, and it returned: ${found}`)
      }
      return returned
    }),
    (defect) =>
      Effect.as(
        Writer.logWarning(`effect-epilogue: a function given to ${policy} failed`, explain(Cause.die(defect))),
        otherwise
      )
  )
