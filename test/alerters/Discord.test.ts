import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Discord } from "../../src/alerters/index.ts"
import { Alert } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { at, embedOf, poster } from "../support/discordPosts.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

channelContract(test, {
  channel: "discord",
  layer: (url, options) =>
    Discord.layer({ ...options, webhookUrl: Redacted.make(`${url}/api/webhooks/1/${canary}0123456789`) }),
  accepted: { status: 204 },
  readsBody: false
})

channelContract(test, {
  channel: "discord",
  layer: (url, options) =>
    Discord.layerBot({ ...options, token: Redacted.make(`${canary}.Abc123.xyz`), channelId: "42", baseUrl: url }),
  accepted: { body: { id: "1", channel_id: "42" } },
  readsBody: false
})

/** Returns the text that Discord shows of escaped text. */
const shown = (text: string): string => text.replace(/(?<!\\)`([^`]+)`|\\([^0-9A-Za-z\s])/g, "$1$2")

// -----------------------------------------------------------------------------
// rendering
// -----------------------------------------------------------------------------

it.live("an alert is an embed with title, body, fields, detail and time", () =>
  Effect.gen(function*() {
    const post = yield* poster()
    const { json, method } = yield* post(sample.with({ at }))
    assert.equal(method, "POST")
    assert.deepEqual(json, {
      embeds: [{
        title: "❌ nightly › load failed",
        color: 0xe01e5a,
        description: "Error: no such bucket\n```\nError: no such bucket\n    at load (etl.ts:12:3)\n```",
        fields: [
          { name: "pipeline", value: "nightly", inline: true },
          { name: "step", value: "load", inline: true },
          { name: "rows", value: "1461", inline: true }
        ],
        footer: { text: "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)" },
        timestamp: "2026-11-23T12:40:12.000Z"
      }],
      allowed_mentions: { parse: [] }
    })
  }))

it.live("each severity has its own colour and symbol", () =>
  Effect.gen(function*() {
    const severities = ["info", "success", "warning", "error", "critical"] as const
    const embeds = yield* Effect.forEach(severities, (severity) => embedOf(Alert.make({ title: "t", severity })))
    assert.equal(new Set(embeds.map(({ color }) => color)).size, 5)
    assert.deepEqual(embeds.map(({ title }) => title), ["ℹ️ t", "✅ t", "⚠️ t", "❌ t", "🚨 t"])
  }))

it.live("parts that an alert lacks are left out, and invisible texts of fields become a dash", () =>
  Effect.gen(function*() {
    const embed = yield* embedOf(Alert.make("t"))
    assert.deepEqual(Object.keys(embed).toSorted(), ["color", "footer", "timestamp", "title"])
    const blank = yield* embedOf(Alert.make({ title: "t", body: " ", detail: "\n", fields: { "": "", a: "\u0000" } }))
    assert.equal(blank.description, undefined)
    assert.deepEqual(blank.fields, [
      { name: "–", value: "–", inline: true },
      { name: "a", value: "–", inline: true }
    ])
  }))

it.live("long or multi-line field values are not shown inline", () =>
  Effect.gen(function*() {
    const { fields } = yield* embedOf(
      Alert.make({ title: "t", fields: { long: "x".repeat(60), lines: "a\nb", no: "x" } })
    )
    assert.deepEqual(fields.map(({ inline }: { inline: boolean }) => inline), [false, false, true])
  }))

// -----------------------------------------------------------------------------
// markup and mentions
// -----------------------------------------------------------------------------

it.live("markup and mentions in an alert are shown literally, and notify nobody", () =>
  Effect.gen(function*() {
    const texts = [
      "@everyone",
      "@here",
      "<@123>",
      "<@!123>",
      "<@&123>",
      "<#123>",
      "<t:1618953630>",
      "[x](http://evil.test)",
      "http://x.test/a_b_c",
      "*a* **b** _c_ __d__ ~~e~~ ||f|| `g` ```h```",
      ":smile:",
      "# no heading",
      "> no quote",
      "- no list",
      "1. no list",
      "-# no small print",
      "back\\slash \\*",
      "etl.ts:100:3",
      "nightly-etl"
    ]
    const post = yield* poster()
    for (const text of texts) {
      const { json } = yield* post(Alert.make({ title: text, body: text, fields: { [text]: text } }))
      assert.deepEqual(json.allowed_mentions, { parse: [] })
      const { description, fields, title } = json.embeds[0]
      const escaped = [title.slice("ℹ️ ".length), description, fields[0].name, fields[0].value]
      for (const part of escaped) {
        assert.equal(shown(part), text)
        const outside = part.replace(/(?<!\\)`[^`]+`/g, "")
        assert.doesNotMatch(outside, /@(everyone|here|[!&]?\d)/)
        assert.doesNotMatch(outside, /(?<!\\)(\\\\)*[*_~`|<>[\]]/)
        assert.doesNotMatch(part, /(?<!\\):(\/\/|smile:|100:)|^([-#+]|\d+\.)/m)
      }
    }
    // plain text is not escaped
    const { title } = yield* embedOf(Alert.make("nightly-etl (etl.ts:12:3), 50% a@b.test!"))
    assert.equal(title, "ℹ️ nightly-etl (etl.ts:12:3), 50% a@b.test!")
  }))

it.live("backticks in a detail do not end its code block: one with three is shown as other texts are", () =>
  Effect.gen(function*() {
    const detail = "``` @everyone ````\n`a` ` ```"
    const { description } = yield* embedOf(Alert.make({ title: "t", detail }))
    assert.equal(shown(description), detail)
    assert.doesNotMatch(description, /``/)
    const two = yield* embedOf(Alert.make({ title: "t", detail: "`` @everyone `" }))
    assert.equal(two.description, "```\n`` @everyone `\n```")
  }))

// -----------------------------------------------------------------------------
// limits
// -----------------------------------------------------------------------------

interface Embed {
  readonly title: string
  readonly description?: string
  readonly fields?: ReadonlyArray<{ readonly name: string; readonly value: string }>
  readonly footer: { readonly text: string }
}

const assertWithinLimits = ({ description = "-", fields = [], footer, title }: Embed): void => {
  const texts = [title, description, footer.text, ...fields.flatMap(({ name, value }) => [name, value])]
  assert.ok(title.length <= 256, `title: ${title.length}`)
  assert.ok(description.length <= 4096, `description: ${description.length}`)
  assert.ok(fields.length <= 25, `fields: ${fields.length}`)
  assert.ok(fields.every(({ name, value }) => name.length <= 256 && value.length <= 1024))
  assert.ok(texts.join("").length <= 6000, `all: ${texts.join("").length}`)
  for (const text of texts) {
    assert.ok(text.isWellFormed())
    // Discord trims texts, and refuses those of which nothing is left
    assert.notEqual(text.trim(), "")
    // oxlint-disable-next-line no-control-regex -- control characters are what it is about
    assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
  }
}

it.live("any alert becomes a valid embed within the limits", () =>
  Effect.gen(function*() {
    const post = yield* poster()
    yield* forAll(AnyAlert, (any) =>
      Effect.gen(function*() {
        const { json } = yield* post(alertOf(any))
        assert.equal(json.embeds.length, 1)
        assertWithinLimits(json.embeds[0])
      }), 150)
  }))

it.live("a detail of five megabytes is cut in its middle, and says how much is missing", () =>
  Effect.gen(function*() {
    const post = yield* poster()
    const alert = Alert.make({ title: "t", body: "the body", fields: { a: "b" }, detail: hugeDetail() })
    const [elapsed, { json }] = yield* Effect.timed(post(alert))
    const [embed] = json.embeds
    assertWithinLimits(embed)
    assert.ok(embed.description.length > 4000)
    assert.match(
      embed.description,
      /^the body\n```\nError: BEGINNING\n[^]*… \d{7} characters left out …[^]*at END\n```$/
    )
    assert.deepEqual(embed.fields, [{ name: "a", value: "b", inline: true }])
    assert.ok(Duration.toMillis(elapsed) < 10_000, Duration.format(elapsed))
  }))

it.live("if all parts are long, the detail and the body are cut first, then the values of fields", () =>
  Effect.gen(function*() {
    const fields = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`name ${i}`, `${i} `.repeat(400)]))
    const long = Alert.make({ title: "T".repeat(300), body: "b".repeat(9000), detail: "d".repeat(9000), fields })
    const embed = yield* embedOf(long)
    assertWithinLimits(embed)
    assert.equal(embed.fields.length, 25)
    assert.match(embed.title, /^ℹ️ T+…$/)
    assert.match(embed.fields[24].value, /^24 24 [^]*… \d+ characters left out …/)
    const [body, detail] = embed.description.split("\n```\n")
    assert.ok(body.length >= 400 && detail.length >= 900, `${body.length} ${detail.length}`)

    const alone = yield* embedOf(Alert.make({ title: "t", body: "b".repeat(2000), detail: "d".repeat(9000) }))
    assert.ok(alone.description.startsWith("b".repeat(2000) + "\n```\nddd"))
  }))

it.live("fields beyond the limit are replaced by their number", () =>
  Effect.gen(function*() {
    const fields = Array.from({ length: 30 }, (_, i) => ({ name: `n${i}`, value: "v" }))
    const few = yield* embedOf(Alert.make({ title: "t", fields }))
    assert.equal(few.fields.length, 25)
    assert.deepEqual(few.fields[23], { name: "n23", value: "v", inline: true })
    assert.deepEqual(few.fields[24], { name: "…", value: "and 6 more", inline: false })

    const wide = fields.slice(0, 25).map(({ name }) => ({ name: name.padEnd(250, "x"), value: "v".repeat(1000) }))
    const fewer = yield* embedOf(Alert.make({ title: "t", fields: wide }))
    assertWithinLimits(fewer)
    const more = fewer.fields.at(-1)
    assert.equal(more.value, `and ${25 - (fewer.fields.length - 1)} more`)
    assert.ok(fewer.fields.length > 10)
  }))
