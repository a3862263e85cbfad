/** Tests channels whose options come from the environment. */
import { Cause, ConfigProvider, Effect } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { canary, leaks } from "../support/canary.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { alert, open } from "./alerterSupport.ts"

const it = makeIt(test)

const variables: Readonly<Record<string, ReadonlyArray<string>>> = {
  slack: ["SLACK_WEBHOOK_URL"],
  slackBot: ["SLACK_BOT_TOKEN"],
  discord: ["DISCORD_WEBHOOK_URL"],
  discordBot: ["DISCORD_BOT_TOKEN"],
  teams: ["TEAMS_WEBHOOK_URL"],
  googleChat: ["GOOGLE_CHAT_WEBHOOK_URL"],
  mattermost: ["MATTERMOST_WEBHOOK_URL"],
  rocketChat: ["ROCKET_CHAT_WEBHOOK_URL"],
  matrix: ["MATRIX_SERVER"],
  zulip: ["ZULIP_SERVER"],
  gotify: ["GOTIFY_SERVER"],
  telegram: ["TELEGRAM_BOT_TOKEN"],
  email: ["SMTP_URL"],
  pagerDuty: ["PAGERDUTY_ROUTING_KEY"],
  opsgenie: ["OPSGENIE_API_KEY"],
  sentry: ["SENTRY_DSN"],
  alertmanager: ["ALERTMANAGER_URL"],
  ntfy: ["NTFY_TOPIC"],
  pushover: ["PUSHOVER_TOKEN"],
  twilio: ["TWILIO_ACCOUNT_SID"],
  apprise: ["APPRISE_URL"],
  gitHubIssues: ["GITHUB_TOKEN"],
  webhook: ["ALERT_WEBHOOK_URL"],
  jsonLines: ["ALERT_FILE"]
}

it.live("the name of a channel reads its options from the environment, and a missing variable is named", () =>
  Effect.gen(function*() {
    const nothing = ConfigProvider.layer(ConfigProvider.fromEnv({ env: {} }))
    for (const [name, [variable = ""]] of Object.entries(variables)) {
      for (const spec of [name, { use: name }, { [name]: true }]) {
        const exit = yield* Effect.exit(Effect.provide(open(spec), nothing))
        assert.ok(exit._tag === "Failure" && Cause.pretty(exit.cause).includes(variable), `${name}: ${variable}`)
      }
    }
    const server = yield* channelServer({ body: "ok" })
    const env = { SLACK_WEBHOOK_URL: `${server.url}/${canary}0123456789` }
    const post = yield* Effect.provide(open("slack"), ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
    yield* post(alert)
    assert.equal(server.requests[0]?.path, `/${canary}0123456789`)
    server.reply(({ path }) => ({ status: 404, body: path }))
    assert.deepEqual(leaks([yield* Effect.flip(post(alert))]), [])
  }))
