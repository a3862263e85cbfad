import { expect, test } from "bun:test"
import { Effect } from "effect"
import { channelServer } from "../support/channelServer.ts"
import { someRuntimes } from "../support/runtimes.ts"
import { runWith } from "./support.ts"

test.each(someRuntimes())(
  "each alert is delivered by some channel, and names the channels that failed, on %s",
  (runtime) =>
    Effect.gen(function*() {
      const slack = yield* channelServer({ status: 404, body: "no_service" })
      const ntfy = yield* channelServer({ status: 401 }, { body: { id: "1" } })
      const { code, stdout } = yield* Effect.promise(() =>
        runWith(
          { SLACK_WEBHOOK_URL: `${slack.url}/c4n4ry0123456789`, NTFY_SERVER: ntfy.url, NTFY_TOPIC: "c4n4ry-topic" },
          runtime,
          "fallback-chain"
        )
      )
      expect(code).toBe(1)
      expect(slack.requests).toHaveLength(2)

      // Slack and ntfy reject the first alert, so it is printed
      expect(stdout).toContain("ERROR search › reindex failed")
      expect(stdout).toContain("slack: the alert was rejected (404): no_service")
      expect(stdout).toContain("ntfy: the credentials were not accepted")
      expect(stdout).not.toContain("c4n4ry")

      // ntfy accepts the second alert in place of Slack, and again since it is critical
      expect(stdout).not.toContain("restore failed")
      const pushed = ntfy.requests.slice(1).map(({ json }) => json)
      expect(pushed.map(({ priority, title }) => ({ priority, title }))).toEqual([
        { priority: 5, title: "search › restore failed" },
        { priority: 5, title: "search › restore failed" }
      ])
      expect(pushed.filter(({ message }) => message.includes("no_service"))).toHaveLength(1)
    }).pipe(Effect.scoped, Effect.runPromise),
  60_000
)
