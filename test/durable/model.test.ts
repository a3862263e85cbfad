/**
 * Random histories of runs in a file: processes that die at any statement, interruptions, answers and clocks. The seed
 * is printed where one fails; `HISTORIES` is their number, 20 unless set.
 * `bun scripts/fuzz.ts --seconds=600 "histories of durable runs"` runs more.
 */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import * as path from "node:path"
import { test } from "node:test"
import { forAll } from "../support/property.ts"
import { temporaryFolder } from "./support/engine.ts"
import { History } from "./support/model/histories.ts"
import { play } from "./support/model/world.ts"

test("whatever happens to its processes, each run ends, and nothing is lost or done again", { timeout: 60_000 }, () => {
  let nth = 0
  return Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const folder = yield* temporaryFolder
    yield* forAll(History, (history) =>
      Effect.map(
        play(path.join(folder, `${nth++}.db`), history),
        (problems) => assert.deepEqual(problems, [])
      ), Number(process.env["HISTORIES"] ?? 20))
  })))
})
