import { Cause, Deferred, Effect, Exit, type Layer, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { createServer, type Server } from "node:http"
import { test } from "node:test"
import { Mattermost, Pushover, RocketChat, Slack, Teams, Webhook, Zulip } from "../../src/alerters/index.ts"
import { Alerter } from "../../src/index.ts"
import { sample } from "../support/channelContract.ts"
import { type Answer, channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

// On Node, an open connection would keep the process alive.
it.live("a body that never ends is neither awaited nor kept open", () =>
  Effect.gen(function*() {
    const closed = yield* Deferred.make<void>()
    const server = yield* Effect.acquireRelease(
      Effect.promise(() =>
        new Promise<Server>((resolve) => {
          const server = createServer((_, response) => {
            response.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
            response.writeHead(200).write("well, ")
          })
          server.listen(0, "127.0.0.1", () => resolve(server))
        })
      ),
      (server) => Effect.sync(() => server.close().closeAllConnections())
    )
    const address = server.address()
    assert.ok(typeof address === "object" && address !== null)
    const url = Redacted.make(`http://127.0.0.1:${address.port}`)
    yield* Effect.provide(Effect.flatMap(Alerter, (alerter) => alerter.post(sample)), Webhook.layer({ url }))
    yield* Deferred.await(closed)
  }))

const page = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>"

/** Posts to a server with this answer, and returns why that failed, or `delivered`. */
const told = (layer: (url: string) => Layer.Layer<Alerter>, body: Answer["body"]) =>
  Effect.gen(function*() {
    const { requests, url } = yield* channelServer({ status: 200, body })
    const exit = yield* Effect.exit(Effect.provide(Alerter.use((alerter) => alerter.post(sample)), layer(url)))
    assert.equal(requests.length, 1)
    return Exit.isSuccess(exit) ? "delivered" : String(Cause.squash(exit.cause))
  })

const token = Redacted.make("0123456789abcdef")
const slack = (url: string) => Slack.layer({ webhookUrl: Redacted.make(`${url}/services/x`) })
const mattermost = (url: string) => Mattermost.layer({ webhookUrl: Redacted.make(`${url}/hooks/x`) })

it.live("a page of a login or a proxy in place of a channel's answer has taken no alert", () =>
  Effect.gen(function*() {
    for (const layer of [slack, mattermost]) {
      assert.match(yield* told(layer, page), /the alert was rejected \(200\): a web page: Sign in/)
      assert.equal(yield* told(layer, "ok"), "delivered")
      assert.equal(yield* told(layer, ""), "delivered")
    }
    // of which nothing is known but its status
    assert.equal(yield* told((url) => Webhook.layer({ url: Redacted.make(url) }), page), "delivered")
  }))

it.live("an answer with a status of success that says that it failed has taken no alert", () =>
  Effect.gen(function*() {
    const zulip = (server: string) => Zulip.layer({ server, email: "b@example.com", apiKey: token, channel: "ops" })
    const pushover = (baseUrl: string) => Pushover.layer({ token, user: token, baseUrl })
    const rocketChat = (url: string) => RocketChat.layer({ webhookUrl: Redacted.make(`${url}/hooks/x/y`) })
    const teams = (url: string) => Teams.layer({ webhookUrl: Redacted.make(`${url}/workflows/x`) })
    assert.match(yield* told(slack, { ok: false, error: "not_authed" }), /not_authed/)
    assert.match(yield* told(rocketChat, { success: false, error: "no such room" }), /no such room/)
    assert.match(yield* told(zulip, { result: "error", msg: "no such stream" }), /no such stream/)
    assert.match(yield* told(pushover, { status: 0, errors: ["no such user"] }), /no such user/)
    const failed = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413"
    assert.match(yield* told(teams, failed), /HTTP error 413/)
    assert.equal(yield* told(zulip, { result: "success", id: 1 }), "delivered")
    assert.equal(yield* told(pushover, { status: 1 }), "delivered")
  }))
