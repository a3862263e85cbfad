/** `epilogue run`, `check` and `schema` as processes on Bun, Deno and Node. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { ConfigFile } from "../../../src/config/index.ts"
import { assertExitCode, epilogue, onEachRuntime } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { fixtures, pipelines, projectFolder, withoutDurations } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

it.live("run takes hooks and parameters from the config, and flags override them", () =>
  onEachRuntime((runtime) =>
    Effect.gen(function*() {
      const plain = yield* epilogue(runtime, ["run", `${fixtures}/greeting.yaml`])
      assertExitCode(plain, 0)
      assert.deepEqual(withoutDurations(plain.stdout).split("\n"), [
        "▶ greeting (run nightly)",
        "  ▶ greet",
        "hello world",
        "hello world",
        "printed past Effect",
        "  ✓ greet (n ms)",
        "celebrated",
        "✓ greeting (n ms, 1 step)",
        ""
      ])
      assert.match(plain.stderr, /a log/)
      assert.match(plain.stderr, /"absent", which never ran/)
      if (runtime !== "bun") return
      const over = yield* epilogue(runtime, [
        "run",
        `${pipelines}#greeting`,
        "--config",
        `${fixtures}/greeting.yaml`,
        "--run-name",
        "by hand",
        "--param",
        "test.GreetParams.times=1",
        "-p",
        "test.GreetParams.name=a=b"
      ])
      assertExitCode(over, 0)
      assert.match(over.stdout, /^▶ greeting \(run by hand\)\n {2}▶ greet\nhello a=b\nprinted/)
    })
  ))

it.live("--timeout limits the run, and takes durations of several forms", () =>
  Effect.gen(function*() {
    const over = yield* epilogue("bun", ["run", `${pipelines}#slow`, "--timeout", "0s 300ms"])
    assertExitCode(over, 1)
    assert.match(over.stderr, /slow failed: TimeoutError: pipeline "slow" exceeded its time limit of 300 ms/)
    for (const wrong of ["soon", "-1", "0"]) {
      const refused = yield* epilogue("bun", ["run", `${pipelines}#slow`, `--timeout=${wrong}`])
      assertExitCode(refused, 2)
      assert.match(refused.stderr, /--timeout takes a duration such as "2 hours" or 90m/)
    }
  }))

it.live("run prints the error of a failed pipeline, and the stack of one that died", () =>
  onEachRuntime((runtime) =>
    Effect.gen(function*() {
      const failed = yield* epilogue(runtime, ["run", `${pipelines}#failing`])
      assertExitCode(failed, 1)
      assert.deepEqual(withoutDurations(failed.stdout).trimEnd().split("\n").slice(3), [
        "  ▶ second",
        "  ↻ second: attempt 1 failed, the next follows in n ms: RangeError: no such row",
        "  ✗ second (n ms, 2 attempts): RangeError: no such row",
        "  ! hook \"onFailure\" (failure) of second failed after n ms: the hook broke",
        "✗ failing (n ms, 2 steps, 1 hook failed)"
      ])
      assert.match(failed.stderr, /^failing failed: RangeError: no such row\n$/m)
      const died = yield* epilogue(runtime, ["run", `${pipelines}#dying`])
      assertExitCode(died, 1)
      assert.match(died.stderr, /dying failed: TypeError: not foreseen\n +at .*pipelines\.ts:\d+/)
    })
  ))

it.live("run --json prints events to stdout, and all other output to stderr", () =>
  Effect.gen(function*() {
    const ran = yield* epilogue("bun", ["run", `${fixtures}/greeting.yaml`, "--json"])
    assertExitCode(ran, 0)
    const events = ran.stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
    assert.deepEqual(events.map(({ _tag }) => _tag), [
      "RunStarted",
      "StepStarted",
      "StepLogged",
      "StepEnded",
      "HookEnded",
      "RunEnded"
    ])
    assert.deepEqual(events[1].params, { "test.GreetParams": { name: "world", times: 2 } })
    assert.equal(events[5].outcome, "success")
    for (const text of ["hello world", "printed past Effect", "celebrated"]) {
      assert.ok(ran.stderr.includes(text), text)
    }
  }))

it.live("check, run and explain report all mistakes of a config with their places, and run nothing", () =>
  Effect.gen(function*() {
    for (const command of ["check", "run", "explain"]) {
      const ended = yield* epilogue("bun", [command, `${fixtures}/wrong.yaml`])
      assertExitCode(ended, 2)
      assert.equal(ended.stdout, "")
      const [first, second, ...more] = ended.stderr.trimEnd().split("\n")
      assert.match(first!, /^test\/cli\/fixtures\/wrong\.yaml:1:11 pipeline: .*"gone"/)
      assert.match(second!, /^test\/cli\/fixtures\/wrong\.yaml:5:40 steps\.greet\.hooks\.success\[1\]: .*"missing"/)
      assert.deepEqual(more, [])
    }
  }))

it.live("schema prints the JSON Schema of config files", () =>
  Effect.gen(function*() {
    const { stdout } = yield* epilogue("bun", ["schema"])
    const schema = JSON.parse(stdout)
    assert.equal(schema.$id, "urn:effect-epilogue:config")
    assert.deepEqual(schema, JSON.parse(JSON.stringify(ConfigFile.jsonSchema())))
  }))

it.live("--param sets a field of text to a value that looks like JSON", () =>
  Effect.gen(function*() {
    const run = (...params: ReadonlyArray<string>) =>
      epilogue("bun", [
        "run",
        `${pipelines}#greeting`,
        ...params.flatMap((param) => ["--param", `test.GreetParams.${param}`])
      ])
    for (const name of ["5", "5.0", "null", "[1, 2]"]) {
      const ended = yield* run(`name=${name}`, "times=1")
      assertExitCode(ended, 0)
      assert.ok(ended.stdout.includes(`\nhello ${name}\n`), ended.stdout)
    }
    const wrong = yield* run("name=5", "times=true")
    assertExitCode(wrong, 2)
    assert.match(wrong.stderr, /^[^\n]*GreetParams"\]\.times: [^\n]*\n$/)
  }))

it.live("a module that runs itself by runMain is run once, by the command, and by check not at all", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* projectFolder
      writeFileSync(
        join(folder, "job.ts"),
        `import { Effect } from "effect"
import { Pipeline } from "effect-epilogue"
import { runMain } from "effect-epilogue/main"
export const job = Pipeline.make("job", Effect.flatMap(Effect.sync(() => console.log("running")), () => Effect.fail("no")))
runMain(job)
`
      )
      const note =
        "runMain has run nothing: its module was loaded by the command epilogue, which runs pipelines itself\n"
      const checked = yield* epilogue(runtime, ["check", "./job.ts#job"], { cwd: folder })
      assertExitCode(checked, 0)
      assert.deepEqual([checked.stdout.includes("running"), checked.stderr], [false, note])
      for (const more of [[], ["--supervise"]]) {
        const ended = yield* epilogue(runtime, ["run", "./job.ts#job", ...more], { cwd: folder })
        assertExitCode(ended, 1)
        assert.equal(ended.stdout.split("running\n").length, 2, ended.stdout)
        assert.ok(ended.stderr.includes(note) && ended.stderr.includes("job failed: no"), ended.stderr)
      }
    }))
  ))

it.live("a module or a step that ends the process makes no success of the command", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* projectFolder
      writeFileSync(join(folder, "early.ts"), "process.exit(0)\n")
      writeFileSync(
        join(folder, "job.ts"),
        `import { Effect } from "effect"
import { Pipeline } from "effect-epilogue"
const exits = (code: number) => Pipeline.make("job", Effect.sync(() => process.exit(code)))
export const zero = exits(0)
export const seven = exits(7)
`
      )
      const said = "error: the process was ended, as by process.exit, before the command was done\n"
      for (
        const [command, reference, code] of [
          ["check", "./early.ts#job", 1],
          ["run", "./early.ts#job", 1],
          ["run", "./job.ts#zero", 1],
          ["run", "./job.ts#seven", 7]
        ] as const
      ) {
        const ended = yield* epilogue(runtime, [command, reference], { cwd: folder })
        assertExitCode(ended, code)
        assert.equal(ended.stderr, said)
      }
    }))
  ))

it.live("a module of the alerter that ends the process makes no success of a supervised run, and what it cuts off is told", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* projectFolder
      // as a script that ends with a call of its own main
      writeFileSync(join(folder, "job.ts"), "process.exit(0)\n")
      writeFileSync(join(folder, "job.yaml"), "pipeline: ./job.ts#job\nalerter: ./job.ts#alerter\n")
      const ended = yield* epilogue(runtime, ["run", "job.yaml"], { cwd: folder })
      assertExitCode(ended, 1)
      const [crashed, ...lines] = ended.stderr.trimEnd().split("\n")
      assert.match(crashed!, /^epilogue: job\.yaml crashed: exit code 0 after .*, before its run began$/)
      assert.deepEqual(lines, [
        "error: the process was ended, as by process.exit, before the command was done",
        "alert not delivered: job.yaml crashed: alerter: the process ended before it was posted"
      ])
    }))
  ))

it.live("an alert that its hook no longer waits for, and that is under way when the run has ended, is told as lost", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* projectFolder
      writeFileSync(
        join(folder, "job.ts"),
        `import { Effect } from "effect"
import { Alerter, AlerterHooks, Hook, Pipeline, Step } from "effect-epilogue"
export const alerter = Alerter.layer(() => Effect.uninterruptible(Effect.sleep("1 minute")))
export const job = Pipeline.make("job", Step.make("load", Effect.void)).pipe(
  Pipeline.stepHooks(Hook.timeout(AlerterHooks.success, "50 millis"))
)
`
      )
      writeFileSync(join(folder, "job.yaml"), "pipeline: ./job.ts#job\nalerter: ./job.ts#alerter\n")
      const ended = yield* epilogue(runtime, ["run", "job.yaml", "--require-alerts"], { cwd: folder })
      assertExitCode(ended, 3)
      assert.equal(
        ended.stderr.trimEnd().split("\n").at(-1),
        "alert not delivered: job › load succeeded: alerter: the process ended before it was posted"
      )
    }))
  ))
