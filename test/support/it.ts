/**
 * Registers Effects as tests with any test runner: `bun:test`, `node:test` and `Deno.test` all take a name and a
 * function that returns a promise.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"

/** A runner's function that registers a test. */
export type RegisterTest = (name: string, run: () => Promise<void>) => unknown

/** A test's body, which runs in a scope of its own. */
export type Body<A, E> = () => Effect.Effect<A, E, Scope.Scope>

export interface It {
  /** Runs a test with `TestClock`, which stands still until it is adjusted, and `TestConsole`, which records its output. */
  readonly effect: <A, E>(name: string, body: Body<A, E>) => void
  /** Runs a test with the real clock and console. */
  readonly live: <A, E>(name: string, body: Body<A, E>) => void
}

export const makeIt = (test: RegisterTest): It => ({
  effect: (name, body) =>
    void test(name, () => {
      const services = Layer.mergeAll(TestConsole.layer, TestClock.layer())
      return Effect.runPromise(Effect.suspend(body).pipe(Effect.asVoid, Effect.scoped, Effect.provide(services)))
    }),
  live: (name, body) =>
    void test(name, () => Effect.runPromise(Effect.suspend(body).pipe(Effect.asVoid, Effect.scoped)))
})
