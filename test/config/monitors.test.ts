/** Monitors of config files: their options, their mistakes, and what is told of them. */
import { Ajv2020 } from "ajv/dist/2020.js"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { jsonSchema } from "../../src/config/Document.ts"
import { build } from "../../src/config/internal/apply/monitors.ts"
import * as Monitors from "../../src/monitors/index.ts"
import { monitorAt } from "../../src/monitors/internal/known.ts"
import { monitors } from "../../src/monitors/internal/schema/monitors.ts"
import { canary, leaks } from "../support/canary.ts"
import { channelServer } from "../support/channelServer.ts"
import { documentOf, issueLines, read as readFile } from "../support/configFile.ts"
import { makeIt } from "../support/it.ts"
import { loadText, runText } from "./support.ts"

const it = makeIt(test)

const env = (variables: Readonly<Record<string, string>>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: { ...variables } }))

/** The names of monitors with their options, as the file has them. */
const decoded = (text: string) => Effect.map(documentOf(text), ({ monitor }) => monitor)

it.effect("the file format has a key for every module of monitors, and for nothing else", () =>
  Effect.sync(() => {
    const modules = Object.entries(Monitors).flatMap(([name, module]) =>
      typeof module === "object" && "layer" in module ? [`${name[0]!.toLowerCase()}${name.slice(1)}`] : []
    )
    assert.deepEqual(Object.keys(monitors).toSorted(), modules.toSorted())
    // oxlint-disable-next-line no-explicit-any -- parts of a JSON Schema are of any type
    const { properties } = (jsonSchema() as any).$defs.Monitor
    for (const [name, { description }] of Object.entries(monitors)) {
      assert.equal(properties[name].description, description)
    }
    assert.ok(Object.keys(properties.sentry.anyOf[1].properties).includes("checkInMargin"))
  }))

it.effect("a monitor is a name, a map with one key, or a list of them, and addresses are Redacted", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* decoded("monitor: healthchecks"), { healthchecks: true })
    assert.deepEqual(yield* decoded("monitor: [healthchecks, { uptimeKuma: true }]"), [
      { healthchecks: true },
      { uptimeKuma: true }
    ])
    const one = (yield* decoded("monitor: { betterStack: { url: https://example.com/hb/x, every: 90 } }")) as {
      readonly betterStack: { readonly url: Redacted.Redacted<string> }
    }
    assert.equal(Redacted.value(one.betterStack.url), "https://example.com/hb/x")
    assert.deepEqual(leaks([one]), [])
  }))

it.effect("all mistakes are reported at once, each at its place", () =>
  Effect.gen(function*() {
    const lines = yield* issueLines([
      "monitor:",
      "  - healthchecks: { url: nowhere, every: 0, interupt: none }",
      "  - sentry: { dsn: \"https://s3cr3t@e.com/\", slug: Nightly, schedule: at night, maxRuntime: -1 }",
      "  - sentry: { dsn: \"https://abc@example.com/1\", timeZone: Europe/Berlin }",
      "  - cronitor: { apiKey: \"a b\", metrics: [\"rows per day\"] }",
      "  - { healthchecks: true, ping: true }",
      "  - {}",
      "  - https://hc-ping.com/s3cr3t",
      "  - ping: { every: 1 minute, method: PUT }"
    ].join("\n"))
    const at = (place: string) => lines.filter((line) => line.startsWith(place)).join("\n")
    assert.match(at("2:26 monitor[0].healthchecks.url"), /expected an address of http or https/)
    assert.match(at("2:42 monitor[0].healthchecks.every"), /a duration above 0/)
    assert.match(at("2:45 monitor[0].healthchecks.interupt"), /one of the keys .*interrupt/)
    assert.match(at("3:20 monitor[1].sentry.dsn"), /a DSN such as/)
    assert.match(at("3:51 monitor[1].sentry.slug"), /up to 50 lower-case/)
    assert.match(at("3:70 monitor[1].sentry.schedule"), /five fields of a crontab/)
    assert.match(at("3:92 monitor[1].sentry.maxRuntime"), /a duration/)
    assert.match(at("4:59 monitor[2].sentry.timeZone"), /schedule beside it/)
    assert.match(at("5:25 monitor[3].cronitor.apiKey"), /an API key/)
    assert.match(at("5:15 monitor[3].cronitor.monitor"), /the key of a monitor/)
    assert.match(at("5:42 monitor[3].cronitor.metrics[0]"), /up to 63/)
    assert.match(at("6:5 monitor[4]"), /exactly one of .*; there are healthchecks and ping, which make a list/)
    assert.match(at("7:5 monitor[5]"), /there is none/)
    assert.match(at("8:5 monitor[6]"), /one of healthchecks, .*, found a text of 26 characters/)
    // users may write an address as it is, and at the wrong place
    assert.ok(!lines.join("\n").includes("s3cr3t"), lines.join("\n"))
    assert.match(at("9:11 monitor[7].ping"), /one of the keys start, heartbeat/)
    assert.match(at("9:20 monitor[7].ping.every"), /heartbeat beside it/)
    assert.match(at("9:38 monitor[7].ping.method"), /"GET" or "POST"/)
  }))

it.effect("the JSON Schema for editors takes what the file takes, and refuses keys and values that it refuses", () =>
  Effect.gen(function*() {
    const validate = new Ajv2020({ strict: false, allErrors: true }).compile(jsonSchema())
    const valid = [
      "healthchecks",
      ["cronitor", { sentry: true }],
      { healthchecks: { url: "${HC_URL}", create: true, logs: 0, interrupt: "none", every: "10 minutes" } },
      { sentry: { dsn: "${DSN}", schedule: { value: 2, unit: "hour" }, maxRuntime: 60, failureThreshold: 2 } },
      { cronitor: { apiKey: "${KEY}", monitor: "m", metrics: ["rows"], pace: { count: 1, per: 1 }, drain: 0 } },
      { betterStack: { url: "https://example.com/x", pipeline: ["a", "b"] } },
      { ping: { success: "${HC_URL}", heartbeat: "${HC_URL}", every: 5, method: "POST", timeout: 1, retries: 0 } }
    ]
    const invalid = [
      "pigeon",
      [],
      { healthchecks: { url: "${HC_URL}", evry: 1 } },
      { uptimeKuma: { url: "${HC_URL}", interrupt: "nobody" } },
      { sentry: { dsn: "${DSN}", schedule: { value: 2, unit: "second" } } },
      { ping: { success: "${HC_URL}", method: "PUT" } },
      { cronitor: { monitor: "m" } }
    ]
    const variables = { HC_URL: "https://example.com/x", DSN: "https://abc@example.com/42", KEY: "8f14e45fceea167a" }
    for (const [monitors, isValid] of [[valid, true], [invalid, false]] as const) {
      for (const monitor of monitors) {
        const text = JSON.stringify({ monitor })
        const read = yield* Effect.result(readFile(text, { file: "nightly.json", env: variables }))
        assert.equal(read._tag === "Success", isValid, text)
        assert.equal(validate({ monitor }), isValid, text)
      }
    }
  }))

it.effect("true reads the variables that the JSON Schema names; those that are missing or wrong are mistakes", () =>
  Effect.gen(function*() {
    const valid: Readonly<Record<string, string>> = {
      CRONITOR_API_KEY: "8f14e45fceea167a",
      CRONITOR_MONITOR: "nightly",
      SENTRY_DSN: "https://abc@o0.ingest.sentry.io/42",
      SENTRY_MONITOR_SLUG: "nightly",
      SENTRY_ENVIRONMENT: "staging"
    }
    for (const [name, { description, environment }] of Object.entries(monitors)) {
      const variables = [...description.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, variable]) => variable!)
      const asked = new Set<string>()
      const source = ConfigProvider.fromEnv({
        env: Object.fromEntries(variables.map((variable) => [variable, valid[variable] ?? "https://example.com/x"]))
      })
      const provider = ConfigProvider.make((path) => {
        asked.add(path.join("_"))
        return source.load(path)
      })
      yield* Effect.provideService(
        environment as Effect.Effect<object, unknown>,
        ConfigProvider.ConfigProvider,
        provider
      )
      assert.deepEqual([...asked].toSorted(), variables.toSorted(), name)
    }
    const document = yield* documentOf("monitor: [healthchecks, { cronitor: true }, sentry]")
    const mistakes = yield* Effect.flip(build(document)).pipe(env({ SENTRY_DSN: canary }))
    assert.deepEqual(mistakes.map(({ path, problem }) => `${path.join(".")}: ${problem.expected}`), [
      "monitor.0.healthchecks: the variable HEALTHCHECKS_URL to be set",
      "monitor.1.cronitor: the variable CRONITOR_API_KEY to be set",
      "monitor.1.cronitor: the variable CRONITOR_MONITOR to be set",
      "monitor.2.sentry: the variable SENTRY_DSN to hold a DSN such as https://key@o0.ingest.sentry.io/0"
    ])
    assert.deepEqual(leaks([mistakes]), [])
  }))

it.live("a loaded pipeline tells the file's monitors, and what they are told is explained", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ body: "OK" })
    const text = [
      "pipeline: ./pipeline.ts#pipeline",
      "monitor:",
      "  - healthchecks: { url: \"${HC_URL}\", every: 10 minutes, pipeline: both }",
      `  - ping: { success: ${server.url}/done }`
    ].join("\n")
    const variables = env({ HC_URL: `${server.url}/ping/5bf66975` })
    const loaded = yield* Effect.orDie(loadText(text)).pipe(variables)
    assert.deepEqual(loaded.monitors.map(({ from, ...monitor }) => ({ ...monitor, line: from.position?.line })), [
      {
        name: "healthchecks",
        pipelines: ["both"],
        moves: ["start", "success", "failure"],
        every: 600_000,
        line: 3
      },
      { name: "ping", pipelines: undefined, moves: ["success"], every: undefined, line: 4 }
    ])
    yield* Effect.orDie(runText(text)).pipe(variables)
    assert.deepEqual(server.requests.map(({ path }) => path.replace(/\?.*/, "")).toSorted(), [
      "/done",
      "/ping/5bf66975",
      "/ping/5bf66975/start"
    ])
  }))

test("an address is recognized by its host or its path, and any other is requested on success", () => {
  const uuid = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"
  const key = "b7645b8eb47d4398be9ad16b0dac31cb"
  const known: Readonly<Record<string, ReadonlyArray<string>>> = {
    healthchecks: [
      `https://hc-ping.com/${uuid}`,
      "https://hc-ping.com/fqOOd6-F4MMNuCEnzTU01w/database-backup?create=1",
      `https://checks.example.com/ping/${uuid}`,
      "https://example.com/hc/ping/fqOOd6-F4MMNuCEnzTU01w/database-backup"
    ],
    cronitor: ["https://cronitor.link/p/8f14e45fceea167a/nightly-job?env=staging"],
    betterStack: [
      "https://uptime.betterstack.com/api/v1/heartbeat/Xn3vQ7kTz1",
      "https://betteruptime.com/api/v1/heartbeat/Xn3vQ7kTz1"
    ],
    uptimeKuma: ["https://kuma.example.com/api/push/4Gdp9cHeNu?status=up&msg=OK&ping="],
    sentry: [`https://${key}@o0.ingest.sentry.io/42`, `https://o0.ingest.sentry.io/api/42/cron/nightly/${key}/`],
    ping: [
      "https://watch.example.com/jobs/41?key=x",
      "http://ada:s3cret@example.com/42",
      "https://cronitor.link/abc123"
    ]
  }
  for (const [name, addresses] of Object.entries(known)) {
    for (const address of addresses) {
      const made = monitorAt(address)
      assert.equal(made._tag === "Success" ? made.success.service.name : made.failure.message, name, address)
    }
  }
  for (const wrong of ["", "hc-ping.com/x", `ftp://${canary}`, "https://"]) {
    const made = monitorAt(wrong)
    assert.ok(made._tag === "Failure" && !made.failure.message.includes(canary), wrong)
  }
})
