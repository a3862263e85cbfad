import { expect, test } from "bun:test"
import { ConfigProvider, Context, Effect, Layer } from "effect"
import { Store } from "effect-epilogue/delivery"
import { TestClock } from "effect/testing"
import { join } from "node:path"
import { alerter, nightly } from "../../examples/quiet-nights.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { someRuntimes } from "../support/runtimes.ts"
import { titleInSlack } from "../support/slackReceivers.ts"
import { inFolder, runWith } from "./support.ts"

const it = makeIt(test)

it.effect("ten nights post a failure and a recovery once each, and one weekly summary of successes", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ body: "ok" })
    const store = Context.get(yield* Layer.build(Store.layerSqlite({ filename: ":memory:" })), Store)
    const environment = ConfigProvider.layer(ConfigProvider.fromUnknown({ SLACK_WEBHOOK_URL: server.url }))
    const run = (broken: boolean) =>
      nightly(broken).pipe(
        Effect.provide(Layer.fresh(alerter)),
        Effect.provideService(Store, store),
        Effect.provide(environment)
      )

    const posted: Array<ReadonlyArray<string>> = []
    for (const broken of [false, true, true, true, false, false, false, false, true, false]) {
      const before = server.requests.length
      yield* run(broken)
      posted.push(server.requests.slice(before).map(({ json }) => titleInSlack(json)))
      yield* TestClock.adjust("1 day")
    }
    expect(posted.slice(0, 7)).toEqual([
      [],
      ["mirror › sync failed"],
      [],
      [],
      ["mirror › sync recovered"],
      [],
      []
    ])
    // the week is over: one message for all successes
    expect(posted[7]).toHaveLength(1)
    expect(posted[7]![0]).toContain("succeeded")
    // a new failure is posted again
    expect(posted.slice(8)).toEqual([["mirror › sync failed"], ["mirror › sync recovered"]])
  }))

test.each(someRuntimes())(
  "two processes share which alerts have been posted, on %s",
  (runtime) =>
    inFolder((folder) =>
      Effect.gen(function*() {
        const server = yield* channelServer({ body: "ok" })
        const night = (...args: ReadonlyArray<string>) =>
          Effect.promise(() =>
            runWith(
              { SLACK_WEBHOOK_URL: server.url },
              runtime,
              "quiet-nights",
              "--store",
              join(folder, "state.db"),
              ...args
            )
          )
        const nights = [yield* night("--broken"), yield* night("--broken"), yield* night(), yield* night()]
        expect(nights).toEqual(nights.map(() => ({ code: 0, stdout: "", stderr: "" })))
        expect(server.requests.map(({ json }) => json.text)).toEqual([
          expect.stringContaining("mirror › sync failed"),
          expect.stringContaining("mirror › sync recovered")
        ])
        const { body } = server.requests[1]!
        expect(body).toContain("failing since")
      }).pipe(Effect.scoped, Effect.runPromise)
    ),
  60_000
)
