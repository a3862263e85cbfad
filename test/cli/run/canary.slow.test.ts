/** Runs the commands with secrets in every place, and searches every byte that comes out. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { canary } from "../../support/canary.ts"
import { channelServer } from "../../support/channelServer.ts"
import { assertExitCode, type Ended, epilogue, root } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { fixtures, projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const module = join(root, fixtures, "canary.ts")

const env = {
  CANARY_URL: `postgres://us3r:${canary}%2Fpw@db.example.com/x?t=${canary}+1/${canary}`,
  CANARY_ITEM: `it${canary}/"quoted"<&>`,
  CANARY_KEY: `k-${canary}/2+3&4`,
  CANARY_NAME: `run-${canary}`,
  CANARY_HOOK: `T0${canary}0123456789`,
  CANARY_TOKEN: `tok${canary}0123456789`
}

/** Traces of the canary in each form: part of it in base64 at three places, and what is left where it was cut. */
const traces = [
  canary,
  ...[0, 1, 2].map((before) => Buffer.from("x".repeat(before) + canary).toString("base64").slice(before + 1, 8)),
  "postgres://us3r:",
  `it${canary.slice(0, 4)}`
]

const leaksIn = (text: string): ReadonlyArray<string> =>
  traces.filter((trace) => text.includes(trace)).map((trace) => {
    const at = text.indexOf(trace)
    return `${trace}: …${text.slice(Math.max(0, at - 200), at + 100)}…`
  })

const assertClean = (outputs: Readonly<Record<string, string>>): void => {
  for (const [name, text] of Object.entries(outputs)) assert.deepEqual(leaksIn(text), [], name)
}

/** All files below a folder, but for the config files, as text. */
const filesIn = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name, parentPath }) => {
        const path = join(parentPath, name)
        return [path, readFileSync(path, "latin1")]
      })
  )

const outputsOf = (name: string, { stderr, stdout }: Ended) => ({
  [`${name}: stdout`]: stdout,
  [`${name}: stderr`]: stderr
})

const configOf = (url: string) => {
  const hook = `${url}/hooks/\${CANARY_HOOK}`
  return {
    pipeline: "./canary.ts#told",
    runName: "${CANARY_NAME}",
    annotations: { owner: "${CANARY_NAME}", nested: { url: "${CANARY_URL}" } },
    params: { P: { url: "${CANARY_URL}", list: ["${CANARY_ITEM}"], key: "${CANARY_KEY}" } },
    stepHooks: { failure: [{ use: "epilogue#alerterFailure", name: "hook ${CANARY_NAME}" }] },
    monitor: [
      { healthchecks: { url: `${hook}/ping`, retries: 0 } },
      { cronitor: { apiKey: "${CANARY_TOKEN}", monitor: "m", baseUrl: url } },
      { ping: { success: hook, failure: hook, method: "POST", retries: 0 } }
    ],
    alerter: {
      store: "./state",
      digest: "1 hour",
      dedupe: "1 hour",
      fanOut: [
        { slack: { webhookUrl: hook } },
        { slackBot: { token: "${CANARY_TOKEN}", channel: "C1", baseUrl: url } },
        { discord: { webhookUrl: hook } },
        { discordBot: { token: "${CANARY_TOKEN}", channelId: "1", baseUrl: url } },
        {
          email: {
            host: "127.0.0.1",
            port: 1,
            from: "a@example.com",
            to: "b@example.com",
            user: "u",
            password: "${CANARY_KEY}"
          }
        },
        { teams: { webhookUrl: hook } },
        { googleChat: { webhookUrl: hook } },
        { mattermost: { webhookUrl: hook } },
        { rocketChat: { webhookUrl: hook } },
        { matrix: { server: url, token: "${CANARY_TOKEN}", room: "!r:example.com" } },
        { zulip: { server: url, email: "bot@example.com", apiKey: "${CANARY_KEY}", channel: "ops" } },
        { gotify: { server: url, token: "${CANARY_TOKEN}" } },
        { telegram: { token: "123:${CANARY_TOKEN}", chatId: "1", baseUrl: url } },
        { pagerDuty: { routingKey: "${CANARY_TOKEN}", baseUrl: url } },
        { opsgenie: { apiKey: "${CANARY_TOKEN}", baseUrl: url } },
        { sentry: { dsn: `${url.replace("//", "//${CANARY_TOKEN}@")}/1` } },
        { alertmanager: { url, token: "${CANARY_TOKEN}" } },
        { alertmanager: { url, basicAuth: "jobs:${CANARY_KEY}" } },
        { ntfy: { topic: { secret: "${CANARY_HOOK}" }, server: url, token: "${CANARY_TOKEN}" } },
        { pushover: { token: "${CANARY_TOKEN}", user: "${CANARY_HOOK}", baseUrl: url } },
        { twilio: { accountSid: "AC1", authToken: "${CANARY_TOKEN}", from: "Jobs", to: "+15558675310", baseUrl: url } },
        { apprise: { url, key: "${CANARY_HOOK}", basicAuth: "jobs:${CANARY_KEY}" } },
        { apprise: { url, urls: "json://jobs:${CANARY_TOKEN}@a.test/ form://${CANARY_HOOK}" } },
        { gitHubIssues: { token: "${CANARY_TOKEN}", repository: "acme/etl", baseUrl: url } },
        { webhook: { url: hook, secret: "${CANARY_KEY}" } },
        { jsonLines: { path: "./alerts.jsonl" } },
        "./canary.ts#alerter",
        "console"
      ],
      succeeds: "any"
    }
  }
}

const copied = Effect.map(projectFolder, (at) => {
  writeFileSync(join(at, "canary.ts"), readFileSync(module))
  return at
})

it.live(
  "no command that runs, checks or reports a pipeline of a config file shows a secret anywhere",
  () =>
    Effect.scoped(Effect.gen(function*() {
      const at = yield* copied
      const server = yield* channelServer(({ path }) => ({
        status: path.includes("/hooks/") ? 500 : 200,
        body: { ok: true, error: `no such hook ${path}` }
      }))
      writeFileSync(join(at, "job.json"), JSON.stringify(configOf(server.url)))
      const wrong = {
        ...configOf(server.url),
        pipeline: "./${CANARY_NAME}.ts#x",
        defaults: { timeout: "${CANARY_URL}", retry: "${CANARY_ITEM}" },
        inherit: "${CANARY_NAME}"
      }
      writeFileSync(join(at, "wrong.json"), JSON.stringify(wrong))
      const run = (name: string, ...args: ReadonlyArray<string>) =>
        Effect.tap(
          epilogue("bun", args, { cwd: at, env }),
          (ended) => Effect.sync(() => assertClean(outputsOf(name, ended)))
        )

      const runs = [
        run("plain", "run", "job.json", "--no-supervise", "--record"),
        run("json", "run", "job.json", "--no-supervise", "--json"),
        run("github", "run", "job.json", "--no-supervise", "--progress", "github"),
        run("supervised", "run", "job.json"),
        run("crash", "run", "./canary.ts#crashed", "--config", "job.json", "--record"),
        run("uncaught", "run", "./canary.ts#uncaught", "--config", "job.json", "--no-supervise"),
        run("supervised uncaught", "run", "./canary.ts#uncaught", "--config", "job.json"),
        run("check", "check", "job.json"),
        run("explain", "explain", "job.json"),
        run("wrong", "check", "wrong.json"),
        run("wrong parameter", "check", "job.json", "--param", "P.urll=1")
      ]
      const ended = yield* Effect.all(runs, { concurrency: 2 })
      assert.deepEqual(ended.map(({ code }) => code), [1, 1, 1, 1, 1, 1, 1, 0, 0, 2, 2])
      assert.match(ended[4]!.stderr, /epilogue: crashed › crash crashed/)
      for (const one of ended.slice(5, 7)) assert.match(one.stderr, /uncaught Error: uncaught <redacted>/)

      const reports = [
        run("runs", "runs"),
        run("show", "show", "latest"),
        run("show --json", "show", "latest", "--json"),
        run("report", "report", "latest", "--html=r.html", "--svg=r.svg", "--mermaid=r.mmd")
      ]
      for (const report of yield* Effect.all(reports, { concurrency: 2 })) assertExitCode(report, 0)

      const { [join(at, "canary.ts")]: _, ...files } = filesIn(at)
      for (
        const name of ["alerts.jsonl", "spans.log", "logs.log", "r.html", "r.svg", "r.mmd", "state", ".epilogue/runs"]
      ) {
        assert.ok(Object.keys(files).some((path) => path.startsWith(join(at, name))), `no ${name}`)
      }
      assertClean(files)
      assert.ok(server.requests.length > 10, `${server.requests.length} posts`)
      // the channels themselves are told their addresses and tokens
      assertClean(Object.fromEntries(server.requests.map(({ body, path }, i) => [
        `post ${i} ${path}`,
        body.replaceAll(env.CANARY_TOKEN, "").replaceAll(env.CANARY_HOOK, "")
      ])))
    }))
)

it.live(
  "no command for durable runs shows a secret of its parameters or its database",
  () =>
    Effect.scoped(Effect.gen(function*() {
      const at = yield* copied
      const args = ["run", "./canary.ts#nightly", "--durable", "--payload", "{\"day\":\"1\"}"]
      const run = yield* epilogue("bun", [...args, "--database", "runs.db", "--record"], { cwd: at, env })
      assertExitCode(run, 1)
      const json = yield* epilogue("bun", [...args, "--database", "runs.db", "--json"], { cwd: at, env })
      const database = { EPILOGUE_DATABASE: `postgres://us3r:${canary}@127.0.0.1:1/x` }
      const answer = yield* epilogue("bun", ["answer", canary, "--approve"], { cwd: at, env: { ...env, ...database } })
      const { [join(at, "canary.ts")]: _, ...files } = filesIn(at)
      const records = Object.fromEntries(Object.entries(files).filter(([path]) => !path.includes("runs.db")))
      assertClean({ ...outputsOf("run", run), ...outputsOf("json", json), ...outputsOf("answer", answer), ...records })
    }))
)
