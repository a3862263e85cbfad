import { Context, Duration, Effect, Exit, Fiber, Layer, Scope } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Email } from "../../src/alerters/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { type SmtpServer, smtpServer } from "../support/smtpServer.ts"

const it = makeIt(test)

const options = (server: { readonly port: number; readonly ca?: string }): Email.SmtpOptions => ({
  host: "127.0.0.1",
  port: server.port,
  tls: "required",
  ca: server.ca,
  from: "jobs@example.com",
  to: "ops@example.com",
  delay: "20 millis"
})

const alerts = (count: number) => Array.from({ length: count }, (_, i) => Alert.make(`alert ${i}`))

/** Posts all at once, over one layer. */
const postAll = (server: SmtpServer, count: number, more: Partial<Email.SmtpOptions> = {}) =>
  Effect.flatMap(Alerter, ({ post }) => Effect.forEach(alerts(count), post, { concurrency: "unbounded" })).pipe(
    Effect.provide(Email.layer({ ...options(server), ...more }))
  )

const subjects = (server: SmtpServer) =>
  Effect.map(server.mails, (mails) => mails.map(({ subject }) => subject).toSorted())

const all = (count: number) => alerts(count).map(({ title }) => title).toSorted()

it.live("email: a hundred mails at once share two connections, ten mails on each before another takes its place", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer()
    yield* postAll(server, 100)
    assert.deepEqual(yield* subjects(server), all(100))
    const mails = Map.groupBy(server.received, ({ conversation }) => conversation)
    assert.ok(mails.size >= 10 && mails.size <= 12, `${mails.size} connections`)
    assert.ok([...mails.values()].every(({ length }) => length <= 10))
  }))

it.live("email: a hundred mails at once arrive at a server that accepts three connections and refuses more", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ maxClients: 3 })
    // without retries: a connection that is one too many is no attempt
    yield* postAll(server, 100, { maxConnections: 10, retries: 0 })
    assert.deepEqual(yield* subjects(server), all(100))
  }))

it.live("email: several layers share a server that accepts three connections", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ maxClients: 3 })
    yield* Effect.all([postAll(server, 20), postAll(server, 20)], { concurrency: "unbounded" })
    assert.equal(server.received.length, 40)
  }))

it.live("email: mails go on over another connection when the server accepts no more over one", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ maxMessages: 3 })
    yield* postAll(server, 20, { maxConnections: 1, retries: 0 })
    assert.deepEqual(yield* subjects(server), all(20))
    assert.equal(server.conversations(), 7)
  }))

it.live("email: one connection keeps the order of mails that are posted one after another", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer()
    yield* Effect.flatMap(Alerter, ({ post }) => Effect.forEach(alerts(12), post)).pipe(
      Effect.provide(Email.layer({ ...options(server), messagesPerConnection: 100 }))
    )
    const mails = yield* server.mails
    assert.deepEqual(mails.map(({ subject }) => subject), alerts(12).map(({ title }) => title))
    assert.equal(server.conversations(), 1)
  }))

it.live("email: mails arrive once a server that was down is up again", () =>
  Effect.gen(function*() {
    const { port } = yield* Effect.scoped(smtpServer())
    const posting = yield* Effect.flatMap(
      Alerter,
      ({ post }) => Effect.forEach(alerts(5), post, { concurrency: "unbounded" })
    ).pipe(
      Effect.provide(Email.layer({ ...options({ port }), ca: undefined, rejectUnauthorized: false, retries: 1000 })),
      Effect.forkChild
    )
    yield* Effect.sleep("200 millis")
    const server = yield* smtpServer({ port })
    yield* Fiber.join(posting)
    assert.deepEqual(yield* subjects(server), all(5))
  }))

it.live("email: connections are closed with the layer", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer()
    yield* postAll(server, 3)
    // without waiting until the connections have been idle for long
    const [elapsed] = yield* Effect.timed(server.idle)
    assert.ok(Duration.toMillis(elapsed) < 1000, Duration.format(elapsed))
  }))

it.live("email: a layer that closes while a mail is under way closes its connection, too", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ behaviours: ["hangAfterData"] })
    const scope = yield* Scope.make()
    const { post } = Context.get(
      yield* Layer.buildWithScope(Email.layer({ ...options(server), drain: "100 millis" }), scope),
      Alerter
    )
    const posting = yield* Effect.forkChild(Effect.exit(post("hello")))
    yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => server.received.length === 1 })
    yield* Fiber.interrupt(posting)
    yield* Scope.close(scope, Exit.void)
    yield* server.idle
  }))

it.live("email: TLS that begins where the server does not expect it is told", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer()
    const error = yield* Effect.flip(postAll(server, 1, { secure: true }))
    assert.match(error.message, /its port does not begin with TLS: set secure to false/)
  }))
