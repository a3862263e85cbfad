/** What the command does, as a process on Bun, Deno and Node. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import manifest from "../../package.json" with { type: "json" }
import { jsonSchema } from "../../src/config/index.ts"
import { assertExitCode, epilogue, onEachRuntime, root } from "../support/command.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt((name, run) => test(name, { timeout: 30_000 }, run))

const fixtures = "test/cli/fixtures"
const pipelines = `${fixtures}/pipelines.ts`

/** Within the repository, where a module finds the library (and Bun by this config). */
const folder = Effect.acquireRelease(
  Effect.sync(() => {
    mkdirSync(join(root, "tmp"), { recursive: true })
    const path = mkdtempSync(join(root, "tmp/cli-"))
    writeFileSync(join(path, "tsconfig.json"), JSON.stringify({ extends: "../../tsconfig.json" }))
    return path
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

it.live("--version", () =>
  onEachRuntime((runtime) =>
    Effect.gen(function*() {
      const version = yield* epilogue(runtime, ["--version"])
      assertExitCode(version, 0)
      assert.equal(version.stdout, `epilogue v${manifest.version}\n`)
    })
  ))

it.live("help, and completion for shells", () =>
  Effect.gen(function*() {
    const help = yield* epilogue("bun", ["run", "--help"])
    assertExitCode(help, 0)
    for (const text of ["--param", "Service.field=value", "--supervise", "epilogue run nightly.yaml"]) {
      assert.ok(help.stdout.includes(text), text)
    }
    for (const shell of ["bash", "zsh", "fish"]) {
      const { stdout } = yield* epilogue("bun", ["--completions", shell])
      for (const text of ["explain", "run-name"]) assert.ok(stdout.includes(text), `${shell}: ${text}`)
    }
  }))

it.live("init writes what can be checked, explained and run, and never overwrites", () =>
  Effect.forEach(["bun"] as const, (runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const at = yield* folder
      const made = yield* epilogue(runtime, ["init", "jobs"], { cwd: at })
      assertExitCode(made, 0)
      assert.ok(made.stdout.includes("epilogue run jobs/epilogue.yaml"), made.stdout)
      const cwd = join(at, "jobs")
      const checked = yield* epilogue(runtime, ["check"], { cwd })
      assertExitCode(checked, 0)
      const explained = yield* epilogue(runtime, ["explain"], { cwd })
      assert.match(explained.stdout, /^ {4}success: celebrate \(epilogue\.yaml:\d+:\d+\): /m)
      const ran = yield* epilogue(runtime, ["run"], { cwd })
      assertExitCode(ran, 0)
      assert.match(ran.stdout, /^Hello, world!\nHello, world!\n/m)
      assert.match(ran.stderr, /print succeeded/)

      rmSync(join(cwd, "epilogue.yaml"))
      writeFileSync(join(cwd, "hooks.ts"), "// mine")
      const refused = yield* epilogue(runtime, ["init"], { cwd })
      assertExitCode(refused, 2)
      assert.match(refused.stderr, /hooks\.ts/)
      assert.match(refused.stderr, /pipeline\.ts/)
      assert.doesNotMatch(refused.stderr, /epilogue\.yaml/)
      assert.equal(readFileSync(join(cwd, "hooks.ts"), "utf8"), "// mine")
      assert.throws(() => readFileSync(join(cwd, "epilogue.yaml")))
    }))))

it.live("run: a config, its hooks, and what the command line puts over it", () =>
  onEachRuntime((runtime) =>
    Effect.gen(function*() {
      const plain = yield* epilogue(runtime, ["run", `${fixtures}/greeting.yaml`])
      assertExitCode(plain, 0)
      assert.deepEqual(plain.stdout.replace(/\d+ ms|\d+\.\d s/g, "n ms").split("\n"), [
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

it.live("run: a pipeline that fails, and one that dies", () =>
  onEachRuntime((runtime) =>
    Effect.gen(function*() {
      const failed = yield* epilogue(runtime, ["run", `${pipelines}#failing`])
      assertExitCode(failed, 1)
      assert.deepEqual(failed.stdout.replace(/\d+ ms|\d+\.\d s/g, "n ms").trimEnd().split("\n").slice(3), [
        "  ▶ second",
        "  ↻ second: attempt 1 failed, the next follows in n ms: RangeError: no such row",
        "  ✗ second (n ms, 2 attempts): RangeError: no such row",
        "  ! hook \"onFailure\" (failure) of second failed after n ms: the hook broke",
        "✗ failing (n ms, 2 steps, 1 hook failed)"
      ])
      assert.match(failed.stderr, /^failing failed: RangeError: no such row\n$/m)
      const died = yield* epilogue(runtime, ["run", `${pipelines}#dying`])
      assertExitCode(died, 1)
      // a bug needs its stack
      assert.match(died.stderr, /dying failed: TypeError: not foreseen\n +at .*pipelines\.ts:\d+/)
    })
  ))

it.live("run --json: events and nothing else on stdout", () =>
  Effect.gen(function*() {
    const ran = yield* epilogue("bun", ["run", `${fixtures}/greeting.yaml`, "--json"])
    assertExitCode(ran, 0)
    const events = ran.stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
    assert.deepEqual(events.map(({ _tag }) => _tag), [
      "RunStarted",
      "StepStarted",
      "StepEnded",
      "HookEnded",
      "RunEnded"
    ])
    assert.deepEqual(events[1].params, { "test.GreetParams": { name: "world", times: 2 } })
    assert.equal(events[4].outcome, "success")
    for (const text of ["hello world", "printed past Effect", "celebrated"]) {
      assert.ok(ran.stderr.includes(text), text)
    }
  }))

it.live("mistakes on the command line: exit code 2, and nothing on stdout", () =>
  Effect.gen(function*() {
    const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: RegExp]> = [
      [["run"], /^error: name a config or a MODULE#EXPORT/],
      [["run", "gone.yaml"], /^error: there is no file gone\.yaml/],
      [["run", "a.yaml", "--config", "b.yaml"], /^error: there are two configs: a\.yaml and --config b\.yaml/],
      [["run", "x", "--nope"], /^error: .*--nope[^]*see: epilogue run --help/],
      [["frobnicate"], /^error: .*frobnicate/],
      [["run", "x", "--param", "secretless"], /^error: .*--param[^]*Service\.field=value/],
      [["run", "x", "--param", "times=hunter2"], /^error: (?![^]*hunter2)/],
      [["run", `${pipelines}#gone`], /no export "gone".*GreetParams/],
      [["run", `${pipelines}#notOne`], /expected a Pipeline/],
      [["run", `${fixtures}/gone.ts#x`], /gone\.ts/],
      [["run", `${pipelines}#greeting`, "--param", "test.GreetParams.times=many"], /test\.GreetParams"\]\.times/],
      [["run", `${pipelines}#greeting`, "--param", "Other.times=1"], /Other/]
    ]
    yield* Effect.forEach(cases, ([args, says]) =>
      Effect.map(epilogue("bun", args), (ended) => {
        assertExitCode(ended, 2)
        assert.match(ended.stderr, says)
        assert.doesNotMatch(ended.stderr, /^ +at /m)
        assert.equal(ended.stdout, "")
      }), { concurrency: 4 })
  }))

it.live("check: all mistakes, each with its place, before anything runs", () =>
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

it.live("schema", () =>
  Effect.gen(function*() {
    const { stdout } = yield* epilogue("bun", ["schema"])
    const schema = JSON.parse(stdout)
    assert.equal(schema.$id, "urn:effect-epilogue:config")
    assert.deepEqual(schema, JSON.parse(JSON.stringify(jsonSchema())))
  }))
