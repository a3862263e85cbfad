/** How computing time grows with the size of an input: a law that holds on a machine of any speed, busy or not. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import process from "node:process"

/**
 * The computing time, in milliseconds, up to which nothing is compared: sizes are such that what is not linear takes far
 * longer, and what is linear does not reach it, so that limits of channels, beyond which they cut, do not matter.
 */
const short = 2_000

/** How many times as large the larger input is. Quadratic time grows 64-fold. */
const larger = 8

/** More than linear time grows, whose larger input finds less in caches and leaves more garbage. */
const mostGrowth = 2 * larger

/** The most comparisons: a busy machine spoils some of them, and not all. */
const rounds = 4

/** Returns the computing time of an effect in this process, in milliseconds. */
const computing = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<number, E, R> =>
  Effect.suspend(() => {
    const since = process.cpuUsage()
    return Effect.map(effect, () => {
      const { system, user } = process.cpuUsage(since)
      return (user + system) / 1000
    })
  })

/** Asserts that the computing time of an effect grows in proportion to the size of its input, from an eighth to `size`. */
export const effectIsLinear = <A, E, R>(
  what: string,
  size: number,
  use: (size: number) => Effect.Effect<A, E, R>
): Effect.Effect<void, E, R> =>
  Effect.gen(function*() {
    const compared: Array<string> = []
    for (let round = 0; round < rounds; round++) {
      const large = yield* computing(use(size))
      if (large < short) return
      const small = yield* computing(use(Math.ceil(size / larger)))
      if (large < mostGrowth * small) return
      compared.push(`${Math.round(small)} and ${Math.round(large)} ms`)
    }
    const times = compared.join(", ")
    assert.fail(
      `${what}: expected ${larger} times the size to take less than ${mostGrowth} times as long, found ${times}`
    )
  })

/** Asserts that the computing time of a function grows in proportion to the size of its input, from an eighth to `size`. */
export const isLinear = (what: string, size: number, use: (size: number) => unknown): void =>
  Effect.runSync(effectIsLinear(what, size, (size) => Effect.sync(() => use(size))))
