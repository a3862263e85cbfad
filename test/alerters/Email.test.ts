import { DateTime, Duration, Effect, Fiber, Redacted, Schema } from "effect"
import type { AddressObject, ParsedMail } from "mailparser"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Email } from "../../src/alerters/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { canary, leaks, recorder } from "../support/canary.ts"
import { sample } from "../support/channelContract.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { forAll } from "../support/property.ts"
import { type Behaviour, cleartextServer, type SmtpServer, smtpServer } from "../support/smtpServer.ts"

const it = makeIt(test)

const user = "mailer@example.com"
const pass = `pä:ss@${canary}%`
const auth = { user, pass }

const optionsFor = (server: { readonly port: number; readonly ca?: string }): Email.SmtpOptions => ({
  host: "127.0.0.1",
  port: server.port,
  user,
  password: Redacted.make(pass),
  tls: "required",
  ca: server.ca,
  from: "Nightly jobs <jobs@example.com>",
  to: ["ops@example.com", "On call <oncall@example.com>"],
  timeout: "2 seconds",
  delay: "1 millis",
  timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin")
})

const post = (server: SmtpServer, alert: Alert | string = sample, options: Partial<Email.SmtpOptions> = {}) =>
  Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(
    Effect.provide(Email.layer({ ...optionsFor(server), ...options }))
  )

/** Starts a server of this behaviour, and posts to it. */
const against = (behaviours: ReadonlyArray<Behaviour>, options: Partial<Email.SmtpOptions> = {}) =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ auth, behaviours })
    const result = yield* Effect.result(post(server, sample, options))
    const error = result._tag === "Failure" ? result.failure : undefined
    return { server, error, reason: error && { ...error.reason }, tries: server.attempts() }
  })

const addresses = (of: AddressObject | Array<AddressObject> | undefined) =>
  [of ?? []].flat().flatMap(({ value }) => value.map(({ address }) => address))

const header = (mail: ParsedMail, name: string) => mail.headers.get(name)

it.live("email: a mail has a plain part and an HTML part, and is sent encrypted, with a login", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ auth })
    yield* post(server, sample.with({ at: DateTime.makeUnsafe("2026-11-23T12:40:12Z") }))
    const [{ encrypted, from, raw, to, user: who }] = server.received as [(typeof server.received)[0]]
    assert.deepEqual({ encrypted, from, to, who }, {
      encrypted: true,
      from: "jobs@example.com",
      to: ["ops@example.com", "oncall@example.com"],
      who: user
    })
    assert.match(raw, /^Content-Type: multipart\/alternative;/m)
    const [mail] = yield* server.mails
    assert.equal(mail!.subject, "nightly › load failed")
    assert.deepEqual(addresses(mail!.from), ["jobs@example.com"])
    assert.deepEqual(addresses(mail!.to), to)
    assert.equal(header(mail!, "auto-submitted"), "auto-generated")
    assert.ok(Math.abs(mail!.date!.getTime() - Date.now()) < 60_000)
    assert.equal(header(mail!, "x-mailer"), undefined)
    assert.equal(
      mail!.text!.trimEnd(),
      [
        "ERROR: nightly › load failed",
        "Error: no such bucket",
        "pipeline: nightly\nstep: load\nrows: 1461",
        "Error: no such bucket\n    at load (etl.ts:12:3)",
        "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"
      ].join("\n\n")
    )
    const html = String(mail!.html)
    assert.match(html, /<h1[^>]*>nightly › load failed<\/h1>\n<p[^>]*>Error: no such bucket<\/p>/)
    assert.match(html, /<th[^>]*>rows<\/th><td[^>]*>1461<\/td>/)
    assert.match(html, /<pre[^>]*>\nError: no such bucket\n {4}at load \(etl\.ts:12:3\)<\/pre>/)
    assert.match(html, /2026-11-23 13:40:12 Europe\/Berlin/)
  }))

it.live("email: secure begins the connection with TLS", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ auth, secure: true })
    yield* post(server, sample, { secure: true })
    assert.deepEqual(server.received.map(({ encrypted }) => encrypted), [true])
  }))

it.live("email: a server on this machine needs neither a certificate nor a login", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer()
    const { from, host, port, to } = optionsFor(server)
    yield* Effect.flatMap(Alerter, (alerter) => alerter.post("hello")).pipe(
      Effect.provide(Email.layer({ from, host, port, to, subjectPrefix: "[test]" }))
    )
    const [mail] = yield* server.mails
    assert.equal(mail!.subject, "[test] hello")
  }))

it.live("email: critical alerts are marked urgent, and mails of a run reference the same id", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ auth })
    yield* post(server, sample.with({ severity: "critical" }))
    yield* post(server, sample)
    yield* post(server, sample.with({ source: { ...sample.source!, runId: "ünïx <run> 2\r\n" } }))
    yield* post(server, Alert.make("no run"))
    const mails = yield* server.mails
    assert.deepEqual(server.received.map(({ raw }) => /^X-Priority: 1 /m.test(raw)), [true, false, false, false])
    const ids = mails.map(({ messageId }) => messageId)
    assert.equal(new Set(ids).size, 4)
    assert.ok(ids.every((id) => /^<[0-9a-f-]{36}@example\.com>$/.test(id!)), ids.join())
    const threads = mails.map(({ inReplyTo }) => inReplyTo)
    assert.equal(threads[0], `<run-${sample.source!.runId}@example.com>`)
    assert.equal(threads[1], threads[0])
    assert.match(threads[2]!, /^<run-[A-Za-z0-9%_-]+@example\.com>$/)
    assert.notEqual(threads[2], threads[0])
    assert.equal(threads[3], undefined)
    assert.deepEqual(mails.map(({ references }) => [references ?? []].flat()[0]), threads)
  }))

it.live("email: a repeated post has the same Message-ID, another key or other recipients another", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ auth })
    const keys = ["k", "k", "k2", "ünïx <k>\r\n@", "\ud800", "\udc00"]
    for (const idempotencyKey of keys) yield* post(server, sample.with({ idempotencyKey }))
    yield* post(server, sample.with({ idempotencyKey: "k" }), { to: "ops@example.com" })
    const ids = (yield* server.mails).map(({ messageId }) => messageId)
    assert.equal(ids[1], ids[0])
    assert.equal(new Set(ids).size, keys.length)
    for (const id of ids) assert.match(String(id), /^<[0-9a-f]{64}@example\.com>$/)
  }))

it.live("email: a temporary refusal is retried, a permanent one is not", () =>
  Effect.gen(function*() {
    const again: ReadonlyArray<Behaviour> = [
      { at: "connect", code: 421 },
      { at: "auth", code: 454 },
      { at: "from", code: 451 },
      { at: "to", code: 450 },
      { at: "data", code: 452 }
    ]
    yield* Effect.forEach(again, (behaviour) =>
      Effect.gen(function*() {
        const { error, server, tries } = yield* against([behaviour, "accept"])
        assert.deepEqual({ error, tries, mails: server.received.length }, { error: undefined, tries: 2, mails: 1 })
      }), { concurrency: "unbounded" })
    const never: ReadonlyArray<Behaviour> = [
      { at: "connect", code: 554, text: "go away" },
      { at: "from", code: 553, text: "go away" },
      { at: "to", code: 550, text: "go away" },
      { at: "data", code: 552, text: "go away" }
    ]
    yield* Effect.forEach(never, (behaviour) =>
      Effect.gen(function*() {
        const { reason, tries } = yield* against([behaviour, "accept"])
        assert.equal(tries, 1)
        assert.ok(typeof behaviour === "object" && reason?._tag === "Rejected")
        assert.equal(reason.status, behaviour.code)
        assert.match(reason.detail, /go away/)
      }), { concurrency: "unbounded" })
    const { reason, tries } = yield* against([{ at: "data", code: 451, text: "try later" }], { retries: 2 })
    assert.equal(tries, 3)
    assert.deepEqual(reason, { _tag: "Rejected", status: 451, detail: "try later" })
  }))

it.live("email: a mail that is put off is tried for longer than other failures, unless retries are set", () =>
  Effect.gen(function*() {
    const greylisted: Behaviour = { at: "to", code: 451, text: "greylisted, try again in five minutes" }
    const waiting = { delay: "2 millis", maxDelay: "5 millis", retries: undefined } as const
    const later = yield* against([...Array.from({ length: 12 }, () => greylisted), "accept"], waiting)
    assert.deepEqual({ error: later.error, tries: later.tries }, { error: undefined, tries: 13 })
    assert.equal(later.server.received.length, 1)
    // a connection that breaks off does not count as one of these
    const reset = Array.from({ length: 4 }, (): Behaviour => "resetAfterData")
    assert.equal((yield* against([...reset, "accept"], waiting)).reason?._tag, "Unreachable")
    const never = yield* against([greylisted], waiting)
    assert.equal(never.reason?._tag, "Rejected")
    assert.equal(never.tries, 21)
    assert.equal((yield* against([greylisted], { ...waiting, retries: 1 })).tries, 2)
  }))

it.live("email: all attempts send the same mail", () =>
  Effect.gen(function*() {
    const { error, server, tries } = yield* against(["resetAfterData", "accept"])
    assert.deepEqual({ error, tries }, { error: undefined, tries: 2 })
    const [first, second] = yield* server.mails
    assert.ok(first!.messageId !== undefined && first!.messageId === second!.messageId)
    assert.deepEqual(first!.date, second!.date)
    const { reason } = yield* against(["resetAfterData"], { retries: 0 })
    assert.equal(reason?._tag, "Unreachable")
  }))

it.live("email: a timeout and a refused connection have their reasons", () =>
  Effect.gen(function*() {
    const silent = yield* against(["hang", "accept"], { timeout: "1 second" })
    assert.deepEqual({ error: silent.error, tries: silent.tries }, { error: undefined, tries: 2 })
    for (const behaviour of ["hang", "hangAfterData"] as const) {
      const { reason, server, tries } = yield* against([behaviour], { timeout: "200 millis", retries: 1 })
      assert.equal(tries, 2)
      assert.ok(reason?._tag === "TimedOut" && Duration.toMillis(reason.limit!) === 200)
      yield* server.idle
    }
    const { port } = yield* Effect.scoped(smtpServer())
    const { message } = yield* Effect.flip(post({ ...silent.server, port }))
    assert.equal(message, "email: could not be reached: ECONNREFUSED")
  }))

it.live("email: an attempt that the closing layer does not wait for closes its connection", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ auth, behaviours: ["hangAfterData"] })
    const posting = yield* Effect.forkChild(post(server, sample, { drain: 0 }))
    yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => server.received.length === 1 })
    yield* Fiber.interrupt(posting)
    yield* server.idle
    assert.equal(server.conversations(), 1)
  }))

it.live("email: a refused login is Unauthorized, and quotes no password", () =>
  Effect.gen(function*() {
    const recorded = recorder()
    const server = yield* smtpServer({ auth: { user, pass: "another" } })
    const error = yield* post(server).pipe(
      Effect.tapCause((cause) => Effect.logError("not sent", cause)),
      Effect.withSpan("test"),
      Effect.provide(recorded.layer),
      Effect.flip
    )
    // the server quotes user and password
    assert.equal(error.message, "email: the credentials were not accepted: no such user, <redacted>: <redacted>")
    recorded.keep("events", error)
    assert.deepEqual(leaks(recorded.outputs), [])
    assert.ok(recorded.counts.logs > 0 && recorded.counts.spans > 0)
    assert.deepEqual([server.conversations(), server.received.length], [1, 0])
  }))

it.live("email: if TLS is required, neither password nor mail is sent without it", () =>
  Effect.gen(function*() {
    const { lines, port } = yield* cleartextServer
    const options = optionsFor({ port })
    const { reason } = yield* Effect.flatMap(Alerter, (alerter) => alerter.post(sample)).pipe(
      Effect.provide(Email.layer(options)),
      Effect.flip
    )
    assert.deepEqual({ ...reason }, {
      _tag: "Rejected",
      status: 502,
      detail: "the server offers no encryption (STARTTLS): set tls to \"opportunistic\" to send all the same, " +
        "or secure to true if its port begins with TLS: 5.5.1 Command not implemented"
    })
    assert.deepEqual(lines.map((line) => line.split(" ")[0]), ["EHLO", "STARTTLS"])
    // otherwise it would have been sent unencrypted
    yield* Effect.flatMap(Alerter, (alerter) => alerter.post(sample)).pipe(
      Effect.provide(
        Email.layer({ ...options, tls: "opportunistic", ca: undefined, retries: 0, timeout: "300 millis" })
      ),
      Effect.flip
    )
    assert.ok(lines.some((line) => line.startsWith("AUTH PLAIN")))
  }))

it.live("email: no mail is sent to a server whose certificate is not trusted", () =>
  Effect.gen(function*() {
    const { reason, server, tries } = yield* against(["accept"], { ca: undefined })
    assert.deepEqual(reason, {
      _tag: "Unreachable",
      detail:
        "DEPTH_ZERO_SELF_SIGNED_CERT: its certificate is signed by an authority that this machine does not know: " +
        "set ca to that one's"
    })
    assert.deepEqual([tries, server.received.length], [1, 0])
    const trusting = yield* against(["accept"], { ca: undefined, rejectUnauthorized: false })
    assert.equal(trusting.error, undefined)
  }))

it.live("email: recipients refused temporarily get the mail later, and those refused for good are logged", () =>
  Effect.gen(function*() {
    const seen = logs()
    const later = yield* against([{ at: "to", code: 450, recipient: "oncall@example.com" }, "accept"])
    assert.equal(later.error, undefined)
    assert.deepEqual(later.server.received.map(({ to }) => to), [["ops@example.com"], ["oncall@example.com"]])
    const mails = yield* later.server.mails
    assert.equal(mails[0]!.messageId, mails[1]!.messageId)
    assert.deepEqual(addresses(mails[1]!.to), ["ops@example.com", "oncall@example.com"])

    for (const code of [550, 450]) {
      const refused = yield* against([{ at: "to", code, recipient: "ops@example.com" }], { retries: 1 }).pipe(
        Effect.provide(seen.layer)
      )
      assert.equal(refused.error, undefined)
      assert.deepEqual(refused.server.received.map(({ to }) => to), [["oncall@example.com"]])
      assert.equal(refused.tries, code === 550 ? 1 : 2)
    }
    assert.deepEqual(seen.list.map(({ level }) => level), ["Warn", "Warn"])
    assert.match(seen.list[0]!.message, /not every recipient gets the mail.*\(550\)/)
  }))

const Input = Schema.Struct({
  title: Schema.String,
  body: Schema.String,
  fields: Schema.Array(Schema.Struct({ name: Schema.String, value: Schema.String })),
  detail: Schema.String,
  times: Schema.Literals([1, 2, 50])
})

const spice =
  " \u{1f4a5}\ud83d שלום\u202e \u0000\u001b[31m\r\nBcc: evil@example.com\r\n\r\n.\r\n</td></pre><img src=x onerror=\"x('&lt;')\"> "

const unescaped = (html: string) =>
  html.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name: string) => ({ amp: "&", lt: "<", gt: ">", quot: "\"", "#39": "'" })[name]!
  )

it.live("email: any alert becomes a mail with one subject line, whose two parts show the same text", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ auth })
    yield* forAll(Input, ({ times, ...input }) =>
      Effect.gen(function*() {
        const more = (text: string, mark: string) => `${mark}1 ${`${text}${spice}`.repeat(times)} ${mark}2`
        const alert = Alert.make({
          title: more(input.title, "title"),
          body: more(input.body, "body"),
          fields: input.fields.map(({ name, value }, i) => ({ name: more(name, "n"), value: more(value, `v${i}x`) })),
          detail: more(input.detail, "detail")
        })
        server.received.length = 0
        yield* post(server, alert)
        assert.deepEqual(server.received[0]!.to, ["ops@example.com", "oncall@example.com"])
        const [mail] = yield* server.mails
        assert.ok(mail!.subject!.startsWith("title1") && !/[\r\n\u2028]/.test(mail!.subject!))
        assert.ok(mail!.subject!.length <= 200)
        assert.equal(mail!.bcc, undefined)
        const html = String(mail!.html)
        const texts = html.replace(/<(?!img)[^>]*>/g, "")
        assert.ok(!/<img|onerror="/.test(html), "markup of the alert's")
        assert.equal(html.match(/<pre/g)!.length + html.match(/<\/pre>/g)!.length, 2)
        assert.equal(html.match(/<\/td>/g)?.length ?? 0, input.fields.length)
        for (
          const mark of [
            "title1",
            "body1",
            "body2",
            "detail1",
            "detail2",
            ...input.fields.map((_, i) => `v${i}x2`)
          ]
        ) {
          assert.ok(mail!.text!.includes(mark), `${mark} in the plain part`)
          assert.ok(unescaped(texts).includes(mark), `${mark} in the HTML part`)
        }
        const detail = /detail1[^]*?detail2/
        assert.equal(detail.exec(unescaped(texts))![0], detail.exec(mail!.text!)![0])
        // oxlint-disable-next-line no-control-regex -- control characters are what it is about
        assert.ok(!/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u202a-\u202e]/.test(mail!.subject! + mail!.text! + html))
        assert.ok(mail!.text!.isWellFormed() && html.isWellFormed())
      }), 12)
  }))

it.live("email: a detail of five megabytes is cut in its middle, and says how much is missing", () =>
  Effect.gen(function*() {
    const server = yield* smtpServer({ auth })
    const detail = `BEGIN ${"stack \u{1f4a5} שלום <x> ".repeat(300_000)} END`
    const [elapsed] = yield* Effect.timed(post(server, sample.with({ detail })))
    assert.ok(Duration.toMillis(elapsed) < 10_000, Duration.format(elapsed))
    assert.ok(server.received[0]!.raw.length < 2 << 20)
    const [mail] = yield* server.mails
    const [shown] = /BEGIN [^]* END/.exec(mail!.text!)!
    const [note, missing] = /\n… (\d+) characters left out …\n/.exec(shown)!
    assert.equal(Number(missing), detail.length - (shown.length - note.length))
    assert.ok(shown.length > 100_000)
  }))
