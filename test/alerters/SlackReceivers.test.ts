/** What people see of alerts for Slack where blocks are unknown: in Mattermost, Rocket.Chat and Discord. */
import { DateTime, Effect, Schema } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { message } from "../../src/alerters/internal/slack/message.ts"
import { Alert, type AlertInput } from "../../src/index.ts"
import { english } from "../../src/internal/text/alertWords.ts"
import { AnyText, textOf } from "../support/anyAlert.ts"
import { sample } from "../support/channelContract.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"
import { inSlack, withoutBlocks } from "../support/slackReceivers.ts"

const it = makeIt(test)

const at = DateTime.makeUnsafe("2026-11-23T12:40:12Z")
const time = "2026-11-23 13:40:12"

// a cast, since the alert has a time
const payload = (input: AlertInput) =>
  message(Alert.make({ at, ...input }) as Parameters<typeof message>[0], { time: () => time, words: english })

for (const [name, read] of Object.entries(withoutBlocks)) {
  test(`${name} shows title, body, fields and detail of an alert`, () => {
    const seen = read(payload({ ...sample, at }))
    assert.equal(
      seen.text,
      [
        ":x: nightly › load failed",
        "Error: no such bucket",
        "",
        "pipeline: nightly",
        "step: load",
        "rows: 1461",
        "",
        "Error: no such bucket\n    at load (etl.ts:12:3)",
        "",
        time
      ].join("\n")
    )
    assert.deepEqual([seen.mentions, seen.links, seen.markup], [[], [], ""])
  })

  test(`${name} shows names, markup and code as they were written`, () => {
    const title = "nightly_etl › load_orders *failed* ~~twice~~ :smile:"
    const body =
      "table stg_orders: Option<Foo> & Map<K, V>\n# no heading\n> no quote\n1. `code` [a](b) **c**\n\tat x:10:5"
    const seen = read(payload({ title, body }))
    assert.equal(seen.text, `:information_source: ${title}\n${body}\n\n${time}`)
    assert.equal(seen.markup, "")
  })

  test(`${name} links to addresses, below the text`, () => {
    const run = "https://ci.example.com/job/nightly_etl/runs/12?step=load_orders&a=b"
    const body = `see ${run}, https://x.example/[a](b)*c*@all, ${run} and https://me@x.example/`
    const { links, markup, mentions, text } = read(payload({ title: "x", body }))
    assert.deepEqual(links, [run, "https://x.example/%5Ba%5D%28b%29%2Ac%2A%40all"])
    assert.ok(text.includes(body))
    assert.deepEqual([markup, mentions], ["", []])
  })

  it.effect(`${name} notifies nobody and renders no markup, whatever is in an alert`, () =>
    forAll(
      Schema.Struct({
        title: AnyText,
        body: AnyText,
        detail: AnyText,
        fields: Schema.Array(Schema.Struct({ name: AnyText, value: AnyText })),
        mention: Schema.Literals([
          "@all",
          " @here",
          "\n@channel",
          "@everyone",
          "<!channel>",
          "<!here|x>",
          "<@U1>",
          "<https://evil.example|@all>",
          ">@all",
          "` @all `",
          "\n```\n@all\n```\n",
          "````",
          "`",
          "https://x.example/@all "
        ]),
        times: Schema.Literals([1, 1, 3, 500])
      }),
      ({ body, detail, fields, mention, times, title }) =>
        Effect.sync(() => {
          const text = (pieces: typeof AnyText.Type) => (textOf(pieces) + mention).repeat(times)
          const sent = payload({
            title: text(title),
            body: text(body),
            detail: text(detail),
            fields: fields.map(({ name, value }) => ({ name: text(name), value: text(value) }))
          })
          const seen = read(sent)
          assert.deepEqual([seen.mentions, seen.markup], [[], ""])
          assert.ok(sent.text.length <= 2000)
          // what a phone shows of Slack's notification, from the same text
          assert.deepEqual(inSlack(sent).mentions, [])
        })
    ))
}

test("an alert without a body, fields and detail is its title and its time", () => {
  assert.equal(payload({ title: "done" }).text, `:information_source: \`done\`\n\`\`\`\n${time}\n\`\`\``)
})

test("a long body leaves room for the fields, and a long detail is cut in its middle", () => {
  const both = payload({ title: "x", body: "b".repeat(5000), fields: { rows: "1461" }, detail: "d".repeat(5000) }).text
  assert.ok(both.length > 1900 && both.length <= 2000, `${both.length}`)
  assert.match(both, /b+\n… \d+ characters left out …\nb+\n\nrows: 1461\n/)
  const detail = payload({ title: "x", body: "b", detail: "d".repeat(5000) }).text
  assert.match(detail, /\nb\n\nd+\n… \d+ characters left out …\nd+\n\n/)
  const fields =
    payload({ title: "x", fields: Array.from({ length: 50 }, (_, i) => ({ name: `f${i}`, value: "v" })) }).text
  assert.match(fields, /\nf29: v\n… and 20 more\n/)
})

test("what a receiver would take for a mention in code is marked, and an angle bracket that begins one is escaped", () => {
  const { text } = payload({ title: "@all", body: "ask @ops <!channel> ```a``` user@example.com import @x/y" })
  assert.ok(text.startsWith(":information_source: `\\@all`\n"))
  assert.ok(text.includes("ask \\@ops &lt;!channel> '''a''' user@example.com import \\@x/y"))
})
