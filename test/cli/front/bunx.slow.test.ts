/** A command that `bunx` starts on Node goes on on Bun. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { root, start } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

const job = `
import { Effect } from "effect"
import { Pipeline } from "effect-epilogue"
export const job = Pipeline.make("job", Effect.sync(() => {
  console.log("runtime:", process.versions.bun === undefined ? "node" : "bun", process.env.npm_lifecycle_event)
}))
`

/** Runs a job by Node, in an environment as `bunx`, or a script of package.json, makes it. */
const runIn = (event: string) =>
  Effect.gen(function*() {
    const cwd = yield* projectFolder
    writeFileSync(join(cwd, "job.ts"), job)
    const env = { npm_lifecycle_event: event, npm_execpath: join(root, "node_modules/.bin/bun") }
    const { code, stderr, stdout } = yield* (yield* start("node", ["run", "./job.ts#job"], { cwd, env })).ended
    assert.equal(code, 0, stderr)
    return stdout.split("\n").find((line) => line.startsWith("runtime:"))
  })

it.live("bunx runs a job on Bun, though the command's first line names Node", () =>
  Effect.gen(function*() {
    if (process.platform === "win32") return
    assert.equal(yield* runIn("bunx"), "runtime: bun undefined")
    assert.equal(yield* runIn("nightly"), "runtime: node nightly")
  }))
