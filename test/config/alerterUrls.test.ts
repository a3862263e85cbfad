/** Each URL of a channel decodes to the options of its long form. */
import { Effect, Redacted, Schema } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import type { UrlForm } from "../../src/alerters/internal/channel/schema/channelUrl.ts"
import { channels } from "../../src/alerters/internal/channels.ts"
import { readUrl } from "../../src/config/internal/schema/alerter.ts"
import { targetsOf } from "../../src/config/internal/schema/alerterParts.ts"
import { canary, leaks } from "../support/canary.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"
import { decode, issues } from "./alerterSupport.ts"

const it = makeIt(test)

/** URLs, as in Apprise's documentation where that has the service, each with what a file would say in its place. */
const forms: ReadonlyArray<readonly [url: string, long: Readonly<Record<string, unknown>>]> = [
  ["slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", {
    slack: { webhookUrl: "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ" }
  }],
  ["slack://T1/A1/x?timeout=5 seconds&retries=1&footer=no", {
    slack: { webhookUrl: "https://hooks.slack.com/services/T1/A1/x", timeout: "5 seconds", retries: 1 }
  }],
  ["slack://xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d/#general", {
    slackBot: { token: "xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d", channel: "#general" }
  }],
  ["slack://xoxb-1/+C0123456789?threads=false", {
    slackBot: { token: "xoxb-1", channel: "C0123456789", threads: false }
  }],
  ["discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", {
    discord: { webhookUrl: "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js" }
  }],
  ["discord://1/x/?thread=7", { discord: { webhookUrl: "https://discord.com/api/webhooks/1/x?thread_id=7" } }],
  ["discordbot://a.b.c@42", { discordBot: { token: "a.b.c", channelId: "42" } }],
  ["workflows://prod-1.westus.logic.azure.com:443/643e69f8/KXWrhnX", {
    teams: {
      webhookUrl:
        "https://prod-1.westus.logic.azure.com:443/workflows/643e69f8/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=KXWrhnX"
    }
  }],
  ["teams://a.example.com/workflows/x?sig=y%2Fz", {
    teams: { webhookUrl: "https://a.example.com/workflows/x?sig=y%2Fz" }
  }],
  ["gchat://AAAA/key1/tok%3D", {
    googleChat: { webhookUrl: "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=key1&token=tok%3D" }
  }],
  ["gchat://AAAA/k/t/ops", {
    googleChat: { webhookUrl: "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=k&token=t&threadKey=ops" }
  }],
  ["mmost://localhost:8065/3ccdd113474722377935511fc85d3dd4", {
    mattermost: { webhookUrl: "http://localhost:8065/hooks/3ccdd113474722377935511fc85d3dd4" }
  }],
  ["mmosts://bot@m.example.com/a/b/x?channels=#ops", {
    mattermost: { webhookUrl: "https://m.example.com/a/b/hooks/x", channel: "ops", username: "bot" }
  }],
  ["rockets://5ckk1/3mF2z@chat.example.com/#nightly", {
    rocketChat: { webhookUrl: "https://chat.example.com/hooks/5ckk1/3mF2z", channel: "#nightly" }
  }],
  ["rocket://bot:a%2Fb@localhost:3000?mode=webhook", {
    rocketChat: { webhookUrl: "http://localhost:3000/hooks/a/b", username: "bot" }
  }],
  ["rockets://a/b@chat.example.com/@ada", {
    rocketChat: { webhookUrl: "https://chat.example.com/hooks/a/b", channel: "@ada" }
  }],
  ["matrixs://syt_1@matrix.example.com/!r:example.com", {
    matrix: { server: "https://matrix.example.com", token: "syt_1", room: "!r:example.com" }
  }],
  ["matrix://ada:syt_1@localhost:8008/#ops?msgtype=notice", {
    matrix: {
      server: "http://localhost:8008",
      token: "syt_1",
      room: "#ops:localhost",
      silent: ["info", "success", "warning", "error", "critical"]
    }
  }],
  ["zulip://jobs@acme/a0b1c2/#operations", {
    zulip: {
      server: "https://acme.zulipchat.com",
      email: "jobs-bot@acme.zulipchat.com",
      apiKey: "a0b1c2",
      channel: "operations"
    }
  }],
  ["zulip://jobs-bot@chat.example.com:8443/a0b1c2/ops/nightly", {
    zulip: {
      server: "https://chat.example.com:8443",
      email: "jobs-bot@chat.example.com",
      apiKey: "a0b1c2",
      channel: "ops",
      topic: "nightly"
    }
  }],
  ["gotifys://gotify.example.com/AbC123", { gotify: { server: "https://gotify.example.com", token: "AbC123" } }],
  ["gotify://localhost:8080/push/AbC123?retries=2", {
    gotify: { server: "http://localhost:8080/push", token: "AbC123", retries: 2 }
  }],
  ["tgram://123456789:abcdefg_hijklmnop/-1001234", {
    telegram: { token: "123456789:abcdefg_hijklmnop", chatId: "-1001234" }
  }],
  ["tgram://1:x/@ops?topic=7&silent=yes&preview=no", {
    telegram: {
      token: "1:x",
      chatId: "@ops",
      messageThreadId: 7,
      silent: ["info", "success", "warning", "error", "critical"]
    }
  }],
  ["mailtos://ann:s%40cret@example.com:587/ops@example.com,b@example.com?smtp=smtp.example.com&from=jobs@example.com", {
    email: {
      host: "smtp.example.com",
      port: 587,
      secure: false,
      tls: "required",
      user: "ann",
      password: "s@cret",
      from: "jobs@example.com",
      to: "ops@example.com,b@example.com"
    }
  }],
  ["mailtos://ann:secret@gmail.com?mode=ssl&name=Jobs", {
    email: {
      host: "smtp.gmail.com",
      port: 465,
      secure: true,
      tls: "required",
      user: "ann@gmail.com",
      password: "secret",
      from: "\"Jobs\" <ann@gmail.com>",
      to: "ann@gmail.com"
    }
  }],
  ["mailto://localhost?from=a@example.com&to=b@example.com", {
    email: {
      host: "localhost",
      port: 25,
      secure: false,
      tls: "opportunistic",
      from: "a@example.com",
      to: "b@example.com"
    }
  }],
  ["pagerduty://R0UT1NG", { pagerDuty: { routingKey: "R0UT1NG" } }],
  ["pagerduty://R0UT1NG@apikey/box/loader?region=eu&group=jobs", {
    pagerDuty: {
      routingKey: "R0UT1NG",
      source: "box",
      component: "loader",
      group: "jobs",
      baseUrl: "https://events.eu.pagerduty.com"
    }
  }],
  ["opsgenie://a-b-c/#ops/#data?region=eu", {
    opsgenie: { apiKey: "a-b-c", teams: ["ops", "data"], baseUrl: "https://api.eu.opsgenie.com" }
  }],
  ["pover://u5er@t0ken/phone/tablet?sound=siren&retry=60", {
    pushover: { user: "u5er", token: "t0ken", device: "phone,tablet", sound: "siren", retry: 60 }
  }],
  ["twilio://AC0123:t0ken@15551230000/15551231111/+15551232222?apikey=SK1", {
    twilio: {
      accountSid: "AC0123",
      authToken: "t0ken",
      apiKey: "SK1",
      from: "+15551230000",
      to: ["+15551231111", "+15551232222"]
    }
  }],
  ["apprise://localhost:8000/jobs-1?tags=ops, dev&maxLength=500&method=json", {
    apprise: { url: "http://localhost:8000", key: "jobs-1", tag: "ops, dev", maxLength: 500 }
  }],
  ["apprises://me:p%40ss@a.example.com/apprise/jobs-1", {
    apprise: { url: "https://a.example.com/apprise", key: "jobs-1", basicAuth: "me:p@ss" }
  }],
  ["apprises://a.example.com/apprise?token=jobs-1", {
    apprise: { url: "https://a.example.com/apprise", key: "jobs-1" }
  }],
  ["sentry://examplePublicKey@o0.ingest.sentry.io/0?environment=staging&notes=false", {
    sentry: { dsn: "https://examplePublicKey@o0.ingest.sentry.io/0", environment: "staging", notes: false }
  }],
  ["sentry://key@localhost:9000/a/7?tls=no", { sentry: { dsn: "http://key@localhost:9000/a/7" } }],
  ["githubissues://ghp_1@acme/etl?labels=bug&notes=true", {
    gitHubIssues: { token: "ghp_1", repository: "acme/etl", labels: "bug", notes: true }
  }],
  ["githubissues://t@acme/etl?host=ghe.example.com", {
    gitHubIssues: { token: "t", repository: "acme/etl", baseUrl: "https://ghe.example.com/api/v3" }
  }],
  ["alertmanagers://u:p%3Aw@alerts.example.com/am", {
    alertmanager: { url: "https://alerts.example.com/am", basicAuth: "u:p:w" }
  }],
  ["alertmanager://tok@localhost:9093", { alertmanager: { url: "http://localhost:9093", token: "tok" } }],
  ["ntfy://etl-7Jq2xWm4cVt9", { ntfy: { topic: { secret: "etl-7Jq2xWm4cVt9" } } }],
  ["ntfys://tk_1@ntfy.example.com:8443/etl?mode=private", {
    ntfy: { topic: { secret: "etl" }, server: "https://ntfy.example.com:8443", token: "tk_1" }
  }],
  ["webhooks://example.com/hook?key=x&retries=1", { webhook: { url: "https://example.com/hook?key=x&retries=1" } }],
  ["webhook://u:p@localhost:8080/hook", { webhook: { url: "http://u:p@localhost:8080/hook" } }],
  ["jsonlines://logs/alerts.jsonl", { jsonLines: { path: "logs/alerts.jsonl" } }],
  ["jsonlines:///var/log/alerts.jsonl?maxBytes=900", { jsonLines: { path: "/var/log/alerts.jsonl", maxBytes: 900 } }],
  ["console://?stream=stderr", { console: { stream: "stderr" } }]
]

it.effect("a URL decodes to the options of the long form: as a string, from a variable, and beside policies", () =>
  Effect.gen(function*() {
    for (const [url, long] of forms) {
      const expected = yield* decode(long)
      assert.deepEqual(yield* decode(url), expected, url)
      assert.deepEqual(yield* decode(` ${url}\n`), expected, url)
      assert.deepEqual(yield* decode(Redacted.make(url)), expected, url)
      assert.deepEqual(yield* decode({ url: Redacted.make(url), minSeverity: "error" }), {
        ...(yield* decode({ ...long, minSeverity: "error" }) as Effect.Effect<object>)
      }, url)
      assert.deepEqual(
        targetsOf(yield* decode({ fanOut: [url, "console"] })),
        targetsOf(yield* decode({ fanOut: [long, "console"] })),
        url
      )
    }
  }))

it.effect("these tests have a URL of every channel", () =>
  Effect.sync(() => {
    const tested = new Set(forms.flatMap(([, long]) => Object.keys(long)))
    assert.deepEqual(Object.keys(channels).filter((name) => !tested.has(name)), ["none"])
    const schemes = Object.values(channels).flatMap(({ urls = [] }) => urls.flatMap(({ schemes }) => schemes))
    const used = new Set(forms.map(([url]) => url.split("://")[0]))
    assert.deepEqual(schemes.filter((scheme) => !used.has(scheme)), ["workflow"])
  }))

it.effect("a URL of another form is an issue that says which forms are expected, and quotes nothing of it", () =>
  Effect.gen(function*() {
    const wrong: ReadonlyArray<readonly [url: string, expected: RegExp]> = [
      [`slack://${canary}`, /slack:\/\/TOKEN_A\/TOKEN_B\/TOKEN_C or slack:\/\/xoxb-TOKEN\/#CHANNEL/],
      [`slack://a/b/c?${canary}=1`, /slack:\/\/TOKEN_A/],
      [`slack://a/b/c?timeout=${canary}`, /slack:\/\/TOKEN_A/],
      [`discord://${canary}`, /discord:\/\/WEBHOOK_ID\/WEBHOOK_TOKEN/],
      [`tgram://${canary}`, /tgram:\/\/BOT_TOKEN\/CHAT_ID/],
      [`mmosts://host/${canary}?channels=a,b`, /mmosts:\/\/HOST\/TOKEN/],
      [`ntfys://user:${canary}@host/topic`, /ntfys:\/\/TOKEN@HOST\/TOPIC/],
      [`mailtos://user:${canary}@`, /mailtos:\/\/USER:PASSWORD@HOST/],
      [`matrixs://ada:${canary}@host/#ops`, /matrixs:\/\/TOKEN@HOST\/ROOM/],
      [`gchat://a/b/${canary}/d/e`, /gchat:\/\/SPACE\/KEY\/TOKEN/],
      [`pigeon://${canary}`, /begins with slack:\/\/, discord:\/\/.* or jsonlines:\/\//],
      [`teams://u:${canary}@host/x`, /teams:\/\/HOST/],
      ["slack://%zz/%/x/y/z", /slack:\/\/TOKEN_A/]
    ]
    for (const [url, expected] of wrong) {
      for (const spec of [url, Redacted.make(url), { url }, { fanOut: [{ url: Redacted.make(url) }] }]) {
        const found = yield* issues(spec)
        assert.equal(found.length, 1, url)
        assert.match(found[0]!, expected)
        assert.deepEqual(leaks(found), [])
      }
    }
  }))

it.effect("exactly one base: a URL stands beside no channel", () =>
  Effect.gen(function*() {
    assert.match((yield* issues({ url: "console://", slack: true }))[0]!, /there are slack and url/)
    assert.match((yield* issues(Redacted.make("https://hooks.example.com/x")))[0]!, /path#export/)
    assert.equal(readUrl("https://hooks.example.com/x")._tag, "Failure")
  }))

const schemes = Object.values(channels).flatMap((
  { urls = [] }: { readonly urls?: ReadonlyArray<UrlForm> | undefined }
) => urls.flatMap(({ schemes }) => schemes))

const Piece = Schema.Literals([
  ..."/@:?#&=%+!.[]\\ ".split(""),
  canary,
  "xoxb-1",
  "host",
  "8080",
  "%2F",
  "%zz",
  "syt_1",
  "to=",
  "channel=",
  "timeout=5",
  "retries=x",
  "é",
  "\ud800"
])

it.effect("half of a surrogate pair in the URL of a channel counts as in any other URL", () =>
  Effect.gen(function*() {
    const [half, replaced] = yield* Effect.forEach(["\ud800", "\ufffd"], (character) =>
      decode(`mmosts://chat.example.com/${character}/t0ken`))
    assert.deepEqual(targetsOf(half!), targetsOf(replaced!))
  }))

it.effect("any URL decodes or is one issue, which quotes nothing of it", () =>
  forAll(
    Schema.Struct({
      scheme: Schema.Literals(schemes),
      parts: Schema.Array(Schema.Union([Piece, Piece, Schema.String]))
    }),
    ({ parts, scheme }) =>
      Effect.gen(function*() {
        const url = `${scheme}://${parts.join("")}`
        const found = yield* issues(Redacted.make(url))
        assert.ok(found.length <= 1, url)
        assert.deepEqual(leaks(found), [])
        // the options are as a file could have them
        if (found.length === 0) assert.equal(targetsOf(yield* decode(url)).length, 1)
      }),
    500
  ))
