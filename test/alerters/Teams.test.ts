import { AdaptiveCard, SerializationContext } from "adaptivecards"
import * as ConfigProvider from "effect/ConfigProvider"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Teams } from "../../src/alerters/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, type Received } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

channelContract(test, {
  channel: "teams",
  layer: (url, options) =>
    Teams.layer({ ...options, webhookUrl: Redacted.make(`${url}/workflows/1/paths/invoke?sig=${canary}0123456789`) }),
  accepted: { status: 202 },
  readsBody: false
})

const timeZone = DateTime.zoneMakeNamedUnsafe("Europe/Berlin")
const at = DateTime.makeUnsafe("2026-11-23T12:40:12Z")

/** Posts alerts through one layer to one server, and returns the bodies that it received. */
const poster = Effect.gen(function*() {
  const server = yield* channelServer({ status: 202 })
  const webhookUrl = Redacted.make(`${server.url}/workflows/1?api-version=1&sig=x`)
  const context = yield* Layer.build(Teams.layer({ webhookUrl, timeZone, pace: [] }))
  return (alert: Alert): Effect.Effect<Received, unknown> =>
    Effect.gen(function*() {
      yield* Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(Effect.provide(context))
      return server.requests.pop()!
    })
})

interface Element {
  readonly type: string
  readonly style?: string
  readonly items?: ReadonlyArray<Element>
  readonly inlines?: ReadonlyArray<{ readonly text: string }>
  readonly facts?: ReadonlyArray<{ readonly title: string; readonly value: string }>
}

/** Picks the parts of a card. */
const partsOf = ({ json }: Received) => {
  const [title, ...others]: ReadonlyArray<Element> = json.attachments[0].content.body[0].items
  const run = (element: Element | undefined) => element?.inlines?.map(({ text }) => text).join("")
  const texts = others.filter(({ type }) => type === "RichTextBlock")
  return {
    style: title!.style,
    title: run(title!.items![0])!,
    body: texts.length === 2 ? run(texts[0]) : undefined,
    facts: others.find(({ type }) => type === "FactSet")?.facts ?? [],
    detail: run(others.find(({ type }) => type === "Container")?.items?.[0]),
    time: run(texts.at(-1))
  }
}

const partsFor = (alert: Alert) => Effect.flatMap(poster, (post) => Effect.map(post(alert.with({ at })), partsOf))

/** Asserts that Microsoft's own parser finds no mistake in the card. */
const assertValid = ({ json }: Received): void => {
  const context = new SerializationContext()
  const card = new AdaptiveCard()
  card.parse(json.attachments[0].content, context)
  assert.deepEqual(Array.from({ length: context.eventCount }, (_, i) => context.getEventAt(i).message), [])
  assert.deepEqual(card.validateProperties().validationEvents, [])
}

// -----------------------------------------------------------------------------
// rendering
// -----------------------------------------------------------------------------

it.live("an alert is an Adaptive Card with title, body, fields, detail and time", () =>
  Effect.gen(function*() {
    const post = yield* poster
    const received = yield* post(sample.with({ at }))
    assert.equal(received.method, "POST")
    assert.equal(received.path, "/workflows/1?api-version=1&sig=x")
    assert.equal(received.headers["content-type"], "application/json; charset=utf-8")
    assertValid(received)
    const text = (text: string, style = {}) => ({
      type: "RichTextBlock",
      inlines: [{ type: "TextRun", text, ...style }]
    })
    assert.deepEqual(received.json, {
      type: "message",
      attachments: [{
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.5",
          msteams: { width: "Full" },
          body: [{
            type: "Container",
            items: [
              {
                type: "Container",
                style: "attention",
                bleed: true,
                items: [text("❌ nightly › load failed", { weight: "bolder", size: "medium" })]
              },
              text("Error: no such bucket"),
              {
                type: "FactSet",
                facts: [
                  { title: "pipeline", value: "nightly" },
                  { title: "step", value: "load" },
                  { title: "rows", value: "1461" }
                ]
              },
              {
                type: "Container",
                style: "emphasis",
                items: [text("Error: no such bucket\n\u00a0\u00a0\u00a0\u00a0at load (etl.ts:12:3)", {
                  fontType: "monospace",
                  size: "small"
                })]
              },
              text("2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)", { size: "small", isSubtle: true })
            ]
          }]
        }
      }]
    })
  }))

it.live("each severity has a symbol, and a style of Adaptive Cards", () =>
  Effect.gen(function*() {
    const severities = ["info", "success", "warning", "error", "critical"] as const
    const cards = yield* Effect.forEach(severities, (severity) => partsFor(Alert.make({ title: "t", severity })))
    assert.deepEqual(cards.map(({ title }) => title), ["ℹ️ t", "✅ t", "⚠️ t", "❌ t", "🚨 t"])
    assert.deepEqual(cards.map(({ style }) => style), ["accent", "good", "warning", "attention", "attention"])
  }))

it.live("parts that an alert lacks are left out", () =>
  Effect.gen(function*() {
    const { body, detail, facts } = yield* partsFor(Alert.make({ title: "t", body: " ", detail: "\n" }))
    assert.deepEqual([body, detail, facts], [undefined, undefined, []])
  }))

// -----------------------------------------------------------------------------
// markup and mentions
// -----------------------------------------------------------------------------

const texts = [
  "@everyone",
  "<at>Ann</at>",
  "<@123>",
  "[x](http://evil.test)",
  "![x](http://evil.test/x.png)",
  "*a* **b** _c_ __d__ ~~e~~ `f` ```g```",
  "<b>x</b> &lt;",
  "{{DATE(2026-11-23T00:00:00Z)}} {{{{",
  "back\\slash \\*",
  "\"quoted\""
]

it.live("markup and mentions in title, body and detail are shown literally", () =>
  Effect.gen(function*() {
    const post = yield* poster
    for (const one of texts) {
      const received = yield* post(Alert.make({ title: one, body: one, detail: one }))
      assertValid(received)
      assert.deepEqual(received.json.attachments[0].content.msteams, { width: "Full" })
      const { body, detail, title } = partsOf(received)
      for (const text of [title.slice("ℹ️ ".length), body!, detail!]) {
        assert.equal(text, one)
      }
      // no run of a text has both braces of what Teams would format
      assert.ok(!/\{\{(DATE|TIME)\(/.test(received.body))
    }
  }))

/** Returns the text that Markdown shows of escaped text. */
const shown = (markdown: string): string =>
  markdown.replace(
    /\\([^0-9A-Za-z\s])|&(lt|gt|amp);/g,
    (_, mark, entity: "lt" | "gt" | "amp") => mark ?? { lt: "<", gt: ">", amp: "&" }[entity]
  )

it.live("markup in fields, which are Markdown, is escaped", () =>
  Effect.gen(function*() {
    const post = yield* poster
    for (const one of [...texts, "- no list", "+ no list", "# no heading", "> no quote", "1. no list", "2) nor here"]) {
      const { facts } = partsOf(yield* post(Alert.make({ title: "t", fields: { [one]: one } })))
      assert.equal(facts.length, 1)
      for (const text of [facts[0]!.title, facts[0]!.value]) {
        assert.equal(shown(text), one)
        assert.doesNotMatch(text, /[<>]|\{\{|(?<!\\)(\\\\)*[*_~`[\]]|&(?!(lt|gt|amp);)/)
        assert.doesNotMatch(text, /^([-+#]|\d+[.)])/m)
      }
    }
    const { facts } = yield* partsFor(
      Alert.make({ title: "t", fields: { a: "one\n  - two\n\n\n    three", b: "nightly-etl 1.5" } })
    )
    assert.deepEqual(facts.map(({ value }) => value), ["one\n\n\\- two\n\nthree", "nightly-etl 1.5"])
  }))

it.live("a detail keeps its line ends and indents", () =>
  Effect.gen(function*() {
    const { detail } = yield* partsFor(Alert.make({ title: "t", detail: "a b\r\n  c\n\td" }))
    assert.equal(detail, "a b\n\u00a0\u00a0c\n\u00a0\u00a0\u00a0\u00a0d")
  }))

// -----------------------------------------------------------------------------
// limits
// -----------------------------------------------------------------------------

const assertWithinLimits = (received: Received): void => {
  const size = Buffer.byteLength(received.body)
  assert.ok(size <= 20_000, `${size} bytes`)
  assertValid(received)
  const { body = "", detail = "", facts, title } = partsOf(received)
  for (const text of [title, body, detail, ...facts.flatMap(({ title, value }) => [title, value])]) {
    assert.ok(text.isWellFormed())
    // oxlint-disable-next-line no-control-regex -- control characters are what it is about
    assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
  }
}

it.live("a card has five links, the alert's address included, and shows other actions as facts", () =>
  Effect.gen(function*() {
    const post = yield* poster
    const actions = Array.from({ length: 5 }, (_, i) => ({ label: `action ${i}`, url: `https://ci.example/${i}` }))
    const five = yield* post(Alert.make({ title: "t", actions }))
    assertWithinLimits(five)
    assert.equal(five.json.attachments[0].content.actions.length, 5)
    assert.deepEqual(partsOf(five).facts, [])
    const six = yield* post(Alert.make({ title: "t", url: "https://ci.example/run", actions }))
    assertWithinLimits(six)
    assert.deepEqual(
      six.json.attachments[0].content.actions.map(({ url }: { readonly url: string }) => url),
      ["https://ci.example/run", ...actions.slice(0, 4).map(({ url }) => url)]
    )
    assert.deepEqual(partsOf(six).facts, [{ title: "action 4", value: "https://ci.example/4" }])
  }))

it.live("any alert becomes a valid card within the limits", () =>
  Effect.gen(function*() {
    const post = yield* poster
    yield* forAll(AnyAlert, (any) =>
      Effect.gen(function*() {
        const alert = alertOf(any)
        const received = yield* post(alert)
        assertWithinLimits(received)
        assert.ok(partsOf(received).facts.length > 0 || alert.fields.length === 0)
      }), 100)
  }))

it.live("a detail of five megabytes is cut in its middle, and says how much is missing", () =>
  Effect.gen(function*() {
    const post = yield* poster
    const alert = Alert.make({ title: "t", body: "the body", fields: { a: "b" }, detail: hugeDetail() })
    const [elapsed, received] = yield* Effect.timed(post(alert))
    assertWithinLimits(received)
    assert.ok(Buffer.byteLength(received.body) > 19_900)
    const { body, detail, facts } = partsOf(received)
    assert.match(detail!, /^Error: BEGINNING\n[^]*… \d{7} characters left out …[^]*at END$/)
    assert.equal(body, "the body")
    assert.deepEqual(facts, [{ title: "a", value: "b" }])
    assert.ok(Duration.toMillis(elapsed) < 10_000, Duration.format(elapsed))
  }))

it.live("if all parts are long, a part of each is shown", () =>
  Effect.gen(function*() {
    const post = yield* poster
    const fields = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`name ${i}`, `_${i} `.repeat(1000)]))
    const body = "\"".repeat(30_000)
    const received = yield* post(Alert.make({ title: "T".repeat(400), body, detail: "🔥".repeat(30_000), fields }))
    assertWithinLimits(received)
    const card = partsOf(received)
    assert.match(card.title, /^ℹ️ T{290,}…$/)
    assert.match(card.body!, /^"{400,}\n… \d+ characters left out …\n"{400,}$/)
    assert.match(card.detail!, /^(🔥){400,}\n… \d+ characters left out …\n(🔥){400,}$/u)
    assert.equal(card.facts.length, 40)
    assert.match(card.facts[39]!.value, /^\\_39 [^]*… \d+ characters left out …/)

    const short = partsOf(yield* post(Alert.make({ title: "t", body: "b".repeat(9000), detail: "d".repeat(30_000) })))
    assert.equal(short.body, "b".repeat(9000))
    assert.match(short.detail!, /^d+\n… \d+ characters left out …\nd+$/)
  }))

it.live("fields beyond the room are replaced by their number", () =>
  Effect.gen(function*() {
    const fields = Array.from({ length: 120 }, (_, i) => ({ name: `n${i}`, value: "v" }))
    const { facts } = yield* partsFor(Alert.make({ title: "t", fields }))
    assert.equal(facts.length, 50)
    assert.deepEqual(facts[49], { title: "…", value: "and 71 more" })
    const wide = fields.slice(0, 50).map(({ name }) => ({
      name: name.padEnd(100, "漢"),
      value: "\u0300漢".repeat(5000)
    }))
    const post = yield* poster
    const received = yield* post(
      Alert.make({ title: "t", body: "b".repeat(9000), detail: "d".repeat(9000), fields: wide })
    )
    assertWithinLimits(received)
    assert.ok(partsOf(received).facts.length > 20)
  }))

// -----------------------------------------------------------------------------
// errors and config
// -----------------------------------------------------------------------------

const post = Effect.flatMap(Alerter, (alerter) => alerter.post("t"))

it.live("error answers of Workflows become reasons", () =>
  Effect.gen(function*() {
    const errorOf = (status: number, code: string) =>
      Effect.gen(function*() {
        const server = yield* channelServer({
          status,
          body: { error: { code, message: "The workflow can't be used." } }
        })
        const layer = Teams.layer({ webhookUrl: Redacted.make(`${server.url}/w?sig=${canary}`) })
        return yield* Effect.flip(Effect.provide(post, layer))
      })
    const unknown = yield* errorOf(404, "WorkflowNotFound")
    assert.ok(unknown.reason._tag === "Rejected" && unknown.reason.status === 404)
    assert.match(unknown.message, /WorkflowNotFound/)
    const refused = yield* errorOf(401, "DirectApiAuthorizationRequired")
    assert.equal(refused.reason._tag, "Unauthorized")
    assert.match(refused.message, /DirectApiAuthorizationRequired/)
  }))

it.live("layerConfig reads the URL from TEAMS_WEBHOOK_URL", () =>
  Effect.gen(function*() {
    const withEnv = (env: Record<string, string>) =>
      Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
    const server = yield* channelServer({ status: 202 })
    yield* post.pipe(Effect.provide(Teams.layerConfig()), withEnv({ TEAMS_WEBHOOK_URL: `${server.url}/w?sig=x` }))
    assert.equal(server.requests[0]?.path, "/w?sig=x")
    const error = yield* post.pipe(Effect.provide(Teams.layerConfig()), withEnv({}), Effect.flip)
    assert.equal(error._tag, "ConfigError")
    assert.match(String(error), /TEAMS_WEBHOOK_URL/)
  }))
