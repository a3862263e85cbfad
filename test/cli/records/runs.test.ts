/** `epilogue runs` and `prune`: the list of recorded runs, as processes. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { appendFileSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs"
import { basename, dirname, join, relative } from "node:path"
import { test } from "node:test"
import { assertExitCode, type Ended, epilogue, onEachRuntime, start as spawn } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { ended, idOf, recordsFolder, start, writeRecord, writeShared } from "../../support/recordFiles.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const minute = 60_000

const at = (minutes: number) => start + minutes * minute

/** Writes a record of each status, and a file that is not a record. */
const five = Effect.map(recordsFolder, ({ cwd, runs }) => {
  const now = Date.now()
  writeRecord(runs, { id: "a", lines: [ended("success", 83)] })
  writeRecord(runs, { id: "b", name: "hourly", at: at(1), lines: [ended("failure", 4200, at(1))] })
  writeRecord(runs, { id: "c", at: at(2), lines: [ended("interrupt", 193 * minute, at(2))] })
  const step = { _tag: "StepStarted", stepName: "load", stepPath: ["load"], index: 0 }
  writeRecord(runs, {
    id: "d",
    at: at(3),
    touchedAt: now - 2 * minute,
    lines: [{ ...step, at: at(3) + 40 }, "{\"_tag\":\"StepEnd"]
  })
  const running = writeRecord(runs, { id: "e", at: now - 90_000, lines: [{ ...step, at: now - 89_000 }] })
  writeFileSync(join(runs, "notes.txt"), "not a record")
  return { cwd, runs, running }
})

const lines = (text: string): ReadonlyArray<string> => text === "" ? [] : text.trimEnd().split("\n")

it.live("runs prints a table with the newest run first, and the status of each", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd } = yield* five
      const ran = yield* epilogue(runtime, ["runs"], { cwd, env: { TZ: "UTC" } })
      assertExitCode(ran, 0)
      assert.equal(ran.stderr, "")
      const [head, running, ...more] = lines(ran.stdout)
      assert.equal(head, "RUN       STATUS       PIPELINE  STARTED              DURATION    STEPS")
      // the duration of a running run is counted until now
      assert.match(running!, /^eeeeeeee {2}▶ running {4}nightly {3}\d{4}(-\d\d){2} [\d:]{8} {2}1 min 3\d s {2}1$/)
      assert.deepEqual(more, [
        "dddddddd  ⊘ cutOff     nightly   2026-11-23 18:03:00  40 ms       1",
        "cccccccc  ■ interrupt  nightly   2026-11-23 18:02:00  3 h 13 min  1",
        "bbbbbbbb  ✗ failure    hourly    2026-11-23 18:01:00  4.2 s       1",
        "aaaaaaaa  ✓ success    nightly   2026-11-23 18:00:00  83 ms       1"
      ])
    }))
  ))

it.live("without a terminal a long name of a pipeline is cut in the table, and whole in show and --json", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const name = "nightly".repeat(70)
    writeRecord(runs, { id: "a", name, lines: [ended("success", 83)] })
    writeRecord(runs, { id: "b", name: "hourly", at: at(1), lines: [ended("success", 83, at(1))] })
    const [table, json, shown] = yield* Effect.all(
      [["runs"], ["runs", "--json"], ["show", "a"]].map((args) => epilogue("bun", args, { cwd, env: { TZ: "UTC" } }))
    )
    const cut = `${name.slice(0, 99)}…`
    assert.deepEqual(lines(table!.stdout).slice(1), [
      `bbbbbbbb  ✓ success  ${"hourly".padEnd(100)}  2026-11-23 18:01:00  83 ms     1`,
      `aaaaaaaa  ✓ success  ${cut}  2026-11-23 18:00:00  83 ms     1`
    ])
    assert.ok(json!.stdout.includes(`"${name}"`) && shown!.stdout.includes(name))
  }))

it.live("--json prints a line for each run, and flags select runs by pipeline, status, time and number", () =>
  Effect.gen(function*() {
    const { cwd, running } = yield* five
    const ids = (...args: ReadonlyArray<string>) =>
      Effect.map(epilogue("bun", ["runs", "--json", ...args], { cwd, env: { TZ: "Asia/Kolkata" } }), (ran) => {
        assertExitCode(ran, 0)
        const isCut = args[0] === "--limit" && args[1] !== "0"
        assert.equal(ran.stderr, isCut ? "there are more: --limit 0 lists all of them\n" : "")
        return lines(ran.stdout).map((line) => JSON.parse(line))
      })
    const all = yield* ids()
    assert.deepEqual(all.map(({ runId, status }) => [runId[0], status]), [
      ["e", "running"],
      ["d", "cutOff"],
      ["c", "interrupt"],
      ["b", "failure"],
      ["a", "success"]
    ])
    assert.equal(all[0].path, relative(cwd, running))
    assert.deepEqual({ ...all[3], path: "" }, {
      path: "",
      pipelineName: "hourly",
      runId: idOf("b"),
      runName: "hourly-7",
      status: "failure",
      steps: 1,
      hookFailures: 0,
      startedAt: "2026-11-23T18:01:00.000Z",
      durationMillis: 4200
    })
    const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, found: string]> = [
      [["--limit", "2"], "ed"],
      [["--limit", "0", "--pipeline", "hourly"], "b"],
      [["--pipeline", "nightly", "--status", "cutOff", "--status", "interrupt"], "dc"],
      [["-n", "1", "--status", "failed"], "b"],
      [["--since", "yesterday"], "e"],
      [["--since", "90m"], "e"],
      [["--since", "1h30m"], "e"],
      // in the local time zone, five and a half hours ahead of UTC
      [["--since", "2026-11-23 23:31"], "edcb"],
      [["--since", "2026-11-23T18:02:00Z"], "edc"],
      [["--since", "2026-11-24"], "e"]
    ]
    yield* Effect.forEach(cases, ([args, found]) =>
      Effect.map(ids(...args), (runs) =>
        assert.equal(
          runs.map(({ runId }) => runId[0]).join(""),
          found,
          args.join(" ")
        )), { concurrency: 4 })
  }))

it.live("the runs of one file are listed, shown and chosen as others are, from a folder or from the file", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    writeRecord(runs, { id: "a", lines: [ended("success", 83)] })
    const logged = { _tag: "RunLogged", at: at(2), logLevel: "Info", message: "of b" }
    writeShared(join(runs, "all.jsonl"), [
      { id: "b", at: at(2), name: "hourly", lines: [logged, ended("failure", 4200, at(2))] },
      { id: "c", at: at(1), lines: [{ ...logged, message: "of c" }, ended("success", 5, at(1))] }
    ])
    const all = ".epilogue/runs/all.jsonl"
    const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, shown: RegExp]> = [
      [["runs"], /bbbbbbbb  ✗ failure .*\ncccccccc  ✓ success .*\naaaaaaaa .*\n$/],
      [["runs", "--folder", all, "--status", "failed"], /^RUN .*\nbbbbbbbb  ✗ failure  hourly .*\n$/],
      [["show", "latest"], /^run b{8}-[^]*✗ hourly \(4\.2 s, 0 steps\)\n(?![^]*nightly)/],
      [["show", "latest~1"], /^run c{8}-[^]*✓ nightly \(5 ms, 0 steps\)\n$/],
      [["logs", "b", "--folder", all], /^18:02:00 of b\n$/]
    ]
    yield* Effect.forEach(
      cases,
      ([args, shown]) =>
        Effect.map(epilogue("bun", args, { cwd, env: { TZ: "UTC" } }), (ran) => {
          assertExitCode(ran, 0)
          assert.match(ran.stdout, shown, args.join(" "))
        }),
      { concurrency: 4 }
    )
  }))

it.live("an empty list and mistakes print nothing to stdout", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    writeRecord(join(cwd, "other"), { id: "a", lines: [ended("success", 83)] })
    writeFileSync(join(cwd, "file"), "hello\n")
    const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, code: number, says: RegExp]> = [
      [["runs"], 0, /^no runs are recorded in \.epilogue\/runs: record one with "epilogue run … --record"/],
      [["runs", "--json"], 0, /^no runs are recorded/],
      [["runs", "--folder", "other", "--status", "failure"], 0, /^none of 1 recorded run matches\n$/],
      [["runs", "--folder", "file"], 2, /^error: file:1: this is no record of a run: expected a line that/],
      [
        ["prune", "--keep", "1", "--folder", "file"],
        2,
        /^error: can't read file: a part of the path is a file, and a folder is needed \(ENOTDIR\)\n$/
      ],
      [["runs", "--limit", "-1"], 2, /^error: --limit -1 is not a number of runs\n$/],
      [["runs", "--since", "last week"], 2, /^error: --since last week: expected how long ago/],
      [["runs", "--status", "bad"], 2, /^error: .*--status[^]*see: epilogue runs --help\n$/],
      [["prune"], 2, /^error: say what to keep: --older TIME, --keep N, or both\n$/],
      [["prune", "--older", "old"], 2, /^error: --older takes a duration such as 30d or "12 hours", got "old"\n$/],
      [["prune", "--older", "3650000d", "--folder", "other"], 0, /^nothing to remove in other\n$/],
      [["prune", "--keep", "-1"], 2, /^error: --keep -1 is not a number of runs\n$/],
      [["prune", "--keep", "0"], 0, /^nothing to remove in \.epilogue\/runs\n$/],
      [["prune", "--keep", "1", "--folder", "other"], 0, /^nothing to remove in other\n$/]
    ]
    yield* Effect.forEach(cases, ([args, code, says]) =>
      Effect.map(epilogue("bun", args, { cwd }), (ran) => {
        assertExitCode(ran, code)
        assert.equal(ran.stdout, "")
        assert.match(ran.stderr, says)
      }), { concurrency: 4 })
    // listing creates no folder
    assert.ok(!existsSync(dirname(runs)))
    assert.equal(readdirSync(join(cwd, "other")).length, 1)
  }))

it.live("ids are as long as needed to differ, and FORCE_COLOR colours the table", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    for (const id of ["aaaaaaaa-1", "aaaaaaaa-2", "b\u001b[31m"]) {
      writeRecord(runs, { id, lines: [ended("success", 83)] })
    }
    const ran = yield* epilogue("bun", ["runs"], { cwd, env: { TZ: "UTC", FORCE_COLOR: "1" } })
    assertExitCode(ran, 0)
    assert.ok(ran.stdout.includes("\naaaaaaaa-2  \u001b[32m✓ success\u001b[39m"), ran.stdout)
    assert.ok(ran.stdout.includes("\naaaaaaaa-1"), ran.stdout)
    // the escape sequence in the id is removed
    assert.ok(!ran.stdout.includes("\u001b[31m"), ran.stdout)
  }))

it.live("prune follows no link, and says so", () =>
  Effect.scoped(Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const victim = writeRecord(join(cwd, "elsewhere"), { id: "a", lines: [ended("success", 1)] })
    mkdirSync(runs, { recursive: true })
    symlinkSync(victim, join(runs, basename(victim)))
    symlinkSync("elsewhere", join(cwd, "linked"))
    for (const dry of [["--dry-run"], []]) {
      const entry = yield* epilogue("bun", ["prune", "--keep", "0", ...dry], { cwd })
      assertExitCode(entry, 0)
      assert.match(
        entry.stderr,
        /^\.epilogue\/runs\/\S+ is a symbolic link, which is not followed, and is left alone\n/
      )
      const folder = yield* epilogue("bun", ["prune", "--keep", "0", "--folder", "linked/", ...dry], { cwd })
      assertExitCode(folder, 1)
      assert.match(
        folder.stderr,
        /^error: can't remove records in linked\/: it is a symbolic link, which is not followed/
      )
    }
    assert.deepEqual([readdirSync(join(cwd, "elsewhere")), readdirSync(runs)], [[basename(victim)], [basename(victim)]])
  })))

it.live("prune removes all but the newest records, and none of a running run", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd, runs } = yield* five
      const left = () =>
        readdirSync(runs).filter((name) => name.endsWith(".jsonl")).map((name) => name.split(".")[2]![0]).toSorted()
      const pruned = (ran: Ended, says: string) => {
        assertExitCode(ran, 0)
        assert.equal(ran.stderr, `${says}\n`)
        return lines(ran.stdout).slice(1).map((line) => line[0]).join("")
      }
      if (runtime === "bun") {
        const dry = yield* epilogue(runtime, ["prune", "--keep", "0", "--dry-run"], { cwd })
        assert.equal(pruned(dry, "would remove the records of 4 runs"), "dcba")
        assert.equal(left().join(""), "abcde")
      }
      // the runs of the fixture began at the time that is written in them
      const young = yield* epilogue(runtime, ["prune", "--keep", "0", "--older", "3650000d"], { cwd })
      assertExitCode(young, 0)
      assert.equal(left().join(""), "abcde")
      const ran = yield* epilogue(runtime, ["prune", "--keep", "2"], { cwd })
      assert.equal(pruned(ran, "removed the records of 3 runs"), "cba")
      assert.equal(left().join(""), "de")
      if (runtime !== "bun") return
      const all = yield* epilogue(runtime, ["prune", "--keep", "0"], { cwd })
      assert.equal(pruned(all, "removed the records of 1 run"), "d")
      assert.equal(left().join(""), "e")
      assert.ok(existsSync(join(runs, "notes.txt")))
    }))
  ))

it.live("--watch --json prints each run that is new or whose status changes", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const first = writeRecord(runs, { id: "a", lines: [] })
    const child = yield* spawn("bun", ["runs", "--watch", "--json"], { cwd })
    yield* child.wrote("\"running\"")
    appendFileSync(first, `${JSON.stringify(ended("failure", 83))}\n`)
    yield* child.wrote("\"failure\"")
    writeRecord(runs, { id: "b", at: start + 1_000, lines: [ended("success", 83, start + 1_000)] })
    yield* child.wrote("\"success\"")
    child.kill("SIGINT")
    const { stdout } = yield* child.ended
    assert.deepEqual(lines(stdout).map((line) => JSON.parse(line)).map(({ runId, status }) => [runId[0], status]), [
      ["a", "running"],
      ["a", "failure"],
      ["b", "success"]
    ])
  }))

it.live("--watch --json prints what becomes of a run that is older than those it began with", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const old = writeRecord(runs, { id: "a", lines: [] })
    writeRecord(runs, { id: "b", at: start + 1_000, lines: [] })
    const child = yield* spawn("bun", ["runs", "--watch", "--json", "--limit", "1"], { cwd })
    yield* child.wrote("\"running\"")
    appendFileSync(old, `${JSON.stringify(ended("failure", 83))}\n`)
    yield* child.wrote("\"failure\"")
    child.kill("SIGINT")
    const { stdout } = yield* child.ended
    assert.deepEqual(lines(stdout).map((line) => JSON.parse(line)).map(({ runId, status }) => [runId[0], status]), [
      ["b", "running"],
      ["a", "failure"]
    ])
  }))

it.live("--watch without a terminal says what to do", () =>
  Effect.gen(function*() {
    const { cwd } = yield* recordsFolder
    const ran = yield* epilogue("bun", ["runs", "--watch"], { cwd })
    assertExitCode(ran, 2)
    assert.equal(ran.stderr, "error: --watch shows a table on a terminal: for a program, add --json\n")
  }))
