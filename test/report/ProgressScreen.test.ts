/** Tests the tree on terminals of all sizes, with many steps and with other output. */
import { test } from "bun:test"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { Hook, Pipeline, RunEvent, Step, StepContext } from "../../src/index.ts"
import { fit, take, width } from "../../src/internal/text/columns.ts"
import { Screen } from "../../src/report/internal/progress/screen.ts"
import { Runs } from "../../src/report/internal/progress/state.ts"
import { fakeTerminal } from "../support/fakeTerminal.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { assertScreen, shown } from "../support/progress.ts"

const it = makeIt(test)

const names = (n: number) => Array.from({ length: n }, (_, i) => `step ${i + 1}`)

// -----------------------------------------------------------------------------
// sizes
// -----------------------------------------------------------------------------

test("wide, combining, joined and fullwidth characters are measured and cut in columns", () => {
  const widths: ReadonlyArray<readonly [text: string, columns: number]> = [
    ["", 0],
    ["abc", 3],
    ["naïve", 5],
    ["nai\u0308ve", 5],
    ["日本語", 6],
    ["ｆｕｌｌ", 8],
    ["한국어", 6],
    ["\u1112\u1161\u11ab", 2],
    ["👍", 2],
    ["👍🏽", 4],
    ["❤", 1],
    ["❤️", 2],
    ["👨\u200d👩\u200d👧", 6],
    ["🇯🇵", 2],
    ["🀰🂡", 2],
    ["𗀀", 2],
    ["कि", 2],
    ["العربية", 7],
    ["✓✗■▶↻⠋…", 7],
    ["│├└─█░", 6]
  ]
  for (const [text, columns] of widths) assert.equal(width(text), columns, text)
  assert.equal(take("日本語", 5), "日本")
  assert.equal(take("e\u0301e\u0301", 1), "e\u0301")
  assert.equal(take("👨\u200d👩\u200d👧x", 5), "")
  assert.deepEqual(fit([["ab", "red"], ["日本", "plain"]], 6, false), { text: "ab日本", width: 6 })
  assert.deepEqual(fit([["ab", "red"], ["日本", "plain"]], 5, true), { text: "\u001b[31mab\u001b[39m日…", width: 5 })
  assert.deepEqual(fit([["ab", "plain"]], 1, false), { text: "…", width: 1 })
  assert.deepEqual(fit([["ab", "plain"]], 0, false), { text: "", width: 0 })
})

it.effect("lines are cut to the width of the terminal", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal(20)
    const { layer } = yield* shown(terminal)
    const run = Pipeline.make(
      "nightly-etl",
      Effect.all([
        Step.make("download everything", Effect.andThen(StepContext.progress(1, 2), Effect.sleep("1 second"))),
        Step.make("日本語のデータを読む", Effect.sleep("2 seconds")),
        Step.make("ok", Step.make("👍👍👍👍👍👍👍👍👍", Effect.fail("nothing was as it should be")))
      ], { concurrency: "unbounded", mode: "result" })
    )
    const fiber = yield* Effect.forkChild(Effect.provide(run, layer))
    yield* TestClock.adjust("500 millis")
    assertScreen(
      terminal,
      "⠴ nightly-etl (0.5…",
      "├─ ⠴ download ever…",
      "├─ ⠴ 日本語のデー…",
      "└─ ✗ ok (0 ms): no…",
      "   └─ ✗ 👍👍👍👍👍…"
    )
    yield* TestClock.adjust("3 seconds")
    yield* Fiber.join(fiber)
    assertScreen(
      terminal,
      "✓ nightly-etl (2 s,",
      "  4 steps)",
      "├─ ✓ download",
      "│    everything (1",
      "│    s)",
      "├─ ✓ 日本語のデータ",
      "│    を読む (2 s)",
      "└─ ✗ ok (0 ms):",
      "     nothing was as",
      "     it should be",
      "   └─ ✗ 👍👍👍👍👍",
      "        👍👍👍👍 (0",
      "        ms): nothin",
      "        g was as it",
      "        should be"
    )
  }))

it.effect("a resized window shows the tree once, in its new size", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal(70, 10)
    terminal.write("$ bun etl.ts\n")
    const { layer, print } = yield* shown(terminal)
    const long = "a name that takes most of the columns there are"
    const fiber = yield* Effect.forkChild(Effect.provide(Pipeline.make("etl", Step.make(long, Effect.never)), layer))
    yield* TestClock.adjust("1 second")
    print("a log\n")
    assertScreen(terminal, "$ bun etl.ts", "a log", "⠋ etl (1.0 s, 1 running)", `└─ ⠋ ${long} (1.0 s)`)
    terminal.resize(20, 10)
    yield* TestClock.adjust("1 second")
    assertScreen(terminal, "$ bun etl.ts", "a log", "⠋ etl (2.0 s, 1 ru…", "└─ ⠋ a name that t…")
    terminal.resize(100, 10)
    yield* TestClock.adjust("1 second")
    assertScreen(terminal, "$ bun etl.ts", "a log", "⠋ etl (3.0 s, 1 running)", `└─ ⠋ ${long} (3.0 s)`)
    terminal.resize(100, 3)
    yield* TestClock.adjust("1 second")
    assert.deepEqual(terminal.screen().slice(-2), ["⠋ etl (4.0 s, 1 running)", ""])
    yield* Fiber.interrupt(fiber)
  }))

it.effect("a terminal without a size is taken for one of 80 by 24", () =>
  Effect.gen(function*() {
    const terminal = { ...fakeTerminal(), size: () => ({ columns: 0, rows: 0 }) }
    const { layer } = yield* shown(terminal)
    yield* Effect.provide(Pipeline.make("etl", Step.make("x".repeat(100), Effect.void)), layer)
    assertScreen(terminal, "✓ etl (0 ms, 1 step)", `└─ ✓ ${"x".repeat(74)}`, `     ${"x".repeat(26)} (0 ms)`)
  }))

// -----------------------------------------------------------------------------
// many steps
// -----------------------------------------------------------------------------

it.effect("of a thousand steps, the tree shows running and failed ones, and counts the others", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal(60, 14)
    const { layer } = yield* shown(terminal)
    const run = Pipeline.make(
      "etl",
      Effect.forEach(
        names(1000),
        (name, i) =>
          Step.make(name, Effect.andThen(Effect.sleep("1 second"), i % 150 === 99 ? Effect.fail("odd") : Effect.void))
            .pipe(
              Effect.ignore
            ),
        { concurrency: 8, discard: true }
      )
    )
    const fiber = yield* Effect.forkChild(Effect.provide(run, layer))
    yield* TestClock.adjust("70500 millis")
    assertScreen(
      terminal,
      "⠴ etl (1 min 11 s, 8 running, 556 done, 4 failed)",
      "├─ ✗ step 100 (1 s): odd",
      "├─ ✗ step 250 (1 s): odd",
      "├─ ✗ step 400 (1 s): odd",
      "├─ ✗ step 550 (1 s): odd",
      "├─ ⠴ step 561 (0.5 s)",
      "├─ ⠴ step 562 (0.5 s)",
      "├─ ⠴ step 563 (0.5 s)",
      "├─ ⠴ step 564 (0.5 s)",
      "├─ ⠴ step 565 (0.5 s)",
      "└─ ⠴ step 566 (0.5 s)",
      "… and 2 running, 556 done"
    )
    yield* TestClock.adjust("100 seconds")
    yield* Fiber.join(fiber)
    assertScreen(
      terminal,
      "✓ etl (2 min 5 s, 1,000 steps)",
      ...[100, 250, 400, 550, 700, 850].map((n) => `├─ ✗ step ${n} (1 s): odd`),
      "└─ ✗ step 1000 (1 s): odd",
      "… and 993 done"
    )
  }))

it.effect("a thousand concurrent, nested steps with hooks fit on the screen", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal(60, 12)
    const { layer } = yield* shown(terminal)
    const leaf = (name: string) =>
      Step.make(name, Effect.sleep("1 minute")).pipe(Step.hooks(Hook.onStart(Effect.fail("no"))))
    const run = Pipeline.make(
      "etl",
      Effect.forEach(names(100), (name) =>
        Step.make(name, Effect.forEach(names(9), leaf, { concurrency: "unbounded" })), { concurrency: "unbounded" })
    )
    const fiber = yield* Effect.forkChild(Effect.provide(run, layer))
    yield* TestClock.adjust("1 second")
    assertScreen(
      terminal,
      "⠋ etl (1.0 s, 1,000 running, 900 hooks failed)",
      "└─ ⠋ step 1 (1.0 s)",
      "   ├─ ⠋ step 1 (1.0 s)",
      "   │  └─ ! hook \"onStart\" (start, failed after 0 ms): no",
      "   ├─ ⠋ step 2 (1.0 s)",
      "   │  └─ ! hook \"onStart\" (start, failed after 0 ms): no",
      "   └─ ⠋ step 3 (1.0 s)",
      "      └─ ! hook \"onStart\" (start, failed after 0 ms): no",
      "… and 996 running"
    )
    yield* Fiber.interrupt(fiber)
  }))

it.effect("more runs than rows are cut to the number of rows", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal(60, 7)
    const { layer } = yield* shown(terminal)
    const runs = names(20).map((name) => Pipeline.make(name, Step.make("x", Effect.never)))
    const fiber = yield* Effect.forkChild(Effect.provide(Effect.all(runs, { concurrency: "unbounded" }), layer))
    yield* TestClock.adjust("1 second")
    assertScreen(terminal, ...[1, 2, 3, 4].map((n) => `⠋ step ${n} (1.0 s, 1 running)`), "… and 16 runs")
    yield* Fiber.interrupt(fiber)
  }))

it.effect("the number of ended steps that are kept is bounded", () =>
  Effect.gen(function*() {
    const runs = new Runs()
    let seen = 0
    const count = (event: RunEvent.RunEvent) => {
      const run = runs.apply(event)
      assert.ok(run)
      seen = Math.max(seen, run.steps.size, run.roots.size + run.calm.size + run.troubled.size + run.running.size)
    }
    const step = (i: number) =>
      Step.make(`${i}`, i % 3 === 0 ? Effect.fail("odd") : Step.make("inner", Effect.void)).pipe(
        i % 7 === 0 ? Step.onExit(() => Effect.fail("hook")) : Step.onExit(() => Effect.void)
      )
    yield* Pipeline.make("p", Effect.forEach(names(20_000), (_, i) => Effect.ignore(step(i)), { discard: true })).pipe(
      Effect.provide([RunEvent.layer(count), logs().layer])
    )
    assert.ok(seen > 100 && seen < 500, `${seen}`)
    assert.equal(runs.byId.size, 0)
  }))

// -----------------------------------------------------------------------------
// other output
// -----------------------------------------------------------------------------

it.effect("other output appears above the tree, unfinished lines too", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal(40)
    const { handlers, layer, print } = yield* shown(terminal)
    const fiber = yield* Effect.forkChild(Effect.provide(Pipeline.make("etl", Step.make("load", Effect.never)), layer))
    yield* TestClock.adjust("1 second")
    const tree = (seconds: string) => [`⠋ etl (${seconds}, 1 running)`, `└─ ⠋ load (${seconds})`]
    print("one\ntwo\n")
    assertScreen(terminal, "one", "two", ...tree("1.0 s"))
    print("", "name? ", "stderr")
    assertScreen(terminal, "one", "two", "name?", ...tree("1.0 s"))
    print("three\n", "10%\r20%")
    assertScreen(terminal, "one", "two", "three", "name?", "20%", ...tree("1.0 s"))
    print("name? Anna\n", "", "stderr")
    print(`${"w".repeat(50)}\n`)
    assertScreen(terminal, "one", "two", "three", "name? Anna", "w".repeat(40), "w".repeat(10), ...tree("1.0 s"))
    handlers()?.around(() => terminal.write("from elsewhere\n"))
    yield* TestClock.adjust("1 second")
    assert.deepEqual(terminal.text().split("\n").slice(-3), ["from elsewhere", ...tree("2.0 s")])
    yield* Fiber.interrupt(fiber)
    assert.deepEqual(terminal.text().split("\n").slice(-3), [
      "from elsewhere",
      "■ etl (2 s, 1 step): interrupted",
      "└─ ■ load (2 s): interrupted"
    ])
  }))

it.effect("much output at once is not slowed down: the tree returns with the next frame", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal(40, 8)
    const { layer, print } = yield* shown(terminal)
    const fiber = yield* Effect.forkChild(Effect.provide(Pipeline.make("etl", Step.make("load", Effect.never)), layer))
    yield* TestClock.adjust("1 second")
    const before = terminal.written.characters
    for (let i = 0; i < 1000; i++) print(`${i}\n`)
    assert.ok(terminal.written.characters - before < 40_000)
    yield* TestClock.adjust("1 second")
    assert.deepEqual(terminal.screen().slice(-4), ["999", "⠋ etl (2.0 s, 1 running)", "└─ ⠋ load (2.0 s)", ""])
    yield* Fiber.interrupt(fiber)
  }))

it.effect("a layer that closes leaves its runs as they are, and ignores their later events", () =>
  Effect.gen(function*() {
    const terminal = fakeTerminal(40)
    const { handlers, live } = yield* shown(terminal)
    const watch = live.watch()
    const run = Pipeline.make("etl", Step.make("load", Effect.sleep("10 seconds")))
    const fiber = yield* Effect.forkChild(Effect.provide(run, RunEvent.layer(watch.observer)))
    yield* TestClock.adjust("1 second")
    assert.ok(!terminal.cursor().isVisible)
    watch.close()
    assert.ok(terminal.cursor().isVisible && handlers() === undefined)
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(fiber)
    assertScreen(terminal, "⠋ etl (1.0 s, 1 running)", "└─ ⠋ load (1.0 s)")
  }))

test("only changed lines are written", () => {
  const terminal = fakeTerminal(20)
  const written: Array<string> = []
  const screen = new Screen({ ...terminal, write: (text) => written.push(text) }, false)
  const line = (text: string) => [[text, "plain"] as const]
  screen.draw([line("a"), line("b"), line("c")])
  screen.draw([line("a"), line("b"), line("c")])
  assert.equal(written.length, 1)
  screen.draw([line("a"), line("x"), line("c")])
  assert.equal(written.at(-1), "\u001b[?2026h\r\u001b[3A\u001b[?7l\nx\u001b[K\n\n\u001b[J\u001b[?7h\u001b[?2026l")
})
