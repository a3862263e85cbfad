/** Processes that share a store lose no alert, and post none twice unless one of them is killed. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { makeIt } from "../support/it.ts"
import { collect, noted, startPosting } from "../support/storeProcesses.ts"
import { temporaryFolder } from "../support/temporaryFolder.ts"

const it = makeIt(test)

const titlesOf = (processes: number, count: number): ReadonlyArray<string> =>
  Array.from({ length: processes * count }, (_, i) => `${i % processes}.${Math.floor(i / processes)}`).toSorted()

for (const processes of [4, 8]) {
  it.effect(`of ${processes} processes that hold alerts for a week in one store, the next one posts each alert once`, () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder("store")
      const count = 96 / processes
      const running = Array.from(
        { length: processes },
        (_, id) => startPosting(folder, String(id), { count, window: 7 * 86_400_000 })
      )
      const printed = yield* Effect.promise(() => Promise.all(running.map(({ ended }) => ended)))
      assert.equal(printed.join(""), "")
      assert.deepEqual(noted(folder).arrived, [])
      assert.deepEqual((yield* collect(folder, "8 days")).toSorted(), titlesOf(processes, count))
      assert.deepEqual(yield* collect(folder, "8 days"), [])
    }))
}

it.effect("each held alert is posted by exactly one of 4 processes, and the counts of all add up", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder("store")
    const [processes, count] = [4, 30]
    const running = Array.from(
      { length: processes },
      (_, id) => startPosting(folder, String(id), { count, window: 3, pause: 4 })
    )
    const printed = yield* Effect.promise(() => Promise.all(running.map(({ ended }) => ended)))
    assert.equal(printed.join(""), "")
    const rest = yield* collect(folder, "8 days")
    assert.deepEqual([...noted(folder).arrived, ...rest].toSorted(), titlesOf(processes, count))
    const counts = noted(folder).fields.flatMap(({ name, value }) =>
      name === "in a row" ? [Number.parseInt(value)] : []
    )
    assert.ok(counts.every((n) => n <= processes * count))
    assert.equal(new Set(counts).size, counts.length, "two failures have the same number")
  }))

it.effect("of 4 processes that are killed at any time, every alert that was accepted arrives", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder("store")
    const accepted = () => noted(folder).accepted.length
    for (let round = 0; round < 2; round++) {
      const running = Array.from(
        { length: 4 },
        (_, id) => startPosting(folder, `${round}-${id}`, { count: 100_000, window: 2, pause: 1 })
      )
      const before = accepted()
      yield* Effect.promise(async () => {
        for (const [i, { child, ended }] of running.entries()) {
          const enough = before + 20 * (i + 1)
          while (child.exitCode === null && accepted() < enough) await new Promise((done) => setTimeout(done, 10))
          await new Promise((done) => setTimeout(done, Math.random() * 5))
          child.kill("SIGKILL")
          await ended
        }
      })
    }
    // the claims of the killed have ended with them, so nothing has to wait until they are over
    const arrived = new Set([...noted(folder).arrived, ...yield* collect(folder, "0 millis")])
    const lost = noted(folder).accepted.filter((title) => !arrived.has(title))
    assert.deepEqual(lost, [])
  }))
