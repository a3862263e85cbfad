import { Config, ConfigProvider, Deferred, Duration, Effect, Exit, Fiber, Layer, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Slack } from "../../src/alerters/index.ts"
import { Alert, Alerter, type Severity } from "../../src/index.ts"
import { canary, leaks } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { type Answer, type ChannelServer, channelServer, type Received, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { inSlack, titleInSlack } from "../support/slackReceivers.ts"

const it = makeIt(test)

const token = Redacted.make(`xoxb-1-2-${canary}`)

channelContract(test, {
  channel: "slack",
  layer: (baseUrl, options) => Slack.layerBot({ ...options, token, channel: "C1", baseUrl }),
  accepted: { body: { ok: true, channel: "C1", ts: "1.0" } },
  readsBody: true
})

const refused = (error: string, more: object = {}): Answer => ({ body: { ok: false, error, ...more } })

/** Accepts every message, with the ids `1.0`, `2.0` and so on. */
const accepting = (): Reply => {
  let messages = 0
  return () => ({ body: { ok: true, channel: "C1", ts: `${++messages}.0` } })
}

const bot = ({ url }: ChannelServer, more: Partial<Slack.BotOptions> = {}) =>
  Slack.layerBot({ token, channel: "C1", baseUrl: url, retries: 0, pace: [], ...more })

const post = (alert: Alert | string) => Effect.flatMap(Alerter, (alerter) => alerter.post(alert))

const of = (runId: string, title = "x", severity: Severity = "info") =>
  Alert.make({ title, severity, source: { pipeline: "p", runId, runName: "r", stepPath: [] } })

/** Returns the title of a message, and the thread it was posted to. */
const went = ({ json }: Received): string =>
  `${titleInSlack(json)} ${json.thread_ts ?? "channel"}${json.reply_broadcast === true ? " +channel" : ""}`

// -----------------------------------------------------------------------------
// requests and answers
// -----------------------------------------------------------------------------

it.live("a bot calls chat.postMessage with its token", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepting())
    yield* Effect.provide(post(sample), bot(server, { baseUrl: `${server.url}/api/` }))
    const { headers, json, method, path } = server.requests[0]!
    assert.deepEqual([method, path], ["POST", "/api/chat.postMessage"])
    assert.equal(headers.authorization, `Bearer ${Redacted.value(token)}`)
    assert.equal(headers["content-type"], "application/json; charset=utf-8")
    const { attachments, blocks, text, ...rest } = json
    assert.deepEqual(rest, {
      channel: "C1",
      parse: "none",
      link_names: false,
      unfurl_links: false,
      unfurl_media: false
    })
    assert.match(text, /^:x: `nightly › load failed`\n/)
    assert.match(
      inSlack({ attachments, blocks, text }).text,
      /^:x: nightly › load failed\nError: no such bucket\npipeline: nightly\n/
    )
  }))

const against = (replies: ReadonlyArray<Reply>, options: Partial<Slack.BotOptions> = {}) =>
  Effect.gen(function*() {
    const server = yield* channelServer(...replies)
    const result = yield* Effect.result(Effect.provide(post("x"), bot(server, { delay: "1 millis", ...options })))
    const requests = server.requests.length
    return result._tag === "Failure" ? { ...result.failure.reason, requests } : { _tag: "Success", requests }
  })

it.live("error codes of answers with ok: false become reasons", () =>
  Effect.gen(function*() {
    for (const error of ["not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired"]) {
      const answer = yield* against([refused(error), accepting()], { retries: 3 })
      assert.deepEqual(answer, { _tag: "Unauthorized", detail: error, requests: 1 })
    }
    for (const error of ["not_in_channel", "channel_not_found", "is_archived", "msg_too_long", "new_error"]) {
      const answer = yield* against([refused(error), accepting()], { retries: 3 })
      assert.deepEqual(answer, { _tag: "Rejected", status: 200, detail: error, requests: 1 })
    }
    for (const error of ["internal_error", "fatal_error", "service_unavailable", "request_timeout"]) {
      assert.deepEqual(yield* against([refused(error), accepting()], { retries: 3 }), { _tag: "Success", requests: 2 })
      assert.deepEqual(yield* against([refused(error)], { retries: 1 }), {
        _tag: "Unreachable",
        detail: error,
        requests: 2
      })
    }
  }))

it.live("the detail of an error names the missing scope and the mistakes in blocks", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* against([refused("missing_scope", { needed: "chat:write", provided: "" })]), {
      _tag: "Unauthorized",
      detail: "missing_scope (needed: chat:write)",
      requests: 1
    })
    const messages = ["[ERROR] must be less than 3001 characters", 1]
    assert.deepEqual(yield* against([refused("invalid_blocks", { response_metadata: { messages } })]), {
      _tag: "Rejected",
      status: 200,
      detail: "invalid_blocks [ERROR] must be less than 3001 characters",
      requests: 1
    })
  }))

it.live("after ratelimited, the next attempt waits as long as Slack says", () =>
  Effect.gen(function*() {
    const limited: Answer = { ...refused("ratelimited"), headers: { "retry-after": "0.2" } }
    const [elapsed, answer] = yield* Effect.timed(against([limited, accepting()], { retries: 1 }))
    assert.deepEqual(answer, { _tag: "Success", requests: 2 })
    assert.ok(Duration.toMillis(elapsed) >= 190)
    assert.deepEqual(yield* against([limited]), {
      _tag: "RateLimited",
      retryAfter: Duration.millis(200),
      requests: 1
    })
    assert.deepEqual(yield* against([refused("rate_limited"), accepting()], { retries: 1 }), {
      _tag: "Success",
      requests: 2
    })
  }))

it.live("an answer with status 200 that is not Slack's is an error", () =>
  Effect.gen(function*() {
    const rejected = (detail: string) => ({ _tag: "Rejected", status: 200, detail, requests: 1 })
    assert.deepEqual(yield* against([{ body: "sign in" }]), rejected("no answer of Slack's: sign in"))
    assert.deepEqual(yield* against([{ body: [1] }]), rejected("no answer of Slack's: [1]"))
    assert.deepEqual(yield* against([{ body: { ok: "yes" } }]), rejected("no answer of Slack's: {\"ok\":\"yes\"}"))
    assert.deepEqual(yield* against([{ body: { ok: false, error: 1, response_metadata: 2 } }]), {
      ...rejected("no answer of Slack's: {\"ok\":false,\"error\":1,\"response_metadata\":2}")
    })
    assert.deepEqual(yield* against([{}]), rejected("no answer of Slack's:"))
  }))

it.live("no error contains the token, even if the answer quotes it", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(({ headers }) => refused(`invalid ${headers.authorization}`))
    const exit = yield* Effect.exit(Effect.provide(post(`leaked: ${Redacted.value(token)}`), bot(server)))
    assert.ok(Exit.isFailure(exit))
    assert.deepEqual(leaks([exit, server.requests[0]!.body]), [])
  }))

// -----------------------------------------------------------------------------
// threads
// -----------------------------------------------------------------------------

it.live("a run has one thread, and replies of severity error and critical are shown in the channel too", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepting())
    yield* Effect.provide(
      Effect.forEach([
        of("a", "first", "critical"),
        of("b", "other", "error"),
        of("a", "second"),
        Alert.make("outside"),
        of("a", "third", "error"),
        of("b", "fourth", "critical"),
        of("a", "fifth", "warning")
      ], post),
      bot(server)
    )
    assert.deepEqual(server.requests.map(went), [
      "first channel",
      "other channel",
      "second 1.0",
      "outside channel",
      "third 1.0 +channel",
      "fourth 2.0 +channel",
      "fifth 1.0"
    ])
  }))

it.live("threads: false posts every alert by itself", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepting())
    const layer = bot(server, { threads: false })
    yield* Effect.provide(Effect.forEach([of("a", "one"), of("a", "two", "error")], post), layer)
    assert.deepEqual(server.requests.map(went), ["one channel", "two channel"])
  }))

it.live("concurrent alerts of a run open one thread", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepting())
    const alerts = Array.from({ length: 20 }, (_, i) => of(i % 2 === 0 ? "a" : "b", i % 2 === 0 ? "a" : "b"))
    yield* Effect.provide(Effect.forEach(alerts, post, { concurrency: "unbounded" }), bot(server))
    for (const run of ["a", "b"]) {
      const places = server.requests.map(went).filter((place) => place.startsWith(run))
      const opened = server.requests.findIndex((request) => went(request) === `${run} channel`) + 1
      assert.equal(places.length, 10)
      assert.deepEqual(new Set(places.slice(1)), new Set([`${run} ${opened}.0`]))
    }
  }))

it.live("if the first alert of a run fails, the next opens the thread", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(refused("msg_too_long"), accepting())
    const alerts = ["1", "2", "3", "4"].map((title) => of("a", title))
    const results = yield* Effect.provide(
      Effect.forEach(alerts, (alert) => Effect.result(post(alert)), { concurrency: "unbounded" }),
      bot(server)
    )
    assert.deepEqual(results.map(({ _tag }) => _tag), ["Failure", "Success", "Success", "Success"])
    assert.deepEqual(server.requests.map(went).slice(0, 2), ["1 channel", "2 channel"])
    assert.deepEqual(server.requests.map(went).slice(2).toSorted(), ["3 1.0", "4 1.0"])
  }))

it.live("if the first alert of a run is interrupted, the next opens the thread", () =>
  Effect.gen(function*() {
    const asked = yield* Deferred.make<void>()
    const server = yield* channelServer(() => {
      Deferred.doneUnsafe(asked, Effect.void)
      return "hang"
    }, accepting())
    yield* Effect.gen(function*() {
      const first = yield* Effect.forkChild(post(of("a", "1")))
      yield* Deferred.await(asked)
      const second = yield* Effect.forkChild(post(of("a", "2")))
      yield* Fiber.interrupt(first)
      yield* Fiber.join(second)
      yield* post(of("a", "3"))
    }).pipe(Effect.provide(bot(server, { timeout: "1 second" })))
    assert.deepEqual(server.requests.map(went), ["1 channel", "2 channel", "3 1.0"])
  }))

it.live("if the thread was deleted or locked, the next alert opens another", () =>
  Effect.gen(function*() {
    for (const error of ["thread_not_found", "restricted_action_thread_locked", "cannot_reply_to_message"]) {
      const ok = accepting()
      const server = yield* channelServer(ok, refused(error), ok)
      yield* Effect.provide(Effect.forEach(["1", "2", "3"], (title) => post(of("a", title, "error"))), bot(server))
      assert.deepEqual(server.requests.map(went), ["1 channel", "2 1.0 +channel", "2 channel", "3 2.0 +channel"])
    }
  }))

it.live("if Slack posts a reply outside of its thread, later alerts reply to that message", () =>
  Effect.gen(function*() {
    const answer = (ts: string, message: object): Answer => ({ body: { ok: true, ts, message } })
    const server = yield* channelServer(
      answer("1.0", {}),
      answer("2.0", { thread_ts: "1.0" }),
      answer("3.0", { text: "a reply to what was deleted" }),
      answer("4.0", { thread_ts: "3.0" })
    )
    yield* Effect.provide(Effect.forEach(["1", "2", "3", "4", "5"], (title) => post(of("a", title))), bot(server))
    assert.deepEqual(server.requests.map(went), ["1 channel", "2 1.0", "3 1.0", "4 3.0", "5 3.0"])
  }))

it.live("an answer without an id opens no thread, and the next alert opens one", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ body: { ok: true } }, { body: { ok: true, ts: 5 } }, accepting())
    yield* Effect.provide(Effect.forEach(["1", "2", "3", "4"], (title) => post(of("a", title))), bot(server))
    assert.deepEqual(server.requests.map(went), ["1 channel", "2 channel", "3 channel", "4 1.0"])
  }))

it.effect("the threads of the last 1,000 runs are remembered", () =>
  Effect.gen(function*() {
    const threads: Array<string> = []
    const client = HttpClient.make((request) => {
      const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : "{}"
      threads.push(JSON.parse(body).thread_ts ?? "channel")
      return Effect.succeed(HttpClientResponse.fromWeb(request, Response.json({ ok: true, ts: `${threads.length}.0` })))
    })
    const layer = Layer.provide(
      Slack.layerBot({ token, channel: "C1", pace: [] }),
      Layer.succeed(HttpClient.HttpClient, client)
    )
    yield* Effect.gen(function*() {
      for (let run = 1; run <= 1000; run++) yield* post(of(`${run}`))
      // the first run posted last, so the second is the one that is forgotten
      yield* post(of("1"))
      yield* post(of("1001"))
      yield* Effect.forEach(["1", "2", "1001"], (run) => post(of(run)))
    }).pipe(Effect.provide(layer))
    assert.deepEqual(new Set(threads.slice(0, 1000)), new Set(["channel"]))
    assert.deepEqual(threads.slice(1000), ["1.0", "channel", "1.0", "channel", "1002.0"])
  }))

// -----------------------------------------------------------------------------
// configuration
// -----------------------------------------------------------------------------

it.live("layerBotConfig reads token and channel from the environment, or from a config", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepting())
    const env = { SLACK_BOT_TOKEN: "xoxb-default", SLACK_CHANNEL: "C2", TEAM_TOKEN: "xoxb-team", API: server.url }
    const provider = ConfigProvider.layer(ConfigProvider.fromEnv({ env }))
    const ofTeam = Slack.layerBotConfig({
      token: Config.Redacted("TEAM_TOKEN"),
      channel: Config.succeed("#etl"),
      baseUrl: Config.String("API"),
      threads: Config.succeed(false)
    })
    yield* Effect.provide(Effect.forEach([of("a"), of("a")], post), Layer.provide(ofTeam, provider))
    const sent = server.requests.map(({ headers, json }) => [headers.authorization, json.channel, json.thread_ts])
    assert.deepEqual(sent, [["Bearer xoxb-team", "#etl", undefined], ["Bearer xoxb-team", "#etl", undefined]])

    const urls: Array<unknown> = []
    const client = HttpClient.make((request, url) => {
      urls.push([url.href, request.headers["authorization"]])
      return Effect.succeed(HttpClientResponse.fromWeb(request, Response.json({ ok: true })))
    })
    const byDefault = Slack.layerBotConfig().pipe(
      Layer.provide([provider, Layer.succeed(HttpClient.HttpClient, client)])
    )
    yield* Effect.provide(post("x"), byDefault)
    assert.deepEqual(urls, [["https://slack.com/api/chat.postMessage", "Bearer xoxb-default"]])
  }))

it.effect("layerBotConfig names the variable that is not set", () =>
  Effect.gen(function*() {
    const envs = { SLACK_CHANNEL: { SLACK_BOT_TOKEN: canary }, SLACK_BOT_TOKEN: { SLACK_CHANNEL: "C1" } }
    for (const [missing, env] of Object.entries(envs)) {
      const provider = ConfigProvider.layer(ConfigProvider.fromEnv({ env }))
      const error = yield* Effect.flip(Effect.provide(post("x"), Layer.provide(Slack.layerBotConfig(), provider)))
      assert.equal(error._tag, "ConfigError")
      assert.match(error.message, new RegExp(missing))
      assert.deepEqual(leaks([error]), [])
    }
  }))
