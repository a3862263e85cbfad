import { Config, ConfigProvider, DateTime, Effect, Fiber, Layer, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Alertmanager } from "../../src/alerters/index.ts"
import { Alert, Alerter, type AlertInput } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

channelContract(test, {
  channel: "alertmanager",
  layer: (url, options) => Alertmanager.layer({ ...options, url, token: Redacted.make(`${canary}012345`) }),
  accepted: {},
  readsBody: false
})

const at = DateTime.makeUnsafe("2026-11-23T12:40:12.345Z")

const started = (options: Partial<Alertmanager.AlertmanagerOptions> = {}, reply: Reply = {}) =>
  Effect.gen(function*() {
    const server = yield* channelServer(reply)
    const timeZone = DateTime.zoneMakeNamedUnsafe("Europe/Berlin")
    return yield* postingTo(server, Alertmanager.layer({ url: `${server.url}/am/`, timeZone, ...options }))
  })

/** Answers with these open alerts, and accepts posts. */
const withOpen = (...open: ReadonlyArray<unknown>): Reply => ({ method }) => method === "GET" ? { body: open } : {}

const labels = { alertname: "nightly", pipeline: "nightly", step: "load", dedupe_key: "nightly/load" }

/** An alert of {@link sample} as the server returns it. */
const openAlert = (changes: object = {}, more: object = {}) => ({
  labels: { ...labels, severity: "error", ...changes },
  annotations: { summary: "nightly › load failed" },
  startsAt: "2026-11-22T00:00:00.000Z",
  endsAt: "2026-11-24T00:00:00.000Z",
  generatorURL: "",
  fingerprint: "0123456789abcdef",
  ...more
})

it.live("a failure fires an alert", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({ labels: { team: "data", empty: "" } })
    const { headers, json, method, path } = yield* sent(sample.with({
      at,
      url: "https://ci.example.com/1",
      actions: [{ label: "Runbook", url: "https://wiki.example.com/load" }]
    }))
    assert.equal(`${method} ${path}`, "POST /am/api/v2/alerts")
    assert.equal(headers["content-type"], "application/json")
    const [{ endsAt, ...alert }, ...others] = json
    assert.equal(others.length, 0)
    assert.deepEqual(alert, {
      labels: { ...labels, severity: "error", team: "data" },
      annotations: {
        summary: "nightly › load failed",
        description: "Error: no such bucket",
        detail: "Error: no such bucket\n    at load (etl.ts:12:3)",
        run: "nightly-2026-11-23",
        run_id: "7f6c2b9e-3c55-4a4e-9d6b-0b6a3c1d2e4f",
        attempt: "1",
        tags: "NoSuchBucket",
        time: "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)",
        runbook_url: "https://wiki.example.com/load",
        rows: "1461"
      },
      startsAt: "2026-11-23T12:40:12.345Z",
      generatorURL: "https://ci.example.com/1"
    })
    // from the post on, however old the failure is
    assert.ok(Math.abs(Date.parse(endsAt) - Date.now() - 86_400_000) < 60_000, endsAt)
  }))

it.live("the labels of a step are the same for each failure, and tell steps and keys apart", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({ alertname: "Job" })
    const labelsOf = (changes: Partial<AlertInput>) =>
      Effect.map(sent(sample.with(changes)), ({ json }) => JSON.stringify(json[0].labels))
    const source = { ...sample.source!, stepPath: ["a", "b"], stepKey: "7", stepLabels: ["a", "b[7]"] }
    const first = yield* labelsOf({ source, dedupeKey: "nightly/a/b[7]" })
    assert.deepEqual(JSON.parse(first), {
      alertname: "Job",
      pipeline: "nightly",
      step: "a/b",
      key: "7",
      dedupe_key: "nightly/a/b[7]",
      severity: "error"
    })
    const again = {
      title: "failed again",
      detail: "x",
      tags: ["T"],
      dedupeKey: "nightly/a/b[7]",
      source: { ...source, runId: "2", runName: "two", attempt: 3 }
    }
    assert.equal(yield* labelsOf(again), first)
    const long = "k".repeat(300)
    assert.notEqual(yield* labelsOf({ dedupeKey: `${long}a` }), yield* labelsOf({ dedupeKey: `${long}b` }))
    assert.match(yield* labelsOf({ source: undefined, dedupeKey: undefined, title: "disk" }), /"dedupe_key":"disk"/)
  }))

it.live("severities decide whether an alert fires, ends what is open or is a note", () =>
  Effect.gen(function*() {
    const { post, requests } = yield* started({}, withOpen(openAlert()))
    const outcome = (severity: Alert["severity"], dedupeKey: string | undefined, changes: Partial<AlertInput> = {}) =>
      Effect.map(post(sample.with({ severity, dedupeKey, at, ...changes })), () => {
        const posts = requests.splice(0).filter(({ method }) => method === "POST")
        return posts.map(({ json: [{ endsAt, labels }] }) =>
          [
            labels.severity,
            endsAt === undefined ? "note" : Date.parse(endsAt) > Date.now() ? "fires" : "ended"
          ].join(" ")
        ).join()
      })
    for (const severity of ["warning", "error", "critical"] as const) {
      assert.equal(yield* outcome(severity, "nightly/load"), `${severity} fires`)
      assert.equal(yield* outcome(severity, undefined), `${severity} fires`)
    }
    assert.equal(yield* outcome("success", "nightly/load"), "error ended")
    assert.equal(yield* outcome("info", "nightly/load", { resolves: true }), "error ended")
    assert.equal(yield* outcome("success", "nightly/load", { resolves: false }), "")
    assert.equal(yield* outcome("success", undefined), "info note")
    assert.equal(yield* outcome("info", "nightly/load"), "info note")
    const silent = yield* started({ notes: false })
    yield* silent.post(Alert.make("loaded"))
    assert.equal(silent.requests.length, 0)
  }))

it.live("a recovery asks for what is open, ends that and keeps its annotations", () =>
  Effect.gen(function*() {
    const recovery = sample.with({ severity: "success", title: "nightly › load recovered", at })
    const open = [
      openAlert(),
      openAlert({ severity: "critical" }, { startsAt: "2026-11-23T13:00:00.000Z", generatorURL: "https://ci.test/" }),
      openAlert({ dedupe_key: "nightly/store" }),
      openAlert({ env: "staging" }),
      openAlert({ team: "web" })
    ]
    const { post, requests } = yield* started({}, withOpen(...open))
    yield* post(recovery)
    const [asked, ended, ...others] = requests
    assert.equal(others.length, 0)
    assert.equal(
      `${asked?.method} ${decodeURIComponent(asked?.path ?? "")}`,
      "GET /am/api/v2/alerts?filter=dedupe_key=\"nightly/load\""
    )
    const annotations = { summary: "nightly › load failed", recovery: "nightly › load recovered" }
    assert.deepEqual(ended?.json, [
      {
        labels: { ...labels, severity: "error" },
        annotations,
        startsAt: "2026-11-22T00:00:00.000Z",
        endsAt: "2026-11-23T12:40:12.345Z"
      },
      {
        labels: { ...labels, severity: "critical" },
        annotations,
        startsAt: "2026-11-23T13:00:00.000Z",
        // the recovery's clock is behind
        endsAt: "2026-11-23T13:00:00.000Z",
        generatorURL: "https://ci.test/"
      }
    ])
    const ofTeam = yield* started({ labels: { team: "web" } }, withOpen(...open))
    assert.deepEqual((yield* ofTeam.sent(recovery)).json.map(({ labels }: typeof open[0]) => labels), [open[4]?.labels])
    const nothing = yield* started({}, withOpen(open[2]))
    assert.equal((yield* nothing.sent(recovery)).method, "GET")
    // an alert without a source, as of `epilogue alert`, has another title when it is well again
    const unnamed = { alertname: "backup", dedupe_key: "backup", severity: "error" }
    const other = yield* started({}, withOpen(openAlert({}, { labels: unnamed })))
    const well = Alert.make({ title: "fine", severity: "success", dedupeKey: "backup" })
    assert.deepEqual((yield* other.sent(well)).json[0].labels, unnamed)
  }))

it.live("a recovery ends every severity where the server does not tell what is open", () =>
  Effect.gen(function*() {
    const severities = (get: Reply) =>
      Effect.gen(function*() {
        const { sent } = yield* started(
          { retries: 0 },
          (request) => request.method === "POST" ? {} : typeof get === "function" ? get(request) : get
        )
        const { json } = yield* sent(sample.with({ severity: "success", at }))
        assert.ok(json.every(({ endsAt }: { endsAt: string }) => endsAt === "2026-11-23T12:40:12.345Z"))
        return json.map(({ labels }: ReturnType<typeof openAlert>) => labels.severity).join(" ")
      })
    for (const get of [{ status: 403 }, { status: 405 }, { body: "<html>" }, { body: [{}] }, { body: {} }]) {
      assert.equal(yield* severities(get), "warning error critical info", JSON.stringify(get))
    }
    const { post, requests } = yield* started({ retries: 0 }, { status: 503 })
    assert.equal((yield* Effect.flip(post(sample.with({ severity: "success" })))).reason._tag, "Rejected")
    assert.deepEqual(requests.map(({ method }) => method), ["GET"])
  }))

it.live("an alert goes to all instances of a cluster, and has arrived where one accepts it", () =>
  Effect.gen(function*() {
    const servers = yield* Effect.all([
      channelServer({}),
      channelServer({ status: 503 }),
      channelServer({ status: 401 })
    ])
    const gone = yield* Effect.scoped(channelServer())
    const post = (urls: ReadonlyArray<string>, retries = 1) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(sample)).pipe(
        Effect.provide(Alertmanager.layer({ url: urls, retries, delay: "1 millis" })),
        Effect.result,
        Effect.map((result) => ({
          reason: result._tag === "Failure" ? result.failure.reason : undefined,
          requests: servers.map(({ requests }) => requests.splice(0).length)
        }))
      )
    const [up, down, closed] = servers.map(({ url }) => url) as [string, string, string]
    assert.deepEqual(yield* post([gone.url, down, up]), { reason: undefined, requests: [1, 1, 0] })
    assert.deepEqual(yield* post([up, up]), { reason: undefined, requests: [2, 0, 0] })
    const failed = yield* post([down, closed])
    assert.equal(failed.reason?._tag, "Rejected")
    // once, and then with the retries of a single server
    assert.deepEqual(failed.requests, [0, 3, 2])
    assert.deepEqual((yield* post([down], 0)).requests, [0, 1, 0])
    assert.deepEqual((yield* post([closed, closed])).requests, [0, 0, 2])
  }))

it.effect("an instance that does not answer holds up an alert that another one has accepted for 2 seconds", () =>
  Effect.gen(function*() {
    const hosts: Array<string> = []
    const client = Layer.succeed(
      HttpClient.HttpClient,
      HttpClient.make((request) => {
        const { host } = new URL(request.url)
        hosts.push(host)
        return host === "hangs.test"
          ? Effect.never
          : Effect.succeed(HttpClientResponse.fromWeb(request, new Response("")))
      })
    )
    const url = ["http://hangs.test", "http://up.test"]
    const posting = yield* Effect.flatMap(Alerter, ({ post }) => Effect.andThen(post(sample), post(sample))).pipe(
      Effect.provide(Layer.provide(Alertmanager.layer({ url }), client)),
      Effect.forkChild
    )
    yield* TestClock.adjust("2 seconds")
    assert.equal(posting.pollUnsafe(), undefined)
    yield* TestClock.adjust("2 seconds")
    yield* Fiber.join(posting)
    assert.deepEqual(hosts.toSorted(), ["hangs.test", "hangs.test", "up.test", "up.test"])
  }))

it.effect("an alert ends resolveAfter its post, however long it has waited, and in a year of four digits", () =>
  Effect.gen(function*() {
    const bodies: Array<string> = []
    const client = Layer.succeed(
      HttpClient.HttpClient,
      HttpClient.make((request) =>
        Effect.sync(() => {
          if (request.body._tag === "Uint8Array") bodies.push(new TextDecoder().decode(request.body.body))
          return HttpClientResponse.fromWeb(request, new Response(""))
        })
      )
    )
    const posted = (resolveAfter: Alertmanager.AlertmanagerOptions["resolveAfter"]) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(sample.with({ at: DateTime.makeUnsafe(0) }))).pipe(
        Effect.provide(Layer.provide(Alertmanager.layer({ url: "http://a.test", resolveAfter }), client)),
        Effect.map(() => JSON.parse(bodies.pop()!)[0])
      )
    yield* TestClock.adjust("3 days")
    const { endsAt, startsAt } = yield* posted("1 hour")
    assert.deepEqual([startsAt, endsAt], ["1970-01-01T00:00:00.000Z", "1970-01-04T01:00:00.000Z"])
    const fiber = yield* Effect.forkChild(posted("Infinity"))
    assert.equal((yield* Fiber.join(fiber)).endsAt, "2069-12-10T00:00:00.000Z")
  }))

it.live("any alert becomes one within the limits, and a detail of 5 MB is cut", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    yield* forAll(AnyAlert, (input) =>
      Effect.map(sent(alertOf(input).with({ severity: "error" })), ({ body, json: [{ annotations, labels }] }) => {
        assert.ok(Buffer.byteLength(body) <= 55_000)
        for (const [name, value] of Object.entries({ ...annotations, ...labels }) as Array<[string, string]>) {
          assert.match(name, /^[a-zA-Z_][a-zA-Z0-9_]*$/)
          assert.ok(value !== "" && value.isWellFormed())
        }
        for (const value of Object.values(labels) as Array<string>) {
          assert.ok(value.length <= 255)
        }
      }), 60)
    const { annotations } = (yield* sent(sample.with({ detail: hugeDetail() }))).json[0]
    assert.match(annotations.detail, /^Error: BEGINNING\n[\s\S]*… \d{7} characters left out …[\s\S]*at END$/)
    assert.equal(annotations.description, sample.body)
  }))

it.live("a refusal's detail is Alertmanager's text, and a token that is no header is refused", () =>
  Effect.gen(function*() {
    const detail = (body: unknown) =>
      Effect.gen(function*() {
        const { post } = yield* started({}, { status: 400, body })
        const { reason } = yield* Effect.flip(post(sample))
        return reason._tag === "Rejected" ? reason.detail : reason._tag
      })
    assert.equal(yield* detail("\"invalid label set\"\n"), "invalid label set")
    assert.equal(yield* detail({ code: 601, message: "labels in body is required" }), "labels in body is required")
    const { post, requests } = yield* started({ token: Redacted.make("a\nb") })
    assert.match((yield* Effect.flip(post(sample))).message, /can't be sent in a header/)
    assert.equal(requests.length, 0)
  }))

it.live("neither the login nor its parts are in an error that quotes them", () =>
  Effect.gen(function*() {
    const login = "jobs:0penS3same!"
    const { post } = yield* started(
      { basicAuth: Redacted.make(login) },
      ({ headers }) => ({ status: 400, body: `no ${headers.authorization} ${login} 0penS3same!` })
    )
    const { message } = yield* Effect.flip(post(sample))
    assert.match(message, /no /)
    for (const secret of [login, "0penS3same!", Buffer.from(login).toString("base64")]) {
      assert.ok(!message.includes(secret), message)
    }
  }))

it.live("layerConfig reads addresses and a login from variables, or from a config", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({})
    const post = (layer: Layer.Layer<Alerter, Config.ConfigError>, env: Record<string, string>) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(sample)).pipe(
        Effect.provide(Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env })))),
        Effect.map(() => server.requests.splice(0).map(({ headers }) => headers.authorization))
      )
    const ALERTMANAGER_URL = `${server.url}/a, ${server.url}/b`
    const basic = `Basic ${Buffer.from("jöbs:p:w").toString("base64")}`
    const layer = Alertmanager.layerConfig()
    assert.deepEqual(yield* post(layer, { ALERTMANAGER_URL }), [undefined, undefined])
    assert.deepEqual(yield* post(layer, { ALERTMANAGER_URL, ALERTMANAGER_BASIC_AUTH: "jöbs:p:w" }), [basic, basic])
    const both = { ALERTMANAGER_URL: server.url, ALERTMANAGER_TOKEN: "t", ALERTMANAGER_BASIC_AUTH: "a:b" }
    assert.deepEqual(yield* post(layer, both), ["Bearer t"])
    const given = Alertmanager.layerConfig({ url: Config.String("AM"), labels: { team: Config.succeed("x") } })
    assert.deepEqual(yield* post(given, { AM: server.url }), [undefined])
    assert.match(String(yield* Effect.flip(post(layer, {}))), /ALERTMANAGER_URL/)
  }))
