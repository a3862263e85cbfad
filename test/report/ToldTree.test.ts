/** Tests the tree of runs that another process tells of, as a supervised one does. */
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { fit } from "../../src/internal/text/columns.ts"
import { fromEventJson } from "../../src/report/internal/events/told.ts"
import { frame } from "../../src/report/internal/progress/frame.ts"
import { Runs } from "../../src/report/internal/progress/state.ts"
import { nightlyEtl, Run } from "../support/runEvents.ts"

const shown = ({ events }: Pick<Run, "events">, until = Infinity): ReadonlyArray<string> => {
  const runs = new Runs()
  let last: ReturnType<Runs["apply"]>
  for (const event of events.slice(0, until)) {
    const told = fromEventJson(event)
    assert.ok(told)
    last = runs.apply(told) ?? last
  }
  const now = events.slice(0, until).at(-1)!.at
  return frame([last!], 30, { now, columns: 100, turn: 0 }).map((line) => fit(line, 100, false).text)
}

test("a run that another process tells of has its steps, attempts, causes, annotations and hooks", () => {
  assert.deepEqual(shown(nightlyEtl()), [
    "✗ nightly-etl (1 min 24 s, 8 steps, 1 hook failed)  day=2026-11-02",
    "├─ ✓ extract (31.6 s)",
    "│  ├─ ✓ fetch orders (31.4 s, 3 attempts)  rows=48211 bytes=18.2 MB",
    "│  ├─ ✓ fetch weather (9 s)  stations=14",
    "│  └─ ✓ fetch customers (12.3 s)  rows=9120",
    "├─ ✗ validate (16.7 s): BadRows: 3 of 48211 rows are bad",
    "│  ├─ ✓ check schema (3.9 s)",
    "│  ├─ ✗ check references (11.3 s): BadRows: 3 of 48211 rows are bad  bad=3 of=48211",
    "│  └─ ! hook \"alert on Slack\" (failure, failed after 30 s): TimeoutError: Operation timed out after…",
    "└─ ✓ clean up (2.4 s)"
  ])
})

test("while it runs, it shows what goes on, and in the end how it was interrupted or skipped", () => {
  const run = new Run("nightly", 0)
  const step = run.step("load", 0).progress(100, 30, 120).attemptFailed(1000, 1, "Error: no answer\n    at x", 5000)
  assert.deepEqual(shown(run), [
    "⠋ nightly (1.0 s, 1 running) nightly",
    "└─ ↻ load (1.0 s) attempt 1 failed, again in 5.0 s: Error: no answer"
  ])
  step.end(2000, "interrupt", { cause: "Interrupted", attempts: 2 })
  run.end(2001, "interrupt", { cause: "Interrupted" })
  assert.deepEqual(shown(run), ["■ nightly (2 s, 1 step): interrupted", "└─ ■ load (2 s, 2 attempts): interrupted"])
  const skipped = new Run("nightly", 0)
  skipped.add(5, {
    _tag: "RunEnded",
    outcome: "skip",
    cause: "a holiday",
    durationMillis: 5,
    steps: 0,
    hookFailures: 0
  })
  assert.deepEqual(shown(skipped), ["↓ nightly (skipped, 5 ms, 0 steps): a holiday"])
})
