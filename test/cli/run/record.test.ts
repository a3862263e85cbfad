/** `epilogue run --record` and `--progress`, as processes. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, onEachRuntime, root } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { filesIn, linesOf, readAll } from "../../support/record.ts"
import { recordsFolder } from "../../support/recordFiles.ts"
import { fixtures, idIn, timelessLines } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const pipelines = join(root, fixtures, "pipelines.ts")
const durable = join(root, fixtures, "durable.ts")

/** The kinds of events in a record, or in the output of a run with `--json`. */
const tags = (events: ReadonlyArray<{ readonly _tag: string }>): ReadonlyArray<string> => events.map(({ _tag }) => _tag)

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

it.live("a run of which nothing is recorded says so, in place of a command that would not find it", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const ran = yield* epilogue("bun", ["run", "--record", `${pipelines}#unrecorded`], { cwd })
    assertExitCode(ran, 0)
    assert.ok(!existsSync(runs))
    assert.equal(ran.stderr, "not recorded: nothing of the run is in .epilogue/runs\n")
  }))

it.live("the record of a supervised run that is killed says by what and who was told, in a folder and in a file", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const config = join(cwd, "killed.yaml")
    writeFileSync(config, `pipeline: ${JSON.stringify(`${pipelines}#killed`)}\nalerter: console\n`)
    const run = (record: string) =>
      Effect.map(epilogue("bun", ["run", config, "--allow-outside", record], { cwd }), (ran) => {
        assertExitCode(ran, 1)
        assert.match(ran.stderr, /killed by SIGKILL/)
      })
    yield* run("--record")
    yield* run("--record=all.jsonl")
    for (const file of [...filesIn(runs), join(cwd, "all.jsonl")]) {
      const { events, skipped } = yield* readAll(file)
      const posted = ["AlertPosted", "AlertPosted"]
      assert.deepEqual([tags(events), skipped], [["RunStarted", "StepStarted", "RunCrashed", ...posted], []])
      const last = events.at(2)!
      assert.ok(last._tag === "RunCrashed" && last.signal === "SIGKILL" && last.pipelineName === "killed")
      assert.ok(last.at >= events[0]!.at)
    }
    const list = yield* epilogue("bun", ["runs", "--status", "crashed"], { cwd })
    assert.match(list.stdout, /✗ crashed +killed/)
    const shown = yield* epilogue("bun", ["show"], { cwd })
    const timeless = timelessLines(shown.stdout).map((line) => line.replace(/\d\d:\d\d:\d\d/, "n"))
    assert.deepEqual(timeless.slice(1), [
      "✗ killed (crashed after n ms or more, 1 step): killed by SIGKILL",
      "├─ ✗ load (crashed after n ms or more)",
      "├─ ✓ alert \"killed › load crashed\" (critical, n, delivered by console)",
      "└─ ✓ alert \"killed crashed\" (critical, n, delivered by console)"
    ])
    const xml = yield* epilogue("bun", ["report", "--junit", "-"], { cwd })
    assert.match(xml.stdout, /<testcase name="killed · [^"]*" .*>\s*<error message="killed by SIGKILL"/)
  }))

it.live("the record of a run that is killed has no secret that an alerter of one's own fails with", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const config = join(cwd, "killed.yaml")
    writeFileSync(
      config,
      JSON.stringify({
        pipeline: `${pipelines}#killed`,
        annotations: { token: "${TOKEN}" },
        alerter: `${join(root, fixtures, "alerting.ts")}#refusing`
      })
    )
    const ran = yield* epilogue("bun", ["run", config, "--allow-outside", "--record"], {
      cwd,
      env: { TOKEN: "t0k3n-123456" }
    })
    assertExitCode(ran, 1)
    const { events } = yield* readAll(filesIn(runs)[0]!)
    const reasons = events.flatMap((event) => event._tag === "AlertPosted" ? [event.reason] : [])
    assert.deepEqual(reasons, Array(2).fill("the alert was rejected: no such token: <redacted>"))
  }))

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

it.live("a run that can't be recorded exits with 2 before anything runs", () =>
  Effect.gen(function*() {
    const { cwd } = yield* recordsFolder
    writeFileSync(join(cwd, ".epilogue"), "a file in place of the folder")
    const config = join(root, fixtures, "greeting.yaml")
    const env = { EPILOGUE_DATABASE: join(cwd, "durable.db"), DATABASE_URL: "", LOG: join(cwd, "log") }
    const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: RegExp]> = [
      [[config, "--record"], /^error: can't record runs in \.epilogue\/runs: (.* \(ENOTDIR\)|EEXIST)\n$/],
      [[config, "--record=."], /^error: can't record runs to \.: it is a folder, and a file is needed \(EISDIR\)\n$/],
      [[config, "--record", "--supervise"], /^error: can't record runs in \.epilogue\/runs: /],
      [[`${durable}#failing`, "--durable", "--record"], /^error: can't record runs in \.epilogue\/runs: /],
      [[config, "--junit", "."], /^error: --junit: can't write \.: it is a folder, and a file is needed \(EISDIR\)\n$/],
      [[config, "--junit", "new/"], /^error: --junit: can't write new\/: it is a folder, and a file is needed/],
      [[config, "--junit", ".epilogue/a.xml"], /^error: --junit: can't write \.epilogue\/a\.xml: .*(ENOTDIR|EEXIST)/],
      [[config, "--junit", ""], /^error: .*--junit. Expected: a path, not an empty text\n/],
      [[config, "--junit", ".", "--supervise"], /^error: --junit: can't write /],
      [[`${durable}#failing`, "--durable", "--junit", "."], /^error: --junit: can't write /],
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
    assert.deepEqual(readdirSync(cwd).filter((name) => !name.startsWith("durable.db")), [".epilogue"])
    const junit = ["--junit", "reports/today/results.xml"]
    assertExitCode(yield* epilogue("bun", ["run", config, ...junit], { cwd, env }), 0)
    assert.match(readFileSync(join(cwd, "reports/today/results.xml"), "utf8"), /<testsuite /)
    const commanded = yield* epilogue("bun", ["exec", "--junit", ".", "--", "touch", "begun"], { cwd, env })
    assertExitCode(commanded, 2)
    assert.match(commanded.stderr, /\nerror: --junit: can't write \.: it is a folder/)
    assert.ok(!existsSync(join(cwd, "begun")))
  }))
