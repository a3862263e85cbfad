import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Hook, Hooks, Pipeline, Step } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { brief, calls, events, kinds, logs, noting, plain } from "./support/observe.ts"

const it = makeIt(test)

const bodies: Readonly<Record<string, Effect.Effect<number, string | Step.StepSkipped>>> = {
  success: Effect.succeed(1),
  failure: Effect.fail("no"),
  interrupt: Effect.interrupt,
  skip: Step.skip("no rows")
}

/** Hook functions that fail in one way each. */
const broken: Readonly<Record<string, () => Effect.Effect<unknown, unknown>>> = {
  fails: () => Effect.fail("hook failed"),
  dies: () => Effect.die("hook died"),
  throws: () => {
    throw new Error("hook threw")
  },
  "interrupts itself": () => Effect.interrupt,
  hangs: () => Effect.never,
  "hangs and can't be interrupted": () => Effect.uninterruptible(Effect.never),
  "fails late": () => Effect.andThen(Effect.sleep("1 second"), Effect.fail("late")),
  "yields no Effect": () => undefined as unknown as Effect.Effect<void>
}

/** Runs an Effect while the test clock advances by `duration`, and returns its exit. Fails if it is still running. */
const exitAfter = <A, E>(duration: Duration.Input, effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect)
    yield* TestClock.adjust(duration)
    const exit = fiber.pollUnsafe()
    assert.ok(exit !== undefined, "still running")
    return exit
  })

// -----------------------------------------------------------------------------
// isolation
// -----------------------------------------------------------------------------

it.effect("a hook that fails in any way changes neither the step's exit nor the hooks after it", () =>
  Effect.gen(function*() {
    for (const [how, f] of Object.entries(broken)) {
      for (const kind of kinds) {
        for (const [end, body] of Object.entries(bodies)) {
          const [seen, log, emitted] = [calls(), logs(), events()]
          const bad = kind === "start"
            ? Hook.onStart(Effect.suspend(f))
            : kind === "success"
            ? Hook.onSuccess(f)
            : kind === "failure"
            ? Hook.onFailure(f)
            : kind === "interrupt"
            ? Hook.onInterrupt(f)
            : kind === "skip"
            ? Hook.onSkip(f)
            : kind === "retry"
            ? Hook.onRetry(f)
            : kind === "overdue"
            ? Hook.onOverdue(f)
            : Hook.onExit(f)
          const step = Step.make("s", body).pipe(
            Step.retry({ times: 1 }),
            Step.overdue(0),
            Step.hooks(Hooks.make(Hook.named(bad, "bad"), noting(seen, kind, "after"), noting(seen, "exit", "last")))
          )
          const ran = kind === "start" || kind === "overdue" || kind === "exit" || kind === end ||
            (kind === "retry" && end === "failure")
          const exit = yield* exitAfter("31 seconds", step.pipe(Effect.provide([log.layer, emitted.layer])))
          const where = `${how}, ${kind}, ${end}`
          assert.deepEqual(plain(exit), plain(yield* Effect.exit(body)), where)
          assert.deepEqual(seen.list, ran ? ["after", "last"] : ["last"], where)
          // logged exactly once
          const said = log.list.filter(({ level }) => level === "Error")
          assert.deepEqual(said.map(({ message }) => message), ran ? [`hook "bad" (${kind}) of "s" failed`] : [], where)
          const tags = emitted.list.map(({ _tag }) => _tag)
          assert.equal(tags.filter((tag) => tag === "HookFailed").length, ran ? 1 : 0, where)
        }
      }
    }
  }))

it.effect("a step's typed error stays catchable when its failure hook dies", () =>
  Effect.gen(function*() {
    const step = Step.make("s", Effect.fail({ _tag: "Mine" as const })).pipe(Step.onFailure(() => Effect.die("boom")))
    assert.equal(yield* step.pipe(Effect.catchTag("Mine", () => Effect.succeed("caught"))), "caught")
  }))

it.effect("a failed hook is logged with its name and cause, emitted as HookFailed and counted", () =>
  Effect.gen(function*() {
    const [log, emitted] = [logs(), events()]
    const pageOnCall = (_: unknown) => Effect.fail("no route")
    const load = Step.make("load", Effect.succeed(1)).pipe(
      Step.onSuccess(pageOnCall),
      Step.onSuccess(() => Effect.die("x"))
    )
    const registry = new Map()
    const counts = Effect.map(
      Metric.snapshot,
      (snapshots) =>
        snapshots.flatMap((metric) =>
          metric.id === "epilogue_hook_failures_total" && metric.type === "Counter"
            ? [[metric.attributes?.["hook"], metric.attributes?.["kind"], metric.state.count]]
            : []
        )
    )
    yield* Effect.gen(function*() {
      yield* Pipeline.make("etl", Effect.andThen(load, load)).pipe(Pipeline.onSuccess(() => Effect.fail("too")))
      const [entry] = log.list
      assert.equal(entry!.level, "Error")
      assert.equal(entry!.message, `hook "pageOnCall" (success) of "load" failed`)
      assert.equal(Cause.squash(entry!.cause), "no route")
      const ended = emitted.list.at(-1)!
      assert.ok(ended._tag === "RunEnded")
      const { hook, pipeline, runId, step } = entry!.annotations
      assert.deepEqual({ hook, pipeline, runId, step }, {
        hook: "pageOnCall",
        pipeline: "etl",
        runId: ended.runId,
        step: "load"
      })
      assert.equal(ended.hookFailures, 5)
      assert.deepEqual(yield* counts, [["pageOnCall", "success", 2], ["onSuccess", "success", 3]])
    }).pipe(Effect.provide([log.layer, emitted.layer]), Effect.provideService(Metric.MetricRegistry, registry))
    const failed = emitted.list.find((event) => event._tag === "HookFailed")!
    assert.equal(Cause.squash(failed.cause), "no route")
    assert.equal(failed.hook, "pageOnCall")
  }))

it.effect("a hook's name is the one given, else its function's, else its constructor's", () =>
  Effect.gen(function*() {
    const notify = () => Effect.void
    const named: ReadonlyArray<readonly [{ readonly name: string }, string]> = [
      [Hook.onFailure(notify), "notify"],
      [Hook.onFailure(() => Effect.void), "onFailure"],
      [Hook.onStart(Effect.void), "onStart"],
      [Hook.onFailureTag("X", notify), "notify"],
      [Hook.onExit(notify).pipe(Hook.named("page the on-call")), "page the on-call"],
      [Hook.onExit(notify).pipe(Hook.when(() => true), Hook.timeout("1 second"), Hook.retry({ times: 1 })), "notify"]
    ]
    for (const [hook, name] of named) assert.equal(hook.name, name)
  }))

// -----------------------------------------------------------------------------
// time limits
// -----------------------------------------------------------------------------

const limits: ReadonlyArray<
  readonly [string, number, (step: Step.Step<number>, seen: () => void) => Effect.Effect<number>]
> = [
  [
    "the default",
    30_000,
    (step, seen) => step.pipe(Step.onSuccess(() => Effect.onInterrupt(Effect.never, () => Effect.sync(seen))))
  ],
  ["its own", 2_000, (step, seen) =>
    step.pipe(Step.hooks(
      Hook.onSuccess(() => Effect.onInterrupt(Effect.never, () => Effect.sync(seen))).pipe(Hook.timeout("2 seconds"))
    ))],
  ["another default", 5_000, (step, seen) =>
    step.pipe(
      Step.onSuccess(() => Effect.onInterrupt(Effect.never, () => Effect.sync(seen))),
      Effect.provideService(Hook.defaultTimeout, "5 seconds")
    )],
  ["its own over another default", 2_000, (step, seen) =>
    step.pipe(
      Step.hooks(
        Hook.onSuccess(() => Effect.onInterrupt(Effect.never, () => Effect.sync(seen))).pipe(Hook.timeout("2 seconds"))
      ),
      Effect.provideService(Hook.defaultTimeout, "5 seconds")
    )]
]

for (const [which, limit, attach] of limits) {
  it.effect(`a hook that hangs is interrupted at its time limit: ${which}`, () =>
    Effect.gen(function*() {
      const [log, emitted] = [logs(), events()]
      let interrupted = 0
      const step = attach(Step.make("s", Effect.succeed(1)), () => interrupted++)
      const fiber = yield* Effect.forkChild(step.pipe(Effect.provide([log.layer, emitted.layer])))
      yield* TestClock.adjust(limit - 1)
      assert.equal(fiber.pollUnsafe(), undefined)
      assert.equal(interrupted, 0)
      yield* TestClock.adjust(1)
      assert.deepEqual(fiber.pollUnsafe(), Exit.succeed(1))
      assert.equal(interrupted, 1)
      const failed = emitted.list.find((event) => event._tag === "HookFailed")!
      assert.ok(Cause.isTimeoutError(Cause.squash(failed.cause)))
      assert.equal(Duration.toMillis(failed.duration), limit)
      assert.equal(log.list.length, 1)
    }))
}

it.effect("a time limit of \"Infinity\" means no limit", () =>
  Effect.gen(function*() {
    const hour = () => Effect.sleep("1 hour")
    const own = Step.make("own", Effect.void).pipe(Step.hooks(Hook.onSuccess(hour).pipe(Hook.timeout("Infinity"))))
    const all = Step.make("all", Effect.void).pipe(
      Step.onSuccess(hour),
      Effect.provideService(Hook.defaultTimeout, "Infinity")
    )
    for (const step of [own, all]) {
      const emitted = events()
      assert.deepEqual(yield* exitAfter("1 hour", step.pipe(Effect.provide(emitted.layer))), Exit.void)
      assert.deepEqual(emitted.list.filter(({ _tag }) => _tag === "HookFailed"), [])
    }
  }))

it.effect("an invalid Hook.defaultTimeout fails the hook but not the step", () =>
  Effect.gen(function*() {
    const [log, seen] = [logs(), calls()]
    const step = Step.make("s", Effect.succeed(1)).pipe(
      Step.onSuccess(() => Effect.andThen(Effect.sleep(1), seen.note("done"))),
      Step.onSuccess(() => seen.note("after")),
      Effect.provideService(Hook.defaultTimeout, -1),
      Effect.provide(log.layer)
    )
    assert.deepEqual(yield* exitAfter("1 minute", step), Exit.succeed(1))
    assert.deepEqual(seen.list, ["after"])
    assert.match(String(Cause.squash(log.list[0]!.cause)), /Hook\.defaultTimeout.*-1/)
  }))

// -----------------------------------------------------------------------------
// interruption
// -----------------------------------------------------------------------------

it.effect("interrupt and exit hooks of an interrupted step run to their end before the interruption completes", () =>
  Effect.gen(function*() {
    const seen = calls()
    const step = Step.make("s", Effect.never).pipe(
      Step.onInterrupt(() => Effect.andThen(Effect.sleep("3 seconds"), seen.note("interrupt"))),
      Step.onExit(() => Effect.andThen(Effect.sleep("2 seconds"), seen.note("exit")))
    )
    const fiber = yield* Effect.forkChild(step)
    yield* TestClock.adjust(0)
    const interruption = yield* Effect.forkChild(Fiber.interrupt(fiber))
    yield* TestClock.adjust("4 seconds")
    assert.deepEqual(seen.list, ["interrupt"])
    assert.equal(interruption.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 second")
    assert.deepEqual(seen.list, ["interrupt", "exit"])
    assert.ok(interruption.pollUnsafe() !== undefined)
  }))

it.effect("a hook that is running when its step is interrupted finishes", () =>
  Effect.gen(function*() {
    for (const kind of ["start", "retry", "success", "failure", "exit"] as const) {
      const seen = calls()
      const slow = noting(seen, kind, "begun", Effect.andThen(Effect.sleep("1 second"), seen.note("finished")))
      const body = kind === "failure" || kind === "retry" ? Effect.fail("no") : Effect.void
      const fiber = yield* Effect.forkChild(
        Step.make("s", body).pipe(
          Step.retry({ times: kind === "retry" ? 1 : 0 }),
          Step.hooks(Hooks.make(slow, noting(seen, kind, "next"), noting(seen, "interrupt", "interrupt")))
        )
      )
      yield* TestClock.adjust("500 millis")
      assert.deepEqual(seen.list, ["begun"])
      yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust("500 millis")
      // after a start or retry hook an attempt would follow, so only then does the step end as interrupted
      const goesOn = kind === "start" || kind === "retry"
      assert.deepEqual(seen.list, ["begun", "finished", "next", ...(goesOn ? ["interrupt"] : [])])
      const exit = fiber.pollUnsafe()
      assert.ok(exit !== undefined && Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause))
    }
  }))

it.effect("a hook that hangs delays an interruption no longer than its time limit", () =>
  Effect.gen(function*() {
    for (const hanging of [Effect.never, Effect.uninterruptible(Effect.never)]) {
      const step = Step.make("s", Effect.never).pipe(
        Step.hooks(Hook.onInterrupt(() => hanging).pipe(Hook.timeout("10 seconds")))
      )
      const fiber = yield* Effect.forkChild(step)
      yield* TestClock.adjust(0)
      const interruption = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust(9_999)
      assert.equal(interruption.pollUnsafe(), undefined)
      yield* TestClock.adjust(1)
      assert.deepEqual(interruption.pollUnsafe(), Exit.void)
    }
  }))

// -----------------------------------------------------------------------------
// Hook.when
// -----------------------------------------------------------------------------

it.effect("Hook.when evaluates its predicate with the step's context and exit before each run of the hook", () =>
  Effect.gen(function*() {
    const [seen, emitted, log] = [calls(), events(), logs()]
    const hook = (name: string) => Hook.onFailure(() => seen.note(name)).pipe(Hook.named(name))
    const body = Effect.fail("no")
    const step = Step.make("s", body).pipe(
      Step.retry({ times: 1 }),
      Step.hooks(Hooks.make(
        Hook.when(hook("yes"), (context) => context.stepName === "s" && context.attempt === 2),
        Hook.when(hook("no"), () => false),
        Hook.when(
          hook("exit"),
          (_, exit) => exit !== undefined && Exit.isFailure(exit) && Cause.squash(exit.cause) === "no"
        ),
        Hook.when(hook("effectful yes"), () => Effect.as(Effect.sleep("1 second"), true)),
        Hook.when(hook("effectful no"), () => Effect.succeed(false)),
        Hook.when(hook("failing"), () => Effect.fail("predicate failed")),
        Hook.when(hook("throwing"), () => {
          throw new Error("predicate threw")
        }),
        Hook.when(Hook.when(hook("both"), () => true), () => Effect.succeed(true)),
        Hook.when(Hook.onRetry(() => seen.note("retry")), (_, exit) => exit !== undefined && Exit.isFailure(exit)),
        Hook.when(Hook.onStart(seen.note("start")), (_, exit) => exit === undefined)
      ))
    )
    assert.deepEqual(
      plain(yield* exitAfter("1 second", step.pipe(Effect.provide([emitted.layer, log.layer])))),
      plain(Exit.fail("no"))
    )
    assert.deepEqual(seen.list, ["start", "retry", "yes", "exit", "effectful yes", "both"])
    const briefs = emitted.list.filter((event) => "hook" in event).map(brief)
    assert.deepEqual(briefs, [
      "HookEnded onStart",
      "HookEnded onRetry",
      "HookEnded yes",
      "HookSkipped no",
      "HookEnded exit",
      "HookStarted effectful yes",
      "HookEnded effectful yes",
      "HookSkipped effectful no",
      "HookFailed failing",
      "HookFailed throwing",
      "HookEnded both"
    ])
    assert.deepEqual(log.list.map(({ cause }) => String(Cause.squash(cause))), [
      "predicate failed",
      "Error: predicate threw"
    ])
  }))

// -----------------------------------------------------------------------------
// retry
// -----------------------------------------------------------------------------

it.effect("Hook.retry runs a failed function again within the hook's time limit and reports one hook run", () =>
  Effect.gen(function*() {
    const [log, emitted] = [logs(), events()]
    let tries = 0
    const flaky = (until: number) =>
      Hook.onSuccess((value: number) => ++tries < until ? Effect.fail(`no ${value}`) : Effect.void)
    const run = (hook: Hook.Hook<number, unknown, never>) =>
      Effect.gen(function*() {
        tries = 0
        log.list.length = emitted.list.length = 0
        const step = Step.make("s", Effect.succeed(7)).pipe(Step.hooks(hook))
        assert.deepEqual(
          yield* exitAfter("31 seconds", step.pipe(Effect.provide([log.layer, emitted.layer]))),
          Exit.succeed(7)
        )
        return [
          tries,
          log.list.length,
          emitted.list.filter(({ _tag }) => _tag === "HookEnded" || _tag === "HookFailed").map(({ _tag }) => _tag)
        ]
      })
    assert.deepEqual(yield* run(flaky(3).pipe(Hook.retry({ times: 5 }))), [3, 0, ["HookEnded"]])
    assert.deepEqual(yield* run(flaky(9).pipe(Hook.retry({ times: 2 }))), [3, 1, ["HookFailed"]])
    assert.deepEqual(yield* run(flaky(3).pipe(Hook.retry(Schedule.spaced("1 second")))), [3, 0, ["HookEnded"]])
    assert.deepEqual(yield* run(flaky(9).pipe(Hook.retry({ while: (e) => e !== "no 7" }))), [1, 1, ["HookFailed"]])
    // runs at 0, 10 and 20 s; the time limit ends it at 30 s
    assert.deepEqual(yield* run(flaky(99).pipe(Hook.retry(Schedule.spaced("10 seconds")))), [3, 1, ["HookFailed"]])
    // a defect is not retried
    assert.deepEqual(
      yield* run(
        Hook.onSuccess((): Effect.Effect<void> => {
          tries++
          throw new Error("no")
        }).pipe(Hook.retry({ times: 3 }))
      ),
      [1, 1, ["HookFailed"]]
    )
  }))
