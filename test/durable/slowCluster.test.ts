/** A storage that takes its time: code around a step may interrupt it while it is being stored. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { Step } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { durableSuite } from "./suites/all.ts"
import { Bad, job, park, run, watch } from "./support/engine.ts"
import { atFirst, savings, slowCluster, variously } from "./support/slowCluster.ts"

const { live } = makeIt(test)

for (const [name, saving] of Object.entries(savings)) {
  for (const what of ["start", "attempt"]) {
    live(`a step that is interrupted while its ${what} ${name}`, () =>
      Effect.gen(function*() {
        const seen = watch()
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
            yield* park("1")
            yield* Durable.step(Step.make("after", seen.note("after")))
            return Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof Bad
          })
        )
        const it = `step/hanging${what === "start" ? "/start" : ""}`
        const place = slowCluster(atFirst(it, saving, () => Deferred.doneUnsafe(asked, Exit.void)))
        const exit = yield* run(place, seen, pipeline)
        assert.deepEqual(exit, Exit.succeed(true))
        const [first, ...rest] = seen.list
        const ended = ["interrupt", "exit Failure", "after"]
        assert.deepEqual(first === "body interrupted" ? rest : seen.list, ended)
      }))
  }
}

for (const [name, saving] of Object.entries(savings)) {
  live(
    `a step that is interrupted after a wait beside it was over, while its attempt ${name}`,
    () =>
      Effect.gen(function*() {
        const seen = watch()
        const long = Step.make("long", Effect.onInterrupt(Effect.never, () => seen.note("body interrupted"))).pipe(
          Step.onInterrupt(() => seen.note("interrupt")),
          Durable.step()
        )
        const pipeline = job(() =>
          Effect.race(
            long,
            Effect.andThen(park("wait", "100 millis"), Durable.step(Step.make("after", seen.note("after"))))
          )
        )
        const exit = yield* run(slowCluster(atFirst("step/long", saving)), seen, pipeline)
        assert.deepEqual(exit, Exit.void)
        assert.deepEqual(seen.list.filter((call) => call !== "body interrupted"), ["after", "interrupt"])
        assert.ok(seen.count("body interrupted") <= 1)
        const told = seen.told.list.filter((event) => "stepName" in event && event.stepName === "long")
        assert.deepEqual(told.map(({ _tag }) => _tag), ["StepStarted", "StepEnded"])
      })
  )
}

durableSuite({
  name: "a slow cluster",
  place: Effect.sync(() => {
    const saving = variously()
    return slowCluster(() => saving)
  }),
  survives: false,
  runs: 10,
  atOnce: 4
})
