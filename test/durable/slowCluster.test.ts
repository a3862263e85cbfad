/** Durable pipelines on a slow storage: the code around a step may interrupt it while its record is being stored. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { Step } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { Bad, job, recorder, run, suspendRun } from "./support/engine.ts"
import { onFirstSave, savings, slowCluster } from "./support/slowCluster.ts"

const { live } = makeIt(test)

for (const [name, saving] of Object.entries(savings)) {
  for (const what of ["start", "attempt"]) {
    live(`a step interrupted while its ${what} ${name} ends once, with an interruption`, () =>
      Effect.gen(function*() {
        const seen = recorder()
        const asked = Deferred.makeUnsafe<void>()
        const hanging = Step.make("hanging", Effect.onInterrupt(Effect.never, () => seen.note("body interrupted")))
          .pipe(
            Step.onInterrupt(() => seen.note("interrupt")),
            Step.onExit((exit) => seen.note(`exit ${exit._tag}`)),
            (step) => what === "start" ? Step.onStart(step, Effect.void) : step,
            Durable.step()
          )
        const failing = Step.make("failing", Effect.andThen(Deferred.await(asked), Effect.fail(new Bad({ n: 1 }))))
          .pipe(Durable.step({ error: Bad }))
        const pipeline = job(() =>
          Effect.gen(function*() {
            const exit = yield* Effect.exit(Effect.all([hanging, failing], { concurrency: 2 }))
            yield* suspendRun("1")
            yield* Durable.step(Step.make("after", seen.note("after")))
            return Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof Bad
          })
        )
        const activity = `step/hanging${what === "start" ? "/start" : ""}`
        const storage = slowCluster(onFirstSave(activity, saving, () => Deferred.doneUnsafe(asked, Exit.void)))
        const exit = yield* run(storage, seen, pipeline)
        assert.deepEqual(exit, Exit.succeed(true))
        const [first, ...rest] = seen.list
        const ended = ["interrupt", "exit Failure", "after"]
        assert.deepEqual(first === "body interrupted" ? rest : seen.list, ended)
      }))
  }
}

for (const [name, saving] of Object.entries(savings)) {
  live(
    `a step interrupted after a re-evaluation, while its attempt ${name}, ends once, with an interruption`,
    () =>
      Effect.gen(function*() {
        const seen = recorder()
        const long = Step.make("long", Effect.onInterrupt(Effect.never, () => seen.note("body interrupted"))).pipe(
          Step.onInterrupt(() => seen.note("interrupt")),
          Durable.step()
        )
        const pipeline = job(() =>
          Effect.race(
            long,
            Effect.andThen(suspendRun("wait", "100 millis"), Durable.step(Step.make("after", seen.note("after"))))
          )
        )
        const exit = yield* run(slowCluster(onFirstSave("step/long", saving)), seen, pipeline)
        assert.deepEqual(exit, Exit.void)
        assert.deepEqual(seen.list.filter((call) => call !== "body interrupted"), ["after", "interrupt"])
        assert.ok(seen.count("body interrupted") <= 1)
        const told = seen.events.list.filter((event) => "stepName" in event && event.stepName === "long")
        assert.deepEqual(told.map(({ _tag }) => _tag), ["StepStarted", "StepEnded"])
      })
  )
}
