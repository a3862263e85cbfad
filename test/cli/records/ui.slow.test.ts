/** `epilogue ui`, as a process. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import * as path from "node:path"
import { test } from "node:test"
import { Durable } from "../../../src/durable/index.ts"
import { assertExitCode, epilogue, onEachRuntime, start as spawn } from "../../support/command.ts"
import { makePipelines } from "../../support/durableRuns.ts"
import { makeIt } from "../../support/it.ts"
import { ended, idOf, recordsFolder, writeRecord } from "../../support/recordFiles.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

it.live("ui prints the link of a page with the runs, and serves it until Ctrl-C", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd, runs } = yield* recordsFolder
      writeRecord(runs, { id: "a", lines: [ended("success", 83)] })
      yield* submitted(path.join(cwd, ".epilogue/durable.db"))
      const child = yield* spawn(runtime, ["ui", "--allow-actions", "--as", "ada"], { cwd })
      yield* child.wrote("Ctrl-C ends it")
      const link = child.output.stdout.trim()
      assert.match(link, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{22}$/)
      assert.equal(
        child.output.stderr,
        "shows the runs in .epilogue/runs and SQLite .epilogue/durable.db and acts as ada; Ctrl-C ends it\n"
      )
      const entered = yield* Effect.promise(() => fetch(link, { redirect: "manual" }))
      assert.equal(entered.status, 303)
      const cookie = entered.headers.get("set-cookie")!.split(";")[0]!
      const page = yield* Effect.promise(() => fetch(new URL(`/runs/${idOf("a")}`, link), { headers: { cookie } }))
      assert.equal(page.status, 200)
      assert.match(yield* Effect.promise(() => page.text()), /nightly · nightly-7/)
      const durable = yield* Effect.promise(() => fetch(new URL("/durable", link), { headers: { cookie } }))
      assert.match(yield* Effect.promise(() => durable.text()), / data-actions="[\w-]{22}" data-as="ada">/)
      const { port } = new URL(link)
      const second = yield* epilogue(runtime, ["ui", "--port", port], { cwd })
      assertExitCode(second, 2)
      assert.equal(second.stderr, `error: can't listen on port ${port} of 127.0.0.1: EADDRINUSE\n`)
      child.kill("SIGINT")
      const { code, signal } = yield* child.ended
      assert.ok(code === 130 || signal === "SIGINT", `${code} ${signal}`)
    }))
  ))

/** Submits a run to a file, for which no process runs. */
const submitted = (filename: string) =>
  makePipelines().loads.workflow.execute({ id: "1" }, { discard: true }).pipe(
    Effect.provide(Durable.layerSqliteClient({ filename })),
    Effect.orDie
  )

it.live("a database that the command line names must be there, and another one that can't be used is said", () =>
  Effect.gen(function*() {
    const { cwd, runs } = yield* recordsFolder
    writeRecord(runs, { id: "a", lines: [ended("success", 83)] })
    const missing = yield* epilogue("bun", ["ui", "--database", "none.db"], { cwd })
    assertExitCode(missing, 2)
    assert.equal(
      missing.stderr,
      "error: there is no database none.db: name it with --database or EPILOGUE_DATABASE or DATABASE_URL\n"
    )
    const child = yield* spawn("bun", ["ui"], { cwd, env: { DATABASE_URL: "mysql://ada:secret@db/app" } })
    yield* child.wrote("Ctrl-C ends it")
    assert.match(
      child.output.stderr,
      /^shows no durable runs: DATABASE_URL [^\n]*\nshows the runs in \.epilogue\/runs; Ctrl-C ends it\n$/
    )
    assert.ok(!child.output.stderr.includes("secret"))
    child.kill("SIGINT")
    yield* child.ended
  }))

it.live("a port that is none is a mistake, and so is a name of nobody who may act", () =>
  Effect.gen(function*() {
    const named = yield* epilogue("bun", ["ui", "--as", "ada"])
    assertExitCode(named, 2)
    assert.equal(named.stderr, "error: --as names who acts on the page: it needs --allow-actions, and a name\n")
    const ran = yield* epilogue("bun", ["ui", "--port", "70000"])
    assertExitCode(ran, 2)
    assert.equal(ran.stderr, "error: --port 70000: expected a number from 0 to 65535\n")
  }))
