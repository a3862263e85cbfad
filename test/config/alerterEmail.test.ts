/** Tests the keys of the channel email in a config file. */
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { isAlerterError } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { cleartextServer, smtpServer } from "../support/smtpServer.ts"
import { alert, open } from "./alerterSupport.ts"

const it = makeIt(test)

const from = "jobs@example.com"

it.live("email: host, port, secure, user, password, from, to, subjectPrefix, tls, ca, timeZone", () =>
  Effect.gen(function*() {
    const auth = { user: "ada", pass: "s3cret" }
    const server = yield* smtpServer({ auth, secure: true })
    const post = yield* open({
      email: {
        host: "127.0.0.1",
        port: Redacted.make(String(server.port)),
        secure: true,
        user: "ada",
        password: Redacted.make("s3cret"),
        from,
        to: ["a@example.com", "b@example.com"],
        subjectPrefix: "[production]",
        tls: "required",
        ca: server.ca,
        timeZone: "Asia/Tokyo"
      }
    })
    yield* post(alert)
    const [received] = server.received
    assert.deepEqual({ ...received, raw: "" }, {
      raw: "",
      from,
      to: ["a@example.com", "b@example.com"],
      encrypted: true,
      user: "ada",
      conversation: 1
    })
    const [mail] = yield* server.mails
    assert.ok(mail?.subject?.startsWith("[production]"), mail?.subject)
    assert.match(mail?.text ?? "", /21:40:12 Asia\/Tokyo/)
    const distrusting = yield* open({ email: { host: "127.0.0.1", port: server.port, secure: true, from, to: from } })
    yield* Effect.flip(distrusting(alert))
    assert.equal(server.received.length, 1)
  }))

it.live("email: url, rejectUnauthorized, timeout, retries, delay and maxDelay take effect", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ secure: true, behaviours: [{ at: "data", code: 451 }, "accept"] })
    const options = { from, to: from, rejectUnauthorized: false }
    const url = Redacted.make(`smtps://127.0.0.1:${server.port}`)
    // on a clock that stands still: a delay that did not take effect would last until the test's timeout
    const postAtOnce = (config: object) =>
      Effect.provide(Effect.flatMap(open({ email: { ...options, url, ...config } }), (post) => post(alert)), [
        TestClock.layer()
      ])
    yield* postAtOnce({ retries: 1, delay: "10 seconds", maxDelay: 0 })
    assert.equal(server.received.length, 1)
    const deferred = { at: "data", code: 451 } as const
    server.behave(deferred)
    const before = server.attempts()
    yield* Effect.flip((yield* open({ email: { ...options, url, retries: 0 } }))(alert))
    assert.equal(server.attempts() - before, 1)
    server.behave(deferred, deferred, deferred, "accept")
    yield* postAtOnce({ delay: 0 })
    assert.equal(server.received.length, 2)
    const plain = yield* smtpServer({ behaviours: ["hang"] })
    const hanging = yield* open({
      email: { from, to: from, url: `smtp://127.0.0.1:${plain.port}`, retries: 0, timeout: "100 millis" }
    })
    const error = yield* Effect.flip(hanging(alert))
    assert.ok(isAlerterError(error) && error.reason._tag === "TimedOut")
  }))

it.live("email: with tls required nothing is sent to a server without TLS", () =>
  Effect.gen(function*() {
    const server = yield* cleartextServer
    const options = { host: "127.0.0.1", port: server.port, from, to: from, retries: 0 }
    yield* Effect.exit((yield* open({ email: { ...options, tls: Redacted.make("required") } }))(alert))
    assert.ok(!server.lines.some((line) => line.startsWith("MAIL FROM")))
    yield* Effect.exit((yield* open({ email: options }))(alert))
    assert.ok(server.lines.some((line) => line.startsWith("MAIL FROM")))
  }))
