/** Tests the steps that are spans. */
import { Clock, Context, DateTime, Duration, Effect, Exit, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Hooks, Spans, Step, StepContext } from "../src/index.ts"
import { nextTurn } from "./support/eventLoop.ts"
import { makeIt } from "./support/it.ts"
import { brief, calls, events, logs, plain } from "./support/observe.ts"
import { forAll } from "./support/property.ts"
import { all, observed, pathsOf } from "./support/spans.ts"

const it = makeIt(test)

// -----------------------------------------------------------------------------
// which spans are steps
// -----------------------------------------------------------------------------

it.effect("spans are steps with paths and one terminal event each, and the outermost is a run", () =>
  Effect.gen(function*() {
    const parse = Effect.fn("parse")(function*(text: string) {
      return yield* Effect.succeed(text.length)
    })
    const load = Effect.fn("load")(function*(name: string) {
      return yield* parse(name)
    })
    const { events, exit, told } = yield* observed(Effect.withSpan(load("abc"), "nightly"), all)
    assert.deepEqual(plain(exit), { success: 3 })
    assert.deepEqual(told, [
      "RunStarted nightly",
      "StepStarted nightly",
      "StepStarted load",
      "StepStarted parse",
      "StepEnded parse success",
      "StepEnded load success",
      "StepEnded nightly success",
      "RunEnded nightly success"
    ])
    assert.equal(new Set(events.map(({ runId }) => runId)).size, 1)
    const paths = events.flatMap((event) => event._tag === "StepStarted" ? [event.stepPath.join("/")] : [])
    assert.deepEqual(paths, ["nightly", "nightly/load", "nightly/load/parse"])
    const places = events.flatMap((event) => event._tag === "StepStarted" ? [[event.index, event.parent]] : [])
    assert.deepEqual(places, [[0, undefined], [1, 0], [2, 1]])
  }))

const patterns: ReadonlyArray<
  readonly [name: string, steps: Spans.SpansOptions["steps"], found: ReadonlyArray<string>]
> = [
  ["a RegExp", /^(load|b\.c)$/, ["load", "b.c"]],
  ["a global RegExp", /o/g, ["load", "loader"]],
  ["a text", "load", ["load"]],
  ["a text with *", "load*", ["load", "loader"]],
  ["a text with ?", "b?c", ["b.c", "bxc"]],
  ["a text with characters of patterns", "b.c", ["b.c"]],
  ["a text with several *", "*o*d*r", ["loader"]],
  ["a function", ({ name }) => name.length === 3, ["b.c", "bxc"]],
  ["a function that asks for attributes", ({ attributes }) => attributes.get("step") === true, ["bxc"]],
  ["a function that asks for the kind", ({ kind }) => kind === "server", ["loader"]]
]

for (const [name, steps, found] of patterns) {
  it.effect(`the spans that are steps can be chosen by ${name}`, () =>
    Effect.gen(function*() {
      const program = Effect.all([
        Effect.withSpan(Effect.void, "load"),
        Effect.withSpan(Effect.void, "loader", { kind: "server" }),
        Effect.withSpan(Effect.void, "b.c"),
        Effect.withSpan(Effect.void, "bxc", { attributes: { step: true } }),
        Effect.withSpan(Effect.void, "")
      ])
      const { ended } = yield* observed(program, Spans.layer({ steps }))
      assert.deepEqual(ended.map(({ stepName }) => stepName), found)
    }))
}

it.effect("a span that is no step passes through, and its steps are in the step around it", () =>
  Effect.gen(function*() {
    const inner = Effect.withSpan(Effect.withSpan(Effect.void, "c.step"), "b")
    const { ended } = yield* observed(Effect.withSpan(inner, "a.step"), Spans.layer({ steps: "*.step" }))
    assert.deepEqual(pathsOf(ended), ["a.step/c.step", "a.step"])
    const asked = yield* observed(
      Effect.withSpan(inner, "a.step"),
      Spans.layer({ steps: ({ name }) => name.endsWith(".step") })
    )
    assert.deepEqual(pathsOf(asked.ended), ["a.step/c.step", "a.step"])
  }))

it.effect("an option that throws is logged, and the program goes on", () =>
  Effect.gen(function*() {
    const log = logs()
    const throwing = Spans.layer({
      steps: () => {
        throw new Error("no such attribute")
      }
    })
    const { ended, exit } = yield* observed(Effect.withSpan(Effect.succeed(1), "a"), throwing).pipe(
      Effect.provide(log.layer)
    )
    assert.deepEqual([plain(exit), ended], [{ success: 1 }, []])
    assert.deepEqual(
      log.list.map(({ level, message }) => `${level} ${message.split(" Error")[0]}`),
      [
        `Error Spans.layer: the span "a" is no step`
      ].map((text) => text)
    )
  }))

it.effect("mistakes in the options are told all at once", () =>
  Effect.sync(() => {
    assert.throws(() => Spans.layer({ steps: "", drain: -1, overdue: { after: -1, every: 0 } }), (error) => {
      assert.ok(error instanceof TypeError)
      assert.match(
        error.message,
        /^Spans\.layer: steps must be .*; the time after which .*; the interval .*; drain must/
      )
      return true
    })
    // a type error, too
    const required = Hook.required(Hook.named(Hook.onSuccess(() => Effect.void), "check")) as never
    assert.throws(() => Spans.layer({ steps: "*", hooks: required }), /hook "check" can't be required/)
  }))

// -----------------------------------------------------------------------------
// exits
// -----------------------------------------------------------------------------

it.effect("a step ends with the exit of its span: its value, error, defect or interruption", () =>
  Effect.gen(function*() {
    const error = { _tag: "Refused", status: 503 }
    const program = Effect.all({
      ok: Effect.withSpan(Effect.succeed(7), "ok"),
      fails: Effect.exit(Effect.withSpan(Effect.fail(error), "fails")),
      dies: Effect.exit(Effect.withSpan(Effect.die("no"), "dies")),
      interrupts: Effect.exit(Effect.withSpan(Effect.interrupt, "interrupts"))
    })
    const { ended, exit } = yield* observed(program, all)
    assert.ok(Exit.isSuccess(exit))
    assert.deepEqual(ended.map(({ exit, outcome, stepName }) => [stepName, outcome, plain(exit)]), [
      ["ok", "success", { success: 7 }],
      ["fails", "failure", [{ fail: error }]],
      ["dies", "failure", [{ die: "no" }]],
      ["interrupts", "interrupt", ["interrupt"]]
    ])
  }))

it.effect("the interruption of a fiber interrupts its spans, and that of a fiber that is waited for fails them", () =>
  Effect.gen(function*() {
    const waiting = Effect.gen(function*() {
      const other = yield* Effect.forkChild(Effect.never, { startImmediately: true })
      yield* Effect.forkChild(Fiber.interrupt(other))
      yield* Fiber.join(other)
    })
    const program = Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Effect.withSpan(Effect.never, "asked"), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      yield* Effect.exit(Effect.withSpan(waiting, "waits"))
    })
    const { ended } = yield* observed(program, all)
    assert.deepEqual(ended.map(({ outcome, stepName }) => `${stepName} ${outcome}`), [
      "asked interrupt",
      "waits failure"
    ])
  }))

it.effect("durations are those of the clock of the program, without the time of hooks", () =>
  Effect.gen(function*() {
    const seen = events()
    const elapsed = calls()
    const hooks = Hooks.make(
      Hook.onStart(Effect.sleep("10 seconds")),
      Hook.onSuccess(() => Effect.flatMap(StepContext.elapsed, (time) => elapsed.note(Duration.format(time))))
    )
    const program = Effect.all([
      Effect.withSpan(Effect.sleep("1 second"), "a"),
      Effect.withSpan(Effect.sleep("3 seconds"), "b")
    ], { concurrency: 2 }).pipe(Effect.withSpan("both"))
    const fiber = yield* Effect.provide(program, Spans.layer({ steps: "*", hooks })).pipe(
      Effect.provide(seen.layer),
      Effect.forkChild({ startImmediately: true })
    )
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(fiber)
    const durations = seen.list.flatMap((event) =>
      event._tag === "StepEnded" ? [`${event.stepName} ${Duration.format(event.duration)}`] : []
    )
    assert.deepEqual(durations, ["a 1s", "b 3s", "both 3s"])
    assert.deepEqual(elapsed.list, ["1s", "3s", "3s"])
  }))

it.effect("the start of a span is told with its own time, though that is later", () =>
  Effect.gen(function*() {
    const seen = events()
    const busy = Effect.sync(() => {
      const until = performance.now() + 30
      while (performance.now() < until);
    })
    yield* Effect.withSpan(busy, "busy").pipe(Effect.provide(all), Effect.provide(seen.layer))
    const [run, step, end] = seen.list
    assert.ok(run!._tag === "RunStarted" && step!._tag === "StepStarted" && end!._tag === "StepEnded")
    assert.deepEqual(run.at, step.at)
    assert.ok(DateTime.toEpochMillis(end.at) - DateTime.toEpochMillis(step.at) >= 29)
    assert.ok(Duration.toMillis(end.duration) >= 29)
  }).pipe(Effect.provideService(Clock.Clock, Context.get(Context.empty(), Clock.Clock))))

// -----------------------------------------------------------------------------
// the same as steps
// -----------------------------------------------------------------------------

interface Node {
  readonly name: string
  readonly end: "succeed" | "fail" | "die" | "interrupt"
  readonly delay: number
  readonly inside: ReadonlyArray<Node>
  readonly parallel: boolean
}

const Node: Schema.Codec<Node> = Schema.Struct({
  name: Schema.Literals(["load", "parse", "write"]),
  end: Schema.Literals(["succeed", "succeed", "fail", "die", "interrupt"]),
  delay: Schema.Literals([0, 1, 7]),
  inside: Schema.Array(Schema.suspend((): Schema.Codec<Node> => Node)).check(Schema.isMaxLength(3)),
  parallel: Schema.Boolean
})

/** Evaluates a tree, each node by `named`. */
const evaluated = (
  { delay, end, inside, name, parallel }: Node,
  named: (name: string, body: Effect.Effect<unknown, string>) => Effect.Effect<unknown, string>
): Effect.Effect<unknown, string> => {
  const ends = {
    succeed: Effect.succeed(1),
    fail: Effect.fail("no"),
    die: Effect.die("no"),
    interrupt: Effect.interrupt
  }
  const children = Effect.forEach(inside, (node) => Effect.exit(evaluated(node, named)), {
    concurrency: parallel ? "unbounded" : 1
  })
  return named(name, Effect.andThen(children, Effect.andThen(Effect.sleep(delay), ends[end])))
}

it.effect("spans give the events that steps in their place give, in any program", () =>
  forAll(Node, (tree) =>
    Effect.gen(function*() {
      const told = (effect: Effect.Effect<unknown, string>, layer: Layer.Layer<never>) =>
        Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(observed(effect, layer))
          yield* TestClock.adjust("1 minute")
          const { events } = yield* Fiber.join(fiber)
          return events.map((event) => [
            brief(event),
            "stepPath" in event ? [event.stepPath, event.index, event.parent] : [],
            "duration" in event ? Duration.toMillis(event.duration) : "",
            "exit" in event ? plain(event.exit) : ""
          ])
        })
      const spans = yield* told(evaluated(tree, (name, body) => Effect.withSpan(body, name)), all)
      assert.deepEqual(spans, yield* told(evaluated(tree, (name, body) => Step.make(name, body)), Layer.empty))
    })))

// -----------------------------------------------------------------------------
// keys and annotations
// -----------------------------------------------------------------------------

it.effect("attributes are annotations, those that are set later at the end, and a key may be one of them", () =>
  Effect.gen(function*() {
    const later = Effect.andThen(nextTurn, Effect.annotateCurrentSpan("rows", 7))
    const program = Effect.withSpan(later, "page", { attributes: { page: 3 } })
    const { events } = yield* observed(
      program,
      Spans.layer({ steps: "*", key: ({ attributes }) => attributes.get("page") as number })
    )
    const shown = events.flatMap((event) =>
      event._tag === "StepStarted" || event._tag === "StepEnded" ? [[event.stepLabels[0], event.annotations]] : []
    )
    assert.deepEqual(shown, [["page[3]", { page: 3 }], ["page[3]", { page: 3, rows: 7 }]])
  }))

it.effect("with a key, a span that succeeds makes up for the failure of that key before", () =>
  Effect.gen(function*() {
    let n = 0
    const load = Effect.suspend(() => ++n === 1 ? Effect.fail("no") : Effect.void).pipe(Effect.withSpan("load"))
    const observer = events()
    const retried = Effect.withSpan(Effect.retry(load, { times: 1 }), "pull")
    yield* retried.pipe(
      Effect.provide(Spans.layer({ steps: "*", key: ({ name }) => name })),
      Effect.provide(observer.layer)
    )
    assert.deepEqual(observer.list.map(brief).filter((line) => line.startsWith("StepEnded")), [
      "StepEnded load failure",
      "StepEnded load success",
      "StepEnded pull success"
    ])
  }))
