/**
 * A job that tells while it goes on that it takes longer than it should, and when it has ended after all.
 *
 *     bun examples/overdue.ts
 *     bun examples/overdue.ts --fails
 */
import { Effect } from "effect"
import { Alerter, AlerterHooks, Hook, Hooks, Pipeline, Step } from "effect-epilogue"
import { runMain } from "effect-epilogue/main"
import process from "node:process"

const isFailing = process.argv.includes("--fails")

// takes half a second as a rule
const load = Step.make(
  "load",
  Effect.andThen(Effect.sleep("2500 millis"), isFailing ? Effect.fail("the server hung up") : Effect.succeed(1461))
)

// has limits of its own in place of the pipeline's
const index = Step.make("index", Effect.sleep("700 millis")).pipe(
  Step.onOverdue("500 millis", ({ limit, stepName }) => Effect.log(`${stepName} takes longer than`, limit))
)

const nightly = Pipeline.make("nightly", Effect.andThen(load, index)).pipe(
  Pipeline.runName("tonight"),
  Pipeline.stepHooks(
    Hooks.make(AlerterHooks.failure, AlerterHooks.overdue.pipe(Hook.overdueAfter("1 second", { every: "1 second" })))
  )
)

nightly.pipe(Effect.provide(Alerter.layerConsole), runMain({ disableErrorReporting: true }))
