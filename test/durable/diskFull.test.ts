/** The embedded engine on a disk that is full: a small one, which needs the right to mount it. */
import { Effect, Fiber, Layer, Schema } from "effect"
import * as assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { Step } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { inProcess, job, recorder, temporaryFolder, until } from "./support/engine.ts"

const it = makeIt(test)

/** A small file system of its own, if this process may mount one. */
const smallDisk = Effect.gen(function*() {
  const folder = yield* temporaryFolder
  return yield* Effect.acquireRelease(
    Effect.sync(() => {
      try {
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], { stdio: "ignore" })
        return folder
      } catch {
        return undefined
      }
    }),
    (mounted) =>
      Effect.sync(() => {
        if (mounted !== undefined) execFileSync("umount", ["-l", mounted], { stdio: "ignore" })
      })
  )
})

if (process.getuid?.() === 0 || process.env["CI_REQUIRE_ALL"] === "1") {
  it.live("a run waits while the disk is full, and goes on when there is space again", () =>
    Effect.gen(function*() {
      const folder = yield* smallDisk
      if (folder === undefined) {
        // as root in a container without the right to mount
        process.stderr.write("skipped: a disk that is full (needs the right to mount a tmpfs)\n")
        assert.notEqual(process.env["CI_REQUIRE_ALL"], "1")
        return
      }
      const seen = recorder()
      const filename = path.join(folder, "durable.db")
      const junk = path.join(folder, "junk")
      const fill = Effect.sync(() => {
        const file = fs.openSync(junk, "w")
        for (const size of [65_536, 4_096]) {
          try {
            while (true) fs.writeSync(file, new Uint8Array(size))
          } catch {
            // no space is left for as much
          }
        }
        fs.closeSync(file)
      })
      const rows = "x".repeat(100_000)
      const { layer, workflow } = job(() =>
        Effect.forEach(["a", "b", "c"], (name) =>
          Durable.step(
            Step.make(name, Effect.as(Effect.andThen(seen.note(name), name === "b" ? fill : Effect.void), rows)),
            { success: Schema.String }
          ), { discard: true })
      )
      const engine = Layer.orDie(Durable.layerSqlite({ filename })).pipe(Layer.provide(seen.log.layer))
      yield* inProcess(
        engine,
        Layer.provide(layer, seen.layer),
        Effect.gen(function*() {
          const running = yield* Effect.forkChild(workflow.execute({ id: "1" }))
          const told = () => seen.log.list.find(({ message }) => message.includes("can't be written"))
          yield* until("it is told", () => told() !== undefined)
          assert.match(told()!.message, /can't be written: (?:the disk is full|it fails) \(/)
          yield* Effect.sleep(1_500)
          assert.deepEqual(seen.list, ["a", "b"])
          fs.rmSync(junk)
          yield* Fiber.join(running)
        })
      )
      assert.deepEqual(seen.list, ["a", "b", "c"])
    }))
} else {
  process.stderr.write("skipped: a disk that is full (needs root)\n")
}
