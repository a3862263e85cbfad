import { DateTime, Duration, Effect, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { RocketChat } from "../../src/alerters/index.ts"
import { Alert } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const accepted = { body: { success: true } }

channelContract(test, {
  channel: "rocketChat",
  layer: (url, options) =>
    RocketChat.layer({ ...options, webhookUrl: Redacted.make(`${url}/hooks/0123456789/${canary}0123456789`) }),
  accepted,
  readsBody: false
})

const at = DateTime.makeUnsafe("2026-11-23T12:40:12Z")

const started = (options: Partial<RocketChat.WebhookOptions> = {}, ...replies: ReadonlyArray<Reply>) =>
  Effect.gen(function*() {
    const server = yield* channelServer(...(replies.length === 0 ? [accepted] : replies))
    return yield* postingTo(
      server,
      RocketChat.layer({
        webhookUrl: Redacted.make(`${server.url}/hooks/h1/t1`),
        timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
        pace: [],
        ...options
      })
    )
  })

/** Asserts that all that others wrote is code, which nothing in it ends. */
const assertInert = (json: {
  readonly text: string
  readonly attachments: ReadonlyArray<{ readonly text: string }>
}): void => {
  assert.match(json.text, /^\S+ `[^`]+`$/u)
  assert.doesNotMatch(json.text, /@[\w.-]/)
  const [, ...after] = json.attachments[0]!.text.split("```")
  assert.equal(after.length, 2, json.attachments[0]!.text)
  assert.match(after[1]!, /^(?:\nhttps?:\/\/[^\s@|[\]()*~!$\\^{}`]+)*$/)
}

it.live("an alert is a title, and a block of code beside a bar", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({ channel: "#nightly", username: "epilogue" })
    const { json, method, path } = yield* sent(sample.with({ at }))
    assert.equal(`${method} ${path}`, "POST /hooks/h1/t1")
    assert.deepEqual(json, {
      channel: "#nightly",
      alias: "epilogue",
      text: "❌ `nightly › load failed`",
      parseUrls: false,
      attachments: [{
        color: "#e01e5a",
        text: [
          "```",
          "Error: no such bucket",
          "",
          "pipeline: nightly",
          "step: load",
          "rows: 1461",
          "",
          "Error: no such bucket",
          "    at load (etl.ts:12:3)",
          "",
          "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)",
          "```"
        ].join("\n")
      }]
    })
  }))

it.live("markup and mentions in an alert are code, and notify nobody", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    for (
      const text of [
        "@all @here -@ada (@ada)",
        "``` @all ````\n`x` *b* _i_ [x](y) :smile: <https://a.test|x>",
        "#general ||s||"
      ]
    ) {
      const { json } = yield* sent(Alert.make({ title: text, body: text, fields: { [text]: text }, detail: text, at }))
      assertInert(json)
      const shown = text.replaceAll("```", "'''").replace(/'''`/g, "''''")
      assert.ok(json.attachments[0].text.includes(`\n${shown}\n\n`), json.attachments[0].text)
    }
  }))

it.live("addresses are links below the code, and actions are buttons", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { json } = yield* sent(Alert.make({
      title: "t",
      body: "see https://status.example.com/a_(b).",
      url: "https://ci.example/1",
      actions: [{ label: "Runbook", url: "https://wiki.example/load" }],
      at
    }))
    const [{ actions, text }] = json.attachments
    assert.ok(text.endsWith("\n```\nhttps://status.example.com/a_%28b"), text)
    assert.deepEqual(actions, [
      { type: "button", text: "Open", url: "https://ci.example/1" },
      { type: "button", text: "Runbook", url: "https://wiki.example/load" }
    ])
  }))

it.live("any alert becomes a valid message within the limits", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    yield* forAll(AnyAlert, (input) =>
      Effect.map(sent(alertOf(input)), ({ json }) => {
        const { attachments: [{ text }], text: title } = json
        assert.ok(title.length + text.length <= 5000, `${title.length + text.length}`)
        assert.ok(title.isWellFormed() && text.isWellFormed())
        assertInert(json)
        assert.match(text, /2026-11-23 13:40:12 Europe\/Berlin/)
      }), 60)
  }))

it.live("a detail of 5 MB is cut in its middle, and all other parts arrive", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { attachments: [{ text }] } = (yield* sent(sample.with({ detail: hugeDetail(), at }))).json
    assert.ok(text.length <= 5000 && text.length > 3500, `${text.length}`)
    assert.match(
      text,
      /^```\nError: no such bucket\n\npipeline:[^]*Error: BEGINNING\n[^]*… \d{7} characters left out …[^]*at END\n\n2026/
    )
  }))

it.live("a limit of rates is waited for as its header says, in milliseconds since 1970, before it is refused, too", () =>
  Effect.gen(function*() {
    const soon = () => ({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Date.now() + 700) })
    const refuses = yield* started(
      { delay: "1 millis" },
      () => ({ status: 429, headers: soon(), body: { success: false, error: "too many" } }),
      accepted
    )
    const [refused] = yield* Effect.timed(refuses.post(sample))
    assert.ok(Duration.toMillis(refused) >= 650, Duration.format(refused))
    assert.equal(refuses.requests.length, 2)
    const { post } = yield* started({}, () => ({ ...accepted, headers: soon() }), accepted)
    const [twice] = yield* Effect.timed(Effect.andThen(post(sample), post(sample)))
    assert.ok(Duration.toMillis(twice) >= 650, Duration.format(twice))
  }))

it.live("a refusal's detail is the error of the answer", () =>
  Effect.gen(function*() {
    const { post } = yield* started({ retries: 0 }, { status: 400, body: { success: false, error: "invalid-channel" } })
    assert.deepEqual({ ...(yield* Effect.flip(post(sample))).reason }, {
      _tag: "Rejected",
      status: 400,
      detail: "invalid-channel"
    })
  }))
