/** What holds of each run, however it is interrupted: by its limit, or from outside. A race may be decided anew. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { Durable } from "../../../src/durable/index.ts"
import { Hook, Hooks, Pipeline, Step } from "../../../src/index.ts"
import { forAll } from "../../support/property.ts"
import { Bad, type Engine, inProcess, job, type Recorder, recorder, suiteOf, suspendRun } from "../support/engine.ts"

const upTo = (most: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: most }))
const maybe = (most: number) => Schema.Union([Schema.Undefined, upTo(most)])

/** Times are in milliseconds. */
const StepInput = Schema.Struct({
  body: upTo(7),
  fails: Schema.Boolean,
  retries: upTo(2),
  delay: upTo(5),
  limit: maybe(15),
  starts: Schema.Boolean,
  hook: upTo(5)
})
type StepInput = typeof StepInput.Type

const Input = Schema.Struct({
  steps: Schema.NonEmptyArray(StepInput).check(Schema.isMaxLength(3)),
  concurrent: Schema.Boolean,
  waits: upTo(2),
  limit: maybe(30),
  interrupted: maybe(40)
})

const kinds = ["start", "retry", "success", "failure", "interrupt", "exit"] as const

/** Returns the two hooks of each kind, which note when they begin and how they end. */
const hooksOf = (seen: Recorder, subject: string, millis: number) => {
  const hook = (kind: typeof kinds[number], nth: "a" | "b") => () =>
    Effect.andThen(
      seen.note(`${subject} ${kind} ${nth} begins`),
      Effect.onExit(
        nth === "a" ? Effect.sleep(millis) : Effect.void,
        ({ _tag }) => seen.note(`${subject} ${kind} ${nth} ${_tag}`)
      )
    )
  return hook
}

/** Returns the hooks that run at an end. */
const ofEnds = (hook: ReturnType<typeof hooksOf>) =>
  Hooks.make(
    Hook.onSuccess(hook("success", "a")),
    Hook.onSuccess(hook("success", "b")),
    Hook.onFailure(hook("failure", "a")),
    Hook.onFailure(hook("failure", "b")),
    Hook.onInterrupt(hook("interrupt", "a")),
    Hook.onInterrupt(hook("interrupt", "b")),
    Hook.onExit(hook("exit", "a")),
    Hook.onExit(hook("exit", "b"))
  )

const stepOf = (seen: Recorder, input: StepInput, index: number) => {
  const { body, delay, fails, limit, retries, starts } = input
  const name = `s${index}`
  const hook = hooksOf(seen, name, input.hook)
  const made = Step.make(
    name,
    Effect.andThen(Effect.sleep(body), fails ? Effect.fail(new Bad({ n: index })) : Effect.void)
  )
  const retried = retries === 0 ? made : Step.retry(made, { schedule: Schedule.spaced(delay), times: retries })
  const limited = limit === undefined ? retried : Step.timeout(retried, Math.max(1, limit), { grace: 100 })
  const started = starts
    ? limited.pipe(Step.onStart(Effect.suspend(hook("start", "a"))), Step.onStart(Effect.suspend(hook("start", "b"))))
    : limited
  return started.pipe(
    Step.onRetry(hook("retry", "a")),
    Step.onRetry(hook("retry", "b")),
    Step.hooks(ofEnds(hook)),
    Durable.step({ error: Bad })
  )
}

/** Asserts that each hook that began ended by itself, that both of a kind ran, and that one end was told. */
const holds = (seen: Recorder, subject: string, ofSubject: (stepName: string | undefined) => boolean): void => {
  const counts = kinds.map((kind) => {
    const [a = 0, b = 0] = (["a", "b"] as const).map((nth) => {
      const begun = seen.count(`${subject} ${kind} ${nth} begins`)
      assert.equal(seen.count(`${subject} ${kind} ${nth} Success`), begun, `${subject} ${kind} ${nth} was cut off`)
      return begun
    })
    assert.equal(a, b, `${subject}: one of two hooks for ${kind} did not run`)
    return [kind, a] as const
  })
  const count: Record<string, number> = Object.fromEntries(counts)
  const told = seen.events.list.filter((event) => ofSubject("stepName" in event ? event.stepName : undefined))
  const tags = (tag: string) => told.filter(({ _tag }) => _tag === tag)
  const ends = told.flatMap((event) => event._tag === "StepEnded" || event._tag === "RunEnded" ? [event.outcome] : [])
  assert.equal(
    ends.length,
    tags("StepStarted").length + tags("RunStarted").length,
    `${subject}: each start has one end`
  )
  for (const kind of ["success", "failure", "interrupt"] as const) {
    assert.equal(count[kind], ends.filter((outcome) => outcome === kind).length, `${subject}: hooks for ${kind}`)
  }
  assert.equal(count["exit"], ends.length, `${subject}: hooks for any exit`)
  assert.equal(count["retry"], tags("AttemptFailed").length, `${subject}: hooks of failed attempts`)
}

export const interruptionLawsSuite = (engine: Engine): void => {
  let runs = 0
  suiteOf(engine)(
    "an interrupted run has one end of each step that began, with all hooks of that, each once",
    (storage) =>
      forAll(Input, ({ concurrent, interrupted, limit, steps, waits }) =>
        Effect.gen(function*() {
          const seen = recorder()
          const pipeline = job(() => {
            const parts = steps.map((step, i) => Effect.exit(stepOf(seen, step, i)))
            const waiting = Array.from({ length: waits }, (_, i) => suspendRun(`wait ${i}`, 1 + 7 * i))
            const concurrency = concurrent ? "unbounded" : 1
            const body = Effect.all([...parts, ...waiting], { concurrency, discard: true })
            const hook = hooksOf(seen, "run", 2)
            const made = Pipeline.make("any", body)
            return (limit === undefined ? made : Pipeline.timeout(made, Math.max(1, limit), { grace: 100 })).pipe(
              Pipeline.hooks(ofEnds(hook))
            )
          })
          yield* inProcess(
            Layer.fresh(storage),
            Layer.provide(pipeline.layer, seen.layer),
            Effect.gen(function*() {
              const { workflow } = pipeline
              const payload = { id: `${++runs}` }
              const fiber = yield* Effect.forkChild(workflow.execute(payload))
              if (interrupted !== undefined) {
                yield* Effect.sleep(interrupted)
                yield* workflow.interrupt(yield* workflow.executionId(payload))
              }
              yield* Fiber.await(fiber)
            })
          )
          holds(seen, "run", (stepName) => stepName === undefined)
          steps.forEach((_, i) => holds(seen, `s${i}`, (stepName) => stepName === `s${i}`))
        }), 10 * engine.runs)
  )
}
