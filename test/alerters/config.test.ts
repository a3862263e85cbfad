import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Discord, GoogleChat, Mattermost, RocketChat, Slack, Teams, Webhook } from "../../src/alerters/index.ts"
import { canary, leaks, recorder } from "../support/canary.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const channels = {
  SLACK_WEBHOOK_URL: Slack.layerConfig(),
  DISCORD_WEBHOOK_URL: Discord.layerConfig(),
  GOOGLE_CHAT_WEBHOOK_URL: GoogleChat.layerConfig(),
  MATTERMOST_WEBHOOK_URL: Mattermost.layerConfig(),
  ROCKET_CHAT_WEBHOOK_URL: RocketChat.layerConfig(),
  TEAMS_WEBHOOK_URL: Teams.layerConfig(),
  ALERT_WEBHOOK_URL: Webhook.layerConfig()
}

for (const [variable, layer] of Object.entries(channels)) {
  it.effect(`${variable}: an invalid URL is an error when the layer is built, which does not quote it`, () =>
    Effect.gen(function*() {
      const build = (value: string) =>
        Effect.exit(Layer.build(layer)).pipe(
          Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ [variable]: value })))
        )
      assert.equal((yield* build(`https://example.com/${canary}`))._tag, "Success")
      const recorded = recorder()
      for (const value of [`example.com/${canary}`, `ftp://example.com/${canary}`, canary, ""]) {
        const exit = yield* build(value)
        assert.ok(exit._tag === "Failure", value)
        assert.ok(Cause.pretty(exit.cause).includes(variable))
        recorded.keep("events", exit.cause)
      }
      assert.deepEqual(leaks(recorded.outputs), [])
    }))
}
