import { DateTime, Effect, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Mattermost } from "../../src/alerters/index.ts"
import { Alert } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { shownMarkdown } from "../support/markdown.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const accepted = { body: "ok" }

channelContract(test, {
  channel: "mattermost",
  layer: (url, options) =>
    Mattermost.layer({ ...options, webhookUrl: Redacted.make(`${url}/hooks/${canary}0123456789`) }),
  accepted,
  readsBody: false
})

const at = DateTime.makeUnsafe("2026-11-23T12:40:12Z")

const started = (options: Partial<Mattermost.WebhookOptions> = {}, reply: Reply = accepted) =>
  Effect.gen(function*() {
    const server = yield* channelServer(reply)
    return yield* postingTo(
      server,
      Mattermost.layer({
        webhookUrl: Redacted.make(`${server.url}/hooks/h1`),
        timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
        pace: [],
        ...options
      })
    )
  })

it.live("an alert is an attachment with title, body, fields, detail and time", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({ channel: "nightly", username: "epilogue" })
    const { json, method, path } = yield* sent(sample.with({ at }))
    assert.equal(`${method} ${path}`, "POST /hooks/h1")
    assert.deepEqual(json, {
      channel: "nightly",
      username: "epilogue",
      attachments: [{
        fallback: "❌ nightly › load failed",
        color: "#e01e5a",
        title: "❌ nightly › load failed",
        text: [
          "Error: no such bucket",
          "**pipeline:** nightly\n**step:** load\n**rows:** 1461",
          "```\nError: no such bucket\n    at load (etl.ts:12:3)\n```"
        ].join("\n\n"),
        footer: "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"
      }]
    })
  }))

it.live("markup and mentions in an alert are shown literally, and notify nobody", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    for (
      const text of [
        "@channel @all @here @ann.b, -@all (@here) é@all",
        "<!channel> <!here> <@u123> <https://evil.test|x> Map<string|number>",
        "**bold** *a* _b_ ~~c~~ `d` [x](y) ![x](y) | a | b |",
        "# heading\n- list\n+ list\n1. list\n> quote\n    code\n===",
        "&lt;b&gt; <b> \\* :smile: ~town-square #tag",
        "nightly-etl (etl.ts:12:3), 50% a@b.test!"
      ]
    ) {
      const { json } = yield* sent(
        Alert.make({ title: text, body: text, fields: { n: text, [text]: "v" }, detail: text, at })
      )
      const [attachment] = json.attachments
      // the server reads markup of Slack's in code, too
      for (const part of [attachment.title, attachment.text]) assert.doesNotMatch(part, /<[!@]|<[^<|]*\|/)
      for (const part of [attachment.title, attachment.text, attachment.fallback]) {
        assert.doesNotMatch(part.replace(/```[^]*```/g, ""), /(?<![A-Za-z0-9])@[\w.-]/)
      }
      const line = text.split("\n").map((line) => line.trim()).join(" ")
      assert.equal(shownMarkdown(attachment.title), `ℹ️ ${line}`)
      const [body, fields] = attachment.text.split("\n\n")
      assert.equal(shownMarkdown(body), text)
      assert.ok(shownMarkdown(fields).startsWith(`n: ${text}`), fields)
    }
    // plain text is not escaped
    const { json } = yield* sent(Alert.make("nightly-etl (etl.ts:12:3), 50% a@b.test"))
    assert.equal(json.attachments[0].title, "ℹ️ nightly-etl \\(etl.ts:12:3\\), 50% a@b.test")
  }))

it.live("no fence in a detail ends its block of code", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { json } = yield* sent(Alert.make({ title: "t", detail: "```\n@all\n````\nx" }))
    assert.equal(json.attachments[0].text, "`````\n```\n@all\n````\nx\n`````")
  }))

it.live("addresses and actions are links, and the title leads to the alert's", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { json } = yield* sent(Alert.make({
      title: "a *b* <@c>",
      body: "see https://status.example.com/a_b_c(d).",
      url: "https://ci.example/1?q=(a)",
      actions: [{ label: "Run *book*", url: "https://wiki.example/load" }]
    }))
    const [attachment] = json.attachments
    assert.equal(attachment.title, "ℹ️ a *b* ‹@c>")
    assert.equal(attachment.title_link, "https://ci.example/1?q=(a)")
    assert.equal(
      attachment.text,
      "see [https://status.example.com/a\\_b\\_c\\(d](https://status.example.com/a_b_c%28d)\\).\n\n" +
        "[Run \\*book\\*](https://wiki.example/load)"
    )
  }))

it.live("any alert becomes a valid message within the limits", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    yield* forAll(AnyAlert, (input) =>
      Effect.map(sent(alertOf(input)), ({ body, json }) => {
        assert.ok(body.length <= 16_383, `${body.length}`)
        const [{ fallback, footer, text, title }] = json.attachments
        for (const part of [fallback, footer, text, title]) assert.ok(part.isWellFormed())
        assert.ok(title.trim() !== "" && fallback.trim() !== "")
        assert.match(footer, /2026-11-23 13:40:12 Europe\/Berlin/)
        assert.doesNotMatch(title + text, /<[!@]/)
      }), 60)
  }))

it.live("a detail of 5 MB is cut in its middle, and all other parts arrive", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { body, json } = yield* sent(sample.with({ detail: hugeDetail(), at }))
    assert.ok(body.length <= 16_383 && body.length > 13_000, `${body.length}`)
    assert.match(
      json.attachments[0].text,
      /^Error: no such bucket\n\n\*\*pipeline:[^]*\n```\nError: BEGINNING\n[^]*… \d{7} characters left out …[^]*at END\n```$/
    )
  }))

it.live("a refusal's detail is the message of the error", () =>
  Effect.gen(function*() {
    const body = {
      id: "web.incoming_webhook.channel.app_error",
      message: "Couldn't find the channel.",
      status_code: 404
    }
    const { post } = yield* started({ retries: 0 }, { status: 404, body })
    assert.deepEqual({ ...(yield* Effect.flip(post(sample))).reason }, {
      _tag: "Rejected",
      status: 404,
      detail: "Couldn't find the channel."
    })
  }))
