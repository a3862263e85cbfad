/** The context of bodies and hooks through replays, the keys of their alerts, and that no secret is stored. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as assert from "node:assert/strict"
import { Durable } from "../../../src/durable/index.ts"
import { AlerterHooks, Hook, Params, Pipeline, Secrets, Step, StepContext } from "../../../src/index.ts"
import { canary as canaryText, leaks, recorder as canary } from "../../support/canary.ts"
import { Bad, type Engine, inProcess, job, recorder, run, suiteOf, suspendRun, until } from "../support/engine.ts"

const secret = `pa55-${canaryText}-w0rd`

const secretBody = Effect.gen(function*() {
  yield* StepContext.annotate("url", `https://${secret}@example.com`)
  yield* Effect.logInfo("using", secret).pipe(Effect.withSpan(secret))
  return yield* Effect.die(new Error(`no answer of ${secret}`))
})

const secretSteps = Effect.gen(function*() {
  const retried = Step.make("retried", Effect.andThen(Effect.logInfo(secret), Effect.fail(new Bad({ n: 1 })))).pipe(
    Step.retry({ times: 1 }),
    Step.onRetry(() => Effect.die(new Error(secret))),
    Durable.step({ error: Bad })
  )
  yield* Effect.exit(retried)
  const hooked = Step.make("hooked", Effect.void).pipe(
    Step.hooks(Hook.required(Hook.onSuccess(() => Effect.fail(new Error(secret))))),
    Durable.step()
  )
  yield* Effect.exit(hooked)
  const never = Step.make("condition", Effect.void).pipe(
    Step.when(Effect.die(new Error(secret))),
    Durable.step({ success: Schema.Option(Schema.Void) })
  )
  yield* Effect.exit(never)
  yield* suspendRun("1")
  return yield* Durable.step({ error: Bad })(Step.make("load", secretBody))
})

class Given extends Params.Service<Given>()("Secrets", {
  rows: Schema.Int,
  token: Schema.Redacted(Schema.String)
}) {}

export const storedContextSuite = (engine: Engine): void => {
  const test = suiteOf(engine)

  test("bodies and hooks see the same run, step, parameters and annotations through replays", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const views: Array<Record<string, unknown>> = []
      const record = (who: string) =>
        Effect.map(
          StepContext,
          ({ annotations, attempt, params, pipelineName, runId, runName, startedAt, stepName, stepPath }) => {
            const started = DateTime.toEpochMillis(startedAt)
            views.push({ who, runId, runName, started, pipelineName, stepName, stepPath, attempt, params, annotations })
          }
        )
      const inner = Step.make("inner", record("inner"))
      const step = Step.make(
        "load",
        Effect.gen(function*() {
          yield* record("body")
          yield* StepContext.annotate({ rows: 3, token: Redacted.make("s3cret"), at: new Date(0) })
          yield* inner
        })
      ).pipe(
        Step.params(Given),
        Step.annotate({ team: "data" }),
        Step.onStart(record("start")),
        Step.onSuccess(() => record("success")),
        Durable.step()
      )
      const { layer, workflow } = job((_, executionId) =>
        Pipeline.make(
          "any",
          Effect.gen(function*() {
            yield* suspendRun("1")
            yield* step
            yield* suspendRun("2")
            yield* record("pipeline")
            return executionId
          })
        ).pipe(
          Pipeline.annotate({ env: "test" }),
          Pipeline.onStart(record("run start")),
          Pipeline.onExit(() => record("run exit"))
        )
      )
      const provided = {
        workflow,
        layer: Layer.provide(layer, Layer.orDie(Given.layerUnknown({ rows: 7, token: "s3cret" })))
      }
      const exit = yield* run(storage, seen, provided)
      assert.ok(Exit.isSuccess(exit))
      assert.deepEqual(views.map(({ who }) => who), [
        "run start",
        "start",
        "body",
        "inner",
        "success",
        "pipeline",
        "run exit"
      ])
      assert.deepEqual(new Set(views.map(({ runId }) => runId)), new Set([exit.value]))
      assert.equal(new Set(views.map(({ runName }) => runName)).size, 1)
      assert.match(String(views[0]!["runName"]), /^job-\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d$/)
      const [, start, body, nested, success] = views
      for (const view of [start, body, success]) {
        assert.deepEqual([view!["pipelineName"], view!["stepName"], view!["stepPath"], view!["attempt"]], [
          "job",
          "load",
          ["load"],
          1
        ])
        assert.deepEqual(view!["params"], { Secrets: { rows: 7, token: "<redacted>" } })
        assert.equal(view!["started"], start!["started"])
      }
      assert.deepEqual(nested!["stepPath"], ["load", "inner"])
      assert.deepEqual(success!["annotations"], {
        env: "test",
        team: "data",
        rows: 3,
        token: "<redacted>",
        at: "1970-01-01T00:00:00.000Z"
      })
    }))

  test("alerts show the run's name, and no secret is stored, logged, reported or posted", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const step = Step.make(
        "load",
        Effect.gen(function*() {
          const { token } = yield* Given
          yield* StepContext.annotate("token", token)
          return yield* new Bad({ n: 1 })
        })
      ).pipe(Step.params(Given), Step.retry({ times: 1 }), Durable.step({ error: Bad }))
      const { layer, workflow } = job(() =>
        Pipeline.make("x", step).pipe(
          Pipeline.runName("nightly"),
          Pipeline.stepHooks(AlerterHooks.all),
          Pipeline.hooks(AlerterHooks.all),
          Pipeline.onExit(() => Effect.die(new Error("broken hook")))
        )
      )
      const secrets = Layer.orDie(Given.layerUnknown({ rows: 7, token: "s3cret" }))
      const tables = yield* inProcess(
        storage,
        layer.pipe(Layer.provide(secrets), Layer.provide(seen.layer)),
        Effect.gen(function*() {
          yield* Effect.exit(workflow.execute({ id: "1" }))
          const sql = yield* SqlClient
          return yield* Effect.forEach(engine.tables, (table) => sql`SELECT * FROM ${sql(table)}`)
        })
      )
      assert.equal(seen.alerts.length, 1)
      assert.ok(seen.alerts.every(({ source }) => source?.runName === "nightly"))
      const text = JSON.stringify(
        [tables, seen.alerts, seen.events.list, seen.log.list, seen.events.list.map(String)],
        (_, value) => typeof value === "bigint" ? String(value) : value
      )
      assert.ok(text.includes("nightly") && text.includes("<redacted>"))
      assert.ok(!text.includes("s3cret"))
    }))

  const places = {
    "the body of the run": Effect.provide(secretSteps, Secrets.layer(secret)),
    "a step, before the run is evaluated anew": Effect.gen(function*() {
      const exit = yield* Effect.exit(
        Durable.step({ error: Bad })(
          Step.make("load", Effect.provide(secretBody, Secrets.layer(secret)))
        )
      )
      yield* suspendRun("1")
      return yield* exit
    }),
    "a step that is running when the run is evaluated anew": Effect.flatMap(
      Effect.all([
        Effect.exit(
          Durable.step({ error: Bad })(
            Step.make(
              "load",
              Effect.andThen(Effect.sleep("600 millis"), Effect.provide(secretBody, Secrets.layer(secret)))
            )
          )
        ),
        suspendRun("1", "200 millis")
      ], { concurrency: 2 }),
      ([exit]) => exit
    )
  }
  for (const [place, body] of Object.entries(places)) {
    test(`what a layer in ${place} makes secret is told nowhere, and in no record of a defect or a hook`, (storage) =>
      Effect.gen(function*() {
        const seen = recorder()
        const told = canary()
        const { layer, workflow } = job(() =>
          Pipeline.make("any", body).pipe(
            Pipeline.stepHooks(AlerterHooks.all),
            Pipeline.hooks(AlerterHooks.all),
            Pipeline.onFailure((cause) => Effect.logError("it failed", cause)),
            Pipeline.onExit(() => Effect.die(new Error(secret)))
          )
        )
        const tables = yield* inProcess(
          storage,
          layer.pipe(Layer.provide(seen.layer), Layer.provide(told.layer)),
          Effect.gen(function*() {
            yield* Effect.exit(workflow.execute({ id: "1" }))
            const sql = yield* SqlClient
            return yield* Effect.forEach(engine.tables, (table) => sql`SELECT * FROM ${sql(table)}`)
          })
        )
        assert.ok(seen.alerts.length > 0 && told.counts.spans > 0)
        assert.deepEqual(leaks([told.outputs, seen.alerts, seen.events.list, seen.log.list, tables]), [])
      }))
  }

  test("each alert has an idempotency key of its own, and two runs have the same dedupe keys", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const each = AlerterHooks.failureWith((alert) => alert, { nested: "each" })
      const step = Step.make("load", Effect.fail(new Bad({ n: 1 }))).pipe(
        Step.onFailure(() => Effect.void),
        Step.hooks(each),
        Durable.step({ error: Bad })
      )
      const { layer, workflow } = job(() => Pipeline.make("x", step).pipe(Pipeline.hooks(each)))
      const pipeline = { layer, workflow }
      yield* run(storage, seen, pipeline, "1")
      yield* run(storage, seen, pipeline, "2")
      const keys = seen.alerts.map(({ idempotencyKey }) => idempotencyKey)
      assert.equal(keys.length, 4)
      assert.equal(new Set(keys).size, 4)
      const about = seen.alerts.map(({ dedupeKey }) => dedupeKey)
      assert.ok(about.every((key) => key !== undefined))
      // the same in both runs
      assert.deepEqual(about.slice(0, 2), about.slice(2))
    }))

  if (!engine.survives) return

  test("the elapsed time of a step does not include the time between two processes", (storage) =>
    Effect.gen(function*() {
      const seen = recorder()
      const elapsed: Array<number> = []
      const step = Step.make("quick", Effect.void).pipe(
        Step.onSuccess(() =>
          Effect.gen(function*() {
            if (seen.list.length === 0) {
              yield* seen.note("hook")
              return yield* Effect.never
            }
            elapsed.push(Duration.toMillis(yield* StepContext.elapsed))
          })
        ),
        Step.hooks(Hook.onExit(() => seen.note("exit"))),
        Durable.step()
      )
      const { layer, workflow } = job(() => step)
      yield* inProcess(
        storage,
        Layer.provide(layer, seen.layer),
        Effect.andThen(
          workflow.execute({ id: "1" }, { discard: true }),
          until("the hook runs", () => seen.list.includes("hook"))
        )
      )
      // longer than the body takes on a busy machine
      yield* Effect.sleep("1 second")
      assert.deepEqual(yield* run(storage, seen, { layer, workflow }), Exit.void)
      assert.deepEqual(seen.list, ["hook", "exit"])
      assert.ok(elapsed.length === 1 && elapsed[0]! < 1_000, String(elapsed))
    }))
}
