import type { Config } from "effect"
import { ConfigProvider, DateTime, Duration, Effect, Layer, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Zulip } from "../../src/alerters/index.ts"
import { Alert, type Alerter } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, formOf, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const accepted = { body: { result: "success", msg: "", id: 42 } }

channelContract(test, {
  channel: "zulip",
  layer: (url, options) =>
    Zulip.layer({
      ...options,
      server: url,
      email: `${canary}-bot@example.com`,
      apiKey: Redacted.make(`${canary}0123456789`),
      channel: "ops"
    }),
  accepted,
  readsBody: false,
  read: formOf
})

const at = DateTime.makeUnsafe("2026-11-23T12:40:12Z")

const started = (options: Partial<Zulip.ZulipOptions> = {}, ...replies: ReadonlyArray<Reply>) =>
  Effect.gen(function*() {
    const server = yield* channelServer(...(replies.length === 0 ? [accepted] : replies))
    return yield* postingTo(
      server,
      Zulip.layer({
        server: `${server.url}/`,
        email: "jobs-bot@example.com",
        apiKey: Redacted.make("k1"),
        channel: "ops",
        timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
        delay: "1 millis",
        pace: [],
        ...options
      })
    )
  })

/** Asserts that all that others wrote is code, which nothing in it ends, within the limits. */
const assertValid = ({ content = "", topic = "" }: Readonly<Record<string, string>>): void => {
  assert.ok([...content].length <= 10_000, `${[...content].length}`)
  assert.ok([...topic].length <= 60 && topic.trim() !== "", topic)
  assert.ok(content.isWellFormed() && topic.isWellFormed())
  const [, title, fence, ...rest] = /^(.*)\n(`{3,})text\n([^]*)$/.exec(content) ?? []
  assert.match(title ?? "", /^\S+ `[^`]+`$/u)
  const lines = rest.join("").split("\n")
  const end = lines.indexOf(fence!)
  assert.ok(end > 0)
  for (const line of lines.slice(end + 1)) {
    assert.match(line, /^(?:`[^`]+` )?https?:\/\/[^\s@|[\]()*~!$\\^{}`]+$/)
  }
}

it.live("an alert is a message of a bot to a channel, in a topic", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { form, headers, method, path } = yield* sent(sample.with({ at }))
    assert.equal(`${method} ${path}`, "POST /api/v1/messages")
    assert.equal(headers.authorization, `Basic ${btoa("jobs-bot@example.com:k1")}`)
    assert.equal(headers["content-type"], "application/x-www-form-urlencoded")
    assert.deepEqual(form, {
      type: "stream",
      to: "ops",
      topic: "nightly",
      content: [
        "❌ `nightly › load failed`",
        "```text",
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
    })
  }))

it.live("a recovery is in the topic of its failure: that of the pipeline, or one for all", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const topicOf = (alert: Alert) => Effect.map(sent(alert), ({ form }) => form["topic"])
    assert.equal(yield* topicOf(sample), "nightly")
    assert.equal(yield* topicOf(sample.with({ severity: "success" })), "nightly")
    assert.equal(yield* topicOf(Alert.make("t")), "alerts")
    const long = yield* topicOf(sample.with({ source: { ...sample.source!, pipeline: `${"🔥".repeat(80)}\n` } }))
    assert.equal(long, `${"🔥".repeat(29)}…`)
    const fixed = yield* started({ topic: "jobs" })
    assert.equal((yield* fixed.sent(sample)).form["topic"], "jobs")
  }))

it.live("markup and mentions in an alert are code, and notify nobody", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    for (
      const text of [
        "@**all** @**everyone** @_**Ada** @*ops* #**general**",
        "```quote\n@**all**\n```\n~~~\n````",
        "`@**all**` $$x$$ <time:2026-01-01>"
      ]
    ) {
      const { form } = yield* sent(Alert.make({ title: text, body: text, fields: { [text]: text }, detail: text, at }))
      assertValid(form)
      assert.ok(form["content"]!.includes(`\n${text}\n\n`), form["content"])
    }
  }))

it.live("addresses and actions are links below the code", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { form } = yield* sent(Alert.make({
      title: "t",
      body: "see https://status.example.com/a_(b).",
      url: "https://ci.example/1",
      actions: [{ label: "Run`book", url: "https://wiki.example/@all" }],
      at
    }))
    assertValid(form)
    assert.ok(
      form["content"]!.endsWith(
        "\n```\nhttps://status.example.com/a_%28b\n`Open` https://ci.example/1\n`Run'book` https://wiki.example/%40all"
      ),
      form["content"]
    )
  }))

it.live("any alert becomes a valid message within the limits", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    yield* forAll(AnyAlert, (input) =>
      Effect.map(sent(alertOf(input)), ({ form }) => {
        assertValid(form)
        assert.match(form["content"]!, /2026-11-23 13:40:12 Europe\/Berlin/)
      }), 60)
  }))

it.live("a detail of 5 MB is cut in its middle, and all other parts arrive", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { form } = yield* sent(sample.with({ detail: hugeDetail(), at }))
    assertValid(form)
    assert.ok([...form["content"]!].length > 8000)
    assert.match(
      form["content"]!,
      /rows: 1461\n\nError: BEGINNING\n[^]*… \d{7} characters left out …[^]*at END\n\n2026/
    )
  }))

it.live("a limit of rates is waited for as the body or the headers of an answer say", () =>
  Effect.gen(function*() {
    const limited = { result: "error", msg: "API usage exceeded rate limit", code: "RATE_LIMIT_HIT" }
    const body = yield* started({}, { status: 429, body: { ...limited, "retry-after": 0.706 } }, accepted)
    const [first] = yield* Effect.timed(body.post(sample))
    assert.ok(Duration.toMillis(first) >= 700, Duration.format(first))
    const header = yield* started({}, { status: 429, headers: { "retry-after": "0.7" }, body: limited }, accepted)
    const [second] = yield* Effect.timed(header.post(sample))
    assert.ok(Duration.toMillis(second) >= 690, Duration.format(second))
    const soon = () => ({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String((Date.now() + 700) / 1000) })
    const before = yield* started({}, () => ({ ...accepted, headers: soon() }), accepted)
    const [third] = yield* Effect.timed(Effect.andThen(before.post(sample), before.post(sample)))
    assert.ok(Duration.toMillis(third) >= 650, Duration.format(third))
  }))

it.live("a refusal's detail is the message of the error", () =>
  Effect.gen(function*() {
    const body = { result: "error", msg: "Channel 'ops' does not exist", code: "STREAM_DOES_NOT_EXIST" }
    const { post } = yield* started({ retries: 0 }, { status: 400, body })
    assert.deepEqual({ ...(yield* Effect.flip(post(sample))).reason }, {
      _tag: "Rejected",
      status: 400,
      detail: "Channel 'ops' does not exist"
    })
  }))

it.live("layerConfig reads its options from the environment", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const env = {
      ZULIP_SERVER: server.url,
      ZULIP_EMAIL: "a@b.c",
      ZULIP_API_KEY: "k2",
      ZULIP_CHANNEL: "jobs",
      ZULIP_TOPIC: "t"
    }
    const posting = (layer: Layer.Layer<Alerter, Config.ConfigError>, env: Record<string, string>) =>
      postingTo(server, Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
    const { sent } = yield* posting(Zulip.layerConfig(), env)
    const { form, headers } = yield* sent(sample)
    assert.deepEqual([form["to"], form["topic"], headers.authorization], ["jobs", "t", `Basic ${btoa("a@b.c:k2")}`])
    assert.match(String(yield* Effect.flip(posting(Zulip.layerConfig(), { ZULIP_SERVER: "x" }))), /ZULIP_EMAIL/)
  }))
