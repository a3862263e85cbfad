/** Tests what follows the end of spans that are steps: their hooks, their logs, and spans that never end. */
import { Duration, Effect, Exit, Fiber, Layer, Logger, Redacted, type Tracer } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { mailbox } from "../src/delivery/index.ts"
import {
  Alerter,
  AlerterHooks,
  Hook,
  Hooks,
  Pipeline,
  RunEvent,
  Secrets,
  Spans,
  Step,
  StepContext,
  StepLogs
} from "../src/index.ts"
import { canary, leaks } from "./support/canary.ts"
import { collectGarbage } from "./support/eventLoop.ts"
import { makeIt } from "./support/it.ts"
import { brief, calls, events, kinds, logs, noting, plain } from "./support/observe.ts"
import { selective } from "./support/policies.ts"
import { all, memoryTracer, observed, pathsOf } from "./support/spans.ts"

const it = makeIt(test)

// -----------------------------------------------------------------------------
// hooks
// -----------------------------------------------------------------------------

/** Runs a program under the alerter hooks, and returns the titles of the alerts, each of which takes a second. */
const alerted = (program: Effect.Effect<unknown, unknown>, options: Omit<Spans.SpansOptions, "steps"> = {}) =>
  Effect.gen(function*() {
    const titles: Array<string> = []
    const slow = Alerter.layer(({ title }) => Effect.map(Effect.sleep("1 second"), () => void titles.push(title)))
    const layer = Spans.layer({ steps: "*", ...options, hooks: AlerterHooks.all }).pipe(Layer.provide(slow))
    const fiber = yield* Effect.forkChild(Effect.exit(Effect.provide(program, layer)))
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(fiber)
    return titles
  })

it.effect("hooks run in their order, beside what follows the span, and the layer waits for them when it closes", () =>
  Effect.gen(function*() {
    const seen = calls()
    const hooks = Hooks.make(
      ...kinds.filter((kind) => kind !== "retry" && kind !== "overdue").map((kind) =>
        noting(seen, kind, kind, Effect.sleep("1 second"))
      )
    )
    const program = Effect.andThen(
      Effect.withSpan(Effect.exit(Effect.withSpan(Effect.fail("no"), "inner")), "outer"),
      seen.note("the program ends")
    )
    const fiber = yield* Effect.forkChild(Effect.provide(program, Spans.layer({ steps: "inner", hooks })), {
      startImmediately: true
    })
    assert.deepEqual(seen.list, ["start", "the program ends"])
    yield* TestClock.adjust("2999 millis")
    assert.deepEqual(seen.list, ["start", "the program ends", "failure", "exit"])
    assert.equal(fiber.pollUnsafe(), undefined)
    yield* TestClock.adjust(1)
    assert.ok(fiber.pollUnsafe() !== undefined)
  }))

it.effect("hooks that have not ended at the end of `drain` are interrupted, and the log says so", () =>
  Effect.gen(function*() {
    const log = logs()
    let interrupted = 0
    const hanging = Hook.onSuccess(() => Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++)))
    const layer = Spans.layer({ steps: "*", hooks: hanging.pipe(Hook.timeout("1 hour")), drain: "3 seconds" })
    const fiber = yield* Effect.forkChild(
      Effect.withSpan(Effect.void, "a").pipe(Effect.provide(layer), Effect.provide(log.layer)),
      { startImmediately: true }
    )
    yield* TestClock.adjust("2999 millis")
    assert.equal(fiber.pollUnsafe(), undefined)
    yield* TestClock.adjust(1)
    yield* Fiber.join(fiber)
    assert.deepEqual(log.list.map(({ message }) => message), [
      "Spans.layer: the hooks of a span did not end within 3 s after the layer closed, and were interrupted"
    ])
    yield* TestClock.adjust("1 hour")
    assert.equal(interrupted, 1)
  }))

it.effect("a hook that fails is logged, and changes neither the span nor the hooks after it", () =>
  Effect.gen(function*() {
    const log = logs()
    const seen = calls()
    const hooks = Hooks.make(
      Hook.onSuccess(() => Effect.die("no")).pipe(Hook.named("broken")),
      noting(seen, "success", "after")
    )
    const { exit, told } = yield* observed(Effect.withSpan(Effect.succeed(1), "a"), Spans.layer({ steps: "*", hooks }))
      .pipe(Effect.provide(log.layer))
    assert.deepEqual([plain(exit), seen.list], [{ success: 1 }, ["after"]])
    assert.ok(told.includes("HookFailed broken"))
    assert.equal(log.list[0]!.message.startsWith(`hook "broken" (success) of "a" failed`), true)
  }))

it.effect("one error is alerted once, by the innermost span, though its alert takes a while", () =>
  Effect.gen(function*() {
    const program = Effect.fail("no").pipe(Effect.withSpan("c"), Effect.withSpan("b"), Effect.withSpan("a"))
    assert.deepEqual(yield* alerted(program), ["a › b › c failed"])
    const caught = Effect.andThen(Effect.ignore(program), Effect.fail("other")).pipe(Effect.withSpan("all"))
    assert.deepEqual(yield* alerted(caught), ["all › a › b › c failed", "all failed"])
  }))

it.effect("the hooks of a span run after those of the spans inside, though one in between has none", () =>
  Effect.gen(function*() {
    const seen = calls()
    const slowInC = Effect.flatMap(
      StepContext,
      ({ stepName }) => stepName === "c" ? Effect.sleep("1 second") : Effect.void
    )
    const hooks = Hook.onFailure(() =>
      Effect.andThen(slowInC, Effect.flatMap(StepContext, ({ stepName }) => seen.note(stepName)))
    )
    // `b` succeeds, and `a` fails with the error of `c`
    const program = Effect.exit(Effect.withSpan(Effect.fail("no"), "c")).pipe(
      Effect.withSpan("b"),
      Effect.flatten,
      Effect.withSpan("a"),
      Effect.ignore,
      Effect.withSpan("top")
    )
    const fiber = yield* Effect.forkChild(Effect.provide(program, Spans.layer({ steps: "*", hooks })))
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(fiber)
    assert.deepEqual(seen.list, ["c", "a"])
  }))

it.effect("hooks get the services of the layer", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* alerted(Effect.withSpan(Effect.void, "a")), ["a succeeded"])
    assert.deepEqual(yield* alerted(Effect.withSpan(Effect.void, "a"), { key: () => 7 }), ["a[7] succeeded"])
  }))

it.effect("the hooks of Hooks.layerDefault run for spans, with the services that they bring along", () =>
  Effect.gen(function*() {
    const titles: Array<string> = []
    const alerter = Alerter.layer(({ title }) => Effect.sync(() => void titles.push(title)))
    const defaults = Hooks.layerDefault(AlerterHooks.failure).pipe(Layer.provide(alerter))
    const failing = Effect.ignore(Effect.withSpan(Effect.fail("no"), "a"))
    yield* failing.pipe(Effect.provide(all), Effect.provide(defaults))
    assert.deepEqual(titles, ["a failed"])
  }))

it.effect("spans inside of hooks are no steps, and do not call the hooks again", () =>
  Effect.gen(function*() {
    const traced = memoryTracer()
    const hooks = Hook.onSuccess(() => Effect.withSpan(Effect.void, "in hook"))
    const layer = Layer.provide(Spans.layer({ steps: "*", hooks }), traced.layer)
    const own = Step.make("own", Effect.void).pipe(Step.onSuccess(() => Effect.withSpan(Effect.void, "in own hook")))
    const { ended } = yield* observed(Effect.withSpan(own, "a"), layer)
    assert.deepEqual(pathsOf(ended), ["a/own", "a"])
    assert.deepEqual(traced.spans.map(({ name }) => name).filter((name) => name.startsWith("in")).toSorted(), [
      "in hook",
      "in own hook"
    ])
  }))

// -----------------------------------------------------------------------------
// spans that do not end
// -----------------------------------------------------------------------------

it.effect("a span that has not ended when the layer closes counts as interrupted, and ends once", () =>
  Effect.gen(function*() {
    const log = logs()
    const seen = events()
    let left: Tracer.Span | undefined
    const program = Effect.withSpan(Effect.map(Effect.makeSpan("left"), (span) => void (left = span)), "a")
    yield* program.pipe(Effect.provide(all), Effect.provide(seen.layer), Effect.provide(log.layer))
    left!.end(1n, Exit.void)
    assert.deepEqual(seen.list.map(brief).filter((line) => line.startsWith("StepEnded")), [
      "StepEnded a success",
      "StepEnded left interrupt"
    ])
    assert.deepEqual(log.list.map(({ message }) => message), [
      "Spans.layer closed before a span had ended: the steps count as interrupted"
    ])
  }))

it.effect("spans that open after the layer has closed are no steps", () =>
  Effect.gen(function*() {
    const seen = events()
    const late = yield* Effect.forkDetach(
      Effect.andThen(Effect.sleep("1 minute"), Effect.withSpan(Effect.void, "late"))
    )
      .pipe(Effect.provide(all), Effect.provide(seen.layer))
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(late)
    assert.deepEqual(seen.list, [])
  }))

it.effect("a span that is overdue is told while it goes on", () =>
  Effect.gen(function*() {
    const seen = events()
    const told = calls()
    const hooks = Hook.onOverdue(({ elapsed, times }) => told.note(`${Duration.format(elapsed)} ${times}`))
    const layer = Spans.layer({ steps: "*", hooks, overdue: { after: "1 minute", every: "1 hour" } })
    const fiber = yield* Effect.withSpan(Effect.sleep("90 minutes"), "slow").pipe(
      Effect.provide(layer),
      Effect.provide(seen.layer),
      Effect.forkChild({ startImmediately: true })
    )
    yield* TestClock.adjust("2 hours")
    yield* Fiber.join(fiber)
    assert.deepEqual(seen.list.map(brief).filter((line) => line.startsWith("StepOverdue")), [
      "StepOverdue slow 1",
      "StepOverdue slow 2"
    ])
    assert.deepEqual(told.list, ["1m 1", "1h 1m 2"])
  }))

it.effect("a run of spans retains none that has ended, and a span that is dropped counts as interrupted", () =>
  Effect.gen(function*() {
    const alive: Array<WeakRef<object>> = []
    const outcomes = { success: 0, failure: 0, interrupt: 0 }
    const observer = RunEvent.layer((event) => void (event._tag === "StepEnded" && outcomes[event.outcome]++))
    const open = (i: number) =>
      Effect.gen(function*() {
        // of two, one is never ended, and nobody can end it
        const span = yield* i % 2 === 0 ? Effect.makeSpan("dropped") : Effect.withSpan(Effect.currentSpan, "ended")
        if (alive.length < 200) alive.push(new WeakRef(span))
      })
    yield* Effect.gen(function*() {
      for (let i = 0; i < 2_000; i++) yield* open(i)
      let collected = false
      for (let i = 0; i < 20 && outcomes.interrupt < 900; i++) collected = yield* collectGarbage
      assert.equal(outcomes.success, 1_000)
      if (!collected) return
      const left = alive.filter((ref) => ref.deref() !== undefined).length
      assert.ok(left < 20, `${left} of ${alive.length} are still held`)
      assert.ok(outcomes.interrupt >= 900, `${outcomes.interrupt} of 1000 dropped spans have ended`)
    }).pipe(Effect.withSpan("a"), Effect.provide(all), Effect.provide(observer), Effect.provide(logs().layer))
    assert.deepEqual(outcomes, { success: 1_001, failure: 0, interrupt: 1_000 })
  }))

// -----------------------------------------------------------------------------
// logs
// -----------------------------------------------------------------------------

it.effect("what is logged in spans is kept for their alerts, and told to observers, where StepLogs is around", () =>
  Effect.gen(function*() {
    const { layer: alerter, list } = selective(() => true)
    const seen = events()
    const load = Effect.andThen(Effect.log("412 rows"), Effect.fail("no such table")).pipe(Effect.withSpan("load"))
    const program = Effect.andThen(Effect.log("begins"), load).pipe(Effect.withSpan("nightly"))
    const spans = Spans.layer({ steps: "*", hooks: AlerterHooks.failure }).pipe(Layer.provide(alerter))
    const run = (effect: Effect.Effect<unknown, string>) =>
      Effect.exit(effect).pipe(
        Effect.provide(spans),
        Effect.provide([StepLogs.layer(), seen.layer]),
        Effect.provide(Logger.layer([]))
      )
    yield* run(program)
    assert.match(list[0]!.detail!, /^no such table\n[^]*\n\nlast lines logged:\n {2}412 rows$/)
    const logged = () => seen.list.map(brief).filter((line) => /^\w+Logged/.test(line))
    assert.deepEqual(logged(), ["StepLogged nightly Info begins", "StepLogged load Info 412 rows"])
    seen.list.length = 0
    yield* run(Pipeline.make("p", Effect.andThen(Effect.log("in the run"), program)))
    assert.deepEqual(logged(), [
      "RunLogged p Info in the run",
      "StepLogged nightly Info begins",
      "StepLogged load Info 412 rows"
    ])
    seen.list.length = 0
    yield* run(Effect.withSpan(Step.make("own", Effect.log("in a step")), "outer"))
    assert.deepEqual(logged(), ["StepLogged own Info in a step"])
  }))

it.effect("what is delivered from a mailbox is no step, even if the layer is around it", () =>
  Effect.gen(function*() {
    const seen = events()
    const traced = memoryTracer()
    const channel = Alerter.layer(() => Effect.withSpan(Effect.void, "POST")).pipe(mailbox())
    const failing = Effect.fail("no").pipe(Effect.withSpan("a"), Effect.ignore)
    const program = Effect.andThen(failing, Effect.flatMap(Alerter, (alerter) => alerter.post("by hand")))
    const spans = Spans.layer({ steps: "*", hooks: AlerterHooks.failure }).pipe(Layer.provide(channel))
    yield* program.pipe(
      Effect.withSpan("b"),
      Effect.provide(channel),
      Effect.provide(spans),
      Effect.provide([seen.layer, traced.layer])
    )
    assert.deepEqual(traced.spans.filter(({ name }) => name === "POST").length, 2)
    assert.deepEqual(seen.list.flatMap((event) => event._tag === "StepEnded" ? [event.stepName] : []), ["a", "b"])
  }))

it.effect("under a guard, steps and spans are nested as without one, and show no secret", () =>
  Effect.gen(function*() {
    const seen = events()
    const program = Effect.withSpan(Step.make("own", Effect.withSpan(Effect.fail(`key ${canary}`), "inner")), "outer", {
      attributes: { key: canary }
    })
    yield* Effect.exit(program).pipe(
      Effect.provide(all),
      Effect.provide(Secrets.layer(Redacted.make(canary))),
      Effect.provide(seen.layer)
    )
    assert.deepEqual(pathsOf(seen.list.filter((event) => event._tag === "StepEnded")), [
      "outer/own/inner",
      "outer/own",
      "outer"
    ])
    assert.deepEqual(leaks([seen.list]), [])
  }))
