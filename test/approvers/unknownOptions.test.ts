/**
 * Tests that approvers refuse options that JavaScript, a spread and a variable that is not set let through: unknown ones,
 * missing ones, and those of another kind.
 */
import { NodeServices } from "@effect/platform-node"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import * as approvers from "../../src/approvers/index.ts"
import { DiscordApprover, SlackApprover, TelegramApprover, TerminalPrompt, WebPage } from "../../src/approvers/index.ts"
import type { Approver } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const token = Redacted.make("0123456789:abcdef0123456789abcdef")

type Make = (more: object) => Layer.Layer<Approver, unknown>

/** All approvers, each with what it says of an option that it does not have. */
const layers: Readonly<Record<string, readonly [start: string, make: Make]>> = {
  DiscordApprover: [
    "discord: it has no option \"timout\", only interval, token, channelId, baseUrl, timeout, ",
    (more) => DiscordApprover.layer({ token, channelId: "1", ...more })
  ],
  SlackApprover: [
    "slack: it has no option \"timout\", only interval, token, channel, baseUrl, timeout, ",
    (more) => SlackApprover.layer({ token, channel: "C1", ...more })
  ],
  TelegramApprover: [
    "telegram: it has no option \"timout\", only interval, token, chatId, baseUrl, timeout, ",
    (more) => TelegramApprover.layer({ token, chatId: 1, ...more })
  ],
  TerminalPrompt: [
    "terminal: it has no option \"timout\", only user",
    (more) => Layer.provide(TerminalPrompt.layer({ ...more }), NodeServices.layer)
  ],
  WebPage: ["web-page: it has no option \"timout\", only announce, hostname, ", (more) => WebPage.layer({ ...more })]
}

/** Builds a layer, and returns with what that died. */
const refusal = (make: () => Layer.Layer<Approver, unknown>) =>
  Effect.scoped(Layer.build(make())).pipe(Effect.sandbox, Effect.flip, Effect.map(Cause.squash))

for (const [name, [start, make]] of Object.entries(layers)) {
  it.effect(`${name} refuses an option that it does not have`, () =>
    Effect.gen(function*() {
      const refused = yield* refusal(() => make({ timout: "5 seconds" }))
      assert.ok(refused instanceof TypeError, String(refused))
      assert.equal(refused.message.slice(0, start.length), start)
    }))
}

it.effect("a bot refuses a place and a token that are missing or empty, by their names", () =>
  Effect.gen(function*() {
    const bots = [["DiscordApprover", "discord", "channelId"], ["SlackApprover", "slack", "channel"]] as const
    for (const [name, channel, option] of [...bots, ["TelegramApprover", "telegram", "chatId"]] as const) {
      const [, make] = layers[name]!
      for (const value of [undefined, null, "", {}, new URL("https://a:s3cr3t@example.com"), Symbol("a")]) {
        const refused = String(yield* refusal(() => make({ [option]: value })))
        assert.match(
          refused,
          new RegExp(`^TypeError: ${channel}: ${option} must be a text that is not empty, got \\S+$`)
        )
        assert.doesNotMatch(refused, /s3cr3t/)
      }
      for (const value of [undefined, ""]) {
        assert.match(
          String(yield* refusal(() => make({ token: Redacted.make(value) }))),
          new RegExp(`^TypeError: ${channel}: the value of token must be a text that is not empty, got \\S+$`)
        )
      }
    }
    assert.match(
      String(yield* refusal(() => layers["TelegramApprover"]![1]({ chatId: NaN }))),
      /the id of a chat, got NaN/
    )
  }))

for (const [name, [start, make]] of Object.entries(layers)) {
  it.live(`${name} refuses options of another kind in words, not with an error of the runtime`, () =>
    Effect.gen(function*() {
      const channel = start.slice(0, start.indexOf(":"))
      for (const option of String(yield* refusal(() => make({ timout: 1 }))).split(", only ")[1]!.split(", ")) {
        for (const value of [null, "", NaN, -1, {}, [undefined], Symbol("a"), () => "a"]) {
          const exit = yield* Effect.exit(Effect.scoped(Layer.build(make({ [option]: value }))))
          if (exit._tag === "Success") continue
          assert.match(String(Cause.squash(exit.cause)), new RegExp(`^(TypeError|AlerterError): ${channel}: `), option)
        }
      }
    }))
}

test("every approver is in the table", () => {
  assert.deepEqual(Object.keys(layers), Object.keys(approvers).toSorted())
})
