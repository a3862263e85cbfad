import { expect, test } from "bun:test"
import { Effect, Redacted } from "effect"
import { Slack } from "effect-epilogue/alerters"
import { program } from "../../examples/slack.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { someRuntimes } from "../support/runtimes.ts"
import { inSlack } from "../support/slackReceivers.ts"
import { run, runWith } from "./support.ts"

const it = makeIt(test)

it.live("a bot posts each run in a thread of its own", () =>
  Effect.gen(function*() {
    let posted = 0
    const server = yield* channelServer(() => ({ body: { ok: true, ts: `1700000000.00000${++posted}` } }))
    const bot = Slack.layerBot({ token: Redacted.make("xoxb-test"), channel: "C1", baseUrl: server.url })
    yield* Effect.exit(Effect.provide(program, bot))
    yield* Effect.exit(Effect.provide(program, bot))
    const threads = server.requests.map(({ json }) => json.thread_ts)
    // the alert of the step that failed begins the thread, and the summary of the run follows in it
    expect(threads).toEqual([undefined, "1700000000.000001", undefined, "1700000000.000003"])
  }))

test.each(someRuntimes())(
  "the script posts the failures through a webhook, on %s",
  (runtime) =>
    Effect.gen(function*() {
      const server = yield* channelServer({ body: "ok" })
      const { code, stderr, stdout } = yield* Effect.promise(() =>
        runWith({ SLACK_WEBHOOK_URL: `${server.url}/services/T0/B0/c4n4ry0123456789` }, runtime, "slack")
      )
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
      expect(stderr).toContain("bucket <rates> is read-only")
      const [step, summary, ...more] = server.requests
      expect(more).toEqual([])
      expect(step!.path).toBe("/services/T0/B0/c4n4ry0123456789")
      expect(step!.json.text).toContain("exchange-rates › upload failed")
      expect(inSlack(step!.json).text).toContain("bucket <rates> is read-only, tell @everyone")
      expect(inSlack(step!.json).mentions).toEqual([])
      expect(summary!.json.text).toContain("exchange-rates failed")
      expect(summary!.body).toContain("1 of 2 steps failed")
    }).pipe(Effect.scoped, Effect.runPromise),
  60_000
)

test("a missing address fails the script with the name of the variable, before anything runs", async () => {
  const { code, stderr } = await run("bun", "slack")
  expect(code).toBe(1)
  expect(stderr).toContain("SLACK_WEBHOOK_URL")
  expect(stderr).not.toContain("read-only")
})
