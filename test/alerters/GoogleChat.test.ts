import { DateTime, Effect, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { GoogleChat } from "../../src/alerters/index.ts"
import { Alert } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const accepted = { body: { name: "spaces/AAAA/messages/1.1" } }

channelContract(test, {
  channel: "googleChat",
  layer: (url, options) =>
    GoogleChat.layer({
      ...options,
      webhookUrl: Redacted.make(`${url}/v1/spaces/AAAA/messages?key=${canary}01234567&token=${canary}89abcdef`)
    }),
  accepted,
  readsBody: false
})

const at = DateTime.makeUnsafe("2026-11-23T12:40:12Z")

const started = (
  options: Partial<GoogleChat.WebhookOptions> = {},
  query = "?key=k1&token=t1",
  reply: Reply = accepted
) =>
  Effect.gen(function*() {
    const server = yield* channelServer(reply)
    return yield* postingTo(
      server,
      GoogleChat.layer({
        webhookUrl: Redacted.make(`${server.url}/v1/spaces/AAAA/messages${query}`),
        timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
        pace: [],
        ...options
      })
    )
  })

interface Widget {
  readonly textParagraph?: { readonly text: string; readonly maxLines?: number }
  readonly buttonList?: { readonly buttons: ReadonlyArray<{ readonly text: string; readonly onClick: unknown }> }
}

const widgetsOf = (json: { readonly cardsV2: ReadonlyArray<{ readonly card: unknown }> }): ReadonlyArray<Widget> => {
  const [first] = json.cardsV2
  const { sections } = first!.card as { readonly sections: ReadonlyArray<{ readonly widgets: ReadonlyArray<Widget> }> }
  assert.ok(sections.every(({ widgets }) => widgets.length > 0))
  return sections.flatMap(({ widgets }) => widgets)
}

const textsOf = (json: Parameters<typeof widgetsOf>[0]): ReadonlyArray<string> =>
  widgetsOf(json).flatMap(({ textParagraph }) => textParagraph === undefined ? [] : [textParagraph.text])

/** Returns the text that a card shows of its HTML, of which only the tags that the channel makes are left out. */
const shown = (html: string): string =>
  html.replaceAll("<br>", "\n").replace(/<\/?(?:b|font|a)(?: (?:color|href)="[^"]*")?>/g, "")
    .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, "\"").replace(/&#39;/g, "'").replace(/&amp;/g, "&")

/** Asserts that Google accepts a message. */
const assertWithinLimits = (body: string): void => {
  assert.ok(Buffer.byteLength(body) <= 30_000, `${Buffer.byteLength(body)} bytes`)
  const json = JSON.parse(body)
  assert.ok(json.fallbackText.trim() !== "")
  const texts = textsOf(json)
  assert.ok(texts.length >= 2)
  for (const text of texts) {
    assert.ok(text.isWellFormed() && text.trim() !== "")
    // nothing of the alert is a tag
    assert.doesNotMatch(text.replace(/<br>|<\/?(?:b|font|a)(?: (?:color|href)="[^"<>]*")?>/g, ""), /[<>]/)
  }
}

it.live("an alert is a card with title, body, fields, detail and time", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { headers, json, method, path } = yield* sent(sample.with({ at, idempotencyKey: "k" }))
    assert.equal(method, "POST")
    assert.equal(headers["content-type"], "application/json; charset=UTF-8")
    const url = new URL(path, "http://chat.test")
    assert.equal(url.pathname, "/v1/spaces/AAAA/messages")
    const { key, messageReplyOption, requestId, token } = Object.fromEntries(url.searchParams)
    assert.deepEqual([key, token], ["k1", "t1"])
    assert.equal(messageReplyOption, "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD")
    assert.match(String(requestId), /^[0-9a-f]{64}$/)
    assert.equal(json.fallbackText, "❌ nightly › load failed")
    assert.deepEqual(textsOf(json), [
      "<b><font color=\"#e01e5a\">❌ nightly › load failed</font></b>",
      "Error: no such bucket",
      "<b>pipeline:</b> nightly<br><b>step:</b> load<br><b>rows:</b> 1461",
      "Error: no such bucket<br>\u00a0\u00a0\u00a0\u00a0at load (etl.ts:12:3)",
      "<font color=\"#80868b\">2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)</font>"
    ])
  }))

it.live("a recovery goes to the thread of its failure, from any process, unless threads is false", () =>
  Effect.gen(function*() {
    const threadOf = (alert: Alert, options?: Partial<GoogleChat.WebhookOptions>, query?: string) =>
      Effect.gen(function*() {
        const { sent } = yield* started(options, query)
        const { json, path } = yield* sent(alert)
        return [json.thread?.threadKey, path.includes("messageReplyOption")]
      })
    const failure = yield* threadOf(sample)
    assert.match(String(failure[0]), /^[0-9a-f]{64}$/)
    assert.deepEqual(
      yield* threadOf(Alert.make({ title: "well", severity: "success", dedupeKey: "nightly/load" })),
      failure
    )
    assert.notDeepEqual(yield* threadOf(sample.with({ dedupeKey: "nightly/store" })), failure)
    assert.deepEqual(yield* threadOf(sample.with({ dedupeKey: undefined })), [undefined, false])
    assert.deepEqual(yield* threadOf(sample, { threads: false }), [undefined, false])
    // an address that names a thread keeps it
    assert.deepEqual(yield* threadOf(sample, {}, "?key=k&token=t&threadKey=ops"), [undefined, false])
  }))

it.live("all attempts of a post, and its repeat, have the same request id, and the next post has another", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status: 500 }, accepted)
    const layer = GoogleChat.layer({ webhookUrl: Redacted.make(`${server.url}/x`), delay: "1 millis", pace: [] })
    const { post } = yield* postingTo(server, layer)
    yield* post(sample)
    yield* post(sample)
    yield* post(sample.with({ idempotencyKey: "k" }))
    yield* post(sample.with({ idempotencyKey: "k" }))
    const ids = server.requests.map(({ path }) => new URL(path, server.url).searchParams.get("requestId"))
    assert.equal(ids[0], ids[1])
    assert.equal(ids[3], ids[4])
    assert.equal(new Set(ids).size, 3)
  }))

it.live("markup and mentions in an alert are shown literally, and notify nobody", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    for (
      const text of [
        "<users/all> <users/123>",
        "<b>bold</b> &lt;users/all&gt; &amp;",
        "<a href=\"http://evil.test\">x</a>",
        "*a* _b_ ~c~ `d` ```e```",
        "<https://evil.test|x>"
      ]
    ) {
      const { body, json } = yield* sent(
        Alert.make({ title: text, body: text, fields: { [text]: text }, detail: text, at })
      )
      assert.doesNotMatch(body, /<users\//)
      const [title, body_, fields, detail] = textsOf(json)
      assert.equal(shown(title!), `ℹ️ ${text}`)
      assert.equal(shown(body_!), text)
      assert.equal(shown(fields!), `${text}: ${text}`)
      assert.equal(shown(detail!), text)
    }
  }))

it.live("addresses are links, and actions are buttons", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { json } = yield* sent(Alert.make({
      title: "t",
      body: "see https://status.example.com/?a=1&b=2.",
      url: "https://ci.example/1",
      actions: [{ label: "Runbook", url: "https://wiki.example/load" }, { label: "Log", url: "file:///x" }]
    }))
    const [title, body, fields] = textsOf(json)
    assert.match(title!, /^<a href="https:\/\/ci\.example\/1"><b>/)
    assert.equal(
      body,
      "see <a href=\"https://status.example.com/?a=1&amp;b=2\">https://status.example.com/?a=1&amp;b=2</a>."
    )
    assert.equal(fields, "<b>Log:</b> file:///x")
    const { buttons } = widgetsOf(json).find(({ buttonList }) => buttonList !== undefined)!.buttonList!
    assert.deepEqual(buttons.map(({ onClick, text }) => [text, onClick]), [
      ["Open", { openLink: { url: "https://ci.example/1" } }],
      ["Runbook", { openLink: { url: "https://wiki.example/load" } }]
    ])
  }))

it.live("any alert becomes a valid message within the limits", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    yield* forAll(AnyAlert, (input) =>
      Effect.map(sent(alertOf(input)), ({ body, json }) => {
        assertWithinLimits(body)
        assert.match(textsOf(json).at(-1)!, /2026-11-23 13:40:12 Europe\/Berlin/)
      }), 60)
  }))

it.live("a detail of 5 MB is cut in its middle, and all other parts arrive", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { body, json } = yield* sent(sample.with({ detail: hugeDetail(), at }))
    assertWithinLimits(body)
    assert.ok(Buffer.byteLength(body) > 28_000, "as much as fits")
    const [, text, fields, detail] = textsOf(json)
    assert.equal(text, "Error: no such bucket")
    assert.match(fields!, /rows/)
    assert.match(detail!, /^Error: BEGINNING<br>[\s\S]*… \d{7} characters left out …[\s\S]*at END$/)
  }))

it.live("of many fields the first are shown, and how many more there are", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const fieldsOf = (value: string) =>
      Effect.map(
        sent(sample.with({ fields: Array.from({ length: 250 }, (_, i) => ({ name: `f${i}`, value })) })),
        ({ body, json }) => {
          assertWithinLimits(body)
          const lines = textsOf(json)[2]!.split("<br>")
          return { shown: lines.filter((line) => line.startsWith("<b>f")).length, note: lines.at(-1) }
        }
      )
    assert.deepEqual(yield* fieldsOf("v"), { shown: 99, note: "<b>…:</b> and 151 more" })
    const { note, shown } = yield* fieldsOf("<".repeat(3000))
    assert.ok(shown > 20, `${shown}`)
    assert.equal(note, `<b>…:</b> and ${250 - shown} more`)
  }))

it.live("a refusal's detail is the message of the error", () =>
  Effect.gen(function*() {
    const error = { code: 403, message: "The caller does not have permission", status: "PERMISSION_DENIED" }
    const { post } = yield* started({ retries: 0 }, undefined, { status: 403, body: { error } })
    assert.deepEqual({ ...(yield* Effect.flip(post(sample))).reason }, {
      _tag: "Unauthorized",
      detail: "The caller does not have permission"
    })
  }))
