/** The watch over the alerts of `epilogue alert`: what it says of an alert whose post has ended before its delivery. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { type Post, watch } from "../../../src/cli/run/watching.ts"
import { mailbox } from "../../../src/delivery/index.ts"
import { Alert, Alerter } from "../../../src/index.ts"
import { makeIt } from "../../support/it.ts"
import { failure } from "../../support/policies.ts"

const it = makeIt(test)

it.effect("an alert that arrives, or is lost, after the time of its post is told as that, once", () =>
  Effect.gen(function*() {
    const posts: Array<Post> = []
    const slow = Alerter.layer(({ title }) =>
      Effect.andThen(Effect.sleep("70 seconds"), title === "bad" ? Effect.fail(failure("test")) : Effect.void)
    ).pipe(mailbox({ channel: "slow" }))
    const leaf = { name: "slow", path: ["alerter"] }
    const { wraps } = watch((post) => posts.push(post))
    const fiber = yield* Effect.forkChild(
      Effect.flatMap(
        Alerter,
        ({ post }) =>
          Effect.forEach(
            ["good", "bad"],
            (title) => Effect.exit(Effect.timeout(post(Alert.make({ title, idempotencyKey: title })), "1 minute")),
            {
              concurrency: "unbounded"
            }
          )
      ).pipe(Effect.provide(wraps.leaf!(slow, leaf)), Effect.provide(NodeServices.layer))
    )
    yield* TestClock.adjust("3 minutes")
    assert.ok(fiber.pollUnsafe() !== undefined)
    assert.deepEqual(posts.map(({ alert, why }) => [alert.title, why !== undefined]), [["good", false], ["bad", true]])
    assert.doesNotMatch(posts[1]?.why ?? "", /in time/)
  }))
