/** `epilogue ui`, as a process. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { assertExitCode, epilogue, onEachRuntime, start as spawn } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { ended, idOf, recordsFolder, writeRecord } from "../../support/recordFiles.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

it.live("ui prints the link of a page with the runs, and serves it until Ctrl-C", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd, runs } = yield* recordsFolder
      writeRecord(runs, { id: "a", lines: [ended("success", 83)] })
      const child = yield* spawn(runtime, ["ui"], { cwd })
      yield* child.wrote("Ctrl-C ends it")
      const link = child.output.stdout.trim()
      assert.match(link, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{22}$/)
      assert.equal(child.output.stderr, "shows the runs in .epilogue/runs; Ctrl-C ends it\n")
      const entered = yield* Effect.promise(() => fetch(link, { redirect: "manual" }))
      assert.equal(entered.status, 303)
      const cookie = entered.headers.get("set-cookie")!.split(";")[0]!
      const page = yield* Effect.promise(() => fetch(new URL(`/runs/${idOf("a")}`, link), { headers: { cookie } }))
      assert.equal(page.status, 200)
      assert.match(yield* Effect.promise(() => page.text()), /nightly · nightly-7/)
      const { port } = new URL(link)
      const second = yield* epilogue(runtime, ["ui", "--port", port], { cwd })
      assertExitCode(second, 2)
      assert.equal(second.stderr, `error: can't listen on port ${port} of 127.0.0.1: EADDRINUSE\n`)
      child.kill("SIGINT")
      const { code, signal } = yield* child.ended
      assert.ok(code === 130 || signal === "SIGINT", `${code} ${signal}`)
    }))
  ))

it.live("a port that is none is a mistake", () =>
  Effect.gen(function*() {
    const ran = yield* epilogue("bun", ["ui", "--port", "70000"])
    assertExitCode(ran, 2)
    assert.equal(ran.stderr, "error: --port 70000: expected a number from 0 to 65535\n")
  }))
