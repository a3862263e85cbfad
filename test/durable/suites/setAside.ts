/** Runs whose recorded results or payload do not fit the schemas of the code any more. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { Durable } from "../../../src/durable/index.ts"
import { Pipeline, Step } from "../../../src/index.ts"
import { alerting, leave, step, steps } from "../support/changedBodies.ts"
import {
  awaitExit,
  awaitSuspended,
  type Engine,
  inProcess,
  isInterrupt,
  type Recorder,
  recorder,
  run,
  suiteOf,
  until
} from "../support/engine.ts"

/** A payload with a field that runs of `job` before did not have. */
const regional = {
  payload: { id: Schema.String, region: Schema.String },
  idempotencyKey: ({ id }: { readonly id: string }) => id
}

export const setAsideSuite = (engine: Engine): void => {
  if (!engine.survives) return
  const test = suiteOf(engine)

  const valued = (schema: Schema.Codec<unknown, unknown>, others: ReadonlyArray<string>) => (seen: Recorder) =>
    Effect.gen(function*() {
      const value = yield* Step.make("a", Effect.as(seen.note("a"), 7)).pipe(Durable.step({ success: schema }))
      for (const name of others) yield* step(seen, `${name} after ${value}`)
    })

  test("a result that does not fit its schema sets the run aside, which is told, and no step runs", (storage) =>
    Effect.gen(function*() {
      const first = recorder()
      yield* leave(storage, first, valued(Schema.Int, [])(first))
      const later = recorder()
      const changed = alerting(valued(Schema.String, ["b"])(later))
      yield* inProcess(
        storage,
        Layer.provide(changed.layer, later.layer),
        Effect.gen(function*() {
          const runId = yield* changed.workflow.execute({ id: "1" }, { discard: true })
          yield* until("it is told", () => later.alerts.length > 0)
          yield* awaitSuspended(changed.workflow, runId)
          yield* changed.workflow.interrupt(runId)
          assert.ok(isInterrupt(yield* awaitExit(changed.workflow, runId)))
        })
      )
      assert.deepEqual(later.list, [])
      assert.deepEqual(later.alerts.map(({ title }) => title), ["Run of job is set aside"])
      assert.match(
        later.alerts[0]?.body ?? "",
        /^the recorded result of step "a" does not fit its schema: .*It goes on at the next start/
      )
    }))

  // `effect/cluster` decodes payloads itself
  if (!engine.tables.includes("effect_epilogue_runs")) return

  test("a run whose payload does not fit is set aside, and ends with its hooks when it is interrupted", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      yield* leave(storage, seen, steps("a")(seen))
      const later = recorder()
      const changed = Durable.pipeline("job", regional, () =>
        Pipeline.make("job", steps("a", "b")(later)).pipe(
          Pipeline.onSuccess(() => later.note("success hook")),
          Pipeline.onInterrupt(() => later.note("interrupt hook"))
        ))
      const runId = yield* changed.workflow.executionId({ id: "1", region: "eu" })
      yield* inProcess(
        storage,
        Layer.provide(changed.layer, later.layer),
        Effect.gen(function*() {
          yield* until("it is set aside", () => later.alerts.length > 0)
          assert.deepEqual(later.alerts.map(({ title }) => title), ["Run of job is set aside"])
          assert.match(later.alerts[0]?.body ?? "", /^its payload does not fit the schema: .*region/)
          yield* changed.workflow.interrupt(runId)
          assert.ok(isInterrupt(yield* awaitExit(changed.workflow, runId)))
        })
      )
      assert.deepEqual(later.list, ["interrupt hook"])
    }))

  test("a run that was set aside for a result is told of once, and goes on once that fits again", (storage) =>
    Effect.gen(function*() {
      const first = recorder()
      yield* leave(storage, first, valued(Schema.Int, [])(first))
      const later = recorder()
      const changed = alerting(valued(Schema.String, ["b"])(later))
      for (const started of [2, 4]) {
        const evaluated = () => later.events.list.filter(({ _tag }) => _tag === "RunStarted").length
        yield* inProcess(
          storage,
          Layer.provide(changed.layer, later.layer),
          Effect.gen(function*() {
            const runId = yield* changed.workflow.execute({ id: "1" }, { discard: true })
            yield* Effect.sleep(50)
            yield* awaitSuspended(changed.workflow, runId)
            assert.deepEqual((yield* Durable.list()).map(({ status }) => status), ["setAside"])
            assert.ok(evaluated() < started)
          })
        )
      }
      assert.equal(later.alerts.length, 1)
      const fits = recorder()
      assert.deepEqual(yield* run(storage, fits, alerting(valued(Schema.Int, ["b"])(fits))), Exit.void)
      assert.deepEqual(fits.list, ["b after 7"])
    }))

  test("a run that was set aside for its payload goes on with the schema that it fits", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      yield* leave(storage, seen, steps("a")(seen))
      const later = recorder()
      const changed = Durable.pipeline("job", regional, () => steps("a", "b")(later))
      yield* inProcess(
        storage,
        Layer.provide(changed.layer, later.layer),
        until("it is set aside", () => later.alerts.length > 0)
      )
      assert.deepEqual(yield* run(storage, later, alerting(steps("a", "b")(later))), Exit.void)
      assert.deepEqual(later.list, ["b"])
    }))
}
