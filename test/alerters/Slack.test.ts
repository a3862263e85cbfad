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
    const alerter = Slack.layer({ webhookUrl: Redacted.make("https://hooks.slack.com/services/T0/B0/x"), timeZone })
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

/** Returns the text as Slack shows it: without escapes and zero-width spaces. */
const shown = (text: string): string =>
  text.replaceAll("\u200b", "").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&")

const mrkdwn = (text: string) => ({ type: "mrkdwn", text, verbatim: true })

it.effect("an alert becomes a message of Block Kit", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* payload({ ...sample, at }), {
      text: ":x: *nightly › load failed*",
      attachments: [{
        color: "#e01e5a",
        fallback: "nightly › load failed",
        blocks: [
          { type: "section", text: mrkdwn("Error: no such bucket") },
          {
            type: "section",
            fields: [mrkdwn("*pipeline*\nnightly"), mrkdwn("*step*\nload"), mrkdwn("*rows*\n1461")]
          },
          { type: "section", text: mrkdwn("```\nError: no such bucket\n    at load (etl.ts:12:3)\n```") },
          { type: "context", elements: [mrkdwn(time)] }
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
      const { attachments, text } = yield* payload({ title: "x", severity })
      found.push(`${attachments[0].color} ${text}`)
    }
    assert.deepEqual(found, [
      "#439fe0 :information_source: *x*",
      "#2eb67d :white_check_mark: *x*",
      "#ecb22e :warning: *x*",
      "#e01e5a :x: *x*",
      "#7c1034 :rotating_light: *x*"
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
    assert.equal(message.text, ":information_source: *info*")
    assert.equal(message.attachments[0].fallback, "info")
    assert.deepEqual(blocksOf(message), [
      { type: "section", fields: [mrkdwn("unnamed"), mrkdwn("*empty value*\n")] },
      { type: "context", elements: [mrkdwn(time)] }
    ])
  }))

// -----------------------------------------------------------------------------
// markup
// -----------------------------------------------------------------------------

const hostile = "<!channel> <!everyone> <@U123> <#C1|c> <https://evil.example|click> @here & &lt; &amp;"

it.effect("mentions and links are shown literally, and notify nobody", () =>
  Effect.gen(function*() {
    const json = yield* sent({
      title: hostile,
      body: hostile,
      fields: [{ name: hostile, value: hostile }],
      detail: hostile
    })
    assert.equal(/[<>]/.test(json), false)
    assert.equal(/&(?!(amp|lt|gt);)/.test(json), false)
    const message = JSON.parse(json)
    const [body, fields, detail] = blocksOf(message)
    assert.equal(shown(message.text), `:information_source: *${hostile}*`)
    assert.equal(shown(message.attachments[0].fallback), hostile)
    assert.equal(shown(body.text.text), hostile)
    assert.equal(shown(fields.fields[0].text), `*${hostile}*\n${hostile}`)
    assert.equal(shown(detail.text.text), `\`\`\`\n${hostile}\n\`\`\``)
  }))

it.effect("marks of bold, italic, struck and quoted text, code and emoji are shown literally", () =>
  Effect.gen(function*() {
    const text = "> quoted *bold* _it_ ~no~ `code`\n> again :smile: etl.ts:100:3"
    const [body] = blocksOf(yield* payload({ title: "x", body: text }))
    assert.equal(
      body.text.text.replaceAll("\u200b", "|"),
      "|&gt; quoted *|bold*| _|it_| ~|no~| `|code`|\n|&gt; again :|smile: etl.ts:|100:3"
    )
  }))

it.effect("backticks in a detail do not end its code block", () =>
  Effect.gen(function*() {
    const detail = "before\n```\n<!channel>\n````` `a` `"
    const [block] = blocksOf(yield* payload({ title: "x", detail }))
    const inside = block.text.text.slice("```\n".length, -"\n```".length)
    assert.equal(block.text.text, `\`\`\`\n${inside}\n\`\`\``)
    assert.equal(inside.includes("``"), false)
    assert.equal(shown(inside), detail)
  }))

// -----------------------------------------------------------------------------
// limits
// -----------------------------------------------------------------------------

/** Asserts the limits that Slack documents, and the total of all blocks. */
const assertValid = (json: string): void => {
  const message = JSON.parse(json, (_, value: unknown) => {
    if (typeof value === "string") {
      assert.ok(value.isWellFormed(), "half a character")
      // oxlint-disable-next-line no-control-regex -- control characters are what it is about
      assert.equal(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(value), false, "control characters")
    }
    return value
  })
  assert.equal(/[<>]/.test(json), false, "angle brackets")
  assert.ok(message.text.length <= 4000 && message.text.length > 0)
  const blocks = blocksOf(message)
  assert.ok(blocks.length <= 50, `${blocks.length} blocks`)
  assert.ok(JSON.stringify(blocks).length <= 12_000, `${JSON.stringify(blocks).length} characters`)
  for (const { elements, fields, text, type } of blocks) {
    assert.ok(type === "section" || type === "context")
    if (text !== undefined) assert.ok(text.text.length <= 3000 && text.text.trim() !== "", "text of a section")
    if (fields !== undefined) {
      assert.ok(fields.length >= 1 && fields.length <= 10, `${fields.length} fields`)
      for (const field of fields) assert.ok(field.text.length <= 2000 && field.text.trim() !== "", "text of a field")
    }
    if (elements !== undefined) assert.equal(elements.length, 1)
  }
}

const nasty = [
  "<!channel>",
  "```",
  "*",
  "&",
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
const text = ({ pieces, times }: (typeof Text)["Type"]): string => pieces.join("").repeat(times)

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
          title: text(title),
          body: text(body),
          detail: text(detail),
          fields: Array.from({ length: many }, () => fields).flat().slice(0, 600).map(({ name, value }) => ({
            name: text(name).slice(0, 5000),
            value: text(value).slice(0, 5000)
          }))
        }),
        assertValid
      ),
    60
  ))

it.effect("a detail of 5 MB is cut in its middle, quickly", () =>
  Effect.gen(function*() {
    const detail = `Error: first\n${"    at 😀 שלום مرحبا <a> `b`\n".repeat(180_000)}at last`
    assert.ok(new TextEncoder().encode(detail).length > 5_000_000)
    const started = performance.now()
    const json = yield* sent({ ...sample, body: "short", detail })
    assert.ok(performance.now() - started < 1000)
    assertValid(json)
    const blocks = blocksOf(JSON.parse(json))
    assert.equal(blocks[0].text.text, "short")
    assert.equal(blocks[1].fields.length, 3)
    const block: string = blocks[2].text.text
    assert.ok(block.length > 2950)
    assert.ok(block.startsWith("```\nError: first\n    at 😀 שלום مرحبا &lt;a&gt; `b`\n"))
    assert.ok(block.endsWith("at last\n```"))
    const [head, missing, tail] = shown(block.slice(4, -4)).split(/\n… (\d+) characters left out …\n/)
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
          const [body, ...rest] = blocksOf(JSON.parse(json))
          const shown = rest.flatMap(({ fields }) => fields ?? []).map(({ text }) => text)
          return { body: body.text.text, shown, detail: rest.at(-2).text.text }
        }
      )
    const all = yield* lengths(2, 100)
    assert.deepEqual([all.body.length, all.detail.length], [3000, 3000])
    const detailCut = yield* lengths(4, 1500)
    assert.deepEqual([detailCut.body, detailCut.shown[3]], ["b".repeat(3000), `*f3*\n${"v".repeat(1500)}`])
    assert.match(detailCut.detail, /^```\nd+\n… \d+ characters left out …\nd+\n```$/)
    const bodyCut = yield* lengths(5, 1700)
    assert.match(bodyCut.body, /^b+\n… \d+ characters left out …\nb+$/)
    assert.equal(bodyCut.shown[4], `*f4*\n${"v".repeat(1700)}`)
    const valuesCut = yield* lengths(40, 1700)
    assert.equal(valuesCut.shown.length, 40)
    for (const value of valuesCut.shown) assert.match(value, /^\*f\d+\*\nv+\n… \d+ characters left out …\nv+$/)
    const many = yield* lengths(1000, 1700)
    assert.match(many.shown[0], /^\*f0\*\nv+\n… \d+ characters left out …\nv+$/)
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
