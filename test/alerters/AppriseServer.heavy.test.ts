/** Posts alerts to a server that notifies with the real library of Apprise, and looks at what its services get. */
import { Effect, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Apprise } from "../../src/alerters/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { apprise, required } from "../support/apprise.ts"
import { sample } from "../support/channelContract.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const post = (alert: Alert, options: Apprise.AppriseOptions) =>
  Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(
    Effect.provide(Apprise.layer({ retries: 0, ...options }))
  )

/** Starts the server, and a receiver that is a service of its keys. */
const started = (reply: Reply = { status: 200 }) =>
  Effect.gen(function*() {
    const receiver = yield* channelServer(reply)
    const service = receiver.url.replace("http://", "json://")
    const url = yield* apprise({
      jobs: [{ url: `${service}/all?method=POST` }],
      tagged: [{ url: `${service}/ops`, tag: "ops" }, { url: `${service}/dev`, tag: "dev" }],
      empty: []
    })
    return { url, service, requests: receiver.requests }
  })

if (required("alerts to Apprise")) {
  it.live("apprise: the services of a key get title, text and type", () =>
    Effect.gen(function*() {
      const { requests, url } = yield* started()
      const jobs = { url, key: Redacted.make("jobs") }
      yield* post(sample, jobs)
      yield* post(Alert.make({ title: "1 < 2 & *3*", body: "<b>bold</b>\n\n  «§» 🔥", severity: "success" }), jobs)
      const [failed, loaded] = requests.map(({ json }) => json)
      assert.deepEqual([requests[0]?.path, failed.title, failed.type], ["/all", "nightly › load failed", "failure"])
      assert.match(
        failed.message,
        /^Error: no such bucket\n\npipeline: nightly\nstep: load\nrows: 1461\n\nError: no such/
      )
      assert.deepEqual([loaded.title, loaded.type], ["1 < 2 & *3*", "success"])
      assert.match(loaded.message, /^<b>bold<\/b>\n\n {2}«§» 🔥\n\n/)
    }))

  it.live("apprise: a tag chooses services, and URLs given need no key", () =>
    Effect.gen(function*() {
      const { requests, service, url } = yield* started()
      const paths = (options: Omit<Apprise.AppriseOptions, "url">) =>
        Effect.map(post(sample, { url, ...options }), () => requests.splice(0).map(({ path }) => path).toSorted())
      const key = Redacted.make("tagged")
      assert.deepEqual(yield* paths({ key, tag: "ops" }), ["/ops"])
      assert.deepEqual(yield* paths({ key, tag: "ops, dev" }), ["/dev", "/ops"])
      assert.deepEqual(yield* paths({ urls: Redacted.make(`${service}/one ${service}/two`) }), ["/one", "/two"])
    }))

  it.live("apprise: no service, no match of a tag and a service that is down are failures", () =>
    Effect.gen(function*() {
      const { requests, url } = yield* started({ status: 500, body: "down" })
      const refused = (options: Omit<Apprise.AppriseOptions, "url">) =>
        Effect.map(
          Effect.flip(post(sample, { url, ...options })),
          ({ reason }) => reason._tag === "Rejected" ? [reason.status, reason.detail ?? ""] as const : []
        )
      const noService = [204, "the server has no services to notify under this key"]
      assert.deepEqual(yield* refused({ key: Redacted.make("empty") }), noService)
      assert.deepEqual(yield* refused({ key: Redacted.make("unknown") }), noService)
      assert.deepEqual(yield* refused({}), noService)
      assert.equal((yield* refused({ key: Redacted.make("tagged"), tag: "nobody" }))[0], 424)
      assert.equal(requests.length, 0)
      const [status, detail] = yield* refused({ key: Redacted.make("jobs") })
      assert.equal(status, 424)
      assert.match(detail!, /^One or more notification could not be sent: Failed to send JSON POST notification/)
    }))
}
