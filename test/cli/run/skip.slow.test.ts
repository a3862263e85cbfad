/** `epilogue run` and its records of a run that was skipped, as processes. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, onEachRuntime, root } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { recordsFolder } from "../../support/recordFiles.ts"
import { fixtures, projectFolder, timelessLines } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const modules = join(root, fixtures, "pipelines.ts")

const skipping = `${modules}#skipping`

it.live("a run that was skipped ends with exit code 0, is listed as skipped and shown with the reasons", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd } = yield* recordsFolder
      const ran = yield* epilogue(runtime, ["run", "--record", skipping], { cwd })
      assertExitCode(ran, 0)
      assert.deepEqual(timelessLines(ran.stdout), [
        "▶ skipping (run)",
        "  ▶ first",
        "  ↓ first (skipped, n ms): not today",
        "  ▶ second",
        "  ↓ second (skipped, n ms): no rows",
        "↓ skipping (skipped, n ms, 2 steps): no rows"
      ])
      assert.match(ran.stderr, /^recorded: epilogue show \S+\n$/)
      if (runtime !== "bun") return
      const list = (status: string) => epilogue("bun", ["runs", "--status", status, "--json"], { cwd })
      assert.equal((yield* list("success")).stdout, "")
      assert.equal(JSON.parse((yield* list("skip")).stdout).status, "skip")
      const shown = yield* epilogue("bun", ["show", "latest"], { cwd })
      assert.deepEqual(timelessLines(shown.stdout).slice(1), [
        "↓ skipping (skipped, n ms, 2 steps): no rows",
        "├─ ↓ first (skipped, n ms): not today",
        "└─ ↓ second (skipped, n ms): no rows"
      ])
    }))
  ))

it.live("a supervised run that was skipped ends with exit code 0, and posts no alert that is not asked for", () =>
  Effect.scoped(Effect.gen(function*() {
    const cwd = yield* projectFolder
    const alerts = join(cwd, "alerts.jsonl")
    writeFileSync(join(cwd, "skipping.ts"), `export { skipping } from ${JSON.stringify(modules)}\n`)
    const config = {
      pipeline: "./skipping.ts#skipping",
      stepHooks: {
        failure: "epilogue#alerterFailure",
        success: "epilogue#alerterSuccess",
        skip: "epilogue#alerterSkip"
      },
      hooks: { failure: "epilogue#alerterFailure", interrupt: "epilogue#alerterInterrupt" },
      alerter: { jsonLines: { path: alerts } }
    }
    writeFileSync(join(cwd, "skip.json"), JSON.stringify(config))
    const ran = yield* epilogue("bun", ["run", "skip.json"], { cwd })
    assertExitCode(ran, 0)
    const titles = readFileSync(alerts, "utf8").trim().split("\n").map((line) => JSON.parse(line).title)
    assert.deepEqual(titles, ["skipping › first was skipped", "skipping › second was skipped"])
  })))
