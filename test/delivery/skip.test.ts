/** A skip is neither a failure nor a recovery for the policies that count them. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { afterConsecutive, recovered } from "../../src/delivery/index.ts"
import { Alerter, AlerterHooks, Hooks, Pipeline, Step } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const hooks = Hooks.make(AlerterHooks.success, AlerterHooks.failure, AlerterHooks.skip)

const ends: Record<string, Effect.Effect<void, string | Step.StepSkipped>> = {
  f: Effect.fail("no"),
  s: Step.skip("no rows"),
  "+": Effect.void
}

/** Returns what is told in nights of which each is a letter: the step fails, is skipped, or succeeds. */
const told = (plan: string, policy: (self: Layer.Layer<Alerter>) => Layer.Layer<Alerter>) =>
  Effect.gen(function*() {
    const sent: Array<string> = []
    const collecting = Alerter.layer(({ title }) =>
      Effect.sync(() => void sent.push(title.replace("nightly › load[1] ", "")))
    )
    const nights = Effect.forEach([...plan], (night) =>
      Effect.exit(
        Pipeline.make("nightly", Step.key(Step.make("load", ends[night]!), 1)).pipe(Pipeline.stepHooks(hooks))
      ))
    yield* Effect.provide(nights, policy(collecting))
    return sent
  })

it.effect("a skip between a failure and a success is no recovery, and the success after it is", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* told("fsss+", recovered()), [
      "failed",
      "was skipped",
      "was skipped",
      "was skipped",
      "recovered"
    ])
  }))

it.effect("a skip neither counts as a failure in a row nor ends the row", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* told("ssfsf+fs", afterConsecutive(2)), [
      "was skipped",
      "was skipped",
      "was skipped",
      "failed",
      "succeeded",
      "was skipped"
    ])
  }))
