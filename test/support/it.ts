/**
 * Tests as Effects, on whatever runner: `bun:test`, `node:test` and `Deno.test` all
 * take a name and a function that returns a promise.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"

/** How a runner registers a test. */
export type RegisterTest = (name: string, run: () => Promise<void>) => unknown

/** A test's body: scoped, everything else provided. */
export type Body<A, E> = () => Effect.Effect<A, E, Scope.Scope>

export interface It {
  /** On the test clock, which stands still until it is moved, with what is written to the console kept. */
  readonly effect: <A, E>(name: string, body: Body<A, E>) => void
  /** On the clock and the console of the machine. */
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
