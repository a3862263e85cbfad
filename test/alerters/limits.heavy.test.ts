/** Alerts of any size are delivered by every channel, cut to what it takes, in time that grows with their size. */
import { DateTime, Effect } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Alert, Alerter } from "../../src/index.ts"
import { type Channel, channels } from "../support/channels.ts"
import { effectIsLinear } from "../support/growth.ts"
import { makeIt } from "../support/it.ts"
import { large } from "../support/sizes.ts"

const it = makeIt(test)

const post = (channel: Channel, alert: Alert) =>
  Effect.provide(Effect.flatMap(Alerter, (alerter) => alerter.post(alert)), channel.layer)

const names = [
  "Alertmanager",
  "Apprise",
  "Console",
  "Discord",
  "DiscordBot",
  "Email",
  "GitHubIssues",
  "GoogleChat",
  "Gotify",
  "JsonLines",
  "Matrix",
  "Mattermost",
  "Ntfy",
  "Opsgenie",
  "PagerDuty",
  "Pushover",
  "RocketChat",
  "Sentry",
  "Slack",
  "SlackBot",
  "Teams",
  "Telegram",
  "Twilio",
  "Webhook",
  "Zulip"
]

/** So many that quadratic time would take minutes, and seconds at a tenth of them. */
const many = large(200_000)
const base = Alert.make({ title: "load failed", severity: "error", at: DateTime.makeUnsafe(0) })

const fieldsOf: Readonly<Record<string, (count: number) => Alert["fields"]>> = {
  "different names": (count) => Array.from({ length: count }, (_, i) => ({ name: `field ${i}`, value: `value ${i}` })),
  "one name and the numbers that would tell its uses apart": (count) =>
    Array.from({ length: count }, (_, i) => ({ name: i % 2 === 0 ? `a (${i / 2 + 2})` : "a", value: "b" })),
  "one long name": (count) =>
    Array.from({ length: count }, (_, i) => ({ name: i === 0 ? "n".repeat(count * 5) : "a", value: "b\nc" }))
}

/** Returns an alert whose texts have a length of about `length` characters, and other parts in proportion. */
const longOf = (length: number): Alert => {
  const long = "x\n".repeat(length / 2)
  return base.with({
    title: long,
    body: long,
    detail: long,
    fields: [{ name: long, value: long }],
    dedupeKey: long,
    idempotencyKey: long,
    tags: [long, ...Array.from({ length: length / 100 }, (_, i) => `tag ${i}`)],
    source: {
      pipeline: long,
      runId: long,
      runName: long,
      stepPath: [long, ...Array.from({ length: length / 50 }, (_, i) => `step ${i}`)]
    },
    attachments: [{ name: long, mediaType: long, content: new Uint8Array(length) }]
  })
}

it.effect("the channels that these tests post to are all channels", () =>
  Effect.map(channels, (all) => assert.deepEqual(Object.keys(all).toSorted(), names)))

for (const name of names) {
  it.effect(`${name} delivers an alert with very many fields in linear time`, () =>
    Effect.gen(function*() {
      const channel = (yield* channels)[name]!
      for (const [kind, fields] of Object.entries(fieldsOf)) {
        yield* effectIsLinear(kind, many, (count) => post(channel, base.with({ fields: fields(count) })))
        assert.ok((yield* channel.sent).length > 0)
      }
    }))

  it.effect(`${name} delivers an alert of which every text is very long in linear time`, () =>
    Effect.gen(function*() {
      const channel = (yield* channels)[name]!
      yield* effectIsLinear("long texts", large(1_000_000), (length) => post(channel, longOf(length)))
      const sent = yield* channel.sent
      assert.ok(sent.length > 0)
      // a console and a mail have no limit of their own
      if (name !== "Console" && name !== "Email") assert.ok(sent.every((text) => text.length <= 2_000_000))
    }))
}

for (const name of ["JsonLines", "Webhook"]) {
  it.effect(`${name} says how many fields it leaves out, and cuts long keys so that they stay different`, () =>
    Effect.gen(function*() {
      const channel = (yield* channels)[name]!
      yield* post(channel, base.with({ fields: fieldsOf["different names"]!(many) }))
      const [first] = yield* channel.sent
      const { fields } = JSON.parse(first!)
      assert.deepEqual(fields.at(-1), {
        name: "…",
        value: `and ${(many - fields.length + 1).toLocaleString("en")} more`
      })
      assert.ok(fields.length > 1000)
      const keys: Array<string> = []
      for (const end of ["a", "b"]) {
        yield* post(channel, base.with({ dedupeKey: "k".repeat(large(1_000_000)) + end }))
        keys.push(JSON.parse((yield* channel.sent)[0]!).dedupeKey)
      }
      assert.ok(keys.every((key) => key.length <= 1000 && key.startsWith("kkk")))
      assert.notEqual(keys[0], keys[1])
    }))
}
