/** `epilogue logs`: what recorded runs have logged, as processes. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { appendFileSync } from "node:fs"
import { test } from "node:test"
import { assertExitCode, epilogue, onEachRuntime, start as spawn } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { ended, recordsFolder, start, writeRecord } from "../../support/recordFiles.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const load = { stepName: "load", stepPath: ["load"], index: 0 }
const fetch = (key: string) => ({
  stepName: "fetch",
  stepKey: key,
  stepPath: ["load", "fetch"],
  stepLabels: ["load", `fetch[${key}]`],
  index: Number(key),
  parent: 0
})
const logged = (step: object, message: string, more: object = {}) => ({
  _tag: "StepLogged",
  at: start + 1,
  ...step,
  logLevel: "Info",
  message,
  ...more
})

const lines = [
  { _tag: "StepStarted", at: start, ...load },
  { _tag: "RunLogged", at: start, logLevel: "Info", message: "beginning" },
  logged(load, "412 rows"),
  logged(fetch("1"), "GET /prices?page=1"),
  logged(fetch("2"), "slow answer\nfrom \u001b[31mthe server", { logLevel: "Warn", omitted: 3 }),
  ended("success", 83)
]

/** Removes the times of day, which depend on the time zone. */
const timeless = (text: string): ReadonlyArray<string> =>
  text.trimEnd().replaceAll(/^\d\d:\d\d:\d\d/gm, "T").split("\n")

it.live("logs prints what a run, or a step of it, has logged", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd, runs } = yield* recordsFolder
      writeRecord(runs, { id: "a", lines })
      const logs = (...args: ReadonlyArray<string>) =>
        Effect.map(epilogue(runtime, ["logs", ...args], { cwd }), (ran) => {
          assertExitCode(ran, 0)
          assert.equal(ran.stderr, "")
          return timeless(ran.stdout)
        })
      const second = [
        "T load > fetch[2]  … 3 messages left out",
        "T load > fetch[2]  WARN slow answer",
        "  from the server"
      ]
      const all = ["T beginning", "T load  412 rows", "T load > fetch[1]  GET /prices?page=1", ...second]
      assert.deepEqual(yield* logs(), all)
      if (runtime !== "bun") return
      assert.deepEqual(yield* logs("aaaa", "load"), all.slice(1))
      assert.deepEqual(yield* logs("latest", "fetch"), all.slice(2))
      assert.deepEqual(yield* logs("latest", "fetch[2]"), second)
      assert.deepEqual(yield* logs("latest", "load > fetch[2]"), second)
      const json = yield* epilogue(runtime, ["logs", "latest", "fetch[1]", "--json"], { cwd })
      assert.deepEqual(JSON.parse(json.stdout).message, "GET /prices?page=1")
    }))
  ))

it.live("a step that there is not, and a run that has logged nothing, are said", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    writeRecord(runs, { id: "a", lines })
    writeRecord(runs, { id: "b", lines: [{ _tag: "StepStarted", at: start, ...load }, ended("success", 83)] })
    const missing = yield* epilogue("bun", ["logs", "aa", "fetch[3]"], { cwd })
    assertExitCode(missing, 2)
    assert.match(
      missing.stderr,
      /^error: .*: no step "fetch\[3\]": expected a name, with or without its key, or a path/
    )
    const silent = yield* epilogue("bun", ["logs", "bb", "load"], { cwd })
    assertExitCode(silent, 0)
    assert.match(silent.stderr, /: nothing that was logged is recorded\n$/)
  }))

it.live("--follow goes on with what is logged until the run ends", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    const file = writeRecord(runs, { id: "a", lines: lines.slice(0, 3) })
    const child = yield* spawn("bun", ["logs", "--follow"], { cwd })
    yield* child.wrote("412 rows")
    const [line, rest] = [JSON.stringify(lines[3]), JSON.stringify(lines[5])]
    appendFileSync(file, line.slice(0, 20))
    appendFileSync(file, `${line.slice(20)}\n`)
    yield* child.wrote("GET /prices?page=1")
    appendFileSync(file, `${rest}\n`)
    const ran = yield* child.ended
    assertExitCode(ran, 0)
    assert.deepEqual(timeless(ran.stdout), [
      "T beginning",
      "T load  412 rows",
      "T load > fetch[1]  GET /prices?page=1"
    ])
    assert.equal(ran.stderr, "")
  }))
