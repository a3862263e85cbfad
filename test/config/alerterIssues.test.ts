import { Cause, Effect, Layer, Redacted, Schema, SchemaIssue } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterSpec, references } from "../../src/config/internal/schema/alerter.ts"
import { canary, leaks } from "../support/canary.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"
import { decode, folder, issues, layerOf } from "./alerterSupport.ts"

const it = makeIt(test)

const smtp = { from: "a@example.com", to: "b@example.com" }

/** Invalid alerters with their issues: the place of each, and part of its message. */
const invalid: ReadonlyArray<readonly [input: unknown, ...issues: ReadonlyArray<readonly [at: string, RegExp]>]> = [
  // exactly one base
  [{}, ["", /exactly one of slack, .*; there is none/]],
  [{ slack: true, console: true }, ["", /there are slack and console$/]],
  [{ use: "slack", fanOut: ["console"] }, ["", /there are use and fanOut$/]],
  // keys that need another base
  [{ console: true, succeeds: "any" }, ["succeeds", /only beside fanOut/]],
  [{ fanOut: ["console"], after: 5, cooldown: 5, otherwise: "none" }, ["after", /fallback/], ["cooldown", /fallback/], [
    "otherwise",
    /route/
  ]],
  [{ route: [{ when: { tag: "x" }, to: "none" }] }, ["otherwise", /alerts that match no route/]],
  // lists that are too short, and invalid items
  [{ fanOut: [] }, ["fanOut", /list of alerters/]],
  [{ fallback: ["console"] }, ["fallback", /two alerters or more/]],
  [{ route: [], otherwise: "none" }, ["route", /list of routes/]],
  [{ route: [{}], otherwise: "none" }, ["route.0.when", /severity, atLeast/], ["route.0.to", /./]],
  [{ route: [{ when: {}, to: "none" }], otherwise: "none" }, ["route.0.when", /one of severity/]],
  [{ route: [{ when: { severity: "info", atLeast: "error" }, to: "none" }], otherwise: "none" }, [
    "route.0.when.severity",
    /at least atLeast/
  ]],
  [{ route: [{ when: { tag: [] }, to: "none" }], otherwise: "none" }, ["route.0.when.tag", /at least 1/]],
  [{ fanOut: ["console", { slack: {} }, "pigeon"] }, ["fanOut.1.slack.webhookUrl", /an address of http/], [
    "fanOut.2",
    /one of slack, /
  ]],
  // values of other types
  [null, ["", /one of slack, .* or a map/]],
  [[], ["", /one of slack/]],
  [Redacted.make("./alerter.ts#layer"), ["", /path#export/]],
  [{ slack: null }, ["slack", /true, for options from the environment, or a map/]],
  [{ slack: Redacted.make(canary) }, ["slack", /true/]],
  [{ email: { host: "h", ...smtp, tls: Redacted.make("x") } }, ["email.tls", /rejectUnauthorized, ca/]],
  // unknown keys
  [{ console: true, dedup: "1 hour" }, ["dedup", /one of the keys .*dedupe/]],
  [{ slack: { webhookUrl: "https://a.test", url: "x" } }, ["slack.url", /one of the keys webhookUrl, /]],
  [{ webhook: { url: "https://a.test", timeZone: "UTC", render: "x" } }, ["webhook.timeZone", /keys/], [
    "webhook.render",
    /keys/
  ]],
  // several issues at once, at every depth
  [
    { slack: { webhookUrl: "x", retries: -1 }, teams: true, dedupe: "soon", throttle: { limit: 0 } },
    ["", /exactly one/],
    [
      "slack.webhookUrl",
      /address/
    ],
    ["slack.retries", /at least 0/],
    ["dedupe", /duration/],
    ["throttle.limit", /at least 1/],
    [
      "throttle.window",
      /duration/
    ]
  ],
  // channels
  [{ slack: { webhookUrl: "ftp://a.test" } }, ["slack.webhookUrl", /http/]],
  [{ slackBot: { token: "a b", channel: " ", threads: "no" } }, ["slackBot.token", /without spaces/], [
    "slackBot.channel",
    /channel/
  ], ["slackBot.threads", /true or false/]],
  [{ discordBot: { token: "t", channelId: 2 ** 60 } }, ["discordBot.channelId", /in quotes/]],
  [{ telegram: { token: "t", chatId: "1", silent: ["loud"], messageThreadId: 0 } }, [
    "telegram.messageThreadId",
    /at least 1/
  ], ["telegram.silent.0", /"info", "success", /]],
  [{ pagerDuty: { routingKey: 5, baseUrl: "https://u:p@a.test" } }, ["pagerDuty.routingKey", /key/], [
    "pagerDuty.baseUrl",
    /without a user/
  ]],
  [{ ntfy: { topic: "a/b", server: "x" } }, ["ntfy.topic", /topic/], ["ntfy.server", /http/]],
  [
    { webhook: { url: "x", secret: "whsec_!", headers: { c: "\n\u0000" }, maxBytes: 0.5 } },
    [
      "webhook.url",
      /http/
    ],
    ["webhook.secret", /whsec_/],
    ["webhook.headers.c", /value of a header/],
    ["webhook.maxBytes", /whole/]
  ],
  [{ webhook: { url: "https://a.test", headers: { "a b": "x" } } }, ["webhook.headers.a b", /name of a header/]],
  [{ email: smtp }, ["email", /exactly one of host and url/]],
  [{ email: { host: "h", url: "smtp://h", ...smtp } }, ["email", /there are both/]],
  [{ email: { url: "smtp://h", user: "u", port: 5, ...smtp } }, ["email.port", /beside url/], ["email.user", /url/]],
  [{ email: { host: "h", user: "u", ...smtp } }, ["email.user", /and a password/]],
  [{ email: { host: "h", port: 70_000, from: "x", to: [] } }, ["email.port", /65535/], ["email.from", /address/], [
    "email.to",
    /at least 1/
  ]],
  [{ email: { url: "https://h", ...smtp, tls: { ca: "x" } } }, ["email.url", /smtps:/], ["email.tls.ca", /PEM/]],
  [{ console: { colors: true, stream: "file", timeZone: "Mars/Olympus" } }, ["console.colors", /auto/], [
    "console.stream",
    /stdout/
  ], ["console.timeZone", /IANA/]],
  [{ discordBot: { token: "t", channelId: "\ud800" } }, ["discordBot.channelId", /id/]],
  [{ jsonLines: { path: "a\u0000b" } }, ["jsonLines.path", /path/]],
  [{ jsonLines: {} }, ["jsonLines.path", /path of a file/]],
  [{ none: {} }, ["none", /true/]],
  // policies
  [{ console: true, minSeverity: "bad" }, ["minSeverity", /"info", "success", "warning", "error" or "critical"/]],
  [{ console: true, afterConsecutive: { persist: "x" } }, ["afterConsecutive.n", /at least 1/]],
  [{ console: true, dedupe: -1 }, ["dedupe", /above 0/]],
  [{ console: true, digest: "Infinity" }, ["digest", /duration/]],
  [{ console: true, digest: { window: 5, immediate: "info" } }, ["digest.immediate", /Expected "success", /]],
  [{ console: true, throttle: 5 }, ["throttle", /limit, window/]],
  [{ console: true, throttle: { limit: 1, window: 1, perKey: { limit: 1 } } }, ["throttle.perKey.window", /duration/]],
  [{ console: true, quietHours: { from: "25:00", to: 420 } }, ["quietHours.from", /"00:00" to "23:59"/], [
    "quietHours.to",
    /in quotes/
  ]],
  [{ console: true, quietHours: { from: "22:00", to: "22:00" } }, ["quietHours.to", /a time other than from/]],
  [{ console: true, quietHours: [{ from: "00:00", to: "24:00" }] }, ["quietHours.0.to", /quiet hours that end/]],
  [{ console: true, quietHours: { from: "1:00", to: "2:00", days: "caturday" } }, ["quietHours.days", /monday/]],
  [{ console: true, recovered: { successes: "keep" } }, ["recovered.successes", /"post" or "drop"/]],
  [{ fanOut: [{ console: true, recovered: true }], minSeverity: "error" }, ["fanOut.0.recovered", /successes: drop/]],
  // stores
  [{ console: true, store: "x" }, ["store", /a policy with a state/]],
  [{ console: true, dedupe: { window: 5, persist: "x" } }, ["dedupe.persist", /a store/]],
  [{ console: true, dedupe: { window: 5, persist: false } }, ["dedupe.persist", /a store/]],
  [{ console: true, store: "x", dedupe: { window: 5, persist: "../x" } }, ["dedupe.persist", /letters/]],
  [{
    store: "x",
    fanOut: [{ console: true, dedupe: { window: 5, persist: "a" } }, {
      console: true,
      dedupe: { window: 5, persist: "a" }
    }]
  }, ["fanOut.1.dedupe.persist", /no other such policy/]]
]

it.effect("all issues with an alerter are reported at once, with their places", () =>
  Effect.gen(function*() {
    for (const [input, ...expected] of invalid) {
      const found = yield* issues(input)
      const shown = JSON.stringify(input)
      assert.deepEqual(
        found.map((issue) => issue.slice(0, issue.indexOf(": "))).toSorted(),
        expected.map(([at]) => at).toSorted(),
        `${shown}: ${found.join("; ")}`
      )
      for (const [at, words] of expected) {
        const issue = found.find((issue) => issue.startsWith(`${at}: Expected `))
        assert.match(issue ?? "", words, shown)
      }
    }
  }))

const secret = `${canary} ${canary}`

it.effect("no issue quotes a value that may be a secret, or a value from a variable", () =>
  Effect.gen(function*() {
    const secrets: ReadonlyArray<unknown> = [
      secret,
      { slack: secret },
      { slack: [secret] },
      { webhook_url: secret, console: true },
      { slack: { webhookUrl: secret } },
      { slack: { webhookUrl: { url: secret } } },
      { discord: { webhookUrl: Redacted.make(secret), timeout: Redacted.make(secret) } },
      { teams: { webhookUrl: [secret] } },
      { slackBot: { token: secret, channel: "c", tokn: secret } },
      { discordBot: { token: Redacted.make(secret), channelId: Redacted.make("") } },
      { telegram: { token: secret, chatId: "x", silent: Redacted.make(secret) } },
      { pagerDuty: { routingKey: secret } },
      { ntfy: { topic: secret, token: secret } },
      { webhook: { url: secret, secret: `whsec_${secret}!`, headers: { authorization: `${secret}\u0000` } } },
      { email: { url: secret, ...smtp } },
      { email: { host: "h", password: secret, port: Redacted.make(secret), ...smtp } },
      { console: true, minSeverity: Redacted.make(secret), dedupe: Redacted.make(secret) }
    ]
    for (const input of secrets) {
      const exit = yield* Effect.exit(decode(input))
      assert.ok(exit._tag === "Failure", JSON.stringify(input))
      assert.deepEqual(leaks([exit, exit.cause, yield* issues(input)]), [])
    }
  }))

it.effect("a variable may stand for any text, number, duration or word", () =>
  Effect.gen(function*() {
    const v = Redacted.make<string>
    const spec = yield* decode({
      email: {
        host: v("h"),
        port: v("25"),
        from: v("a@example.com"),
        to: [v("b@example.com")],
        requireTls: v("false")
      },
      minSeverity: v("success"),
      dedupe: v("10 minutes"),
      throttle: { limit: v(" 5 "), window: v("1.5"), timeZone: v("Europe/Berlin") },
      quietHours: { from: v("22:00"), to: v("7:00"), days: [v("monday")] }
    })
    assert.ok(typeof spec !== "string" && spec.email !== true)
    assert.deepEqual([spec.email?.port, spec.email?.requireTls, spec.minSeverity], [25, false, "success"])
    assert.equal(spec.throttle?.limit, 5)
    assert.equal(String(spec.throttle?.window), "1500 millis")
    assert.equal(String(spec.throttle?.timeZone), "TimeZone.Named(Europe/Berlin)")
  }))

it.effect("references returns the modules that an alerter names, with their places", () =>
  Effect.gen(function*() {
    const spec = yield* decode({
      route: [{ when: { tag: "x" }, to: { fanOut: ["slack", "./a.ts#layer"] } }],
      otherwise: { fallback: [{ use: "pkg/b#layer" }, "console"] }
    })
    assert.deepEqual(references(spec), [
      { path: ["route", 0, "to", "fanOut", 1], reference: "./a.ts#layer" },
      { path: ["otherwise", "fallback", 0, "use"], reference: "pkg/b#layer" }
    ])
  }))

it.effect("every key of an alerter has a description in the JSON Schema", () =>
  Effect.sync(() => {
    const { definitions, schema } = Schema.toJsonSchemaDocument(AlerterSpec, { onExcessProperty: "error" })
    const alerter = definitions["Alerter"]
    assert.deepEqual(schema, { $ref: "#/$defs/AnyAlerter" })
    assert.deepEqual(Object.keys(definitions).toSorted(), ["Alerter", "AnyAlerter"])
    assert.equal(alerter?.["additionalProperties"], false)
    const undescribed: Array<string> = []
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== "object" || node === null) return
      if ("properties" in node && typeof node.properties === "object" && node.properties !== null) {
        for (const [key, value] of Object.entries(node.properties)) {
          if (!JSON.stringify(value).includes("\"description\"")) undescribed.push(`${path}.${key}`)
        }
      }
      for (const [key, value] of Object.entries(node)) visit(value, `${path}.${key}`)
    }
    visit(alerter, "")
    assert.deepEqual(undescribed, [])
  }))

// -----------------------------------------------------------------------------
// any value at any key
// -----------------------------------------------------------------------------

const valid = {
  fanOut: [{
    email: { host: "h", ...smtp, tls: { ca: "-----BEGIN CERTIFICATE-----" }, timeout: "1 second", retries: 1 },
    throttle: { limit: 1, window: 5, perKey: { limit: 1, window: 5 } },
    quietHours: [{ from: "22:00", to: "07:00", days: ["monday"] }],
    digest: { window: "1 hour", max: 5 }
  }, { webhook: { url: "https://a.test", headers: { "x-team": "data" }, delay: 0 } }],
  succeeds: "any",
  dedupe: { window: "1 hour", persist: "x" },
  store: "state"
}

const places = (
  node: unknown,
  path: ReadonlyArray<string | number> = []
): ReadonlyArray<ReadonlyArray<string | number>> => [
  path,
  ...(Array.isArray(node)
    ? node.flatMap((item, i) => places(item, [...path, i]))
    : typeof node === "object" && node !== null
    ? Object.entries(node).flatMap(([key, item]) => places(item, [...path, key]))
    : [])
]

const withAt = (node: unknown, [key, ...rest]: ReadonlyArray<string | number>, value: unknown): unknown => {
  if (key === undefined) return value
  if (Array.isArray(node)) return node.map((item, i) => i === key ? withAt(item, rest, value) : item)
  const object = node as Readonly<Record<string, unknown>>
  return { ...object, [key]: withAt(object[key], rest, value) }
}

const all = places(valid)

it.effect("any value at any key is read and built, or is an issue at its place", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* issues(valid), [])
    const root = yield* folder
    const Some = Schema.Literals([
      0,
      1,
      0.5,
      -1,
      true,
      "1 hour",
      "22:00",
      "24:00",
      "error",
      "any",
      "console",
      "x",
      "\u0000"
    ])
    const Leaf = Schema.Union([Some, Schema.Json, Schema.String, Schema.Number])
    yield* forAll(
      Schema.Struct({
        at: Schema.Literals(all.map((_, i) => i)),
        value: Schema.Union([Leaf, Schema.Record(Schema.Literals(["slack", "use", "window", "from"]), Leaf)]),
        hidden: Schema.Boolean
      }),
      ({ at, hidden, value }) =>
        Effect.gen(function*() {
          const place = all[at] ?? []
          const leaf = hidden && typeof value === "string" ? Redacted.make(value) : value
          const input = withAt(valid, place, leaf)
          const result = yield* Effect.result(decode(input))
          if (result._tag === "Success") {
            const built = yield* Effect.exit(
              Effect.scoped(Effect.flatMap(layerOf(input, {}, { folder: root }), Layer.build))
            )
            assert.ok(built._tag === "Success" || !Cause.hasDies(built.cause), JSON.stringify(input))
            return
          }
          for (const { path = [] } of SchemaIssue.makeFormatterStandardSchemaV1()(result.failure.issue).issues) {
            const shown = path.map(String)
            const shared = Math.min(shown.length, place.length)
            // the value may have replaced a base or a store that the alerter around it needs
            const related = place.slice(0, shared).map(String).join() === shown.slice(0, shared).join() ||
              shown.at(-1) === "persist" || shown.at(-1) === "store"
            assert.ok(related, `${shown.join(".")} for a value at ${place.join(".")}`)
          }
        }),
      250
    )
  }))
