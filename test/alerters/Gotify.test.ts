import type { Config } from "effect"
import { ConfigProvider, DateTime, Effect, Layer, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Gotify } from "../../src/alerters/index.ts"
import { Alert, type Alerter } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { shownMarkdown } from "../support/markdown.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const accepted = { body: { id: 25, appid: 5, message: "m", date: "2026-11-23T12:40:12Z" } }

channelContract(test, {
  channel: "gotify",
  layer: (url, options) => Gotify.layer({ ...options, server: url, token: Redacted.make(`${canary}0123456789`) }),
  accepted,
  readsBody: false
})

const at = DateTime.makeUnsafe("2026-11-23T12:40:12Z")

const started = (options: Partial<Gotify.GotifyOptions> = {}, reply: Reply = accepted) =>
  Effect.gen(function*() {
    const server = yield* channelServer(reply)
    return yield* postingTo(
      server,
      Gotify.layer({
        server: `${server.url}/`,
        token: Redacted.make("A1"),
        timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
        pace: [],
        ...options
      })
    )
  })

const markdown = { contentType: "text/markdown" }

it.live("an alert is a message in Markdown", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { headers, json, method, path } = yield* sent(sample.with({ at }))
    assert.equal(`${method} ${path}`, "POST /message")
    assert.equal(headers["x-gotify-key"], "A1")
    assert.deepEqual(json, {
      title: "❌ nightly › load failed",
      message: [
        "Error: no such bucket",
        "**pipeline:** nightly  \n**step:** load  \n**rows:** 1461",
        "```\nError: no such bucket\n    at load (etl.ts:12:3)\n```",
        "2026-11-23 13:40:12 Europe/Berlin \\(UTC+01:00\\)"
      ].join("\n\n"),
      priority: 8,
      extras: { "client::display": markdown }
    })
  }))

it.live("severities set the priority, unless options do", () =>
  Effect.gen(function*() {
    const prioritiesOf = (options: Partial<Gotify.GotifyOptions>) =>
      Effect.flatMap(started(options), ({ sent }) =>
        Effect.forEach(["info", "success", "warning", "error", "critical"] as const, (severity) =>
          Effect.map(sent(Alert.make({ title: "t", severity })), ({ json }) =>
            Number(json.priority))))
    assert.deepEqual(yield* prioritiesOf({}), [1, 3, 5, 8, 10])
    assert.deepEqual(yield* prioritiesOf({ priorities: { info: 0, error: 9 } }), [0, 3, 5, 9, 10])
  }))

it.live("markup in an alert is shown literally", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    for (
      const text of [
        "**bold** *a* _b_ ~~c~~ `d` [x](y) ![x](http://a.test/i.png) | a | b |",
        "# heading\n- list\n+ list\n1. list\n> quote\n    code\n===",
        "&lt;b&gt; <b> \\* <script>alert(1)</script>"
      ]
    ) {
      const { json } = yield* sent(Alert.make({ title: text, body: text, fields: { n: text }, detail: text, at }))
      const [body, fields, detail] = json.message.split("\n\n")
      const lines = (markdown: string) => shownMarkdown(markdown).replaceAll("  \n", "\n")
      // of the address a link is made
      assert.equal(lines(body), text)
      assert.equal(lines(fields), `n: ${text}`)
      assert.equal(detail, `\`\`\`\n${text}\n\`\`\``)
      assert.doesNotMatch(body, /<|(?<!\\)!\[/)
      assert.equal(json.title, `ℹ️ ${text.split("\n").map((line) => line.trim()).join(" ")}`)
    }
  }))

it.live("a tap opens the alert's address, and actions and other addresses are links", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { json } = yield* sent(Alert.make({
      title: "t",
      body: "see https://status.example.com/a_b.",
      url: "https://ci.example/1",
      actions: [{ label: "Run *book*", url: "https://wiki.example/load" }],
      at
    }))
    assert.deepEqual(json.extras, {
      "client::display": markdown,
      "client::notification": { click: { url: "https://ci.example/1" } }
    })
    const [body, links] = json.message.split("\n\n")
    assert.equal(body, "see [https://status.example.com/a\\_b](https://status.example.com/a_b).")
    assert.equal(links, "[Run \\*book\\*](https://wiki.example/load)")
  }))

it.live("any alert becomes a valid message within the limits", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    yield* forAll(AnyAlert, (input) =>
      Effect.map(sent(alertOf(input)), ({ json }) => {
        const { message, priority, title } = json
        assert.ok(Buffer.byteLength(message) <= 16_000, `${Buffer.byteLength(message)}`)
        assert.ok(title.length <= 260 && title.isWellFormed() && message.isWellFormed())
        assert.ok(Number.isInteger(priority) && priority >= 0 && priority <= 10)
        assert.match(message, /2026-11-23 13:40:12 Europe\/Berlin \\\(UTC\+01:00\\\)$/)
      }), 60)
  }))

it.live("a detail of 5 MB is cut in its middle, and all other parts arrive", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { message } = (yield* sent(sample.with({ detail: hugeDetail(), at }))).json
    assert.ok(Buffer.byteLength(message) <= 16_000 && Buffer.byteLength(message) > 13_000)
    assert.match(message, /1461\n\n```\nError: BEGINNING\n[^]*… \d{7} characters left out …[^]*at END\n```\n\n2026/)
  }))

it.live("a refusal's detail is the description of the error, and a token that can't be sent is one", () =>
  Effect.gen(function*() {
    const body = { error: "Unauthorized", errorCode: 401, errorDescription: "you need to provide a valid token" }
    const { post } = yield* started({}, { status: 401, body })
    assert.deepEqual({ ...(yield* Effect.flip(post(sample))).reason }, {
      _tag: "Unauthorized",
      detail: "you need to provide a valid token"
    })
    const unsendable = yield* started({ token: Redacted.make(`${canary}\n1`) })
    assert.deepEqual({ ...(yield* Effect.flip(unsendable.post(sample))).reason }, {
      _tag: "Rejected",
      detail: "its token can't be sent in a header"
    })
  }))

it.live("layerConfig reads server and token from the environment", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const posting = (layer: Layer.Layer<Alerter, Config.ConfigError>, env: Record<string, string>) =>
      postingTo(server, Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
    const { sent } = yield* posting(Gotify.layerConfig(), { GOTIFY_SERVER: server.url, GOTIFY_TOKEN: "A2" })
    assert.equal((yield* sent(sample)).headers["x-gotify-key"], "A2")
    assert.match(String(yield* Effect.flip(posting(Gotify.layerConfig(), { GOTIFY_SERVER: "x" }))), /GOTIFY_TOKEN/)
  }))
