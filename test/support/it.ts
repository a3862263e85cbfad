/**
 * Tests as Effects, on any runner: `bun:test`, `node:test` and `Deno.test` all
 * take a name and a function that returns a promise.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"

/** Registers a test with a runner. */
export type RegisterTest = (name: string, run: () => Promise<void>) => unknown

/** A test's body, which may use the scope of the test. */
export type Body<A, E> = () => Effect.Effect<A, E, Scope.Scope>

export interface It {
  /** Registers a test on the test clock, which stands still until it is moved. */
  readonly effect: <A, E>(name: string, body: Body<A, E>) => void
  /** Registers a test on the machine's clock. */
  readonly live: <A, E>(name: string, body: Body<A, E>) => void
}

/** Prints what the test logged: the runner shows it above the failure. */
const printConsole = Effect.gen(function*() {
  for (const line of yield* TestConsole.logLines) yield* Effect.sync(() => globalThis.console.log(line))
  for (const line of yield* TestConsole.errorLines) yield* Effect.sync(() => globalThis.console.error(line))
})

const run = <A, E>(body: Body<A, E>, clock: Layer.Layer<never>): Promise<void> =>
  Effect.suspend(body).pipe(
    Effect.scoped,
    Effect.tapCause(() => printConsole),
    Effect.asVoid,
    // logs of a test that passes would bury those of a test that fails
    Effect.provide([TestConsole.layer, clock]),
    Effect.runPromise
  )

/** Makes the two kinds of tests from a runner's own way to register one. */
export const makeIt = (test: RegisterTest): It => ({
  effect: (name, body) => void test(name, () => run(body, TestClock.layer())),
  live: (name, body) => void test(name, () => run(body, Layer.empty))
})
