/** `epilogue ack`, and reminders that `epilogue alert --flush` posts. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { type Answer, channelServer, type Received } from "../../support/channelServer.ts"
import { assertExitCode, epilogue, onEachRuntime } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

/** Writes a config file beside a server, and returns a function that runs the command. */
const given = (policies: object, answer: (received: Received) => Answer = () => ({ status: 200 })) =>
  Effect.gen(function*() {
    const server = yield* channelServer(answer)
    const folder = yield* projectFolder
    const alerter = { webhook: { url: "${HOOK}", retries: 0 }, ...policies }
    writeFileSync(join(folder, "alerts.json"), JSON.stringify({ alerter }))
    const options = { cwd: folder, env: { HOOK: `${server.url}/s3cr3t-0123456789`, TZ: "Europe/Berlin" } }
    const run = (command: string, ...args: ReadonlyArray<string>) =>
      Effect.tap(
        epilogue("bun", [command, ...args], options),
        ({ stderr, stdout }) => Effect.sync(() => assert.doesNotMatch(stdout + stderr, /s3cr3t/))
      )
    const titles = () => server.requests.map(({ json }) => String(json.title))
    return { folder, options, run, server, titles }
  })

const config = ["--config", "alerts.json"]
const backup = ["--title", "backup failed", "--body", "no space", "--severity", "error"]

it.live("a failure is listed, acknowledged with a comment, which people are told once, and gone when it has recovered", () =>
  Effect.scoped(Effect.gen(function*() {
    const { run, server, titles } = yield* given({ store: "./state.db", remind: "1 hour" })
    const none = yield* run("ack", ...config)
    assert.deepEqual([none.code, none.stdout], [0, "nothing is open\n"])
    assertExitCode(yield* run("alert", ...config, ...backup), 0)
    const listed = yield* run("ack", ...config)
    assertExitCode(listed, 0)
    const [, row = ""] = listed.stdout.split("\n")
    const id = row.slice(0, 7)
    assert.match(row, /^[0-9a-z]{7} {2}\d{4}-.* Europe\/Berlin .* 1 time {2}backup failed {2}backup failed {2}no$/)

    const acked = yield* run("ack", ...config, id, "--by", "Ada\u001b[31m", "--comment", "on it ${HOOK}")
    assertExitCode(acked, 0)
    assert.equal(acked.stdout.split("\n")[0], `${id}  acknowledged by Ada: backup failed`)
    assert.match(acked.stdout, /arrived {2}webhook .* Acknowledged by Ada: backup failed/)
    assert.deepEqual(titles(), ["backup failed", "Acknowledged by Ada: backup failed"])
    assert.equal(server.requests[1]?.json.body, "on it ${HOOK}")

    const again = yield* run("ack", ...config, "backup failed", "--by", "Bob")
    assertExitCode(again, 0)
    assert.match(again.stdout, /^\w+ {2}before, at .*, acknowledged by Ada: backup failed\n$/)
    assert.match((yield* run("ack", "--store", "state.db")).stdout, / by Ada: on it /)
    const json = (yield* run("ack", ...config, "--json")).stdout.split("\n").filter((line) => line !== "")
    const { _tag, acknowledged, failures, key, told } = JSON.parse(json[0] ?? "")
    assert.deepEqual([_tag, key, failures, told, acknowledged.by], ["OpenAlert", "backup failed", 1, 1, "Ada"])

    assertExitCode(yield* run("alert", ...config, "-t", "ok", "--dedupe-key", "backup failed", "-s", "success"), 0)
    assert.equal((yield* run("ack", ...config)).stdout, "nothing is open\n")
    assert.equal(server.requests.length, 3)
  })))

it.live("of several processes that flush at the same time, one posts the reminder and one the escalation", () =>
  Effect.scoped(Effect.gen(function*() {
    const to = { webhook: { url: "${HOOK}/on-call", retries: 0 } }
    const { run, titles } = yield* given({
      store: "./state.db",
      remind: { every: "2 seconds", until: 1 },
      escalate: { after: "2 seconds", to }
    })
    assertExitCode(yield* run("alert", ...config, ...backup), 0)
    yield* Effect.sleep("2 seconds")
    const flushes = yield* Effect.all(
      Array.from({ length: 4 }, () => run("alert", ...config, "--flush")),
      { concurrency: "unbounded" }
    )
    for (const flush of flushes) {
      assertExitCode(flush, 0)
      assert.match(flush.stdout, /no alert is kept\n1 failure open: see epilogue ack\n$/)
    }
    assert.deepEqual(titles().toSorted(), ["Escalated: backup failed", "Reminder 1: backup failed", "backup failed"])
    const all = yield* run("ack", ...config, "--all", "--by", "Ada")
    assertExitCode(all, 0)
    assert.equal(titles().filter((title) => title.startsWith("Acknowledged by Ada")).length, 2)
    assert.match((yield* run("ack", ...config, "--all")).stderr, /^nothing is open that is not acknowledged/)
  })))

it.live("--store acknowledges without telling, which the next process does, on each runtime", () =>
  Effect.scoped(Effect.gen(function*() {
    const { options, run, titles } = yield* given({ store: "./state.db", remind: "1 hour" })
    const tried: Array<string> = []
    yield* onEachRuntime((runtime) =>
      Effect.gen(function*() {
        tried.push(runtime)
        assertExitCode(yield* run("alert", ...config, ...backup, "--dedupe-key", runtime), 0)
        const acked = yield* epilogue(runtime, ["ack", "--store", "state.db", "--by", runtime, runtime], options)
        assertExitCode(acked, 0)
      })
    )
    assert.equal(titles().filter((title) => title.startsWith("Acknowledged")).length, 0)
    assertExitCode(yield* run("alert", ...config, "--flush"), 0)
    assert.equal(titles().filter((title) => title.startsWith("Acknowledged by ")).length, tried.length)
  })))

it.live("what people can't be told is exit code 3, and what is not open is 1", () =>
  Effect.scoped(Effect.gen(function*() {
    let status = 200
    const { run } = yield* given({ store: "./state.db", remind: "1 hour" }, () => ({ status }))
    assertExitCode(yield* run("alert", ...config, ...backup), 0)
    status = 403
    const refused = yield* run("ack", ...config, "backup failed")
    assertExitCode(refused, 3)
    assert.match(refused.stderr, /failed {2}webhook .* the credentials were not accepted/)
    const unknown = yield* run("ack", ...config, "backup")
    assertExitCode(unknown, 1)
    assert.equal(unknown.stderr, "nothing is open under \"backup\"; 1 failure is open, see epilogue ack --list\n")
  })))

it.live("all that is wrong is told at once, and no store is made", () =>
  Effect.scoped(Effect.gen(function*() {
    const { folder, run } = yield* given({})
    const wrong = yield* run("ack", ...config, "--list", "--all", "--by", " ", "--comment", "x")
    assertExitCode(wrong, 2)
    for (
      const line of [
        /^the command line --list: expected nothing to acknowledge beside it, found --all$/m,
        /^the command line --comment: expected a key beside it, or --all, found nothing to acknowledge$/m,
        /^the command line --by: expected a name, found an empty text$/m,
        /^alerts.json:1:1\d alerter: expected a store, in which remind and escalate keep what is open, found no store$/m
      ]
    ) assert.match(wrong.stderr, line)
    const missing = yield* run("ack", "--store", "none.db", "x")
    assertExitCode(missing, 2)
    assert.match(missing.stderr, /--store: expected the store of an alerter, found no such file/)
    assert.ok(!existsSync(join(folder, "none.db")))
  })))
