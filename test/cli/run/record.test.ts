/** `epilogue run --record` and `--progress`, as processes. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { test } from "node:test"
import { assertExitCode, type Ended, epilogue, onEachRuntime, root, start } from "../../support/command.ts"
import { makeIt, slow } from "../../support/it.ts"
import { filesIn, linesOf, readAll } from "../../support/record.ts"
import { recordsFolder } from "../../support/recordFiles.ts"
import { fixtures, timelessLines } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const pipelines = join(root, fixtures, "pipelines.ts")
const durable = join(root, fixtures, "durable.ts")

/** The kinds of events in a record, or in the output of a run with `--json`. */
const tags = (events: ReadonlyArray<{ readonly _tag: string }>): ReadonlyArray<string> => events.map(({ _tag }) => _tag)

const idIn = ({ stderr }: Ended): string => /^recorded: epilogue show (\S+)$/m.exec(stderr)?.[1] ?? stderr

const failing = [
  "RunStarted",
  "StepStarted",
  "StepEnded",
  "StepStarted",
  "AttemptFailed",
  "StepEnded",
  "HookFailed",
  // that the hook failed
  "RunLogged",
  "RunEnded"
]

it.live("--record records a run for epilogue show, and changes nothing in the output on stdout", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd, runs } = yield* recordsFolder
      // the argument after --record is the pipeline, not a file
      const ran = yield* epilogue(runtime, ["run", "--record", `${pipelines}#failing`], { cwd })
      assertExitCode(ran, 1)
      assert.match(ran.stderr, /\nfailing failed: RangeError: no such row\nrecorded: epilogue show [0-9a-f]{8}\n$/)
      const [file, ...more] = filesIn(runs)
      assert.deepEqual(more, [])
      const { events, skipped } = yield* readAll(file!)
      assert.deepEqual([tags(events), skipped], [failing, []])
      assert.ok(events[0]!.runId.startsWith(idIn(ran)))
      if (runtime !== "bun") return
      const without = yield* epilogue(runtime, ["run", `${pipelines}#failing`], { cwd })
      assert.deepEqual(timelessLines(ran.stdout), timelessLines(without.stdout))
      assert.equal(filesIn(runs).length, 1)
      const shown = yield* epilogue("bun", ["show", idIn(ran)], { cwd })
      assertExitCode(shown, 0)
      assert.deepEqual(timelessLines(shown.stdout).slice(1, 6), [
        "✗ failing (n ms, 2 steps, 1 hook failed)",
        "├─ ✓ first (n ms)",
        "└─ ✗ second (n ms, 2 attempts): RangeError: no such row",
        "   ├─ ↻ attempt 1 failed after n ms: RangeError: no such row",
        "   └─ ! hook \"onFailure\" (failure, failed after n ms): the hook broke"
      ])
    }))
  ))

slow(it).live(
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

it.live("the record of a supervised run that is killed says by what, in a folder and in a file", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const run = (record: string) =>
      Effect.map(epilogue("bun", ["run", `${pipelines}#killed`, "--supervise", record], { cwd }), (ran) => {
        assertExitCode(ran, 1)
        assert.match(ran.stderr, /killed by SIGKILL/)
      })
    yield* run("--record")
    yield* run("--record=all.jsonl")
    for (const file of [...filesIn(runs), join(cwd, "all.jsonl")]) {
      const { events, skipped } = yield* readAll(file)
      assert.deepEqual([tags(events), skipped], [["RunStarted", "StepStarted", "RunCrashed"], []])
      const last = events.at(-1)!
      assert.ok(last._tag === "RunCrashed" && last.signal === "SIGKILL" && last.pipelineName === "killed")
      assert.ok(last.at >= events[0]!.at)
    }
    const list = yield* epilogue("bun", ["runs", "--status", "crashed"], { cwd })
    assert.match(list.stdout, /✗ crashed +killed/)
    const shown = yield* epilogue("bun", ["show"], { cwd })
    assert.deepEqual(timelessLines(shown.stdout).slice(1), [
      "✗ killed (crashed after n ms or more, 1 step): killed by SIGKILL",
      "└─ ✗ load (crashed after n ms or more)"
    ])
    const xml = yield* epilogue("bun", ["report", "--junit", "-"], { cwd })
    assert.match(xml.stdout, /<testcase name="killed · [^"]*" .*>\s*<error message="killed by SIGKILL"/)
  }))

slow(it).live(
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

it.live("--record=FILE appends runs to the file, with the same events as --json prints", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const args = ["run", join(root, fixtures, "greeting.yaml"), "--record=logs/all.jsonl"]
    const first = yield* epilogue("bun", [...args, "--progress", "none"], { cwd })
    assertExitCode(first, 0)
    // only what the pipeline itself prints
    assert.equal(first.stdout, "hello world\nhello world\nprinted past Effect\ncelebrated\n")
    const second = yield* epilogue("bun", [...args, "--json"], { cwd })
    assertExitCode(second, 0)
    for (const { stderr } of [first, second]) assert.ok(!stderr.includes("recorded:"), stderr)
    const printed = second.stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
    const { events } = yield* readAll(join(cwd, "logs/all.jsonl"))
    assert.deepEqual(events.slice(printed.length), printed)
    assert.deepEqual(tags(events.slice(0, printed.length)), tags(printed))
    assert.ok(!existsSync(runs))
  }))

it.live("a supervised run has one record, which is kept if the run is killed", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd, runs } = yield* recordsFolder
      const killed = yield* epilogue(runtime, ["run", `${pipelines}#killed`, "--supervise", "--record"], { cwd })
      assertExitCode(killed, 1)
      assert.match(killed.stderr, /SIGKILL/)
      assert.deepEqual(tags(linesOf(filesIn(runs)[0]!)), ["Record", "RunStarted", "StepStarted", "RunCrashed"])
      if (runtime !== "bun") return
      const ran = yield* epilogue(runtime, ["run", `${pipelines}#failing`, "--supervise", "--record"], { cwd })
      assertExitCode(ran, 1)
      const [, file, ...more] = filesIn(runs)
      assert.deepEqual(more, [])
      assert.deepEqual(tags(linesOf(file!)), ["Record", ...failing])
      assert.ok(file!.includes(`.failing.${idIn(ran)}`), file)
    }))
  ))

slow(it).live("the record of a run that Ctrl-C interrupts has an end", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const { ended, kill, wrote } = yield* start("bun", ["run", `${pipelines}#slow`, "--record"], { cwd })
    yield* wrote("waiting\n")
    kill("SIGINT")
    assertExitCode(yield* ended, 130)
    const { outcome } = linesOf(filesIn(runs)[0]!).at(-1)
    assert.equal(outcome, "interrupt")
  }))

slow(it).live("the record of a durable run continues where the run does", () =>
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

slow(it).live("a worker records the runs that other processes submit", () =>
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

slow(it).live(
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

it.live("a run that can't be recorded exits with 2 before anything runs", () =>
  Effect.gen(function*() {
    const { cwd } = yield* recordsFolder
    writeFileSync(join(cwd, ".epilogue"), "a file in place of the folder")
    const config = join(root, fixtures, "greeting.yaml")
    const env = { EPILOGUE_DATABASE: join(cwd, "durable.db"), DATABASE_URL: "", LOG: join(cwd, "log") }
    const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: RegExp]> = [
      [[config, "--record"], /^error: can't record runs in \.epilogue\/runs: (ENOTDIR|EEXIST)\n$/],
      [[config, "--record=."], /^error: can't record runs to \.: EISDIR\n$/],
      [[config, "--record", "--supervise"], /^error: can't record runs in \.epilogue\/runs: /],
      [[`${durable}#failing`, "--durable", "--record"], /^error: can't record runs in \.epilogue\/runs: /],
      [["--record", "all.jsonl", config], /^error: .*greeting\.yaml[^]*see: epilogue run --help\n$/],
      [[config, "--json", "--progress", "plain"], /^error: --progress does not go with --json/],
      [[config, "--progress", "loud"], /^error: .*--progress/]
    ]
    yield* Effect.forEach(cases, ([args, says]) =>
      Effect.map(epilogue("bun", ["run", ...args], { cwd, env }), (ran) => {
        assertExitCode(ran, 2)
        assert.equal(ran.stdout, "")
        assert.match(ran.stderr, says)
      }), { concurrency: 4 })
  }))
