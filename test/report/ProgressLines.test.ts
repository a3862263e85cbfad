/** Tests progress without a terminal: plain lines, the log of GitHub Actions, and the choice of the mode. */
import { test } from "bun:test"
import { Cause, DateTime, Duration, Effect, Exit, Fiber, Layer, Redacted, Schedule } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { Hook, Pipeline, RunEvent, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { make as makeGithub } from "../../src/report/internal/progress/github.ts"
import { modeFor, type Surroundings } from "../../src/report/internal/progress/settings.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"

const it = makeIt(test)

const quiet = logs().layer

const etl = Pipeline.make(
  "etl",
  Effect.gen(function*() {
    let n = 0
    yield* Step.make("load", Effect.suspend(() => ++n < 2 ? Effect.fail("503") : Effect.sleep("1 second"))).pipe(
      Step.retry({ times: 1, schedule: Schedule.spaced("2 seconds") }),
      Step.hooks(Hook.onSuccess(() => Effect.fail("no network")).pipe(Hook.named("tell")))
    )
    yield* Step.make("outer", Step.make("inner", Effect.fail(new Error("disk full, 100%: stop\nhere"))))
  })
).pipe(Pipeline.runName("nightly"))

/** Evaluates for ten seconds with progress, however that ends. */
const played = (run: Effect.Effect<unknown, unknown>, options: Report.ProgressOptions) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.exit(run).pipe(
      Effect.provide([Report.layerProgress(options), quiet]),
      Effect.forkChild
    )
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(fiber)
  })

it.effect("plain lines go to standard error unless stdout is chosen", () =>
  Effect.gen(function*() {
    yield* played(etl, { mode: "plain" })
    assert.deepEqual(yield* TestConsole.logLines, [])
    assert.deepEqual(yield* TestConsole.errorLines, [
      "▶ etl (run nightly)",
      "  ▶ load",
      "  ↻ load: attempt 1 failed, the next follows in 2 s: 503",
      "  ✓ load (3 s, 2 attempts)",
      "  ! hook \"tell\" (success) of load failed after 0 ms: no network",
      "  ▶ outer",
      "  ▶ outer > inner",
      "  ✗ outer > inner (0 ms): disk full, 100%: stop",
      "  ✗ outer (0 ms): disk full, 100%: stop",
      "✗ etl (3 s, 3 steps, 1 hook failed)"
    ])
  }))

it.effect("a failed attempt says that the time is up where a limit comes before another attempt", () =>
  Effect.gen(function*() {
    const step = Step.make("load", Effect.fail("503")).pipe(
      Step.retry(Schedule.spaced("2 seconds")),
      Step.timeout("3 seconds")
    )
    yield* played(step, { mode: "plain" })
    assert.deepEqual(yield* TestConsole.errorLines, [
      "▶ load (run load-1970_01_01-00_00_00)",
      "  ▶ load",
      "  ↻ load: attempt 1 failed, the next follows in 2 s: 503",
      "  ↻ load: attempt 2 failed, the time is up in 1 s: 503",
      "  ✗ load (3 s, 2 attempts): TimeoutError: step \"load\" exceeded its time limit of 3 s",
      "✗ load (3 s, 1 step)"
    ])
  }))

it.effect("line ends and control characters in a name are shown, and it stays a part of its line", () =>
  Effect.gen(function*() {
    const step = Step.make("a\n::error::b\u001b[2J\u0007", Effect.void)
    yield* Effect.provide(step, Report.layerProgress({ mode: "plain", stream: "stdout" }))
    const lines = (yield* TestConsole.logLines).map((line) => String(line).replace(/\(.*/, ""))
    const name = "a\\u{a}::error::b\\u{1b}[2J\\u{7}"
    assert.deepEqual(lines, [`▶ ${name} `, `  ▶ ${name}`, `  ✓ ${name} `, `✓ ${name} `])
  }))

it.effect("GitHub's log has a group for the run and one annotation for each failure", () =>
  Effect.gen(function*() {
    yield* played(etl, { mode: "github", stream: "stderr" })
    const [lines, stacks] = [yield* TestConsole.logLines, /%0A {4}at .*/]
    assert.deepEqual(lines.map((line) => String(line).replace(stacks, "")), [
      "::group::▶ etl (run nightly)",
      "  ▶ load",
      "  ↻ load: attempt 1 failed, the next follows in 2 s: 503",
      "  ✓ load (3 s, 2 attempts)",
      "  ! hook \"tell\" (success) of load failed after 0 ms: no network",
      "::warning title=hook \"tell\" (success) of load failed::no network",
      "  ▶ outer",
      "  ▶ outer > inner",
      "  ✗ outer > inner (0 ms): disk full, 100%: stop",
      "::error title=etl > outer > inner failed::disk full, 100%25: stop%0Ahere",
      "  ✗ outer (0 ms): disk full, 100%: stop",
      "::endgroup::",
      "  ! hook \"tell\" (success) of load failed after 0 ms: no network",
      "  ✗ outer > inner (0 ms): disk full, 100%: stop",
      "  ✗ outer (0 ms): disk full, 100%: stop",
      "✗ etl (3 s, 3 steps, 1 hook failed)"
    ])
  }))

it.effect("GitLab's log has a section for the run, and below it what failed", () =>
  Effect.gen(function*() {
    yield* played(Effect.andThen(Effect.exit(etl), Pipeline.make("later\u001b[0K", Effect.void)), {
      mode: "gitlab",
      stream: "stderr"
    })
    assert.deepEqual(yield* TestConsole.errorLines, [])
    assert.deepEqual(yield* TestConsole.logLines, [
      "\u001b[0Ksection_start:0:epilogue_run_1\r\u001b[0K▶ etl (run nightly)",
      "  ▶ load",
      "  ↻ load: attempt 1 failed, the next follows in 2 s: 503",
      "  ✓ load (3 s, 2 attempts)",
      "  ! hook \"tell\" (success) of load failed after 0 ms: no network",
      "  ▶ outer",
      "  ▶ outer > inner",
      "  ✗ outer > inner (0 ms): disk full, 100%: stop",
      "  ✗ outer (0 ms): disk full, 100%: stop",
      "\u001b[0Ksection_end:3:epilogue_run_1\r\u001b[0K",
      "  ! hook \"tell\" (success) of load failed after 0 ms: no network",
      "  ✗ outer > inner (0 ms): disk full, 100%: stop",
      "  ✗ outer (0 ms): disk full, 100%: stop",
      "✗ etl (3 s, 3 steps, 1 hook failed)",
      // a name can't end a section
      "\u001b[0Ksection_start:3:epilogue_run_2\r\u001b[0K▶ later\\u{1b}[0K (run later\\u{1b}[0K-1970_01_01-00_00_03)",
      "\u001b[0Ksection_end:3:epilogue_run_2\r\u001b[0K",
      "✓ later\\u{1b}[0K (0 ms, 0 steps)"
    ])
  }))

it.effect("a run inside a group is printed as lines, and a run that fails outside of its steps is annotated", () =>
  Effect.gen(function*() {
    const inner = Pipeline.make("inner", Effect.fail("no"))
    yield* Effect.ignore(Pipeline.make("outer", Effect.ignore(inner))).pipe(
      Effect.provide([Report.layerProgress({ mode: "github" }), quiet])
    )
    const lines = (yield* TestConsole.logLines).map((line) => String(line).replace(/ \(.*/, ""))
    assert.deepEqual(lines, [
      "::group::▶ outer",
      "▶ inner",
      "✗ inner",
      "::error title=inner failed::no",
      "::endgroup::",
      "✓ outer"
    ])
  }))

/**
 * Finds workflow commands as the runner does:
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
const commandsIn = (output: string): ReadonlyArray<string> =>
  output.split(/\r\n|\r|\n/).flatMap((line) => {
    const v2 = /^\s*::([^\s:]+)(?: [^]*?)?::/.exec(line)
    if (v2 !== null) return [v2[1]!]
    return /##\[[^\]]*\]/.test(line) ? [line] : []
  })

test("no name or message becomes a workflow command", () => {
  const nasty = [
    "::add-mask::x",
    "\n::add-mask::x",
    "\r::add-mask::x",
    " ::stop-commands::x",
    "##[add-mask]x",
    "a##[add-mask]x",
    "#\u001b[31m#[add-mask]x",
    "#\u0007#[add-mask]x",
    "%0A::add-mask::x",
    "x,file=a::y",
    "x::y",
    "%250A"
  ]
  const run = { pipelineName: "p", runId: "1", runName: "r", at: DateTime.makeUnsafe(0) }
  for (const name of nasty) {
    const info = { ...run, pipelineName: name, runName: name }
    const step = {
      stepName: name,
      stepKey: name,
      stepPath: [name, name],
      stepLabels: [name, name],
      index: 0,
      parent: undefined
    }
    const cause = Cause.fail(name)
    const [duration, annotations] = [Duration.zero, { [name]: name }]
    const failed = { outcome: "failure", exit: Exit.failCause(cause), duration, annotations } as const
    const hook = { hook: name, kind: "success", level: "step", hookIndex: 0, step } as const
    const events: ReadonlyArray<RunEvent.RunEvent> = [
      { _tag: "RunStarted", ...info, annotations },
      { _tag: "RunStarted", ...info, runId: "2", annotations },
      { _tag: "StepStarted", ...info, ...step, params: {}, annotations },
      { _tag: "AttemptFailed", ...info, ...step, attempt: 1, cause, delay: duration, isLast: false },
      { _tag: "StepEnded", ...info, ...step, ...failed, attempts: 2 },
      { _tag: "HookFailed", ...info, ...hook, cause, duration },
      { _tag: "RunEnded", ...info, runId: "2", ...failed, steps: 0, hookFailures: 0 },
      { _tag: "RunEnded", ...info, ...failed, steps: 1, hookFailures: 1 }
    ]
    const output = events.flatMap(makeGithub()).join("\n")
    assert.deepEqual(commandsIn(output), ["group", "error", "warning", "error", "endgroup"], `${name}\n${output}`)
    const titles = [...output.matchAll(/^::\w+ title=(.*?)::/gm)]
    for (const [, title] of titles) assert.ok(!/[:,\r\n]/.test(title!) && !/%(?!25|3A|2C|0A|0D)/.test(title!), title)
  }
})

it.effect("of a thousand failures, fifty are printed again at the end of the run", () =>
  Effect.gen(function*() {
    const steps = Array.from({ length: 1000 }, (_, i) => Effect.ignore(Step.make(`step ${i}`, Effect.fail("no"))))
    yield* Pipeline.make("etl", Effect.all(steps)).pipe(Effect.provide(Report.layerProgress({ mode: "github" })))
    const lines = (yield* TestConsole.logLines).map(String)
    const end = lines.slice(lines.indexOf("::endgroup::"))
    assert.equal(end.length, 1 + 50 + 1 + 1)
    assert.equal(end.at(-2), "  … and 950 more that failed")
  }))

it.effect("progress that is provided twice shows a run once, keeps other observers, and hides secrets", () =>
  Effect.gen(function*() {
    const seen: Array<string> = []
    const progress = Report.layerProgress({ mode: "plain" })
    yield* Step.make("load", Effect.fail({ token: Redacted.make("s3cret") })).pipe(
      Effect.provide(progress),
      Effect.provide(RunEvent.layer(({ _tag }) => void seen.push(_tag))),
      Effect.provide(Layer.merge(progress, quiet)),
      Effect.ignore
    )
    const lines = yield* TestConsole.errorLines
    assert.equal(lines.length, 4)
    assert.equal(seen.length, 4)
    assert.ok(JSON.stringify(lines).includes("<redacted>") && !JSON.stringify(lines).includes("s3cret"))
  }))

test("progress is a tree on a terminal that a person looks at, and lines in CI, in pipes and in files", () => {
  const on = (stdout: boolean, stderr: boolean, env: Surroundings["env"] = {}, piped = false) =>
    modeFor("stderr", { env, isTTY: { stdout, stderr }, isPiped: () => piped })
  assert.equal(on(true, true), "tree")
  assert.equal(on(true, true, { TERM: "xterm-256color", GITHUB_ACTIONS: "true" }), "tree")
  assert.equal(on(true, true, { TERM: "dumb" }), "plain")
  assert.equal(on(true, true, { CI: "true" }), "plain")
  assert.equal(on(true, true, { CI: "false" }), "tree")
  // stdout goes into a file, and through a pipe that may end at the same terminal
  assert.equal(on(false, true), "tree")
  assert.equal(on(false, true, {}, true), "plain")
  assert.equal(on(true, false), "plain")
  assert.equal(on(false, false, { GITHUB_ACTIONS: "true", CI: "true" }), "github")
  assert.equal(on(false, false, { GITHUB_ACTIONS: "false" }), "plain")
  assert.equal(on(false, false, { GITLAB_CI: "true", CI: "true" }), "gitlab")
})
