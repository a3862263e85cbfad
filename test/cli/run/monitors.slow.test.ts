/** Monitors that a file or the command line names: of runs, of jobs that can't begin, and of processes that crash. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { type ChannelServer, channelServer, type Reply } from "../../support/channelServer.ts"
import { assertExitCode, epilogue, root, start } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

const module = `import { Effect } from "effect"
import { Pipeline, Step } from "effect-epilogue"
const how = process.env.HOW
if (how === "throw") throw new Error("DATABASE_URL is not set, but KEY is " + process.env.KEY)
const load = Step.make("load", Effect.gen(function*() {
  if (how === "kill") {
    console.error("allocating")
    process.kill(process.pid, "SIGKILL")
    yield* Effect.never
  }
  if (how === "exit") process.exit(7)
  if (how === "never") yield* Effect.never
  if (how === "wait") {
    console.error("waiting")
    yield* Effect.sleep("1 hour")
  }
  if (how === "fail") yield* Effect.fail(new Error("disk full"))
  yield* Effect.log("1461 rows")
}))
const nightly = Pipeline.make("nightly", load)
export const job = how === "late" ? Effect.tap(nightly, () => Effect.delay(Effect.sync(() => process.exit(0)), 300)) : nightly
`

const uuid = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"

const ok: Reply = { body: "OK" }

/** A folder with the module and a config file, and a server that stands in for Healthchecks.io. */
const given = (config: (url: string) => string = () => "", ...replies: ReadonlyArray<Reply>) =>
  Effect.gen(function*() {
    const server = yield* channelServer(...(replies.length === 0 ? [ok] : replies))
    const folder = yield* projectFolder
    writeFileSync(join(folder, "job.ts"), module)
    writeFileSync(join(folder, "job.yaml"), `pipeline: ./job.ts#job\n${config(server.url)}`)
    const url = `${server.url}/ping/${uuid}`
    const run = (how: string, ...args: ReadonlyArray<string>) =>
      epilogue("bun", ["run", "job.yaml", ...args], { cwd: folder, env: { HOW: how, KEY: "c4n4ry0123", HC_URL: url } })
    return { folder, run, server, url }
  })

const file = () => "monitor: { healthchecks: { url: \"${HC_URL}\" } }\n"

/** The moves that the server was told: the end of each path. */
const moves = ({ requests }: ChannelServer) => requests.map(({ path }) => path.replace(/^\/ping\/[^/?]*\/?|\?.*/g, ""))

const rids = ({ requests }: ChannelServer) =>
  new Set(requests.map(({ path }) => new URL(path, "http://localhost").searchParams.get("rid")))

it.live("the monitor of a file is told of runs, with the log of the run, supervised or not", () =>
  Effect.scoped(Effect.gen(function*() {
    for (const flags of [[], ["--no-supervise"]]) {
      const { run, server } = yield* given(file)
      assertExitCode(yield* run("", ...flags), 0)
      assertExitCode(yield* run("fail", ...flags), 1)
      assert.deepEqual(moves(server), ["start", "", "start", "fail"])
      assert.equal(rids(server).size, 2)
      const [, succeeded, , failed] = server.requests
      assert.match(succeeded!.body, /^nightly succeeded after .* \(1 step\)\n[^]*INFO 1461 rows$/)
      assert.match(failed!.body, /^nightly failed after .*\nload: Error: disk full\n/)
    }
  })))

it.live("a process that is killed, or that ends, is told by its supervisor, once, with what it wrote to stderr", () =>
  Effect.scoped(Effect.gen(function*() {
    const { run, server, url } = yield* given()
    const killed = yield* run("kill", "--monitor", url)
    assertExitCode(killed, 1)
    // the start may not have been sent when the process died
    assert.deepEqual(moves(server).filter((move) => move !== "start"), ["fail"])
    assert.equal(rids(server).size, 1)
    const { body: text } = server.requests.at(-1)!
    const body = text.split("\n")
    assert.match(body[0]!, /^nightly crashed after \S+ m?s: killed by SIGKILL$/)
    assert.match(body[1] ?? "", /^in load \([\d.]+ m?s\)$/)
    assert.match(text, /\n\nLast lines of the log:\n[^]*allocating$/)
    const ended = yield* run("exit", "--monitor", url)
    assertExitCode(ended, 1)
    assert.deepEqual(moves(server).filter((move) => move !== "start"), ["fail", "7"])
  })))

it.live("a run that was interrupted since nothing could complete it has failed, whatever a stop is told as", () =>
  Effect.scoped(Effect.gen(function*() {
    for (const flags of [[], ["--no-supervise"]]) {
      const { run, server } = yield* given(() => "monitor: { healthchecks: { url: \"${HC_URL}\", interrupt: none } }\n")
      assertExitCode(yield* run("never", ...flags), 13)
      assert.deepEqual(moves(server), ["start", "fail"])
      assert.match(
        server.requests[1]!.body,
        /^nightly was interrupted after [^\n]+\nthe run has not ended, and nothing is left/
      )
    }
  })))

it.live("a job that can't begin is told as a failure, without secrets", () =>
  Effect.scoped(Effect.gen(function*() {
    for (const flags of [[], ["--no-supervise"]]) {
      const { run, server } = yield* given(() => `${file()}annotations: { key: "\${KEY}" }\n`)
      const ended = yield* run("throw", ...flags)
      assertExitCode(ended, 2)
      assert.deepEqual(moves(server), ["fail"])
      const { body, path } = server.requests[0]!
      assert.ok(!path.includes("rid"))
      assert.match(body, /^job\.yaml could not begin\njob\.yaml:1:11 pipeline: [^]*DATABASE_URL is not set/)
      assert.ok(!`${body}${ended.stderr}`.includes("c4n4ry0123"))
    }
    const broken = yield* given(() => `${file()}steps: { lod: {} }\nnonsense: 1\n`)
    assertExitCode(yield* broken.run(""), 2)
    assert.deepEqual(moves(broken.server), ["fail"])
    assert.match(broken.server.requests[0]!.body, /nonsense/)
  })))

it.live("Sentry is told of a job whose pipeline is not known only by a slug that is set", () =>
  Effect.scoped(Effect.gen(function*() {
    const config = (url: string) => {
      const dsn = `${url.replace("//", "//b7645b8eb47d4398@")}/42`
      return `monitor: [{ sentry: { dsn: "${dsn}" } }, { sentry: { dsn: "${dsn}", slug: night } }]\n`
    }
    const { run, server } = yield* given(config, { status: 202 })
    assertExitCode(yield* run("throw"), 2)
    assert.deepEqual(server.requests.map(({ json, path }) => [path, json.status]), [
      ["/api/42/cron/night/b7645b8eb47d4398/", "error"]
    ])
  })))

it.live("an end that was on its way when the process ended is sent by its supervisor", () =>
  Effect.scoped(Effect.gen(function*() {
    // the child's end hangs, the supervisor's arrives
    const { run, server, url } = yield* given(undefined, ok, "hang", ok)
    assertExitCode(yield* run("late", "--monitor", url, "--supervise"), 0)
    assert.deepEqual(moves(server), ["start", "", ""])
    assert.equal(rids(server).size, 1)
    assert.equal(server.requests[2]!.body, server.requests[1]!.body)
  })))

it.live("a ping that is given up is listed", () =>
  Effect.scoped(Effect.gen(function*() {
    const heard = yield* Deferred.make<void>()
    const { folder, url } = yield* given(undefined, ({ path }) => {
      if (path.includes("/fail")) Deferred.doneUnsafe(heard, Effect.void)
      return "hang"
    })
    const args = ["run", "./job.ts#job", "--monitor", url]
    const run = yield* start("bun", args, { cwd: folder, env: { HOW: "kill" } })
    yield* Deferred.await(heard)
    run.kill("SIGTERM")
    const { stderr } = yield* run.ended
    assert.match(
      stderr,
      /ping not delivered: nightly crashed after [^:]*: killed by SIGKILL: healthchecks: given up before it was sent\n/
    )
  })))

it.live("an interruption is told once, and as nothing where that is set", () =>
  Effect.scoped(Effect.gen(function*() {
    for (
      const [config, told] of [
        ["monitor: { healthchecks: { url: \"${HC_URL}\" } }\n", ["start", "fail"]],
        ["monitor: [{ healthchecks: { url: \"${HC_URL}\", interrupt: none } }]\n", ["start"]]
      ] as const
    ) {
      const { folder, server, url } = yield* given(() => config)
      const run = yield* start("bun", ["run", "job.yaml"], { cwd: folder, env: { HOW: "wait", HC_URL: url } })
      yield* run.wrote("waiting")
      run.kill("SIGTERM")
      assertExitCode(yield* run.ended, 143)
      assert.deepEqual(moves(server), told)
    }
  })))

it.live("a ping that does not arrive is listed at the end, and makes the exit code 3 where alerts are required", () =>
  Effect.scoped(Effect.gen(function*() {
    const { run, url } = yield* given(undefined, { status: 404, body: "not found" })
    const ended = yield* run("", "--monitor", url, "--require-alerts")
    assertExitCode(ended, 3)
    const line =
      /^ping not delivered: nightly succeeded after .*: healthchecks: the ping was rejected \(404\): not found$/m
    assert.match(ended.stderr, line)
    assert.match(ended.stderr, /a ping did not arrive: healthchecks: the ping was rejected/)
    assert.ok(!ended.stderr.includes(uuid), ended.stderr)
  })))

it.live("check and explain print of the file in docs/monitors.md what is shown there", () =>
  Effect.scoped(Effect.gen(function*() {
    const docs = readFileSync(join(root, "docs/monitors.md"), "utf8")
    const [, config = ""] = /```yaml\n([^]*?)```/.exec(docs) ?? []
    const { folder, url } = yield* given()
    writeFileSync(join(folder, "nightly.yaml"), config)
    writeFileSync(
      join(folder, "nightly.ts"),
      `import { Effect } from "effect"
      import { Pipeline, Step } from "effect-epilogue"
      export const load = Step.make("load", Effect.void)
      export const nightly = Pipeline.make("nightly", load)\n`
    )
    const env = { HC_URL: url, SENTRY_DSN: "https://b7645b8eb47d4398@o0.ingest.sentry.io/42" }
    const explained = yield* epilogue("bun", ["explain", "nightly.yaml"], { cwd: folder, env })
    assert.ok(docs.includes(`\`\`\`text\n${explained.stdout}\`\`\`\n`), explained.stdout + explained.stderr)
    const checked = yield* epilogue("bun", ["check", "nightly.yaml"], {
      cwd: folder,
      env: { ...env, HC_URL: "c4n4ry" }
    })
    assertExitCode(checked, 2)
    assert.equal(
      checked.stderr,
      "nightly.yaml:4:26 monitor[0].healthchecks.url: expected an address of http or https, found <redacted>\n"
    )
  })))

it.live("what is no address is refused, and not shown", () =>
  Effect.scoped(Effect.gen(function*() {
    const { run } = yield* given()
    const wrong = yield* run("", "--monitor", "hc-ping.com/c4n4ry0123", "--monitor", "https://hc-ping.com/x")
    assertExitCode(wrong, 2)
    assert.equal(
      wrong.stderr,
      "error: --monitor takes number 1: an address that begins with https:// or http://\n"
    )
  })))
