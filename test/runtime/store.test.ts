/** Processes that share a store, on Bun (`bun test`), Deno (`deno test -A`) and Node (`node --test`). */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import { Store } from "../../src/delivery/index.ts"
import { makeIt } from "../support/it.ts"
import { collect, noted, startPosting } from "../support/storeProcesses.ts"
import { temporaryFolder } from "../support/temporaryFolder.ts"

const it = makeIt(test)

it.effect("two processes on one store, and one after they were killed, post every alert", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder("store")
    const whole = [startPosting(folder, "a", { count: 20, window: 3, pause: 3 })]
    whole.push(startPosting(folder, "b", { count: 20, window: 7 * 86_400_000 }))
    yield* Effect.promise(async () => {
      for (const { ended } of whole) assert.equal(await ended, "")
    })
    const wanted = ["a", "b"].flatMap((id) => Array.from({ length: 20 }, (_, i) => `${id}.${i}`))
    assert.deepEqual([...noted(folder).arrived, ...yield* collect(folder, "8 days")].toSorted(), wanted.toSorted())
    const { child, ended } = startPosting(folder, "c", { count: 10_000, window: 2, pause: 1 })
    yield* Effect.promise(async () => {
      while (child.exitCode === null && noted(folder).accepted.length < 80) {
        await new Promise((done) => setTimeout(done, 10))
      }
      child.kill("SIGKILL")
      await ended
    })
    const arrived = new Set([...noted(folder).arrived, ...yield* collect(folder, "0 millis"), ...wanted])
    assert.deepEqual(noted(folder).accepted.filter((title) => !arrived.has(title)), [])
  }))

it.live("a damaged file is a typed error, and stays as it is", () =>
  Effect.gen(function*() {
    const filename = path.join(yield* temporaryFolder("store"), "alerts.db")
    fs.writeFileSync(filename, "no database\n".repeat(1000))
    const error = yield* Effect.flip(Layer.build(Store.layerSqlite({ filename })))
    assert.equal(
      error.message,
      `can't open the store ${filename}: it is damaged, or no database; move it away, and an empty one is made`
    )
    assert.equal(fs.readFileSync(filename, "utf8").length, 12_000)
  }))
