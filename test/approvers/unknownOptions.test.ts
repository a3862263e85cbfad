/** Tests that approvers refuse options that they do not have, as JavaScript and a spread let them through. */
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

for (const [name, [start, make]] of Object.entries(layers)) {
  it.effect(`${name} refuses an option that it does not have`, () =>
    Effect.gen(function*() {
      const refused = yield* Effect.scoped(Layer.build(make({ timout: "5 seconds" }))).pipe(
        Effect.sandbox,
        Effect.flip,
        Effect.map(Cause.squash)
      )
      assert.ok(refused instanceof TypeError, String(refused))
      assert.equal(refused.message.slice(0, start.length), start)
    }))
}

test("every approver is in the table", () => {
  assert.deepEqual(Object.keys(layers), Object.keys(approvers).toSorted())
})
