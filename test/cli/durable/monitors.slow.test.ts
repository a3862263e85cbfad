/** Monitors of durable runs, and of those that can't begin. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { channelServer } from "../../support/channelServer.ts"
import { assertExitCode, epilogue } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

const module = `import { Pipeline, Step } from "effect-epilogue"
import { Durable } from "effect-epilogue/durable"
import { Effect, Schema } from "effect"
if (process.env.HOW === "throw") throw new Error("no database")
export const nightly = Durable.pipeline("nightly", {
  payload: { day: Schema.String },
  error: Schema.String,
  idempotencyKey: ({ day }) => day
}, ({ day }) =>
  Pipeline.make("nightly", Durable.step(Step.make("load", day === "bad" ? Effect.fail("no such row") : Effect.log(day)), { error: Schema.String })))
`

it.live("monitors are told of a durable run, of one that fails, and of one that can't begin", () =>
  Effect.scoped(Effect.gen(function*() {
    const server = yield* channelServer({ body: "OK" })
    const cwd = yield* projectFolder
    const url = `${server.url}/ping/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278`
    writeFileSync(join(cwd, "job.ts"), module)
    writeFileSync(join(cwd, "told.yaml"), `monitor: { healthchecks: { url: "${url}" } }\n`)
    const run = (day: string, args: ReadonlyArray<string>, how = "") =>
      epilogue("bun", ["run", "./job.ts#nightly", "--durable", "--payload", JSON.stringify({ day }), ...args], {
        cwd,
        env: { HOW: how, EPILOGUE_DATABASE: "", DATABASE_URL: "" }
      })
    const moves = () => server.requests.splice(0).map(({ path }) => path.replace(/^\/ping\/[^/?]*\/?|\?.*/g, ""))
    assertExitCode(yield* run("one", ["--monitor", url]), 0)
    assert.deepEqual(moves(), ["start", ""])
    // it has ended: nothing begins and nothing is told
    assertExitCode(yield* run("one", ["--monitor", url]), 0)
    assert.deepEqual(moves(), [])
    assertExitCode(yield* run("bad", ["--config", "told.yaml", "--supervise"]), 1)
    assert.match(server.requests[1]!.body, /^nightly failed after .*\nload: no such row\n/)
    assert.deepEqual(moves(), ["start", "fail"])
    assert.notEqual((yield* run("two", ["--config", "told.yaml"], "throw")).code, 0)
    assert.match(server.requests[0]!.body, /could not begin\n[^]*no database/)
    assert.deepEqual(moves(), ["fail"])
    const wrong = yield* run("two", ["--monitor", "nowhere", "--supervise"])
    assertExitCode(wrong, 2)
    assert.equal(wrong.stderr, "error: --monitor takes an address that begins with https:// or http://\n")
  })))
