/** `epilogue show`: recorded runs in full, as processes. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, onEachRuntime, start as spawn } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { readAll } from "../../support/record.ts"
import { ended, idOf, recordsFolder, start, writeRecord } from "../../support/recordFiles.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const step = (index: number, name: string, millis: number, more: object = {}) => ({
  at: start + millis,
  stepName: name,
  stepPath: [name],
  index,
  ...more
})

const hook = (name: string, kind: string, millis: number, more: object = {}) => ({
  at: start + millis,
  hook: name,
  kind,
  level: "step",
  hookIndex: 0,
  ...more
})

const alert = (deliveryId: string, posted: number, millis: number, more: object) => ({
  at: start + millis,
  deliveryId,
  title: "nightly failed\u001b[2J",
  severity: "error",
  postedAt: start + posted,
  ...more
})

const load = { step: { stepName: "load", stepPath: ["load"], index: 0 } }
const within = { parent: 0, stepPath: ["load", "fetch"] }

/** The events of a failed run, of every kind that a record has. */
const failed = [
  {
    _tag: "StepStarted",
    ...step(0, "load", 5),
    params: { Train: { epochs: 3, key: "<redacted>" }, Source: "https://…" }
  },
  { _tag: "StepStarted", ...step(1, "fetch", 6, within) },
  { _tag: "StepProgress", ...step(1, "fetch", 7, within), done: 3, total: 4 },
  {
    _tag: "AttemptFailed",
    ...step(1, "fetch", 40, within),
    attempt: 1,
    cause: "Error: no answer\n    at etl.ts:7",
    delayMillis: 60
  },
  {
    _tag: "StepEnded",
    ...step(1, "fetch", 2107, within),
    outcome: "success",
    attempts: 2,
    durationMillis: 2101.4,
    annotations: { team: "ops", "row count": 7, page: 2 }
  },
  { _tag: "HookStarted", ...hook("tidy", "success", 2108, { step: { ...load.step, ...step(1, "fetch", 0, within) } }) },
  {
    _tag: "HookEnded",
    ...hook("tidy", "success", 2120, { step: { ...load.step, ...step(1, "fetch", 0, within) } }),
    durationMillis: 12
  },
  {
    _tag: "StepEnded",
    ...step(0, "load", 2130),
    outcome: "failure",
    cause: "\u001b[31mRangeError: no such row\u001b[0m\n    at load",
    attempts: 1,
    durationMillis: 2125.2,
    annotations: { team: "ops" }
  },
  { _tag: "HookFailed", ...hook("page", "failure", 2140, load), durationMillis: 9, cause: "Error: nobody is on call" },
  { _tag: "HookSkipped", ...hook("mail", "failure", 2141, { hookIndex: 1, ...load }) },
  { _tag: "AlertPosted", ...alert("a1", 2135, 2135, { by: "slack", result: "waiting" }), ...load },
  { _tag: "AlertPosted", ...alert("a2", 2135, 2139, { by: "digest", result: "held", severity: "warning" }), ...load },
  {
    _tag: "AlertPosted",
    ...alert("a1", 2135, 5135, { by: "slack", result: "failed", reason: "could not be reached\u001b[2J" }),
    ...load
  },
  { _tag: "AlertsOmitted", at: start + 2145, deliveries: 1200, failed: 7, ...load },
  { _tag: "AlertPosted", ...alert("a3", 2146, 2146, { by: "slack", result: "delivered" }) },
  { _tag: "HookEnded", ...hook("report", "exit", 2150, { level: "pipeline" }), durationMillis: 3 },
  { ...ended("failure", 2160), hookFailures: 1, annotations: { team: "ops", page: 2 } }
]

const tree = (id: string): ReadonlyArray<string> => [
  `run ${idOf(id)}  nightly-7  2026-11-23 18:00:00`,
  "✗ nightly (2.2 s, 2 steps, 1 hook failed)  team=ops page=2",
  "├─ ✗ load (2.1 s): RangeError: no such row",
  "│  ├─ Train  epochs=3 key=<redacted>",
  "│  ├─ Source  https://…",
  "│  ├─ ✓ fetch (2.1 s, 2 attempts)  row count=7 page=2",
  "│  │  ├─ ↻ attempt 1 failed after 34 ms: Error: no answer",
  "│  │  └─ ✓ hook \"tidy\" (success, 12 ms)",
  "│  ├─ ! hook \"page\" (failure, failed after 9 ms): Error: nobody is on call",
  "│  ├─ - hook \"mail\" (failure, had nothing to do)",
  "│  ├─ ! alert \"nightly failed\\u{1b}[2J\" (error, 18:00:02, not delivered by slack after 3 s): could not be reached\\u{1b}[2J",
  "│  ├─ ‖ alert \"nightly failed\\u{1b}[2J\" (warning, 18:00:02, held by digest)",
  "│  └─ … 1,200 alerts left out, 7 of them not delivered",
  "├─ ✓ hook \"report\" (exit, 3 ms)",
  "└─ ✓ alert \"nightly failed\\u{1b}[2J\" (error, 18:00:02, delivered by slack)",
  "",
  "  RangeError: no such row",
  "      at load (etl.ts:7)",
  ""
]

const show = (cwd: string, ...args: ReadonlyArray<string>) =>
  epilogue("bun", ["show", ...args], { cwd, env: { TZ: "UTC" } })

it.live("show prints a run with its steps, attempts, hooks, parameters, annotations and cause", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd, runs } = yield* recordsFolder
      writeRecord(runs, { id: "a", lines: failed })
      const ran = yield* epilogue(runtime, ["show", "aaa"], { cwd, env: { TZ: "UTC" } })
      assertExitCode(ran, 0)
      assert.deepEqual(ran.stdout.split("\n"), tree("a"))
      assert.equal(ran.stderr, "")
    }))
  ))

it.live("a run is named by its id, the beginning of it, latest or its file, and --json prints the recorded events", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const file = relative(cwd, writeRecord(runs, { id: "a", lines: failed }))
    writeRecord(runs, { id: "b1111111-1", at: start - 1, lines: [ended("success", 83)] })
    writeRecord(runs, { id: "b1111111-2", at: start - 2, lines: [ended("success", 83)] })
    for (const name of [[], ["latest"], ["a"], [idOf("a")], [file], ["--folder", runs, "a"]]) {
      const ran = yield* show(cwd, ...name)
      assertExitCode(ran, 0)
      assert.deepEqual(ran.stdout.split("\n"), tree("a"), name.join(" "))
    }
    const json = yield* show(cwd, "a", "--json")
    assertExitCode(json, 0)
    const { events } = yield* readAll(join(cwd, file))
    assert.deepEqual(json.stdout.trimEnd().split("\n").map((line) => JSON.parse(line)), events)
    assert.equal(events.length, failed.length + 1)
  }))

it.live("show --logs prints below each step what it has logged, safe for a terminal, and says where there is nothing", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const logged = (_tag: string, millis: number, logLevel: string, message: string, more: object = {}) => ({
      _tag,
      at: start + millis,
      logLevel,
      message,
      ...more
    })
    const inLoad = step(0, "load", 0)
    writeRecord(runs, {
      id: "a",
      lines: [
        logged("RunLogged", 3_000, "Info", "first"),
        { _tag: "StepStarted", ...step(0, "load", 4_000) },
        logged("StepLogged", 5_000, "Warn", "slow \u001b[2Janswer\n::error::forged", { ...inLoad, at: start + 5_000 }),
        logged("StepLogged", 6_000, "Info", "done", { ...inLoad, at: start + 6_000, omitted: 80 }),
        { _tag: "StepEnded", ...step(0, "load", 7_000), outcome: "success", attempts: 1, durationMillis: 3_000 },
        logged("RunLogged", 8_000, "Info", "", { omitted: 400 }),
        ended("success", 8_000)
      ]
    })
    const ran = yield* show(cwd, "a", "--logs")
    assertExitCode(ran, 0)
    assert.deepEqual(ran.stdout.split("\n").slice(1, -1), [
      "✓ nightly (8 s, 1 step)",
      "├─ 18:00:03 first",
      "├─ … 400 messages left out",
      "└─ ✓ load (3 s)",
      "   ├─ 18:00:05 WARN slow \\u{1b}[2Janswer",
      "   │  └─ ::error::forged",
      "   ├─ … 80 messages left out",
      "   └─ 18:00:06 done"
    ])
    const without = yield* show(cwd, "a")
    assert.ok(!without.stdout.includes("18:00:05"), without.stdout)
    writeRecord(runs, { id: "b", at: start + 1, lines: [ended("success", 83)] })
    const none = yield* show(cwd, "b", "--logs")
    assertExitCode(none, 0)
    assert.match(none.stderr, /nothing that was logged is recorded/)
  }))

it.live("a name that fits no run, or several, exits with 2 and prints nothing to stdout", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    writeRecord(runs, { id: "b1111111-1", lines: [ended("success", 83)] })
    writeRecord(runs, { id: "b1111111-2", lines: [ended("success", 83)] })
    writeFileSync(join(cwd, "text"), "hello\n")
    writeFileSync(join(cwd, "later.jsonl"), "{\"_tag\":\"Record\",\"version\":99}\n")
    writeFileSync(join(cwd, "begun.jsonl"), "{\"_tag\":\"Record\",\"version\":2}\n")
    const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: RegExp]> = [
      [["c"], /^error: \.epilogue\/runs: no .*"c": expected the id of a run or how it begins.*, or latest\n$/],
      [["b1"], /^error: .*"b1": b1111111-[12], b1111111-[12]\n$/],
      [[""], /^error: no run is named: expected/],
      [["--folder", "gone"], /^error: no runs are recorded in gone: record one with/],
      [["gone.jsonl"], /^error: can't open gone\.jsonl: ENOENT\n$/],
      [["./gone"], /^error: can't open \.\/gone: ENOENT\n$/],
      [[".epilogue/runs"], /^error: can't read \.epilogue\/runs: it is a folder, and a file is needed \(EISDIR\)\n$/],
      [["text"], /^error: text:1: this is no record of a run/],
      [["later.jsonl"], /^error: later\.jsonl:1: .*version 99/],
      [["begun.jsonl"], /^error: begun\.jsonl: nothing is recorded in it yet\n$/],
      [["begun.jsonl", "--json"], /^error: begun\.jsonl: nothing is recorded in it yet\n$/],
      [["b", "c"], /^error: .*"c"[^]*see: epilogue show --help\n$/]
    ]
    yield* Effect.forEach(cases, ([args, says]) =>
      Effect.map(show(cwd, ...args), (ran) => {
        assertExitCode(ran, 2)
        assert.equal(ran.stdout, "")
        assert.match(ran.stderr, says)
      }), { concurrency: 4 })
  }))

it.live("a running run is shown up to now, and one without an end as cut off", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const now = Date.now()
    const lines = (at: number) => [
      { _tag: "StepStarted", ...step(0, "load", 0), at: at + 40 },
      { _tag: "StepProgress", ...step(0, "load", 0), at: at + 50, done: 3, total: 4 },
      { _tag: "HookStarted", ...hook("begin", "start", 0, load), at: at + 60 }
    ]
    writeRecord(runs, { id: "a", at: now - 90_000, lines: lines(now - 90_000) })
    const cut = writeRecord(runs, {
      id: "b",
      touchedAt: now - 61_000,
      lines: [
        { _tag: "Lost", events: 3 },
        ...lines(start),
        { _tag: "Later", at: start + 65 },
        "{\"_tag\":\"StepEnded\",\"at"
      ]
    })
    const running = yield* show(cwd, "a")
    assertExitCode(running, 0)
    const [, ...shown] = running.stdout.replaceAll(/1 min (29|3\d) s/g, "90 s").split("\n")
    assert.deepEqual(shown, [
      "▶ nightly (90 s so far, 1 step)",
      "└─ ▶ load (90 s so far, 3 of 4 done)",
      "   └─ ▶ hook \"begin\" (start, 90 s so far)",
      ""
    ])
    const ran = yield* show(cwd, "b")
    assertExitCode(ran, 0)
    assert.deepEqual(ran.stdout.split("\n").slice(1), [
      "⊘ nightly (cut off after 60 ms or more, 1 step)",
      "└─ ⊘ load (cut off after 20 ms or more, 3 of 4 done)",
      "   └─ ⊘ hook \"begin\" (start, cut off after 0 ms or more)",
      ""
    ])
    const file = relative(cwd, cut)
    assert.equal(
      ran.stderr,
      `${file}: 1 line without an end, as a crash leaves it\n` +
        `${file}: 1 event of a later version, left out\n` +
        `${file}: 3 events that could not be recorded\n`
    )
  }))

it.live("a file of several runs is shown in full, with many attempts shortened", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const attempts = Array.from({ length: 30 }, (_, i) => ({
      _tag: "AttemptFailed",
      ...step(0, "load", i + 1),
      attempt: i + 1,
      cause: `Error: ${i + 1}`,
      delayMillis: 0
    }))
    const interrupted = {
      _tag: "StepEnded",
      ...step(0, "load", 40),
      outcome: "interrupt",
      cause: "InterruptError: All fibers interrupted without error",
      attempts: 31,
      durationMillis: 40
    }
    const other = { pipelineName: "hourly", runId: "h", runName: "by\u0007 hand" }
    const file = writeRecord(runs, {
      id: "a",
      lines: [
        { _tag: "StepStarted", ...step(0, "load", 0) },
        ...attempts,
        interrupted,
        ended("interrupt", 41),
        { _tag: "RunStarted", at: start, ...other },
        { ...ended("success", 83), ...other, steps: 0 }
      ]
    })
    const ran = yield* show(cwd, file)
    assertExitCode(ran, 0)
    const lines = ran.stdout.split("\n")
    assert.deepEqual(lines.slice(1, 4), [
      "■ nightly (41 ms, 1 step)",
      "└─ ■ load (40 ms, 31 attempts): interrupted",
      "   ├─ ↻ attempt 1 failed after 1 ms: Error: 1"
    ])
    assert.deepEqual(lines.slice(12, 15), [
      "   ├─ ↻ attempt 10 failed after 1 ms: Error: 10",
      "   ├─ … 10 more",
      "   ├─ ↻ attempt 21 failed after 1 ms: Error: 21"
    ])
    assert.deepEqual(lines.slice(23), [
      "   └─ ↻ attempt 30 failed after 1 ms: Error: 30",
      "",
      "run h  by\\u{7} hand  2026-11-23 18:00:00",
      "✓ hourly (83 ms, 0 steps)",
      ""
    ])
  }))

it.live("a reader that closes the pipe early does not make show fail", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd, runs } = yield* recordsFolder
      // far more than a pipe holds
      const name = "long ".repeat(200)
      const steps = Array.from({ length: 2000 }, (_, i) => ({ _tag: "StepStarted", ...step(i, name, i) }))
      writeRecord(runs, { id: "a", lines: [...steps, ended("success", 2000)] })
      const { child, ended: end, wrote } = yield* spawn(runtime, ["show", "--json"], { cwd })
      yield* wrote("RunStarted")
      child.stdout!.destroy()
      const ran = yield* end
      assertExitCode(ran, 0)
      assert.ok(!ran.stdout.includes("RunEnded"))
      assert.equal(ran.stderr, "")
    }))
  ))
