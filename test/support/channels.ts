/** All channels, each with a stand-in for the service behind it. */
import { NodeFileSystem } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import { FetchHttpClient } from "effect/http"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as TestConsole from "effect/testing/TestConsole"
import * as fs from "node:fs"
import * as path from "node:path"
import {
  Alertmanager,
  Apprise,
  Console,
  Discord,
  Email,
  GitHubIssues,
  GoogleChat,
  Gotify,
  JsonLines,
  Matrix,
  Mattermost,
  Ntfy,
  Opsgenie,
  PagerDuty,
  Pushover,
  RocketChat,
  Sentry,
  Slack,
  Teams,
  Telegram,
  Twilio,
  Webhook,
  Zulip
} from "../../src/alerters/index.ts"
import type { Alerter } from "../../src/index.ts"
import { smtpServer } from "./smtpServer.ts"
import { temporaryFolder } from "./temporaryFolder.ts"

/** An alerter, and what it has sent: the bodies of requests, mails, or lines. */
export interface Channel {
  readonly layer: Layer.Layer<Alerter, unknown>
  readonly sent: Effect.Effect<ReadonlyArray<string>>
}

/** Accepts every request, as each of the services would. */
const accepting = (bodies: Array<string>): Layer.Layer<never> =>
  Layer.succeed(
    FetchHttpClient.Fetch,
    // a cast, since Bun's `fetch` has another method, which no channel calls
    (async (_, init) => {
      // a list in which nothing is
      if (init?.method === "GET") return Response.json([])
      bodies.push(await new Response(init?.body).text())
      return Response.json({ ok: true, ts: "1.1", channel: "C1", id: "1", event_id: "$1", result: { message_id: 1 } })
    }) as typeof fetch
  )

/** The address of a webhook, which no server answers. */
export const webhookUrl = Redacted.make("https://hooks.example.com/services/T0123/B0123/0123456789abcdef")
/** A token that any channel takes. */
export const token = Redacted.make("0123456789:abcdef0123456789abcdef")

const byHttp: Readonly<Record<string, Layer.Layer<Alerter, unknown>>> = {
  Alertmanager: Alertmanager.layer({ url: "http://alertmanager.example.com:9093", pace: [] }),
  Apprise: Apprise.layer({ url: "http://apprise.example.com:8000", key: token, pace: [] }),
  Discord: Discord.layer({ webhookUrl, pace: [] }),
  DiscordBot: Discord.layerBot({ token, channelId: "1", pace: [] }),
  GitHubIssues: GitHubIssues.layer({ token, repository: "acme/etl", notes: true, pace: [] }),
  GoogleChat: GoogleChat.layer({ webhookUrl, pace: [] }),
  Mattermost: Mattermost.layer({ webhookUrl, pace: [] }),
  RocketChat: RocketChat.layer({ webhookUrl, pace: [] }),
  Matrix: Matrix.layer({ server: "https://matrix.example.com", token, room: "!r:example.com", pace: [] }),
  Zulip: Zulip.layer({
    server: "https://zulip.example.com",
    email: "b@example.com",
    apiKey: token,
    channel: "ops",
    pace: []
  }),
  Gotify: Gotify.layer({ server: "https://gotify.example.com", token, pace: [] }),
  Ntfy: Ntfy.layer({ topic: "nightly", pace: [] }),
  Opsgenie: Opsgenie.layer({ apiKey: token, pace: [] }),
  PagerDuty: PagerDuty.layer({ routingKey: token, pace: [] }),
  Pushover: Pushover.layer({ token, user: token, pace: [] }),
  Sentry: Sentry.layer({ dsn: Redacted.make("https://0123456789abcdef@o0.ingest.sentry.io/0"), pace: [] }),
  Slack: Slack.layer({ webhookUrl, pace: [] }),
  SlackBot: Slack.layerBot({ token, channel: "C1", pace: [] }),
  Teams: Teams.layer({ webhookUrl, pace: [] }),
  Telegram: Telegram.layer({ token, chatId: 1, pace: [] }),
  Twilio: Twilio.layer({ accountSid: "AC1", authToken: token, from: "+15557122661", to: "+15558675310", pace: [] }),
  Webhook: Webhook.layer({ url: webhookUrl, pace: [] })
}

/** Returns all channels by their names. */
export const channels: Effect.Effect<Readonly<Record<string, Channel>>, never, Scope.Scope> = Effect.gen(function*() {
  const found: Record<string, Channel> = {}
  for (const [name, layer] of Object.entries(byHttp)) {
    const bodies: Array<string> = []
    found[name] = { layer: Layer.provide(layer, accepting(bodies)), sent: Effect.sync(() => bodies.splice(0)) }
  }
  const file = path.join(yield* temporaryFolder("channels"), "alerts.jsonl")
  found["JsonLines"] = {
    layer: Layer.provide(JsonLines.layer({ path: file }), NodeFileSystem.layer),
    sent: Effect.sync(() => {
      const lines = fs.readFileSync(file, "utf8").trimEnd().split("\n")
      fs.rmSync(file)
      return lines
    })
  }
  const server = yield* smtpServer()
  found["Email"] = {
    layer: Email.layer({
      host: "127.0.0.1",
      port: server.port,
      ca: server.ca,
      from: "jobs@example.com",
      to: "ops@example.com",
      pace: []
    }),
    sent: Effect.sync(() => server.received.splice(0).map(({ raw }) => raw))
  }
  found["Console"] = { layer: Console.layer(), sent: Effect.map(TestConsole.logLines, (lines) => lines.map(String)) }
  return found
})
