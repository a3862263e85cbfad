/** `epilogue check` of a file whose alerter can't be built. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { existsSync, writeFileSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { join } from "node:path"
import { test } from "node:test"
import { channelServer } from "../../support/channelServer.ts"
import { assertExitCode, epilogue, onEachRuntime } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { projectFolder } from "../support.ts"

const it = makeIt(test)

const pipeline = `import { Effect } from "effect"
import { Pipeline } from "effect-epilogue"
export const job = Pipeline.make("nightly", Effect.void)
`

const alerters = `import { Alerter } from "effect-epilogue"
import { Slack } from "effect-epilogue/alerters"
import { Config, Effect, Layer } from "effect"
export const unset = Slack.layerConfig({ webhookUrl: Config.Redacted("TEAM_SLACK") })
export const empty = Layer.empty
export const fine = Alerter.layerNone
export const post = (alert) => Effect.log(alert.title)
`

/** Writes a config file in a folder of its own, and returns the lines that commands print about it. */
const project = (alerter: string) =>
  Effect.map(projectFolder, (folder) => {
    writeFileSync(join(folder, "job.ts"), pipeline)
    writeFileSync(join(folder, "alerters.ts"), alerters)
    writeFileSync(join(folder, "job.yaml"), `pipeline: ./job.ts#job\n${alerter}`)
    const command = (
      command: string,
      env: Readonly<Record<string, string>> = {},
      runtime: "bun" | "deno" | "node" = "bun"
    ) =>
      Effect.map(epilogue(runtime, [command, "job.yaml"], { cwd: folder, env }), (ended) => ({
        ended,
        lines: ended.stderr.trimEnd().split("\n")
      }))
    return { folder, command }
  })

const missing = "found no such variable, or an empty one"

it.live("check and run name every missing variable of the alerter's channels, with its place, and exit with 2", () =>
  Effect.scoped(Effect.gen(function*() {
    const { command } = yield* project("alerter:\n  fanOut: [slack, telegram, { email: true }]\n")
    const expected = [
      `job.yaml:3:12 alerter.fanOut[0]: expected the variable SLACK_WEBHOOK_URL to be set, ${missing}`,
      `job.yaml:3:19 alerter.fanOut[1]: expected the variable TELEGRAM_BOT_TOKEN to be set, ${missing}`,
      `job.yaml:3:19 alerter.fanOut[1]: expected the variable TELEGRAM_CHAT_ID to be set, ${missing}`,
      `job.yaml:3:38 alerter.fanOut[2].email: expected the variable SMTP_URL to be set, ${missing}`,
      `job.yaml:3:38 alerter.fanOut[2].email: expected the variable ALERT_EMAIL_FROM to be set, ${missing}`,
      `job.yaml:3:38 alerter.fanOut[2].email: expected the variable ALERT_EMAIL_TO to be set, ${missing}`
    ]
    for (const name of ["check", "run"]) {
      const { ended, lines } = yield* command(name, { SLACK_WEBHOOK_URL: "" })
      assert.deepEqual(lines, expected)
      assertExitCode(ended, 2)
      assert.equal(ended.stdout, "")
    }
  })))

it.live("a module that Node takes for CommonJS, as below the package.json of npm init, is refused with the cure", () =>
  Effect.scoped(Effect.gen(function*() {
    const { command, folder } = yield* project("alerter: console\n")
    writeFileSync(join(folder, "package.json"), `{ "type": "commonjs" }`)
    const { ended, lines } = yield* command("check", {}, "node")
    assertExitCode(ended, 2)
    assert.match(
      lines.at(-1)!,
      /^job\.yaml:1:11 pipeline: .*outside a module: write "type": "module" into package\.json/
    )
  })))

it.live("check says what the variables of a channel should hold, and does not show what they hold", () =>
  Effect.scoped(Effect.gen(function*() {
    const { command } = yield* project("alerter:\n  fanOut: [slack, email, ntfy]\n")
    const { ended, lines } = yield* command("check", {
      SLACK_WEBHOOK_URL: "ftp://c4n4ry",
      SMTP_URL: "smtp://c4n4ry@host",
      ALERT_EMAIL_FROM: "c4n4ry",
      ALERT_EMAIL_TO: "ops@example.com",
      NTFY_TOPIC: "c4n4ry topic",
      NTFY_TOKEN: "c4n4ry token"
    })
    assert.deepEqual(lines.map((line) => /variable (\w+) to hold ([\w ]+)/.exec(line)?.slice(1)), [
      ["SLACK_WEBHOOK_URL", "an address of http or https without a user"],
      ["SMTP_URL", "an address as in smtps"],
      ["ALERT_EMAIL_FROM", "an address"],
      ["NTFY_TOPIC", "a topic of up to 64 letters"],
      ["NTFY_TOKEN", "a token"]
    ])
    assert.doesNotMatch(ended.stderr + ended.stdout, /c4n4ry/)
    assertExitCode(ended, 2)
  })))

it.live("check builds the alerter's Layers and stores, and reports all that can't be built beside what else is wrong", () =>
  Effect.scoped(Effect.gen(function*() {
    const { command, folder } = yield* project(`params: { P: { n: 1 } }
alerter:
  store: ./file/store
  digest: 1 hour
  fanOut: [slack, "./alerters.ts#unset", "./alerters.ts#empty", "./alerters.ts#fine"]
`)
    writeFileSync(join(folder, "file"), "")
    const { ended, lines } = yield* command("check")
    assertExitCode(ended, 2)
    const starts = [
      "job.yaml:2:14 params.P: expected the key of a Params service",
      "job.yaml:4:10 alerter.store: expected an alerter that can be built, found an error while it was built:",
      "job.yaml:6:12 alerter.fanOut[0]: expected the variable SLACK_WEBHOOK_URL to be set",
      "job.yaml:6:19 alerter.fanOut[1]: expected the variable TEAM_SLACK to be set, found no such variable",
      "job.yaml:6:42 alerter.fanOut[2]: expected a Layer of Alerter, found a Layer that provides no Alerter"
    ]
    assert.deepEqual(lines.map((line, i) => line.slice(0, starts[i]?.length)), starts)
  })))

it.live("check says how a function becomes an alerter, and what else stands in the place of one", () =>
  Effect.scoped(Effect.gen(function*() {
    const { command } = yield* project(`alerter: { fanOut: ["./alerters.ts#post", "./job.ts#job"] }\n`)
    const { ended, lines } = yield* command("check")
    assertExitCode(ended, 2)
    const expected = "expected a Layer of Alerter, found"
    assert.deepEqual(lines, [
      `job.yaml:2:21 alerter.fanOut[0]: ${expected} ./alerters.ts#post, which is a function (Alerter.layer makes a Layer of a function)`,
      `job.yaml:2:43 alerter.fanOut[1]: ${expected} ./job.ts#job, which is the Pipeline "nightly"`
    ])
  })))

it.live("check sends nothing, though a store holds alerts that are due", () =>
  Effect.scoped(Effect.gen(function*() {
    const server = yield* channelServer({ body: "ok" })
    const { command, folder } = yield* project(
      "alerter: { jsonLines: { path: ./alerts.jsonl }, digest: 1 second, store: ./store }\nstepHooks: { failure: epilogue#alerterFailure }\n"
    )
    const { ended } = yield* command("check")
    assertExitCode(ended, 0)
    assert.equal(existsSync(join(folder, "alerts.jsonl")), false)
    const slack = yield* project("alerter: slack\n")
    assertExitCode((yield* slack.command("check", { SLACK_WEBHOOK_URL: server.url })).ended, 0)
    assert.equal(server.requests.length, 0)
  })))

it.live("check builds an alerter of mails without connecting to the server, on each runtime", () =>
  Effect.scoped(Effect.gen(function*() {
    let connections = 0
    const server = createServer(() => void connections++)
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
      () => Effect.promise(() => new Promise((resolve) => server.close(resolve)))
    )
    const { port } = server.address() as AddressInfo
    const { command } = yield* project(
      `alerter: { email: { host: 127.0.0.1, port: ${port}, from: a@example.com, to: b@example.com } }\n`
    )
    yield* onEachRuntime((runtime) =>
      Effect.map(command("check", {}, runtime), ({ ended }) => assertExitCode(ended, 0))
    )
    assert.equal(connections, 0)
  })))

it.live("a file without a pipeline is checked for epilogue exec, alert and ack, or as that of a project", () =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* projectFolder
    const check = (name: string, text: string) =>
      Effect.suspend(() => {
        writeFileSync(join(folder, name), text)
        return epilogue("bun", ["check", name], { cwd: folder })
      })
    const steps = "steps: { pg_dump: { retry: 2 } }\n"
    const whole = yield* check("alerts.yaml", `alerter: console\n${steps}`)
    assertExitCode(whole, 0)
    assert.equal(
      whole.stdout,
      "alerts.yaml: no mistakes found (it names no pipeline, so it is for epilogue exec, alert and ack, or for a project)\n"
    )
    const wrong = yield* check("wrong.yaml", `alerter: slack\n${steps}hooks: { failure: ./gone.ts#x }\n`)
    assertExitCode(wrong, 2)
    assert.deepEqual(wrong.stderr.trimEnd().split("\n").map((line) => line.split(" ", 2)[1]), [
      "alerter:",
      "hooks.failure:"
    ])
    const forgotten = yield* check("job.yaml", `params: { Train: { epochs: 3 } }\n`)
    assertExitCode(forgotten, 2)
    assert.match(forgotten.stderr, /expected pipeline: .*, found no pipeline/)
  })))

it.live("check counts the steps that it knows, or says why it knows none", () =>
  Effect.scoped(Effect.gen(function*() {
    const { command, folder } = yield* project("")
    const none = yield* command("check")
    assert.equal(
      none.ended.stdout,
      "nightly: no mistakes found (no steps are known: its module exports none, and the file names none)\n"
    )
    const step = `export const load = Step.make("load", Effect.void)`
    writeFileSync(join(folder, "job.ts"), `${pipeline.replace("Pipeline }", "Pipeline, Step }")}${step}\n`)
    assert.equal((yield* command("check")).ended.stdout, "nightly: no mistakes found (1 step known)\n")
  })))

it.live("check of a config file in a format that it does not read names those that it reads", () =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* projectFolder
    for (const name of ["job.toml", "job.jsonc"]) {
      writeFileSync(join(folder, name), "pipeline = 1\n")
      const ended = yield* epilogue("bun", ["check", name], { cwd: folder })
      assertExitCode(ended, 2)
      assert.equal(
        ended.stderr.trim(),
        `${name}:1:1: expected a file whose name ends with .yaml, .yml or .json, found another name`
      )
    }
  })))
