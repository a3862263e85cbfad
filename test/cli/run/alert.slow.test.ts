/** `epilogue alert`, as a script or cron calls it. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { type Answer, channelServer, type Received } from "../../support/channelServer.ts"
import { assertExitCode, epilogue, onEachRuntime, root, runtimes, start } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

/** A path that is a secret, as that of a webhook is. */
const secret = "s3cr3t-0123456789abcdef"

/** Answers by the path: 403 to one with "bad" in it. */
const byPath = ({ path }: Received): Answer => ({ status: path.includes("bad") ? 403 : 200 })

/** Writes a config file beside a server, whose address is in a variable, and returns a function that runs the command. */
const given = (config: string | object, file = "alerts.json") =>
  Effect.gen(function*() {
    const server = yield* channelServer(byPath)
    const folder = yield* projectFolder
    writeFileSync(join(folder, file), typeof config === "string" ? config : JSON.stringify(config))
    const options = { cwd: folder, env: { HOOK: `${server.url}/${secret}`, TZ: "Europe/Berlin" } }
    const alert = (args: ReadonlyArray<string>, input = "") =>
      Effect.tap(
        epilogue("bun", ["alert", "--config", file, ...args], { ...options, input }),
        ({ stderr, stdout }) => Effect.sync(() => assert.doesNotMatch(stdout + stderr, /s3cr3t/))
      )
    return { server, folder, alert, options }
  })

const webhook = { webhook: { url: "${HOOK}" } }
const bad = { webhook: { url: "${HOOK}/bad" } }

const titles = (requests: ReadonlyArray<Received>) => requests.map(({ json }) => json.title)

it.live("an alert of standard input arrives, on each runtime", () =>
  Effect.scoped(Effect.gen(function*() {
    const { options, server } = yield* given({ alerter: webhook })
    const tried: Array<string> = []
    yield* onEachRuntime((runtime) =>
      Effect.map(
        epilogue(runtime, ["alert", "-c", "alerts.json", "-t", "backup failed", "-s", "error"], {
          ...options,
          input: "no space left\n"
        }),
        (ended) => {
          tried.push(runtime)
          assertExitCode(ended, 0)
          assert.equal(ended.stdout, "arrived  webhook  alerts.json:1:23 alerter.webhook  backup failed\n")
        }
      )
    )
    assert.deepEqual(
      server.requests.map(({ json: { body, severity, title } }) => [title, body, severity]),
      tried.map(() => ["backup failed", "no space left", "error"])
    )
  })))

it.live("a standard input to which nobody writes is waited for, and a line says so", () =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* projectFolder
    writeFileSync(join(folder, "alerts.json"), JSON.stringify({ alerter: "console" }))
    const [command, ...flags] = runtimes.bun
    const child = spawn(
      command,
      [...flags, join(root, "src/cli/main.ts"), "alert", "-c", "alerts.json", "-t", "backup failed"],
      { cwd: folder, stdio: "pipe" }
    )
    yield* Effect.addFinalizer(() => Effect.sync(() => child.kill("SIGKILL")))
    let [out, said] = ["", ""]
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (out += chunk))
    const waits = new Promise<void>((done) =>
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk
        if (said.includes("waiting for the text of the alert on standard input")) done()
      })
    )
    yield* Effect.promise(() => waits)
    const closed = new Promise<number | null>((done) => child.once("close", done))
    child.stdin.end("no space left")
    assert.equal(yield* Effect.promise(() => closed), 0)
    assert.match(out, /backup failed/)
    assert.match(out, /no space left/)
  })))

it.live("a standard input that can't be read has no text, on each runtime", () =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* projectFolder
    writeFileSync(join(folder, "alerts.json"), JSON.stringify({ alerter: "console" }))
    for (const [command, ...flags] of Object.values(runtimes)) {
      const args = [...flags, join(root, "src/cli/main.ts"), "alert", "-c", "alerts.json", "-t", "backup failed"]
      const input = openSync(folder, "r")
      const ended = spawnSync(command, args, { cwd: folder, stdio: [input, "pipe", "pipe"], encoding: "utf8" })
      closeSync(input)
      assert.equal(ended.status, 0, ended.stderr)
      assert.match(ended.stdout, /^arrived +console .* backup failed$/m)
    }
  })))

it.live("the first line of a text stands for a title, and secrets of the file are not sent", () =>
  Effect.scoped(Effect.gen(function*() {
    const { alert, server } = yield* given({ alerter: webhook })
    const long = `first\nsecond ${server.url}/${secret}\n${"x".repeat(100_000)}\nlast`
    const flags = [
      "--tag",
      "disk",
      "--field",
      "host=db 1",
      "--field",
      "free=0=0",
      "--dedupe-key",
      "disk",
      "--url",
      "https://wiki.example/disk"
    ]
    assertExitCode(yield* alert(flags, long), 0)
    const [request] = server.requests
    const { body, dedupeKey, fields, tags, title, url } = request?.json ?? {}
    assert.deepEqual([title, dedupeKey, tags, url], ["first", "disk", ["disk"], "https://wiki.example/disk"])
    assert.deepEqual(fields, [{ name: "host", value: "db 1" }, { name: "free", value: "0=0" }])
    assert.match(body, /^second .*<redacted>\nx+\n… \d+ characters left out …\nx+\nlast$/)
    assert.doesNotMatch(request?.body ?? "", /s3cr3t/)
  })))

it.live("a writer to standard input is never cut off, however much it writes", () =>
  Effect.scoped(Effect.gen(function*() {
    const { alert, server } = yield* given({ alerter: webhook })
    assertExitCode(yield* alert(["--title", "much"], `begin${"x".repeat(12_000_000)}end`), 0)
    assert.match(server.requests[0]?.json.body, /^beginx+\n… \d+ characters left out …\nx+end$/)
  })))

it.live("a place that refuses the alert is told with its reason, and is exit code 3", () =>
  Effect.scoped(Effect.gen(function*() {
    const { alert } = yield* given({ alerter: { fanOut: [webhook, bad] } })
    const ended = yield* alert(["--title", "a", "--body", "b"])
    assertExitCode(ended, 3)
    assert.equal(ended.stdout, "arrived  webhook  alerts.json:1:34 alerter.fanOut[0].webhook  a\n")
    assert.equal(
      ended.stderr,
      "failed   webhook  alerts.json:1:64 alerter.fanOut[1].webhook  the credentials were not accepted\n"
    )
  })))

it.live("a fallback that delivers loses nothing, though the first place is told as failed", () =>
  Effect.scoped(Effect.gen(function*() {
    const { alert } = yield* given({ alerter: { fallback: [bad, webhook] } })
    const ended = yield* alert(["--title", "a"])
    assertExitCode(ended, 0)
    assert.match(ended.stderr, /^failed .*fallback\[0\]/)
    assert.match(ended.stdout, /^arrived .*fallback\[1\]/)
  })))

it.live("what is wrong elsewhere in the file does not keep an alert from being sent", () =>
  Effect.scoped(Effect.gen(function*() {
    const { alert } = yield* given("alerter: { webhook: { url: \"${HOOK}\" } }\nsteps: { a: { wrong: [\n", "a.yaml")
    assertExitCode(yield* alert(["--title", "a"]), 0)
  })))

it.live("an alert that a policy drops is said to have been sent nowhere", () =>
  Effect.scoped(Effect.gen(function*() {
    const { alert, server } = yield* given({ alerter: { ...webhook, minSeverity: "error" } })
    const ended = yield* alert(["--title", "a"])
    assertExitCode(ended, 0)
    assert.match(ended.stdout, /^sent nowhere: a policy/)
    assert.equal((yield* alert(["--title", "a", "--json"])).stdout, "{\"_tag\":\"AlertDropped\"}\n")
    assert.equal(server.requests.length, 0)
  })))

it.live("a digest that is due is posted by --flush, without a run, and one that is not is kept", () =>
  Effect.scoped(Effect.gen(function*() {
    const { alert, server } = yield* given({ alerter: { ...webhook, store: "./state.db", digest: "8 seconds" } })
    for (const title of ["one", "two"]) {
      const kept = yield* alert(["--title", title])
      assertExitCode(kept, 0)
      assert.match(kept.stdout, /^kept by digest for later/)
    }
    const early = yield* alert(["--flush"])
    assert.match(early.stdout, /^2 alerts kept, the first until \d{4}-.* Europe\/Berlin \(UTC\+0[12]:00\)\n$/)
    const posted = yield* Effect.repeat(Effect.delay(alert(["--flush", "--json"]), "500 millis"), {
      until: ({ stdout }) => /AlertPosted/.test(stdout)
    })
    const [first, last] = posted.stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
    assert.deepEqual([first.state, first.channel], ["arrived", "webhook"])
    assert.deepEqual(last, { _tag: "AlertsKept", by: "store", count: 0 })
    assert.match(titles(server.requests).join(), /^2 alerts in [\d.]+ s: 2 info$/)
  })))

it.live("a digest that is due and can't be posted stays in the store, and is exit code 3", () =>
  Effect.scoped(Effect.gen(function*() {
    const { alert } = yield* given({ alerter: { ...bad, store: "./state.db", digest: "10 millis" } })
    const kept = yield* alert(["--title", "one"])
    assertExitCode(kept, 0)
    assert.match(kept.stdout, /^kept by digest for later/)
    const flushed = yield* alert(["--flush"])
    assertExitCode(flushed, 3)
    assert.match(flushed.stderr, /failed  webhook .* the credentials were not accepted/)
    assert.match(flushed.stdout, /^1 alert kept/)
  })))

it.live("--test sends to each place past the policies, and to the same Layer once", () =>
  Effect.scoped(Effect.gen(function*() {
    const layer = "./layer.ts#layer"
    const { alert, folder, server } = yield* given({
      alerter: {
        minSeverity: "critical",
        route: [{ when: { tag: "a" }, to: { use: layer, digest: "1 hour" } }, { when: { tag: "b" }, to: bad }],
        otherwise: { fanOut: [layer, "none", { webhook: { url: "http://127.0.0.1:1/x", retries: 0 } }] }
      }
    })
    writeFileSync(
      join(folder, "layer.ts"),
      `import { Alerter } from "effect-epilogue"
import { Effect } from "effect"
export const layer = Alerter.layer(({ title }) => Effect.promise(() => fetch(process.env.HOOK, { method: "POST", body: JSON.stringify({ title }) })))`
    )
    const ended = yield* alert(["--test"])
    assertExitCode(ended, 3)
    const rows = (text: string) =>
      text.trimEnd().split("\n").map((line) => line.replace(/ alerts.json:\S+/, "").split(/ {2,}/))
    assert.deepEqual(
      rows(ended.stdout),
      [
        ["arrived", layer, "alerter.route[0].to.use", "Test of an alerter"],
        ["dropped", "none", "alerter.otherwise.fanOut[1]", "Test of an alerter"]
      ].map(([state, name, place, why]) => [state, `${name}`, `${place}`, why])
    )
    assert.deepEqual(rows(ended.stderr), [
      ["failed", "webhook", "alerter.route[1].to.webhook", "the credentials were not accepted"],
      ["failed", "webhook", "alerter.otherwise.fanOut[2].webhook", "could not be reached: ECONNREFUSED"]
    ])
    assert.equal(titles(server.requests).filter((title) => title === "Test of an alerter").length, 2)
  })))

it.live("all that is wrong with the command line and the file is told at once, and nothing is sent", () =>
  Effect.scoped(Effect.gen(function*() {
    const { alert, server } = yield* given({ alerter: { webhook: { url: "${HOOK}", nope: 1 }, digest: "x" } })
    const ended = yield* alert([
      "--severity",
      "failure",
      "--field",
      `${secret}`,
      "--tag",
      "",
      "--title",
      " ",
      "--url",
      secret
    ])
    assertExitCode(ended, 2)
    assert.equal(ended.stdout, "")
    assert.deepEqual(
      ended.stderr.trimEnd().split("\n").map((line) => line.split(":", 4).join(":").split(" expected")[0]),
      [
        "the command line --severity:",
        "the command line --title:",
        "the command line --tag:",
        "the command line --url:",
        "the command line --field:",
        "alerts.json:1:40 alerter.webhook.nope:",
        "alerts.json:1:59 alerter.digest:"
      ]
    )
    const missing = yield* alert(["--flush", "--title", "a", "--test"])
    assert.match(missing.stderr, /^the command line --flush: .*found --title, --test\n/)
    assert.equal(server.requests.length, 0)
  })))

it.live("a file without an alerter, and a flush without a store, are mistakes with their place", () =>
  Effect.scoped(Effect.gen(function*() {
    const none = yield* given({ pipeline: "./a.ts#a" })
    const ended = yield* none.alert(["--title", "a"])
    assertExitCode(ended, 2)
    assert.equal(ended.stderr, "alerts.json: expected an alerter, found no alerter\n")
    const unstored = yield* given({ alerter: webhook })
    const flushed = yield* unstored.alert(["--flush"])
    assertExitCode(flushed, 2)
    assert.equal(
      flushed.stderr,
      "alerts.json:1:12 alerter: expected a store, in which policies keep alerts, found no store\n"
    )
    const broken = yield* given({ alerter: { ...webhook, store: "./", digest: "1 hour" } })
    writeFileSync(join(broken.folder, "file"), "this is no database, and long enough to be looked at as one")
    writeFileSync(
      join(broken.folder, "alerts.json"),
      JSON.stringify({ alerter: { ...webhook, store: "./file", digest: "1 hour" } })
    )
    const refused = yield* broken.alert(["--title", "a"])
    assertExitCode(refused, 2)
    assert.match(refused.stderr, /^alerts.json:1:\d+ alerter.store: .*damaged, or no database/)
  })))

it.live("Ctrl-C gives up an alert that nobody answers", () =>
  Effect.scoped(Effect.gen(function*() {
    const server = yield* channelServer("hang")
    const folder = yield* projectFolder
    writeFileSync(
      join(folder, "alerts.json"),
      JSON.stringify({ alerter: { webhook: { url: server.url, drain: 0 } } })
    )
    const running = yield* start("bun", ["alert", "-c", "alerts.json", "-t", "a"], { cwd: folder })
    yield* Effect.repeat(Effect.sleep("10 millis"), { until: () => server.requests.length > 0 })
    running.kill("SIGINT")
    const ended = yield* running.ended
    assertExitCode(ended, 130)
    assert.match(ended.stderr, /^giving up; press Ctrl-C again to quit at once\n/)
  })))

it.live("docs/shell-alerts.md shows what it prints", () =>
  Effect.scoped(Effect.gen(function*() {
    const page = readFileSync(join(root, "docs", "shell-alerts.md"), "utf8")
    const [, config = "", shown = ""] = /```yaml\n(.*?)```\n\n```text\n(.*?)```/s.exec(page) ?? []
    let isTest = false
    const server = yield* channelServer(({ body, path }) => {
      isTest ||= body.includes("Test of an alerter")
      return { status: isTest && !path.includes("ops") ? 401 : 200 }
    })
    const folder = yield* projectFolder
    writeFileSync(join(folder, "alerts.yaml"), config)
    const env = { OPS_WEBHOOK: `${server.url}/ops`, NTFY_SERVER: server.url, NO_COLOR: "1", TZ: "Europe/Berlin" }
    const run = (line: string) =>
      Effect.callback<string>((resume) => {
        const script = `epilogue() { "${process.execPath}" "${join(root, "src/cli/main.ts")}" "$@"; }; ${line} 2>&1`
        const child = spawn("bash", ["-c", script], {
          cwd: folder,
          env: { ...process.env, ...env },
          stdio: ["ignore", "pipe", "inherit"]
        })
        let output = ""
        child.stdout.setEncoding("utf8").on("data", (text: string) => output += text)
        child.on("close", () => resume(Effect.succeed(output)))
      })
    const lines = shown.match(/^\$ .*$/gm) ?? []
    assert.equal(lines.length, 5)
    let printed = ""
    for (const line of lines) printed += `${line}\n${yield* run(line.slice(2))}`
    const timeless = (text: string) => text.replace(/until .*/, "until then")
    assert.equal(timeless(printed), timeless(shown))
    assert.ok(existsSync(join(folder, "alerts.db")))
  })))
