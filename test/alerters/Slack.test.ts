import { Config, ConfigProvider, DateTime, Effect, Layer, Redacted, Schema } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Slack } from "../../src/alerters/index.ts"
import { Alert, Alerter, type AlertInput } from "../../src/index.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { type Answer, channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"
import { inSlack } from "../support/slackReceivers.ts"

const it = makeIt(test)

channelContract(test, {
  channel: "slack",
  layer: (url, options) =>
    Slack.layer({ ...options, webhookUrl: Redacted.make(`${url}/services/T0/B0/${canary}0123456789`) }),
  accepted: { body: "ok" },
  readsBody: false
})

const timeZone = DateTime.zoneMakeNamedUnsafe("Europe/Berlin")
const at = DateTime.makeUnsafe("2026-11-23T12:40:12Z")
const time = "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"

const post = (alert: Alert | string) => Effect.flatMap(Alerter, (alerter) => alerter.post(alert))

/** Posts an alert, and returns the body that was sent. */
const sent = (input: AlertInput): Effect.Effect<string> =>
  Effect.suspend(() => {
    let body = ""
    const client = HttpClient.make((request) => {
      body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : request.body._tag
      return Effect.succeed(HttpClientResponse.fromWeb(request, new Response("ok")))
    })
    const alerter = Slack.layer({
      webhookUrl: Redacted.make("https://hooks.slack.com/services/T0/B0/x"),
      timeZone,
      pace: []
    })
    return post(Alert.make({ at, ...input })).pipe(
      Effect.provide(Layer.provide(alerter, Layer.succeed(HttpClient.HttpClient, client))),
      Effect.orDie,
      Effect.map(() => body)
    )
  })

// oxlint-disable-next-line no-explicit-any -- tests look into it as they like
const payload = (input: AlertInput): Effect.Effect<any> => Effect.map(sent(input), (json) => JSON.parse(json))

// oxlint-disable-next-line no-explicit-any -- tests look into it as they like
const blocksOf = (message: any): ReadonlyArray<any> => message.attachments[0].blocks

/** Returns the texts of a block's elements, and their types unless they are texts. */
// oxlint-disable-next-line no-explicit-any -- tests look into it as they like
const textOf = (block: any): string => inSlack({ text: "", blocks: [block], attachments: [] }).text

const text = (text: string) => ({ type: "text", text })
const bold = (text: string) => ({ type: "text", text, style: { bold: true } })
const rich = (...elements: ReadonlyArray<object>) => ({
  type: "rich_text",
  elements: [{ type: "rich_text_section", elements }]
})
const code = (...elements: ReadonlyArray<object>) => ({
  type: "rich_text",
  elements: [{ type: "rich_text_preformatted", elements }]
})
const footer = { type: "context", elements: [{ type: "plain_text", text: time, emoji: false }] }

it.effect("an alert becomes a message of Block Kit", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* payload({ ...sample, at }), {
      text: [
        ":x: `nightly › load failed`",
        "```",
        "Error: no such bucket",
        "",
        "pipeline: nightly",
        "step: load",
        "rows: 1461",
        "",
        "Error: no such bucket\n    at load (etl.ts:12:3)",
        "",
        time,
        "```"
      ].join("\n"),
      blocks: [rich({ type: "emoji", name: "x" }, bold(" nightly › load failed"))],
      attachments: [{
        color: "#e01e5a",
        fallback: "nightly › load failed",
        blocks: [
          rich(text("Error: no such bucket")),
          rich(
            bold("pipeline: "),
            text("nightly\n"),
            bold("step: "),
            text("load\n"),
            bold("rows: "),
            text("1461")
          ),
          code(text("Error: no such bucket\n    at load (etl.ts:12:3)")),
          footer
        ]
      }],
      parse: "none",
      link_names: false,
      unfurl_links: false,
      unfurl_media: false
    })
  }))

it.effect("each severity has its own colour and symbol", () =>
  Effect.gen(function*() {
    const found: Array<string> = []
    for (const severity of ["info", "success", "warning", "error", "critical"] as const) {
      const { attachments, blocks, text } = yield* payload({ title: "x", severity })
      assert.equal(text.split("\n")[0], `${textOf(blocks[0]).replace(" x", "")} \`x\``)
      found.push(`${attachments[0].color} ${textOf(blocks[0])}`)
    }
    assert.deepEqual(found, [
      "#439fe0 :information_source: x",
      "#2eb67d :white_check_mark: x",
      "#ecb22e :warning: x",
      "#e01e5a :x: x",
      "#7c1034 :rotating_light: x"
    ])
  }))

it.effect("blank parts are left out, since Slack refuses them", () =>
  Effect.gen(function*() {
    const message = yield* payload({
      title: " \n",
      body: "\n",
      detail: "\u0007",
      fields: [{ name: "", value: " " }, { name: "", value: "unnamed" }, { name: "empty\nvalue", value: "" }]
    })
    assert.equal(message.text, `:information_source: \`info\`\n\`\`\`\nunnamed\nempty value:\n\n${time}\n\`\`\``)
    assert.equal(message.attachments[0].fallback, "info")
    assert.deepEqual(message.blocks, [rich({ type: "emoji", name: "information_source" }, bold(" info"))])
    assert.deepEqual(blocksOf(message), [rich(text("unnamed\n"), bold("empty value: ")), footer])
  }))

// -----------------------------------------------------------------------------
// markup
// -----------------------------------------------------------------------------

const hostile = "<!channel> <!everyone> <@U123> <#C1|c> <https://evil.example|click> @here & &lt; &amp;" +
  " > *bold* _it_ ~no~ `code` ```x``` :smile: etl.ts:100:3 stg_orders"

it.effect("mentions, markup and emojis are shown, and copied, as they were written, and notify nobody", () =>
  Effect.gen(function*() {
    const message = yield* payload({
      title: hostile,
      body: hostile,
      fields: [{ name: hostile, value: hostile }],
      detail: hostile
    })
    const seen = inSlack(message)
    assert.equal(
      seen.text,
      `:information_source: ${hostile}\n${hostile}\n${hostile}: ${hostile}\n${hostile}\n${time}`
    )
    assert.deepEqual(seen.mentions, [])
    assert.equal(
      message.attachments[0].fallback,
      hostile.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    )
  }))

it.effect("addresses in all texts are links, and those that were cut are not", () =>
  Effect.gen(function*() {
    const url = "https://ci.example.com/job/nightly_etl/runs/12?step=load_orders&a=*b*"
    const all = yield* payload({
      title: `see ${url}`,
      body: `${url}, twice: ${url}.`,
      fields: { run: url },
      detail: `(${url})`
    })
    assert.deepEqual(inSlack(all).links, Array.from({ length: 5 }, () => url))
    const cut = yield* payload({ title: "x", body: `${"b".repeat(1480)} https://ci.example.com/${"c".repeat(3000)}` })
    assert.deepEqual(inSlack(cut).links, [])
    const ended = yield* payload({ title: `${"b".repeat(250)} https://ci.example.com/${"c".repeat(300)}` })
    assert.deepEqual(inSlack(ended).links, [])
    const many = yield* payload({ title: "x", body: "https://a.example ".repeat(160), detail: "y".repeat(2500) })
    assert.equal(inSlack(many).links.length, 20)
  }))

// -----------------------------------------------------------------------------
// limits
// -----------------------------------------------------------------------------

/** Asserts the limits that Slack documents, the total of all blocks, and the channel's own limits of each part. */
const assertValid = (json: string): void => {
  const message = JSON.parse(json, (_, value: unknown) => {
    if (typeof value === "string") {
      assert.ok(value.isWellFormed(), "half a character")
      assert.equal(
        // oxlint-disable-next-line no-control-regex -- control characters are what it is about
        /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200d\u2060]/.test(value),
        false,
        "control characters"
      )
    }
    return value
  })
  const blocks = [...message.blocks, ...blocksOf(message)]
  assert.ok(JSON.stringify(blocks).length <= 12_000, `${JSON.stringify(blocks).length} characters`)
  // and that all elements have text, and the text for notifications no more than 4,000 characters
  assert.deepEqual(inSlack(message).mentions, [])
  assert.notEqual(message.text, "")
  assert.deepEqual([message.blocks.length, message.attachments.length], [1, 1])
  assert.match(textOf(blocks.pop()), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d Europe\/Berlin \(UTC\+01:00\)$/)
  const kinds = blocks.map(({ elements }) => {
    assert.equal(elements.length, 1)
    return elements[0].type
  })
  // the title, and perhaps the body, the fields and the detail
  assert.match(kinds.join(), /^rich_text_section(,rich_text_section){0,2}(,rich_text_preformatted)?$/)
  assert.ok(textOf(blocks[0]).length <= ":information_source: ".length + 300)
  if (kinds.at(-1) === "rich_text_preformatted") assert.ok(textOf(blocks.at(-1)).length <= 3000)
  for (const { elements: [{ elements }] } of blocks) assert.notEqual(elements.length, 0)
}

const nasty = [
  "<!channel>",
  "```",
  "*",
  "&",
  "https://a.example/b ",
  "@here ",
  "😀",
  "שלום",
  "مرحبا",
  "\ud83d",
  "\ude00",
  "\u0000",
  "\r\n",
  "\"\\",
  ":100:",
  "\u001b[31m"
]
const Text = Schema.Struct({
  pieces: Schema.Array(Schema.Union([Schema.String, Schema.Literals(nasty)])),
  times: Schema.Literals([0, 1, 1, 20, 5000])
})
const joined = ({ pieces, times }: (typeof Text)["Type"]): string => pieces.join("").repeat(times)

it.effect("any alert becomes a message within the limits", () =>
  forAll(
    Schema.Struct({
      title: Text,
      body: Text,
      detail: Text,
      fields: Schema.Array(Schema.Struct({ name: Text, value: Text })),
      many: Schema.Literals([1, 1, 40, 600])
    }),
    ({ body, detail, fields, many, title }) =>
      Effect.map(
        sent({
          title: joined(title),
          body: joined(body),
          detail: joined(detail),
          fields: Array.from({ length: many }, () => fields).flat().slice(0, 600).map(({ name, value }) => ({
            name: joined(name).slice(0, 5000),
            value: joined(value).slice(0, 5000)
          }))
        }),
        assertValid
      ),
    60
  ))

it.effect("a detail of 5 MB is cut in its middle", () =>
  Effect.gen(function*() {
    const detail = `Error: first\n${"    at 😀 שלום مرحبا <a> `b`\n".repeat(180_000)}at last`
    assert.ok(new TextEncoder().encode(detail).length > 5_000_000)
    const json = yield* sent({ ...sample, body: "short", detail })
    assertValid(json)
    const blocks = blocksOf(JSON.parse(json))
    assert.equal(textOf(blocks[0]), "short")
    const block = textOf(blocks[2])
    assert.ok(block.length > 2950)
    assert.ok(block.startsWith("Error: first\n    at 😀 שלום مرحبا <a> `b`\n"))
    assert.ok(block.endsWith("at last"))
    const [head, missing, tail] = block.split(/\n… (\d+) characters left out …\n/)
    assert.equal(head!.length + Number(missing) + tail!.length, detail.length)
    assert.ok(detail.startsWith(head!) && detail.endsWith(tail!))
  }))

it.effect("the detail is cut first, then the body, then values of fields, then their number", () =>
  Effect.gen(function*() {
    const lengths = (fields: number, value: number) =>
      Effect.map(
        sent({
          title: "t",
          body: "b".repeat(3000),
          detail: "d".repeat(2992),
          fields: Array.from({ length: fields }, (_, i) => ({ name: `f${i}`, value: "v".repeat(value) }))
        }),
        (json) => {
          assertValid(json)
          const [body, lines, detail] = blocksOf(JSON.parse(json)).map(textOf)
          return { body: body!, shown: lines!.split(/\n(?=f\d+: |… and )/), detail: detail! }
        }
      )
    const all = yield* lengths(2, 100)
    assert.deepEqual([all.body.length, all.detail.length], [3000, 2992])
    const detailCut = yield* lengths(4, 1500)
    assert.deepEqual([detailCut.body, detailCut.shown[3]], ["b".repeat(3000), `f3: ${"v".repeat(1500)}`])
    assert.match(detailCut.detail, /^d+\n… \d+ characters left out …\nd+$/)
    const bodyCut = yield* lengths(5, 1700)
    assert.match(bodyCut.body, /^b+\n… \d+ characters left out …\nb+$/)
    assert.equal(bodyCut.shown[4], `f4: ${"v".repeat(1700)}`)
    const valuesCut = yield* lengths(40, 1700)
    assert.equal(valuesCut.shown.length, 40)
    for (const value of valuesCut.shown) assert.match(value, /^f\d+: v+\n… \d+ characters left out …\nv+$/)
    const many = yield* lengths(1000, 1700)
    assert.match(many.shown[0]!, /^f0: v+\n… \d+ characters left out …\nv+$/)
    assert.equal(many.shown.at(-1), `… and ${1000 - many.shown.length + 1} more`)
    assert.ok(many.shown.length > 40)
  }))

// -----------------------------------------------------------------------------
// answers, configuration
// -----------------------------------------------------------------------------

it.live("answers of Slack's webhooks become reasons", () =>
  Effect.gen(function*() {
    const against = (answer: Answer) =>
      Effect.gen(function*() {
        const server = yield* channelServer(answer)
        const layer = Slack.layer({ webhookUrl: Redacted.make(`${server.url}/services/T0/B0/x`), retries: 0 })
        const error = yield* Effect.flip(Effect.provide(post("x"), layer))
        return { ...error.reason }
      })
    const rejected = (status: number, detail: string) => ({ _tag: "Rejected", status, detail })
    assert.deepEqual(yield* against({ status: 400, body: "invalid_payload" }), rejected(400, "invalid_payload"))
    assert.deepEqual(yield* against({ status: 403, body: "action_prohibited" }), {
      _tag: "Unauthorized",
      detail: "action_prohibited"
    })
    assert.deepEqual(yield* against({ status: 404, body: "no_service" }), rejected(404, "no_service"))
    assert.deepEqual(yield* against({ status: 410, body: "channel_is_archived" }), rejected(410, "channel_is_archived"))
  }))

it.live("layerConfig reads the URL from SLACK_WEBHOOK_URL, or from a config", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ body: "ok" })
    const env = { SLACK_WEBHOOK_URL: `${server.url}/default`, TEAM: `${server.url}/team` }
    const provider = ConfigProvider.layer(ConfigProvider.fromEnv({ env }))
    const ofTeam = Slack.layerConfig({ webhookUrl: Config.Redacted("TEAM"), retries: Config.succeed(0) })
    yield* Effect.provide(post("x"), Layer.provide(Slack.layerConfig(), provider))
    yield* Effect.provide(post("x"), Layer.provide(ofTeam, provider))
    assert.deepEqual(server.requests.map(({ path }) => path), ["/default", "/team"])
  }))

it.effect("layerConfig names the variable that is not set", () =>
  Effect.gen(function*() {
    for (const env of [{}, { SLACK_WEBHOOK_URL: "" }]) {
      const provider = ConfigProvider.layer(ConfigProvider.fromEnv({ env }))
      const error = yield* Effect.flip(Effect.provide(post("x"), Layer.provide(Slack.layerConfig(), provider)))
      assert.equal(error._tag, "ConfigError")
      assert.match(error.message, /SLACK_WEBHOOK_URL/)
    }
  }))
