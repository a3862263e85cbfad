/** Text of others is shown by the command, on a terminal and in the log of GitHub Actions, and never obeyed. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { type Ended, epilogue, root, runtimes } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { type Runtime, someRuntimes } from "../../support/runtimes.ts"
import { hostile } from "../fixtures/hostile.ts"
import { fixtures, projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

/** The sequences by which the tree is drawn, and colours. */
// oxlint-disable-next-line no-control-regex -- escape sequences
const own = /\u001b\[(?:\?(?:25|7|2026)[hl]|\d+[AB]|K|J|(?:0|1|2|22|3[1-69]|39)m)/g

/** The commands to the runner that progress makes. */
const workflowCommand = /^::(?:group::|endgroup::|(?:error|warning) title=[^:]*::)/

// oxlint-disable-next-line no-control-regex -- all but tabs and line feeds
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/

/** Asserts that a terminal obeys nothing in a text but what the command draws by. Returns the text without that. */
const assertNotObeyed = (output: string, what: string): string => {
  const text = output.replace(own, "")
  const at = obeyed.exec(text)
  assert.equal(at, null, `${what}: ${JSON.stringify(text.slice(Math.max(0, (at?.index ?? 0) - 60)).slice(0, 200))}`)
  return text
}

/** Asserts that also the runner of GitHub Actions obeys nothing in a text. */
const assertHarmless = (output: string, what: string): void => {
  for (const line of assertNotObeyed(output, what).split("\n")) {
    assert.ok(!line.includes("##["), `${what}: ${JSON.stringify(line)}`)
    assert.ok(workflowCommand.test(line) || !line.trimStart().startsWith("::"), `${what}: ${JSON.stringify(line)}`)
  }
}

const harmless = (args: ReadonlyArray<string>, runtime: Runtime = "bun", cwd: string = root) =>
  Effect.map(epilogue(runtime, args, { cwd, env: { GITHUB_ACTIONS: "true", CI: "true" } }), (ended): Ended => {
    const what = `${runtime} ${args.map((arg) => arg.slice(0, 30)).join(" ")}`
    // where a tree is drawn, carriage returns are ours
    const isTree = args.includes("tree")
    assertHarmless(isTree ? ended.stdout.replaceAll("\r", "") : ended.stdout, what)
    assertHarmless(ended.stderr, what)
    return ended
  })

// a config file with a control character in a name is refused
const named = hostile.replace(/[\u001b\u0007]/g, "") // oxlint-disable-line no-control-regex -- removes them

const config = {
  pipeline: `${join(root, fixtures)}/hostile.ts#pipeline`,
  runName: `nightly${named}`,
  stepHooks: { failure: [{ use: "epilogue#alerterFailure", name: `alert${named}` }] },
  alerter: "console"
}

/** A folder with a config file that names everything in a hostile way. */
const folder = Effect.tap(projectFolder, (cwd) =>
  Effect.sync(() => {
    writeFileSync(join(cwd, "hostile.json"), JSON.stringify(config))
    const steps = { [`unknown${hostile}`]: { retry: hostile } }
    writeFileSync(join(cwd, "wrong.json"), JSON.stringify({ ...config, steps, [hostile]: { [hostile]: hostile } }))
  }))

const module = `${fixtures}/hostile.ts`
const outside = ["--allow-outside"]

for (const [mode, on] of [["plain", someRuntimes()], ["github", ["bun"]], ["tree", ["bun"]]] as const) {
  it.live(`run obeys nothing that others wrote: ${mode}`, () =>
    Effect.forEach(on, (runtime) =>
      Effect.scoped(Effect.gen(function*() {
        const cwd = yield* folder
        const ran = yield* harmless(
          ["run", "hostile.json", ...outside, "--no-supervise", "--progress", mode],
          runtime,
          cwd
        )
        assert.equal(ran.code, 1, JSON.stringify(ran))
        const said = ran.stdout + ran.stderr
        assert.ok(said.includes("upstream said: 500\\u{1b}]52;c;ZXZpbA==\\u{7}\\u{1b}[2J\\u{9b}31m\\u{202e}"), said)
        assert.ok(said.includes("loading\\u{1b}]52"), said)
      })), { concurrency: "unbounded" }))
}

it.live("a supervised run obeys nothing of what its child writes to standard error, or of why that ended", () =>
  Effect.gen(function*() {
    const uncaught = yield* harmless(["run", `${module}#throwing`, "--supervise"])
    assert.equal(uncaught.code, 1)
    assert.match(uncaught.stderr, /^uncaught Error: uncaught\\u\{1b\}\]52;/m)
    const ran = yield* harmless(["run", `${module}#crashing`, "--supervise"])
    assert.equal(ran.code, 1)
    assert.match(ran.stderr, /^bye\\u\{1b\}\]52;/m)
    assert.match(ran.stderr, /^epilogue: crashing\\u\{1b\}\]52;.*boom.* crashed: /m)
  }))

it.live("explain, check, run --json and the commands for records obey nothing that others wrote", () =>
  Effect.scoped(Effect.gen(function*() {
    const cwd = yield* folder
    const here = (...args: ReadonlyArray<string>) => harmless(args, "bun", cwd)
    yield* here("explain", "hostile.json", ...outside)
    yield* here("check", "hostile.json", ...outside)
    assert.equal((yield* here("check", "wrong.json", ...outside)).code, 2)
    const json = yield* here("run", "hostile.json", ...outside, "--json")
    const events = json.stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
    // the escapes of JSON lose nothing
    assert.deepEqual(events.find(({ _tag }) => _tag === "StepStarted").stepPath, [`extract${hostile}`])
    yield* here("run", "hostile.json", ...outside, "--record", "--no-supervise", "--progress", "none")
    for (const args of [["show", "latest"], ["runs"], ["runs", "--json"], ["show", "latest", "--json"]]) {
      const ran = yield* here(...args)
      assert.equal(ran.code, 0, JSON.stringify(ran))
      assert.ok(ran.stdout.includes("etl\\u"), ran.stdout)
    }
    for (const format of ["mermaid", "svg", "html"]) {
      const report = yield* here("report", "latest", `--${format}=-`)
      assert.equal(report.code, 0, report.stderr)
      assert.ok(report.stdout.includes("extract"), report.stdout)
    }
    yield* here("prune", "--keep", "0")
  })))

it.live("arguments that an error quotes are shown, not obeyed", () =>
  Effect.gen(function*() {
    const cases = [
      ["run", hostile],
      ["run", `./${hostile}.ts#x`],
      ["check", `./${hostile}.yaml`],
      ["run", `${module}#${hostile}`],
      ["run", `${module}#pipeline`, "--param", hostile],
      ["run", `${module}#pipeline`, "--param", `A.b=${hostile}`],
      [hostile],
      ["run", `--${hostile}`],
      ["run", "--progress", hostile],
      ["show", hostile],
      ["show", `./${hostile}.jsonl`],
      ["runs", "--since", hostile],
      ["runs", "--folder", hostile],
      ["answer", hostile, "--approve"],
      ["durable", "interrupt", hostile],
      ["report", hostile, "--html", `/nowhere/${hostile}`],
      ["init", `/dev/null/${hostile}`]
    ]
    yield* Effect.forEach(cases, (args) =>
      Effect.map(harmless(args), (ended) => {
        assert.notEqual(ended.stderr, "")
      }), { concurrency: 4, discard: true })
  }))

const hasScript = spawnSync("script", ["--version"]).status === 0

/** Runs the command on a terminal, and returns all bytes that reach it. */
const onTerminal = (runtime: Runtime, cwd: string, args: ReadonlyArray<string>): string => {
  const command = [...runtimes[runtime], join(root, "src/cli/main.ts"), ...args].map((word) => `'${word}'`).join(" ")
  const { CI: _, GITHUB_ACTIONS: _1, NO_COLOR: _2, FORCE_COLOR: _3, ...env } = process.env
  return spawnSync("script", ["-qec", command, "/dev/null"], {
    cwd,
    encoding: "utf8",
    env: { ...env, TERM: "xterm-256color" }
  }).stdout
}

const skip = !hasScript && process.env["CI_REQUIRE_ALL"] !== "1"
const itOnTerminal = makeIt((name, run) => test(name, { timeout: 60_000, skip }, run))

itOnTerminal.live("no sequence that others wrote reaches a terminal", () =>
  Effect.gen(function*() {
    const cwd = yield* folder
    const run = ["run", "hostile.json", ...outside]
    for (
      const [i, args] of [
        [...run, "--no-supervise", "--record"],
        run,
        [...run, "--no-supervise", "--json"],
        ["explain", "hostile.json", ...outside],
        ["check", "hostile.json", ...outside],
        ["show", "latest"],
        ["runs"]
      ].entries()
    ) {
      const output = onTerminal(i === 0 ? "node" : "bun", cwd, args)
      assert.ok(output.includes("etl\\u"), output)
      assertNotObeyed(output.replaceAll("\r", ""), args.join(" "))
    }
  }))
