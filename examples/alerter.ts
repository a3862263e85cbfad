/**
 * A failure hook that posts to the alerter that the environment provides; then the
 * standard hooks in its place.
 *
 *     bun examples/alerter.ts
 */
import { Effect } from "effect"
import { Alerter, AlerterHooks, Step, StepContext } from "effect-epilogue"
import { runMain } from "effect-epilogue/main"

const postFailure = Effect.gen(function*() {
  const { stepName } = yield* StepContext
  const alerter = yield* Alerter
  yield* alerter.post(`${stepName} just failed!`)
})

const body = Effect.fail("no such bucket")

// Step<never, string, Alerter>: running it without an Alerter is a type error.
export const byHand = Step.make("upload", body).pipe(Step.onFailure(() => postFailure))

// The standard hooks post more: pipeline, run, attempt, duration, parameters and the cause.
export const standard = Step.make("upload", body).pipe(Step.hooks(AlerterHooks.all))

export const program = Effect.gen(function*() {
  yield* Effect.exit(byHand)
  yield* Effect.exit(standard)
  yield* Step.make("tidy up", Effect.void).pipe(Step.hooks(AlerterHooks.all))
})

if (import.meta.main) runMain(program.pipe(Effect.provide(Alerter.layerConsole)))
