/** `epilogue run --record`, `--junit` and `--progress`, as processes: of durable, interrupted and supervised runs, and from files. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, root, start } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { filesIn, linesOf } from "../../support/record.ts"
import { recordsFolder } from "../../support/recordFiles.ts"
import { fixtures, idIn, timelessLines } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const pipelines = join(root, fixtures, "pipelines.ts")
const durable = join(root, fixtures, "durable.ts")

it.live(
  "a file with record: records its runs and keeps as many as it says; --record=FILE goes before it",
  () =>
    Effect.gen(function*() {
      const { cwd, runs } = yield* recordsFolder
      const config = join(cwd, "nightly.yaml")
      writeFileSync(config, `pipeline: ${pipelines}#failing\nrecord:\n  keep: 2 runs, 30 days\n`)
      const run = (...args: ReadonlyArray<string>) =>
        epilogue("bun", ["run", config, "--allow-outside", ...args], { cwd })
      const ids: Array<string> = []
      for (let i = 0; i < 3; i++) {
        const ran = yield* run()
        assertExitCode(ran, 1)
        ids.push(idIn(ran))
      }
      assert.deepEqual(filesIn(runs).map((file) => basename(file).split(".")[2]!.slice(0, 8)), ids.slice(1))
      const elsewhere = yield* run("--record=all.jsonl")
      assertExitCode(elsewhere, 1)
      assert.equal(filesIn(runs).length, 2)
      assert.ok(existsSync(join(cwd, "all.jsonl")))
      // a supervised run records, too
      writeFileSync(config, `pipeline: ${pipelines}#failing\nrecord: true\nalerter:\n  console: true\n`)
      assertExitCode(yield* run("--supervise"), 1)
      assert.equal(filesIn(runs).length, 3)
    })
)

it.live(
  "--junit writes test results, and a job's summary is written where GitHub Actions asks for it",
  () =>
    Effect.gen(function*() {
      const { cwd } = yield* recordsFolder
      const env = { GITHUB_STEP_SUMMARY: join(cwd, "summary.md") }
      // supervised, too: the child writes them
      for (const more of [[], ["--supervise"]]) {
        const ran = yield* epilogue("bun", ["run", `${pipelines}#failing`, "--junit", "results.xml", ...more], {
          cwd,
          env
        })
        assertExitCode(ran, 1)
      }
      const xml = readFileSync(join(cwd, "results.xml"), "utf8")
      assert.match(xml, /<testsuites [^>]*tests="2" failures="1" errors="0"/)
      assert.match(xml, /<failure message="RangeError: no such row" type="RangeError">/)
      const summary = readFileSync(join(cwd, "summary.md"), "utf8")
      assert.equal(summary.match(/^### ❌ failing/gm)!.length, 2)
    })
)

it.live("the record of a run that Ctrl-C interrupts has an end", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const { ended, kill, wrote } = yield* start("bun", ["run", `${pipelines}#slow`, "--record"], { cwd })
    yield* wrote("waiting\n")
    kill("SIGINT")
    assertExitCode(yield* ended, 130)
    const { outcome } = linesOf(filesIn(runs)[0]!).at(-1)
    assert.equal(outcome, "interrupt")
  }))

it.live("the record of a durable run continues where the run does", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const env = { LOG: join(cwd, "log"), GATE: join(cwd, "gate"), EPILOGUE_DATABASE: "", DATABASE_URL: "" }
    const args = [
      "run",
      `${durable}#nightly`,
      "--durable",
      "--payload",
      "{\"day\":\"monday\",\"rows\":1}",
      "--record"
    ]
    const first = yield* start("bun", args, { cwd, env })
    yield* first.wrote("▶ wait\n")
    first.kill("SIGKILL")
    assert.equal((yield* first.ended).signal, "SIGKILL")
    const [file, ...more] = filesIn(runs)
    assert.deepEqual(more, [])
    const before = readFileSync(file!, "utf8")
    writeFileSync(env.GATE, "")
    const second = yield* epilogue("bun", args, { cwd, env })
    assertExitCode(second, 0)
    const shown = yield* epilogue("bun", ["show", idIn(second)], { cwd })
    assert.match(shown.stdout, /\bnightly\b[^]*\bwait\b/)
    assert.deepEqual(filesIn(runs), [file])
    assert.ok(readFileSync(file!, "utf8").startsWith(before))
    const read = yield* epilogue("bun", ["show", idIn(second), "--json"], { cwd })
    const ended = read.stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
      .filter(({ _tag }) => _tag === "StepEnded" || _tag === "RunEnded")
    assert.deepEqual(ended.map(({ outcome, stepName }) => [stepName, outcome]), [
      ["extract", "success"],
      ["wait", "success"],
      ["load", "success"],
      [undefined, "success"]
    ])
  }))

it.live("a worker records the runs that other processes submit", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const env = { LOG: join(cwd, "log"), GATE: "", EPILOGUE_DATABASE: "", DATABASE_URL: "" }
    const worker = yield* start("bun", ["worker", durable, "--record"], { cwd, env })
    yield* worker.wrote("worker ready")
    const args = ["run", `${durable}#nightly`, "--durable", "--payload", "{\"day\":\"monday\"}"]
    assertExitCode(yield* epilogue("bun", args, { cwd, env }), 0)
    worker.kill("SIGTERM")
    assertExitCode(yield* worker.ended, 143)
    assert.deepEqual(filesIn(runs).map((file) => linesOf(file).at(-1)._tag), ["RunEnded"])
  }))

it.live(
  "--progress selects the display, which is otherwise chosen by the environment",
  () =>
    Effect.gen(function*() {
      const github = { GITHUB_ACTIONS: "true" }
      const show = (...args: ReadonlyArray<string>) =>
        Effect.map(epilogue("bun", ["run", `${pipelines}#failing`, ...args], { env: github }), (ran) => {
          assertExitCode(ran, 1)
          return timelessLines(ran.stdout)
        })
      const groups = yield* show()
      assert.deepEqual([groups[0], groups.find((line) => line.startsWith("::error"))], [
        "::group::▶ failing (run)",
        "::error title=failing > second failed::RangeError: no such row"
      ])
      assert.deepEqual(yield* show("--progress", "github"), groups)
      assert.deepEqual((yield* show("--progress", "plain")).slice(0, 3), [
        "▶ failing (run)",
        "  ▶ first",
        "  ✓ first (n ms)"
      ])
      assert.deepEqual(yield* show("--progress", "none"), [""])
      for (const supervised of [[], ["--supervise"]]) {
        const tree = (yield* show("--progress", "tree", ...supervised)).join("\n")
        assert.ok(tree.includes("\u001b[?25l") && tree.trimEnd().endsWith("\u001b[?25h"), JSON.stringify(tree))
      }
      // --json ignores the environment
      assert.equal(JSON.parse((yield* show("--json"))[0]!)._tag, "RunStarted")
    })
)
