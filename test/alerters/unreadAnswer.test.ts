import { Deferred, Effect, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { createServer, type Server } from "node:http"
import { test } from "node:test"
import { Webhook } from "../../src/alerters/index.ts"
import { Alerter } from "../../src/index.ts"
import { sample } from "../support/channelContract.ts"
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
