/**
 * Interrupts a step at every point where it can be interrupted: a scheduler that yields before
 * every operation of every fiber interrupts the step's fiber before operation number k, for each k.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Hooks, Pipeline, Step } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { calls, events, kinds, logs, noting } from "./support/observe.ts"
import { memoryTracer } from "./support/spans.ts"

const it = makeIt(test)

interface Trial {
  readonly exit: Exit.Exit<unknown, unknown>
  /** Whether operation k was reached, so that the interruption took place before the Effect had ended. */
  readonly reached: boolean
}

/** Runs an Effect and interrupts its fiber before operation number k, counted over all fibers. */
const interruptedAt = (k: number, effect: Effect.Effect<unknown, unknown>): Effect.Effect<Trial> =>
  Effect.callback<Trial>((resume) => {
    let operations = 0
    let reached = false
    let fiber: Fiber.Fiber<unknown, unknown> | undefined
    const asked = new WeakMap<object, number>()
    class Yielding extends Scheduler.MixedScheduler {
      // After yielding, a fiber asks twice more: for its resumption and for the operation that it yielded before.
      override shouldYield(fiber: Fiber.Fiber<unknown, unknown>) {
        const n = asked.get(fiber) ?? 0
        asked.set(fiber, (n + 1) % 3)
        return n === 0
      }
      override makeDispatcher() {
        const dispatcher = super.makeDispatcher()
        const schedule = dispatcher.scheduleTask.bind(dispatcher)
        dispatcher.scheduleTask = (task, priority) =>
          schedule(() => {
            if (operations++ === k && fiber !== undefined && fiber.pollUnsafe() === undefined) {
              reached = true
              fiber.interruptUnsafe()
            }
            task()
          }, priority)
        return dispatcher
      }
    }
    const scheduler = new Yielding("async", (run) => {
      let cancelled = false
      queueMicrotask(() => {
        if (!cancelled) run()
      })
      return () => {
        cancelled = true
      }
    })
    fiber = Effect.runFork(Effect.provideService(effect, Scheduler.Scheduler, scheduler), { scheduler })
    fiber.addObserver((exit) => resume(Effect.succeed({ exit, reached })))
  })

const outcomes = ["success", "failure", "interrupt"] as const

interface Case {
  readonly name: string
  readonly body: Effect.Effect<unknown, string>
  readonly required?: boolean
  readonly observed?: boolean
  readonly pipeline?: boolean
  readonly traced?: boolean
  /** The Effect that each hook runs after recording its call. */
  readonly hook: Effect.Effect<unknown, unknown>
}

const yields = Effect.andThen(Effect.yieldNow, Effect.yieldNow)

const bodies: Readonly<Record<string, Effect.Effect<unknown, string>>> = {
  succeeds: Effect.as(yields, 1),
  fails: Effect.andThen(yields, Effect.fail("no")),
  dies: Effect.andThen(yields, Effect.die("boom")),
  "has a finalizer": Effect.ensuring(yields, yields),
  "is masked in part": Effect.andThen(Effect.uninterruptible(yields), yields)
}

const hooks: Readonly<Record<string, Effect.Effect<unknown, unknown>>> = {
  end: yields,
  fail: Effect.andThen(Effect.yieldNow, Effect.fail("hook")),
  "interrupt themselves": Effect.andThen(Effect.yieldNow, Effect.interrupt)
}

const cases: ReadonlyArray<Case> = Object.entries(bodies).flatMap(([body, effect]) =>
  Object.entries(hooks).flatMap(([how, hook]) =>
    [
      {},
      { observed: true },
      { pipeline: true },
      { required: true },
      { required: true, traced: true },
      { required: true, observed: true, pipeline: true }
    ].map(
      (flags) => ({
        name: `body ${body}, hooks ${how}, ${Object.keys(flags).join(" ")}`,
        body: effect,
        hook,
        ...flags
      })
    )
  )
)

const trial = (options: Case, k: number) =>
  Effect.gen(function*() {
    const [seen, emitted, log] = [calls(), events(), logs()]
    let bodyBegan = false
    const policy = (hook: Hook.Hook<unknown, unknown, never>): Hook.Hook<unknown, unknown, never, unknown> =>
      options.required === true ? Hook.required(hook) : hook
    const attached = Hooks.make(
      ...kinds.filter((kind) => kind !== "retry").map((kind) => policy(noting(seen, kind, kind, options.hook))),
      noting(seen, "retry", "retry", options.hook)
    )
    const body = Effect.suspend(() => {
      bodyBegan = true
      return options.body
    })
    const step = Step.make("s", body).pipe(Step.retry({ times: 1 }), Step.hooks(attached))
    const run = options.pipeline === true
      ? Pipeline.make("p", step).pipe(Pipeline.onExit(() => seen.note("run")))
      : step
    const observers = options.observed === true ? [log.layer, emitted.layer] as const : [log.layer] as const
    const { provide, spans } = memoryTracer()
    const traced = options.traced === true ? provide(run) : run
    const { exit, reached } = yield* interruptedAt(k, Effect.provide(traced, [...observers]))

    const where = `${options.name}, interrupted at ${k}: ${seen.list}`
    const terminal = seen.list.filter((name) => outcomes.some((outcome) => outcome === name))
    const count = (name: string) => seen.list.filter((call) => call === name).length
    const begun = bodyBegan || seen.list.length > 0

    // an evaluation that has begun ends once; one interrupted before its first operation has no events at all
    assert.equal(count("exit"), terminal.length > 0 ? 1 : 0, where)
    if (options.required === true && terminal.length === 2) {
      // a required hook of a success or an interruption failed, so failure hooks ran after it
      assert.ok(terminal[0] !== "failure" && terminal[1] === "failure", where)
    } else {
      assert.ok(terminal.length <= 1, where)
    }
    if (begun && count("run") !== seen.list.length) assert.ok(terminal.length > 0, where)
    assert.ok(count("start") <= 1 && count("run") <= 1, where)
    if (bodyBegan) assert.equal(count("start"), 1, where)
    if (bodyBegan && options.pipeline === true) assert.equal(count("run"), 1, where)

    // the kind of hook that ran last agrees with the exit
    const last = terminal.at(-1)
    if (exit._tag === "Success") assert.equal(last, "success", where)
    else if (last === "interrupt") assert.ok(Cause.hasInterrupts(exit.cause), where)
    else if (last === "failure") assert.ok(Cause.hasFails(exit.cause) || Cause.hasDies(exit.cause), where)
    // a fiber that is interrupted after its step succeeded exits with an interruption
    else if (last === "success") assert.ok(reached && Cause.hasInterruptsOnly(exit.cause), where)
    if (!reached && exit._tag === "Failure") assert.ok(!Cause.hasInterrupts(exit.cause), where)

    assert.ok(spans.every(({ status }) => status._tag === "Ended"), where)
    if (options.traced === true && bodyBegan) assert.ok(spans.length > 1, where)

    if (options.observed === true) {
      const of = (tag: string) => emitted.list.filter(({ _tag }) => _tag === tag)
      const [started, ended] = [of("StepStarted").length, emitted.list.filter((event) => event._tag === "StepEnded")]
      assert.equal(started, ended.length, where)
      assert.equal(of("RunStarted").length, of("RunEnded").length, where)
      assert.equal(ended.length, terminal.length > 0 ? 1 : 0, where)
      if (last !== undefined) assert.equal(ended[0]!.outcome, last, where)
      if (emitted.list.length > 0) {
        assert.equal(emitted.list[0]!._tag, "RunStarted", where)
        assert.equal(emitted.list.at(-1)!._tag, "RunEnded", where)
      }
    }
    return { reached, first: terminal[0], begun }
  })

for (const options of cases) {
  it.live(options.name, () =>
    Effect.gen(function*() {
      const firsts = new Set<string | undefined>()
      let k = 0
      let unreached = 0
      // until three runs in a row have ended before operation k
      while (unreached < 3) {
        const { first, reached } = yield* trial(options, k++)
        firsts.add(first)
        unreached = reached ? 0 : unreached + 1
        assert.ok(k < 2000, "no end")
      }
      // guards against a scheduler that never yields, with which nothing would have been tried
      assert.ok(k > 20, `only ${k} points`)
      assert.ok(firsts.has("interrupt") && firsts.size > 1, `only ${[...firsts]}`)
    }))
}
