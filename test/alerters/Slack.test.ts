import { Redacted } from "effect"
import { test } from "node:test"
import { Slack } from "../../src/alerters/index.ts"
import { canary } from "../support/canary.ts"
import { channelContract } from "../support/channelContract.ts"

channelContract(test, {
  channel: "slack",
  layer: (url, options) =>
    Slack.layer({ ...options, webhookUrl: Redacted.make(`${url}/services/T0/B0/${canary}0123456789`) }),
  accepted: { body: "ok" },
  readsBody: false
})
