/** Tests what the tree shows of runs. */
import { test } from "bun:test"
import { Data, type Duration, Effect, Exit, Fiber, Redacted, Schedule } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { Hook, Hooks, Pipeline, Step, StepContext } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { fakeTerminal } from "../support/fakeTerminal.ts"
import { makeIt } from "../support/it.ts"
import { assertScreen, shown } from "../support/progress.ts"

const it = makeIt(test)

class HttpError extends Data.TaggedError("HttpError")<{ readonly message: string }> {}

const sleep = (name: string, duration: Duration.Input) => Step.make(name, Effect.sleep(duration))

it.effect("the tree grows with each step, and stays as text when the run has ended", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal()
    const { handlers, layer } = yield* shown(terminal)
    const load = Step.make(
      "load",
      Effect.andThen(Effect.sleep("2 seconds"), StepContext.annotate({ rows: 1461, source: "weather.csv" }))
    )
    const transform = Step.make(
      "transform",
      Effect.all([sleep("clean", "1 second"), sleep("merge", "3 seconds")], { concurrency: 2, discard: true })
    )
    const fiber = yield* Pipeline.make("etl", Effect.all([load, transform], { discard: true })).pipe(
      Pipeline.annotate({ team: "data" }),
      Effect.provide(layer),
      Effect.forkChild
    )
    yield* TestClock.adjust("1 second")
    assertScreen(terminal, "⠋ etl (1.0 s, 1 running)", "└─ ⠋ load (1.0 s)")
    assert.deepEqual(terminal.cursor(), { row: 2, column: 0, isVisible: false })
    yield* TestClock.adjust("2500 millis")
    assertScreen(
      terminal,
      "⠴ etl (3.5 s, 2 running, 2 done)",
      "├─ ✓ load (2 s)  team=data rows=1461 source=weather.csv",
      "└─ ⠴ transform (1.5 s)",
      "   ├─ ✓ clean (1 s)  team=data",
      "   └─ ⠴ merge (1.5 s)"
    )
    assert.ok(handlers() !== undefined)
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(fiber)
    assertScreen(
      terminal,
      "✓ etl (5 s, 4 steps)  team=data",
      "├─ ✓ load (2 s)  rows=1461 source=weather.csv",
      "└─ ✓ transform (3 s)",
      "   ├─ ✓ clean (1 s)",
      "   └─ ✓ merge (3 s)"
    )
    assert.deepEqual(terminal.cursor(), { row: 5, column: 0, isVisible: true })
    assert.equal(handlers(), undefined)
    assert.equal(terminal.styles.size, 0)
    const { times } = terminal.written
    yield* TestClock.adjust("1 minute")
    assert.equal(terminal.written.times, times)
  }))

it.effect("a failed attempt is shown with the time until the next one", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal()
    const { layer } = yield* shown(terminal)
    let n = 0
    const body = Effect.suspend(() =>
      ++n < 3 ? Effect.fail(new HttpError({ message: `try ${n}: 503` })) : Effect.sleep("5 seconds")
    )
    const load = Step.make("load", body).pipe(Step.retry({ times: 3, schedule: Schedule.spaced("4 seconds") }))
    const fiber = yield* Effect.forkChild(Effect.provide(Pipeline.make("etl", load), layer))
    yield* TestClock.adjust("1 second")
    assertScreen(
      terminal,
      "⠋ etl (1.0 s, 1 running)",
      "└─ ↻ load (1.0 s) attempt 1 failed, again in 3.0 s: HttpError: try 1: 503"
    )
    yield* TestClock.adjust("4 seconds")
    assertScreen(
      terminal,
      "⠋ etl (5.0 s, 1 running)",
      "└─ ↻ load (5.0 s) attempt 2 failed, again in 3.0 s: HttpError: try 2: 503"
    )
    yield* TestClock.adjust("4 seconds")
    assertScreen(terminal, "⠋ etl (9.0 s, 1 running)", "└─ ⠋ load (9.0 s, attempt 3)")
    yield* TestClock.adjust("4 seconds")
    yield* Fiber.join(fiber)
    assertScreen(terminal, "✓ etl (13 s, 1 step)", "└─ ✓ load (13 s, 3 attempts)")
  }))

it.effect("failed and interrupted steps are shown with their cause, and fail the run", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal()
    const { layer } = yield* shown(terminal)
    const write = Step.make("write", Effect.andThen(Effect.sleep("1 second"), Effect.fail("disk full")))
    const run = Pipeline.make("etl", Effect.all([sleep("watch", "1 minute"), write], { concurrency: 2 }))
    const fiber = yield* Effect.forkChild(Effect.exit(Effect.provide(run, layer)))
    yield* TestClock.adjust("2 seconds")
    yield* Fiber.join(fiber)
    assertScreen(
      terminal,
      "✗ etl (1 s, 2 steps)",
      "├─ ■ watch (1 s): interrupted",
      "└─ ✗ write (1 s): disk full"
    )
    assert.ok(terminal.cursor().isVisible)
    const outside = Pipeline.make("report", Effect.fail("no month to report on"))
    yield* Effect.exit(Effect.provide(outside, layer))
    assert.equal(terminal.text().split("\n").at(-1), "✗ report (0 ms, 0 steps): no month to report on")
  }))

it.effect("an interrupted run is shown as interrupted, with its step", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal()
    const { layer } = yield* shown(terminal)
    const fiber = yield* Effect.forkChild(Effect.provide(Pipeline.make("etl", sleep("load", "1 minute")), layer))
    yield* TestClock.adjust("3 seconds")
    yield* Fiber.interrupt(fiber)
    assertScreen(terminal, "■ etl (3 s, 1 step): interrupted", "└─ ■ load (3 s): interrupted")
    assert.ok(terminal.cursor().isVisible)
  }))

it.effect("hooks are shown while they run and when they have failed", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal()
    const { layer } = yield* shown(terminal)
    const load = sleep("load", "1 second").pipe(
      Step.hooks(Hooks.make(
        Hook.onSuccess(() => Effect.sleep("2 seconds")).pipe(Hook.named("tell Slack")),
        Hook.onSuccess(() => Effect.fail("no network")).pipe(Hook.named("tell the pager"))
      ))
    )
    const run = Pipeline.make("etl", load).pipe(
      Pipeline.hooks(
        Hook.onExit(() => Effect.andThen(Effect.sleep("1 second"), Effect.fail("no printer"))).pipe(
          Hook.named("print")
        )
      )
    )
    const fiber = yield* Effect.forkChild(Effect.provide(run, layer))
    yield* TestClock.adjust("2 seconds")
    assertScreen(
      terminal,
      "⠋ etl (2.0 s, 1 done)",
      "└─ ✓ load (1 s)",
      "   └─ ⠋ hook \"tell Slack\" (success, 1.0 s)"
    )
    yield* TestClock.adjust("1500 millis")
    assertScreen(
      terminal,
      "⠴ etl (3.5 s, 1 done, 1 hook failed)",
      "├─ ✓ load (1 s)",
      "│  └─ ! hook \"tell the pager\" (success, failed after 0 ms): no network",
      "└─ ⠴ hook \"print\" (exit, 0.5 s)"
    )
    yield* TestClock.adjust("1500 millis")
    yield* Fiber.join(fiber)
    assertScreen(
      terminal,
      "✓ etl (4 s, 1 step, 2 hooks failed)",
      "├─ ✓ load (1 s)",
      "│  └─ ! hook \"tell the pager\" (success, failed after 0 ms): no network",
      "└─ ! hook \"print\" (exit, failed after 1 s): no printer"
    )
  }))

it.effect("progress is shown as a bar, with the rate and the time left", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal(100)
    const { layer } = yield* shown(terminal)
    const steadily = (name: string, total: number | undefined) =>
      Step.make(
        name,
        // between two frames, so that each frame shows the same number of reports
        Effect.andThen(
          Effect.sleep("50 millis"),
          Effect.forEach(
            Array.from({ length: 100 }, (_, i) => i + 1),
            (i) => Effect.andThen(StepContext.progress(i * 25, total), Effect.sleep("100 millis")),
            { discard: true }
          )
        )
      )
    const run = Pipeline.make(
      "etl",
      Effect.all([steadily("load", 2500), steadily("count", undefined)], { concurrency: 2 })
    )
    const fiber = yield* Effect.forkChild(Effect.provide(run, layer))
    yield* TestClock.adjust("4 seconds")
    const done = "█".repeat(8)
    const open = "░".repeat(12)
    assertScreen(
      terminal,
      "⠋ etl (4.0 s, 2 running)",
      `├─ ⠋ load (4.0 s)  ${done}${open}  40%  1,000/2,500  250/s  6 s left`,
      "└─ ⠋ count (4.0 s)  1,000  250/s"
    )
    terminal.resize(79, 24)
    yield* TestClock.adjust("1 second")
    assert.equal(terminal.screen()[1], "├─ ⠋ load (5.0 s)  █████░░░░░  50%  1,250/2,500  250/s  5 s left")
    terminal.resize(49, 24)
    yield* TestClock.adjust("1 second")
    assert.equal(terminal.screen()[1], "├─ ⠋ load (6.0 s)  60%  1,500/2,500  250/s  4 s…")
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(fiber)
    assertScreen(terminal, "✓ etl (10.1 s, 2 steps)", "├─ ✓ load (10.1 s)", "└─ ✓ count (10.1 s)")
  }))

it.effect("progress that is NaN, infinite or out of range is shown as far as possible", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal(100)
    const { layer } = yield* shown(terminal)
    const odd = (name: string, ...told: ReadonlyArray<readonly [number, number?]>) =>
      Step.make(name, Effect.andThen(Effect.forEach(told, (args) => StepContext.progress(...args)), Effect.never))
    const run = Pipeline.make(
      "etl",
      Effect.all([
        odd("more", [150, 100]),
        odd("none", [0, 0]),
        odd("nan", [NaN, Infinity]),
        odd("back", [9, 9], [-3, 9])
      ], {
        concurrency: "unbounded"
      })
    )
    const fiber = yield* Effect.forkChild(Effect.provide(run, layer))
    yield* TestClock.adjust("1 second")
    assertScreen(
      terminal,
      "⠋ etl (1.0 s, 4 running)",
      `├─ ⠋ more (1.0 s)  ${"█".repeat(20)}  100%  150/100`,
      "├─ ⠋ none (1.0 s)  0",
      "├─ ⠋ nan (1.0 s)  0",
      `└─ ⠋ back (1.0 s)  ${"░".repeat(20)}  0%  -3/9`
    )
    yield* Fiber.interrupt(fiber)
  }))

it.effect("concurrent and nested runs are trees of their own, and a step outside any pipeline is one line", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal()
    const { layer } = yield* shown(terminal)
    const inner = Pipeline.make("inner", sleep("copy", "2 seconds"))
    const outer = Pipeline.make("outer", Step.make("call", Effect.andThen(inner, Effect.sleep("2 seconds"))))
    const again = Pipeline.runName(Pipeline.make("outer", sleep("call", "3 seconds")), "by hand")
    const alone = Step.make("alone", sleep("part", "1 minute"))
    const fiber = yield* Effect.all([outer, again, alone], { concurrency: "unbounded" }).pipe(
      Effect.provide(layer),
      Effect.forkChild
    )
    yield* TestClock.adjust("1 second")
    assertScreen(
      terminal,
      "⠋ outer (1.0 s, 1 running) outer-1970_01_01-00_00_00",
      "└─ ⠋ call (1.0 s)",
      "⠋ inner (1.0 s, 1 running)",
      "└─ ⠋ copy (1.0 s)",
      "⠋ outer (1.0 s, 1 running) by hand",
      "└─ ⠋ call (1.0 s)",
      "⠋ alone (1.0 s)",
      "└─ ⠋ part (1.0 s)"
    )
    yield* TestClock.adjust("4 seconds")
    yield* Fiber.interrupt(fiber)
    assertScreen(
      terminal,
      "✓ inner (2 s, 1 step)",
      "└─ ✓ copy (2 s)",
      "✓ outer (3 s, 1 step)",
      "└─ ✓ call (3 s)",
      "✓ outer (4 s, 1 step)",
      "└─ ✓ call (4 s)",
      "■ alone (5 s): interrupted",
      "└─ ■ part (5 s): interrupted"
    )
  }))

it.effect("names and messages can't move the cursor or reorder text, and secrets stay hidden", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal()
    const { layer } = yield* shown(terminal)
    const step = Step.make(
      "a\u001b[2Jb\tc\r\nd\u202ee\u0007",
      Effect.andThen(
        StepContext.annotate({ token: Redacted.make("s3cret"), "k\ney": "x\u001b]0;title\u0007y" }),
        Effect.sleep("1 second")
      )
    )
    const bad = Step.make("bad", Effect.fail(new HttpError({ message: "one\tand\n\u001b[31mtwo" })))
    const fiber = yield* Effect.provide(
      Effect.exit(Pipeline.make("p\u009b2J", Effect.all([step, bad]))),
      layer
    ).pipe(Effect.forkChild)
    yield* TestClock.adjust("2 seconds")
    yield* Fiber.join(fiber)
    assertScreen(
      terminal,
      "✗ p\\u{9b}2J (1 s, 2 steps)",
      "├─ ✓ a\\u{1b}[2Jb c\\u{d}\\u{a}d\\u{202e}e\\u{7} (1 s)  token=<redacted>",
      "│    k\\u{a}ey=x\\u{1b}]0;title\\u{7}y",
      "└─ ✗ bad (0 ms): HttpError: one and"
    )
  }))

it.effect("the tree is coloured if colours are on", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal()
    const { layer } = yield* shown(terminal, true)
    const fiber = yield* Effect.forkChild(Effect.provide(Pipeline.make("etl", sleep("load", "1 second")), layer))
    yield* TestClock.adjust("2 seconds")
    yield* Fiber.join(fiber)
    assertScreen(terminal, "✓ etl (1 s, 1 step)", "└─ ✓ load (1 s)")
    assert.deepEqual([...terminal.styles].toSorted(), ["1", "2", "22", "32", "36", "39"])
  }))

it.effect("while progress is paused, no tree is drawn, and what others write to the terminal stays", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal()
    const { handlers, layer, live } = yield* shown(terminal)
    const fiber = yield* Effect.forkChild(
      Effect.provide(
        Pipeline.make("etl", Effect.andThen(sleep("load", "2 seconds"), sleep("rest", "3 seconds"))),
        layer
      )
    )
    yield* TestClock.adjust("1 second")
    assertScreen(terminal, "⠋ etl (1.0 s, 1 running)", "└─ ⠋ load (1.0 s)")
    const resume = live.pause()
    const inner = live.pause()
    assert.equal(terminal.cursor().isVisible, true)
    assert.equal(handlers()?.isAway(), true)
    terminal.write("compiling\n")
    inner()
    yield* TestClock.adjust("2 seconds")
    terminal.write("done\n")
    assertScreen(terminal, "compiling", "done")
    resume()
    resume()
    assertScreen(
      terminal,
      "compiling",
      "done",
      "⠋ etl (3.0 s, 1 running, 1 done)",
      "├─ ✓ load (2 s)",
      "└─ ⠋ rest (1.0 s)"
    )
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(fiber)
    assertScreen(terminal, "compiling", "done", "✓ etl (5 s, 2 steps)", "├─ ✓ load (2 s)", "└─ ✓ rest (3 s)")
    assert.equal(terminal.cursor().isVisible, true)
  }))

it.effect("pauseProgress changes nothing about an effect where no tree is shown", () =>
  Effect.gen(function*() {
    assert.equal(yield* Report.pauseProgress(Effect.succeed(7)), 7)
    assert.deepEqual(yield* Effect.exit(Report.pauseProgress(Effect.fail("no"))), Exit.fail("no"))
  }))
