/** Limits of computing time that hold on a busy machine, too. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import process from "node:process"

/** Starts a watch of this process's computing time, and returns a function that reads it, in milliseconds. */
const watch = (): () => number => {
  const since = process.cpuUsage()
  return () => {
    const { system, user } = process.cpuUsage(since)
    return (user + system) / 1000
  }
}

/** A core that two busy threads share takes twice as long, and what is not linear takes a hundred times as long. */
const busy = 3

const assertWithin = (millis: number, limit: number, what: string): void =>
  assert.ok(millis < busy * limit, `${what}: ${Math.round(millis)} ms of computing time, and the limit is ${limit} ms`)

/** Calls a function, and asserts that it computes for less than `limit` milliseconds, whatever else the machine does. */
export const within = <A>(limit: number, what: string, use: () => A): A => {
  const spent = watch()
  const result = use()
  assertWithin(spent(), limit, what)
  return result
}

/** Asserts that an effect computes for less than `limit` milliseconds, whatever else the machine does. */
export const effectWithin = <A, E, R>(
  limit: number,
  what: string,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const spent = watch()
    return Effect.tap(effect, () => Effect.sync(() => assertWithin(spent(), limit, what)))
  })
