/** What policies that remember have in common. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import type { Alert } from "../../Alert.ts"
import { withoutUrls } from "../../internal/text/redact.ts"

/** A point in time, of those that a date can hold. */
export const Millis: Schema.Codec<number> = Schema.Finite.check(
  Schema.isBetween({ minimum: -8.64e15, maximum: 8.64e15 })
)

/** @internal */
export const iso = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

/** For how long something takes, whatever becomes of the clock on the wall. */
export const monotonicMillis: Effect.Effect<number> = Effect.map(
  Clock.monotonicTimeNanos,
  (nanos) => Number(nanos / 1_000_000n)
)

/** When it happened. */
export const timeOf = ({ at }: Alert): Effect.Effect<number> =>
  at === undefined ? Clock.currentTimeMillis : Effect.succeed(DateTime.toEpochMillis(at))

/** @internal */
export const withFields = (alert: Alert, fields: Readonly<Record<string, string>>): Alert =>
  alert.with({ fields: [...alert.fields, ...Object.entries(fields).map(([name, value]) => ({ name, value }))] })

/** The field in which a policy says how many alerts it did not let pass before this one. */
export const heldBack = "held back"

/** How many alerts it tells of that a policy around held back. If it is held back too, they must not be forgotten. */
export const heldBackBefore = ({ fields }: Alert): number =>
  fields.reduce(
    (sum, { name, value }) =>
      sum + (name === heldBack ? Number(/^(\d{1,9}) (?:more|alerts?) /.exec(value)?.[1] ?? 0) : 0),
    0
  )

/** More than scripts have steps, and little enough for any memory. */
const limit = 10_000

/** Sets an entry as the newest. Where there are too many, the oldest is forgotten. */
export const remember = <A>(entries: Map<string, A>, key: string, entry: A): void => {
  entries.delete(key)
  entries.set(key, entry)
  for (const oldest of entries.keys()) {
    if (entries.size <= limit) break
    entries.delete(oldest)
  }
}

/** One at a time, as long as somebody uses a key. */
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

/** Why something failed, for a log: without the addresses that may be in it. */
export const explain = (cause: Cause.Cause<unknown>): string => {
  if (Cause.hasInterruptsOnly(cause)) return "it was interrupted"
  const error = Cause.squash(cause)
  if (!(error instanceof Error)) return withoutUrls(String(error))
  // what stores say of a disk that is full is found there
  const why = error.cause instanceof Error ? `: ${error.cause.message}` : ""
  return withoutUrls(error.message + why)
}

/** What a function of the user's says of an alert. One that throws must not cost the alert. */
export const ask = <A>(policy: string, f: (alert: Alert) => A, alert: Alert, otherwise: A): Effect.Effect<A> =>
  Effect.catchDefect(
    Effect.sync(() => f(alert)),
    (defect) =>
      Effect.as(
        Effect.logWarning(`effect-epilogue: a function given to ${policy} threw`, explain(Cause.die(defect))),
        otherwise
      )
  )
