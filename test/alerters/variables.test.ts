import { Config, ConfigProvider, Effect, Layer, Schema } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { PagerDuty, Slack } from "../../src/alerters/index.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

/** Returns the error with which a channel's layer fails in an environment. */
const failureIn = (
  env: Record<string, string>,
  layer: Layer.Layer<never, Config.ConfigError> = Slack.layerBotConfig()
) =>
  Layer.build(layer).pipe(
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))),
    Effect.scoped,
    Effect.flip
  )

it.effect("a variable that is not set fails as those of effect's Config do", () =>
  Effect.gen(function*() {
    const ofEffect = yield* Config.Redacted("SLACK_BOT_TOKEN").parse(ConfigProvider.fromEnv({ env: {} })).pipe(
      Effect.flip
    )
    for (const env of [{}, { SLACK_BOT_TOKEN: "", SLACK_CHANNEL: "C1" }]) {
      const error = yield* failureIn(env)
      assert.equal(error.message, ofEffect.message)
      assert.equal(String(error), String(ofEffect))
      assert.ok(Schema.isSchemaError(error.cause))
      assert.deepEqual(Object.keys(error.cause).toSorted(), Object.keys(ofEffect.cause).toSorted())
      assert.equal(JSON.stringify(error.cause), JSON.stringify(ofEffect.cause))
    }
    assert.match(
      (yield* failureIn({ SLACK_BOT_TOKEN: "xoxb-1" })).message,
      /^SchemaError\(Expected string\n {2}at \["SLACK_CHANNEL"\]\)$/
    )
  }))

it.effect("an address that is wrong is not in the error", () =>
  Effect.gen(function*() {
    const error = yield* failureIn({ SLACK_WEBHOOK_URL: "hooks.slack.com/T0/secret" }, Slack.layerConfig())
    assert.match(error.message, /Expected an address that begins with https:\/\/\n {2}at \["SLACK_WEBHOOK_URL"\]/)
    assert.ok(!JSON.stringify(error).includes("secret"))
  }))

it.effect("a source that can't be read fails with its own error", () =>
  Effect.gen(function*() {
    const broken = new ConfigProvider.SourceError({ message: "the vault is sealed" })
    const provider = ConfigProvider.make(() => Effect.fail(broken))
    const error = yield* Layer.build(PagerDuty.layerConfig()).pipe(
      Effect.provide(ConfigProvider.layer(provider)),
      Effect.scoped,
      Effect.flip
    )
    assert.equal(error._tag, "ConfigError")
    assert.equal(error.cause, broken)
  }))
