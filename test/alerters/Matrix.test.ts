import type { Config } from "effect"
import { ConfigProvider, DateTime, Duration, Effect, Layer, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Matrix } from "../../src/alerters/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const accepted = { body: { event_id: "$1" } }

channelContract(test, {
  channel: "matrix",
  layer: (url, options) =>
    Matrix.layer({ ...options, server: url, token: Redacted.make(`syt_${canary}0123456789`), room: "!r:example.com" }),
  accepted,
  readsBody: true
})

const at = DateTime.makeUnsafe("2026-11-23T12:40:12Z")

const started = (options: Partial<Matrix.MatrixOptions> = {}, ...replies: ReadonlyArray<Reply>) =>
  Effect.gen(function*() {
    const server = yield* channelServer(...(replies.length === 0 ? [accepted] : replies))
    return yield* postingTo(
      server,
      Matrix.layer({
        server: `${server.url}/`,
        token: Redacted.make("syt_1"),
        room: "!r:example.com",
        timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
        delay: "1 millis",
        pace: [],
        ...options
      })
    )
  })

/** Returns the text that a client shows of HTML, of which only the tags that the channel makes are left out. */
const shown = (html: string): string =>
  html.replaceAll("<br>", "\n").replace(/<\/p>|<\/pre>/g, "\n\n")
    .replace(/<\/?(?:b|font|a|p|em|pre|code)(?: (?:color|data-mx-color|href)="[^"]*")*>/g, "").trim()
    .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, "\"").replace(/&#39;/g, "'").replace(/&amp;/g, "&")

it.live("an alert is a message, as text and as HTML, in a transaction", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { headers, json, method, path } = yield* sent(sample.with({ at }))
    assert.equal(method, "PUT")
    assert.match(path, /^\/_matrix\/client\/v3\/rooms\/!r%3Aexample\.com\/send\/m\.room\.message\/[0-9a-f-]{36}$/)
    assert.equal(headers.authorization, "Bearer syt_1")
    assert.deepEqual(json, {
      msgtype: "m.text",
      body: [
        "❌ nightly › load failed",
        "Error: no such bucket",
        "pipeline: nightly\nstep: load\nrows: 1461",
        "Error: no such bucket\n    at load (etl.ts:12:3)",
        "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"
      ].join("\n\n"),
      format: "org.matrix.custom.html",
      formatted_body: [
        "<p><b><font color=\"#e01e5a\" data-mx-color=\"#e01e5a\">❌ nightly › load failed</font></b></p>",
        "<p>Error: no such bucket</p>",
        "<p><b>pipeline:</b> nightly<br><b>step:</b> load<br><b>rows:</b> 1461</p>",
        "<pre><code>Error: no such bucket\n    at load (etl.ts:12:3)</code></pre>",
        "<p><em>2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)</em></p>"
      ].join(""),
      "m.mentions": {}
    })
    const kinds = yield* Effect.forEach(["info", "success", "warning", "error", "critical"] as const, (severity) =>
      Effect.map(sent(Alert.make({ title: "t", severity })), ({ json }) => json.msgtype))
    assert.deepEqual(kinds, ["m.notice", "m.notice", "m.text", "m.text", "m.text"])
  }))

it.live("all attempts of a post, and its repeat, are one transaction, and the next post is another", () =>
  Effect.gen(function*() {
    const { post, requests } = yield* started({}, { status: 500 }, "resetMidBody", accepted)
    yield* post(sample)
    yield* post(sample)
    for (let i = 0; i < 2; i++) yield* post(sample.with({ idempotencyKey: "k\ud800" }))
    const ids = requests.map(({ path }) => path.split("/").at(-1))
    assert.equal(new Set(ids.slice(0, 3)).size, 1)
    assert.equal(ids[4], ids[5])
    assert.match(String(ids[4]), /^[0-9a-f]{64}$/)
    assert.equal(new Set(ids).size, 3)
  }))

it.live("a recovery is a reply to the last failure of its subject, and no other alert is", () =>
  Effect.gen(function*() {
    let n = 0
    const { sent } = yield* started({}, () => ({ body: { event_id: `$${++n}` } }))
    const replyOf = (alert: Alert) =>
      Effect.map(sent(alert), ({ json }) => json["m.relates_to"]?.["m.in_reply_to"].event_id)
    const well = Alert.make({ title: "well again", severity: "success", dedupeKey: "nightly/load" })
    assert.equal(yield* replyOf(well), undefined)
    assert.equal(yield* replyOf(sample), undefined)
    assert.equal(yield* replyOf(sample.with({ dedupeKey: "other" })), undefined)
    assert.equal(yield* replyOf(sample), undefined)
    assert.equal(yield* replyOf(well.with({ resolves: false })), undefined)
    assert.equal(yield* replyOf(well), "$4")
    assert.equal(yield* replyOf(well), undefined)
  }))

it.live("an alias is looked up once, and again if that failed", () =>
  Effect.gen(function*() {
    let known = false
    const { post, requests } = yield* started({ room: "#ops:example.com", retries: 0 }, ({ path }) =>
      path.includes("/directory/")
        ? known
          ? { body: { room_id: "!o:example.com", servers: [] } }
          : { status: 404, body: { errcode: "M_NOT_FOUND", error: "Room alias not found." } }
        : accepted)
    assert.deepEqual({ ...(yield* Effect.flip(post(sample))).reason }, {
      _tag: "Rejected",
      status: 404,
      detail: "M_NOT_FOUND: Room alias not found."
    })
    known = true
    yield* post(sample)
    yield* post(sample)
    const base = "/_matrix/client/v3"
    assert.deepEqual(
      requests.map(({ method, path }) =>
        `${method} ${path.replace(/[0-9a-f-]{36}$/, "ID")}`
      ),
      [
        `GET ${base}/directory/room/%23ops%3Aexample.com`,
        `GET ${base}/directory/room/%23ops%3Aexample.com`,
        `PUT ${base}/rooms/!o%3Aexample.com/send/m.room.message/ID`,
        `PUT ${base}/rooms/!o%3Aexample.com/send/m.room.message/ID`
      ]
    )
  }))

it.live("markup and mentions in an alert are shown literally, and notify nobody", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    for (
      const text of [
        "@room @Room: (@room)",
        "<b>x</b> &lt;i&gt; \"q\" 'q'",
        "<a href=\"https://matrix.to/#/@ada:example.com\">Ada</a>",
        "https://matrix.to/#/@ada:example.com",
        "*a* _b_ `c` [x](y)"
      ]
    ) {
      const { json } = yield* sent(Alert.make({ title: text, body: text, fields: { [text]: text }, detail: text, at }))
      assert.deepEqual(json["m.mentions"], {})
      assert.doesNotMatch(json.body, /@room\b/i)
      assert.doesNotMatch(json.formatted_body, /href="https:\/\/matrix\.to/)
      const [title, body, fields, detail] = shown(json.formatted_body).split("\n\n")
      assert.deepEqual([title, body, fields, detail], [`ℹ️ ${text}`, text, `${text}: ${text}`, text])
    }
  }))

it.live("addresses and actions are links, and the title leads to the alert's", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { json } = yield* sent(Alert.make({
      title: "t",
      body: "see https://status.example.com/?a=1&b=2.",
      url: "https://ci.example/1",
      actions: [{ label: "Run<book", url: "https://wiki.example/load" }],
      at
    }))
    const html: string = json.formatted_body
    assert.match(html, /^<p><a href="https:\/\/ci\.example\/1"><b>/)
    assert.ok(
      html.includes("<a href=\"https://status.example.com/?a=1&amp;b=2\">https://status.example.com/?a=1&amp;b=2</a>.")
    )
    assert.ok(html.includes("<p><a href=\"https://wiki.example/load\">Run&lt;book</a></p>"))
    assert.match(json.body, /\n\nOpen: https:\/\/ci\.example\/1\nRun<book: https:\/\/wiki\.example\/load\n\n/)
  }))

it.live("any alert becomes a valid message within the limits", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    yield* forAll(AnyAlert, (input) =>
      Effect.map(sent(alertOf(input)), ({ body, json }) => {
        assert.ok(Buffer.byteLength(body) <= 56_000, `${Buffer.byteLength(body)}`)
        assert.ok(json.body.isWellFormed() && json.formatted_body.isWellFormed())
        assert.match(json.body, /2026-11-23 13:40:12 Europe\/Berlin \(UTC\+01:00\)$/)
        assert.doesNotMatch(
          json.formatted_body.replace(/<br>|<\/?(?:b|font|a|p|em|pre|code)(?: [a-z-]+="[^"<>]*")*>/g, ""),
          /[<>]/
        )
      }), 60)
  }))

it.live("a detail of 5 MB is cut in its middle, and all other parts arrive", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { body, json } = yield* sent(sample.with({ detail: hugeDetail(), at }))
    assert.ok(Buffer.byteLength(body) <= 56_000 && Buffer.byteLength(body) > 50_000, `${Buffer.byteLength(body)}`)
    assert.match(json.body, /rows: 1461\n\nError: BEGINNING\n[^]*… \d{7} characters left out …[^]*at END\n\n2026/)
  }))

it.live("M_LIMIT_EXCEEDED stops the whole mailbox for as long as its body or its header says", () =>
  Effect.gen(function*() {
    const limited = { errcode: "M_LIMIT_EXCEEDED", error: "Too many requests" }
    const { post, requests } = yield* started(
      {},
      { status: 429, body: { ...limited, retry_after_ms: 900 } },
      accepted
    )
    const [elapsed] = yield* Effect.timed(Effect.all([post(sample), post("another")], { concurrency: 2 }))
    assert.ok(Duration.toMillis(elapsed) >= 890, Duration.format(elapsed))
    assert.equal(requests.length, 3)
    const header = yield* started({}, { status: 429, headers: { "retry-after": "1" }, body: limited }, accepted)
    const [later] = yield* Effect.timed(header.post(sample))
    assert.ok(Duration.toMillis(later) >= 990, Duration.format(later))
    const hour = yield* started({ retries: 0 }, { status: 429, body: { ...limited, retry_after_ms: 3_600_000 } })
    const { reason } = yield* Effect.flip(hour.post(sample))
    assert.ok(reason._tag === "RateLimited" && reason.retryAfter !== undefined)
  }))

it.live("a token that can't be sent, and an answer of another server, are errors that quote no secret", () =>
  Effect.gen(function*() {
    const { post } = yield* started({ token: Redacted.make(`syt_${canary}\n1`) })
    const { reason } = yield* Effect.flip(post(sample))
    assert.deepEqual({ ...reason }, { _tag: "Rejected", detail: "its token can't be sent in a header" })
    const other = yield* started({}, { body: "<html></html>" })
    const answered = yield* Effect.flip(other.post(sample))
    assert.match(answered.message, /no answer of Matrix: event_id is missing/)
    const forbidden = yield* started({}, { status: 403, body: { errcode: "M_FORBIDDEN", error: "not in room" } })
    assert.deepEqual({ ...(yield* Effect.flip(forbidden.post(sample))).reason }, {
      _tag: "Unauthorized",
      detail: "M_FORBIDDEN: not in room"
    })
  }))

it.live("layerConfig reads server, token and room from the environment", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const post = (layer: Layer.Layer<Alerter, Config.ConfigError>, env: Record<string, string>) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(sample)).pipe(
        Effect.provide(Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
      )
    yield* post(Matrix.layerConfig(), { MATRIX_SERVER: server.url, MATRIX_TOKEN: "syt_2", MATRIX_ROOM: "!x:y" })
    assert.equal(server.requests[0]?.headers.authorization, "Bearer syt_2")
    assert.match(String(server.requests[0]?.path), /\/rooms\/!x%3Ay\//)
    assert.match(String(yield* Effect.flip(post(Matrix.layerConfig(), { MATRIX_SERVER: server.url }))), /MATRIX_TOKEN/)
  }))
