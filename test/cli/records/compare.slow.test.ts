/** `epilogue compare`: two recorded runs step by step, as processes. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { assertExitCode, epilogue, onEachRuntime } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { ended, idOf, pageEnded, recordsFolder, start, stepEnded, writeRecord } from "../../support/recordFiles.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

/** Writes two runs of one pipeline, and a later one of another. */
const write = (folder: string): void => {
  writeRecord(folder, {
    id: "a",
    lines: [
      stepEnded(0, "load", 400),
      pageEnded(1, "1", 100),
      pageEnded(2, "2", 100),
      stepEnded(3, "save", 20),
      ended("success", 500)
    ]
  })
  writeRecord(folder, {
    id: "b",
    at: start + 1000,
    lines: [
      stepEnded(0, "load", 600),
      pageEnded(1, "1", 110),
      pageEnded(2, "3", 300),
      stepEnded(3, "save\u001b[31m", 20, { outcome: "failure", cause: "Error: full" }),
      ended("failure", 700, start + 1000)
    ]
  })
  writeRecord(folder, { id: "c", name: "training", at: start + 2000, lines: [ended("success", 5, start + 2000)] })
}

/** Removes the times, which depend on the time zone. */
const timeless = (text: string): ReadonlyArray<string> =>
  text.trimEnd().replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "T").split("\n")

it.live("compare prints how the steps of two runs differ, those that changed most first", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd, runs } = yield* recordsFolder
      write(runs)
      const ran = yield* epilogue(runtime, ["compare", "a", "latest~1"], { cwd })
      assertExitCode(ran, 0)
      assert.deepEqual(timeless(ran.stdout), [
        "nightly",
        "before  aaaaaaaa  nightly-7  T  ✓ 500 ms",
        "after   bbbbbbbb  nightly-7  T  ✗ 700 ms  +200 ms  +40 %  newly failing",
        "",
        "STEP             BEFORE    AFTER     DIFFERENCE         CHANGE",
        "load > fetch[3]  –         ✓ 300 ms                     added",
        "load             ✓ 400 ms  ✓ 600 ms  +200 ms     +50 %  slower",
        "load > fetch[2]  ✓ 100 ms  –                            removed",
        "save             ✓ 20 ms   –                            removed",
        "save             –         ✗ 20 ms                      added",
        "load > fetch[1]  ✓ 100 ms  ✓ 110 ms  +10 ms      +10 %"
      ])
      assert.equal(ran.stderr, "5 of 6 steps changed\n")
    }))
  ))

it.live("compare prints JSON, and says what is wrong with the runs that are named", () =>
  Effect.scoped(Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    write(runs)
    const json = yield* epilogue("bun", ["compare", "a", "b", "--json", "--threshold", "5"], { cwd })
    const { after, before, run, steps } = JSON.parse(json.stdout)
    assert.deepEqual([before.runId, after.runId, run.changes], [idOf("a"), idOf("b"), ["newlyFailing"]])
    assert.deepEqual(steps[1], {
      name: "fetch[1]",
      path: ["load", "fetch[1]"],
      depth: 1,
      nth: 1,
      before: { status: "success", durationMillis: 100, attempts: 1 },
      after: { status: "success", durationMillis: 110, attempts: 1 },
      differenceMillis: 10,
      ratio: 0.1,
      changes: []
    })
    const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
      [["a", "c"], /^error: a is a run of "nightly", and c one of "training": expected two runs of one pipeline/],
      [["a", "latest~3"], /^error: latest~3: only 3 runs are recorded in \.epilogue\/runs\n$/],
      [["a", "b", "--threshold", "-1"], /--threshold -1: expected a share in per cent, 0 or more/],
      [["a"], /AFTER|after/]
    ]
    for (const [args, message] of cases) {
      const ran = yield* epilogue("bun", ["compare", ...args], { cwd })
      assert.match(ran.stderr, message)
      assertExitCode(ran, 2)
    }
  })))
