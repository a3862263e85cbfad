import { Effect, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Email } from "../../src/alerters/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { exim, required } from "../support/exim.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const user = "jobs"
const password = "s3cret"

const alerts = (name: string) => Array.from({ length: 50 }, (_, i) => Alert.make(`${name} ${i}`))

if (required("mails to Exim")) {
  it.live("email: Exim accepts a hundred mails at once, over as few connections as it allows", () =>
    Effect.gen(function*() {
      const server = yield* exim({ connections: 3, mails: 7, user, password })
      const options: Email.SmtpOptions = {
        host: "127.0.0.1",
        port: server.port,
        user,
        password: Redacted.make(password),
        tls: "required",
        ca: server.ca,
        from: "jobs@example.com",
        to: "ops@example.com"
      }
      const postAll = (name: string, more: Partial<Email.SmtpOptions>) =>
        Effect.flatMap(Alerter, ({ post }) => Effect.forEach(alerts(name), post, { concurrency: "unbounded" })).pipe(
          Effect.provide(Email.layer({ ...options, ...more }))
        )
      yield* postAll("default", {})
      // more connections than the server accepts, and more mails over each
      yield* postAll("greedy", { maxConnections: 6, messagesPerConnection: 50 })
      const titles = [...alerts("default"), ...alerts("greedy")].map(({ title }) => title)
      assert.deepEqual(server.subjects(), titles.toSorted())
      const accepted = server.log().split("\n").filter((line) => line.includes(" <= "))
      assert.equal(accepted.length, 100)
      assert.ok(accepted.every((line) => line.includes("P=esmtpsa") && line.includes("A=plain:jobs")), accepted[0])
    }))

  it.live("email: Exim refuses a wrong password, and that is Unauthorized", () =>
    Effect.gen(function*() {
      const server = yield* exim({ connections: 3, mails: 7, user, password })
      const { message } = yield* Effect.flatMap(Alerter, ({ post }) => post("hello")).pipe(
        Effect.provide(Email.layer({
          host: "127.0.0.1",
          port: server.port,
          user,
          password: Redacted.make("wrong"),
          ca: server.ca,
          from: "jobs@example.com",
          to: "ops@example.com"
        })),
        Effect.flip
      )
      assert.match(message, /credentials were not accepted/)
      assert.deepEqual(server.subjects(), [])
    }))
}
