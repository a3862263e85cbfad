import { Config, ConfigProvider, DateTime, Duration, Effect, Layer, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Pushover } from "../../src/alerters/index.ts"
import { Alert, Alerter, AlerterHooks, type AlertInput, Pipeline, Step } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, formOf, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const accepted = { body: { status: 1, request: "647d2300-702c-4b38-8b2f-d56326ae460b" } }

channelContract(test, {
  channel: "pushover",
  layer: (url, options) =>
    Pushover.layer({
      ...options,
      token: Redacted.make(`a${canary}0123456789`),
      user: Redacted.make(`u${canary}0123456789`),
      baseUrl: url
    }),
  accepted,
  readsBody: false,
  read: formOf
})

const at = DateTime.makeUnsafe("2026-11-23T12:40:12.345Z")
const alert = sample.with({ at })

const started = (options: Partial<Pushover.PushoverOptions> = {}, reply: Reply = accepted) =>
  Effect.gen(function*() {
    const server = yield* channelServer(reply)
    const posting = yield* postingTo(
      server,
      Pushover.layer({
        token: Redacted.make("app1"),
        user: Redacted.make("user1"),
        baseUrl: `${server.url}/`,
        timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
        pace: [],
        delay: 0,
        ...options
      })
    )
    return { ...posting, reply: server.reply }
  })

it.live("Pushover gets an alert as a message", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({ device: "phone", sound: "siren" })
    const { form, headers, method, path } = yield* sent(alert)
    assert.equal(`${method} ${path}`, "POST /1/messages.json")
    assert.equal(headers["content-type"], "application/x-www-form-urlencoded")
    assert.deepEqual(form, {
      token: "app1",
      user: "user1",
      title: "❌ nightly › load failed",
      message: [
        "Error: no such bucket",
        "pipeline: nightly\nstep: load\nrows: 1461",
        "Error: no such bucket\n    at load (etl.ts:12:3)",
        "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"
      ].join("\n\n"),
      priority: "1",
      timestamp: "1795437612",
      device: "phone",
      sound: "siren"
    })
  }))

it.live("severities set the priority, and that of emergencies how often and for how long they are repeated", () =>
  Effect.gen(function*() {
    const outcome = (severity: Alert["severity"], options: Partial<Pushover.PushoverOptions> = {}) =>
      Effect.gen(function*() {
        const { sent } = yield* started(options)
        const { form } = yield* sent(Alert.make({ title: "t", severity, at }))
        return [form["priority"], form["retry"], form["expire"]]
      })
    const none = [undefined, undefined]
    assert.deepEqual(yield* outcome("info"), ["-1", ...none])
    assert.deepEqual(yield* outcome("success"), ["-1", ...none])
    assert.deepEqual(yield* outcome("warning"), ["0", ...none])
    assert.deepEqual(yield* outcome("error"), ["1", ...none])
    assert.deepEqual(yield* outcome("critical"), ["2", "60", "3600"])
    assert.deepEqual(yield* outcome("critical", { priorities: { critical: 1 } }), ["1", ...none])
    assert.deepEqual(yield* outcome("error", { priorities: { error: 2 }, retry: "2 minutes", expire: "2 hours" }), [
      "2",
      "120",
      "7200"
    ])
    assert.deepEqual(yield* outcome("critical", { retry: 1, expire: "1 day" }), ["2", "30", "10800"])
  }))

it.live("the first link is that of the message, and others are lines of its text", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const linked = alert.with({
      url: "https://ci.example/runs/1",
      actions: [{ label: "Runbook", url: "https://wiki.example/load" }, { label: "Log", url: "file:///var/log" }]
    })
    const { form } = yield* sent(linked)
    assert.deepEqual([form["url"], form["url_title"]], ["https://ci.example/runs/1", "Open"])
    assert.match(form["message"]!, /\n\nRunbook: https:\/\/wiki\.example\/load\n\n/)
    assert.match(form["message"]!, /\nLog: file:\/\/\/var\/log\n/)
    const { form: ofAction } = yield* sent(linked.with({ url: undefined }))
    assert.deepEqual([ofAction["url"], ofAction["url_title"]], ["https://wiki.example/load", "Runbook"])
  }))

const tagged = /^\/1\/receipts\/cancel_by_tag\/([0-9a-f]{40})\.json$/

it.live("a recovery or an acknowledgement ends the emergencies of its key", () =>
  Effect.gen(function*() {
    const { post, requests, sent } = yield* started()
    const critical = alert.with({ severity: "critical" })
    const tag = (yield* sent(critical)).form["tags"]
    assert.match(tag!, /^[0-9a-f]{40}$/)
    assert.equal((yield* sent(critical)).form["tags"], tag)
    assert.notEqual((yield* sent(critical.with({ dedupeKey: "nightly/store" }))).form["tags"], tag)
    assert.equal((yield* sent(critical.with({ dedupeKey: undefined }))).form["tags"], undefined)
    const paths = (alert: Alert) =>
      Effect.map(post(alert), () => requests.splice(0).map(({ form, path }) => [path, form["token"], form["user"]]))
    requests.splice(0)
    const cancel = [`/1/receipts/cancel_by_tag/${tag}.json`, "app1", undefined]
    const message = ["/1/messages.json", "app1", "user1"]
    assert.deepEqual(yield* paths(alert.with({ severity: "success" })), [cancel, message])
    const quiet = alert.with({ severity: "success", quiet: true })
    // quietly only what the same process has sent, and not ended
    assert.deepEqual(yield* paths(quiet), [])
    yield* paths(critical)
    assert.deepEqual(yield* paths(quiet), [cancel])
    assert.deepEqual(yield* paths(quiet), [])
    assert.deepEqual(yield* paths(alert.with({ severity: "info", tags: ["acknowledged"] })), [cancel, message])
    assert.deepEqual(yield* paths(alert.with({ severity: "success", resolves: false })), [message])
    assert.deepEqual(yield* paths(alert.with({ severity: "success", dedupeKey: undefined })), [message])
  }))

it.live("a step that is well again ends its emergencies at the end of the run, without a message", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const pushover = Pushover.layer({
      token: Redacted.make("app1"),
      user: Redacted.make("user1"),
      baseUrl: server.url,
      priorities: { error: 2 },
      pace: []
    })
    const run = (body: Effect.Effect<void, string>) =>
      Pipeline.make("nightly", Step.make("load", body).pipe(Step.hooks(AlerterHooks.all)))
        .pipe(
          Effect.provide(pushover),
          Effect.exit
        )
    yield* run(Effect.fail("disk full"))
    const tag = server.requests.at(-1)!.form["tags"]
    yield* run(Effect.void)
    const cancelled = server.requests.map(({ path }) => tagged.exec(path)?.[1]).filter(Boolean)
    assert.deepEqual(cancelled, [tag])
  }))

it.effect("at the end of a run, the many steps that are well wait for no pace", () =>
  Effect.gen(function*() {
    let requests = 0
    const client = HttpClient.make((request) =>
      Effect.sync(() => {
        requests++
        return HttpClientResponse.fromWeb(request, Response.json({ status: 1 }))
      })
    )
    const pushover = Pushover.layer({ token: Redacted.make("app1"), user: Redacted.make("user1") })
    const posting = Effect.flatMap(Alerter, ({ post }) =>
      Effect.forEach(
        Array.from({ length: 500 }, (_, i) => alert.with({ severity: "success", quiet: true, dedupeKey: `step ${i}` })),
        post
      ))
    // on a clock that stands still
    yield* Effect.provide(posting, Layer.provide(pushover, Layer.succeed(HttpClient.HttpClient, client)))
    assert.equal(requests, 0)
  }))

it.live("without emergencies nothing is ended, and one that is over is no error", () =>
  Effect.gen(function*() {
    const recovery = alert.with({ severity: "success" })
    const { post, requests } = yield* started({ priorities: { critical: 1 } })
    yield* post(recovery)
    yield* post(recovery.with({ quiet: true }))
    assert.deepEqual(requests.map(({ path }) => path), ["/1/messages.json"])
    const over = yield* started({}, ({ path }) => tagged.test(path) ? { status: 404, body: { status: 0 } } : accepted)
    yield* over.post(recovery)
    assert.equal(over.requests.length, 2)
    const down = yield* started({ retries: 0 }, ({ path }) => tagged.test(path) ? { status: 500 } : accepted)
    assert.equal((yield* Effect.flip(down.post(recovery))).reason._tag, "Rejected")
  }))

const assertWithinLimits = (form: Readonly<Record<string, string>>) => {
  const { message = "", title = "", url = "", url_title = "" } = form
  assert.ok(message !== "" && message.length <= 1024 && title.length <= 250, `${message.length} and ${title.length}`)
  assert.ok(url.length <= 512 && url_title.length <= 100 && (url === "") === (url_title === ""))
  for (const text of Object.values(form)) {
    assert.ok(text.isWellFormed() && !/\p{Cc}/u.test(text.replace(/[\n\t]/g, "")), text)
  }
}

it.live("a detail of 5 MB is cut in its middle, and all other parts arrive", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { form } = yield* sent(alert.with({ detail: hugeDetail(), title: "🔥".repeat(2000) }))
    assertWithinLimits(form)
    assert.match(form["title"]!, /^❌ (🔥)+…$/u)
    assert.match(
      form["message"]!,
      /^Error: no such bucket\n\npipeline: nightly\nstep: load\nrows: 1461\n\nError: BEGINNING\n[\s\S]*… \d{7} characters left out …[\s\S]*at END\n\n2026-11-23 13:40:12 Europe\/Berlin \(UTC\+01:00\)$/
    )
  }))

it.live("any alert becomes a message within the limits", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    yield* forAll(AnyAlert, (input) =>
      Effect.map(sent(alertOf(input)), ({ form }) => {
        assertWithinLimits(form)
        assert.ok(form["message"]!.endsWith("2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"))
      }), 60)
  }))

it.live("a refusal's detail is Pushover's error message, and used up messages say when there are more", () =>
  Effect.gen(function*() {
    const refusal = (reply: Reply, changes: Partial<AlertInput> = {}) =>
      Effect.gen(function*() {
        const { post } = yield* started({ retries: 0 }, reply)
        return { ...(yield* Effect.flip(post(alert.with(changes)))).reason }
      })
    const errors = ["application token is invalid, see https://pushover.net/api", "user is blank"]
    assert.deepEqual(yield* refusal({ status: 400, body: { token: "invalid", errors, status: 0 } }), {
      _tag: "Rejected",
      status: 400,
      detail: "application token is invalid, see <url>; user is blank"
    })
    const reset = String(Math.floor(Date.now() / 1000) + 86_400)
    const limited = yield* refusal({ status: 429, headers: { "x-limit-app-reset": reset } })
    assert.ok(limited._tag === "RateLimited" && Math.abs(Duration.toHours(limited.retryAfter!) - 24) < 0.1)
    const soon = yield* refusal({ status: 429, headers: { "x-limit-app-reset": reset, "retry-after": "9" } })
    assert.ok(soon._tag === "RateLimited" && Duration.toSeconds(soon.retryAfter!) === 9)
    for (const value of ["x", "-1", "0", "Infinity"]) {
      const unknown = yield* refusal({ status: 429, headers: { "x-limit-app-reset": value } })
      assert.deepEqual(unknown, { _tag: "RateLimited", retryAfter: undefined })
    }
  }))

it.live("layerConfig reads the token and the user from the environment, or from a config", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const post = (layer: Layer.Layer<Alerter, Config.ConfigError>, env: Record<string, string>) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(
        Effect.provide(Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
      )
    const given = Pushover.layerConfig({
      token: Config.Redacted("TOKEN"),
      user: Config.Redacted("GROUP"),
      baseUrl: Config.succeed(server.url)
    })
    yield* post(given, { TOKEN: "a", GROUP: "g" })
    assert.deepEqual([server.requests[0]?.form["token"], server.requests[0]?.form["user"]], ["a", "g"])
    assert.match(String(yield* Effect.flip(post(Pushover.layerConfig(), { PUSHOVER_TOKEN: "a" }))), /PUSHOVER_USER/)
  }))
