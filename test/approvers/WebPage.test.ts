import { Context, DateTime, Deferred, Effect, Fiber, Layer, Redacted, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { WebPage } from "../../src/approvers/index.ts"
import { AlerterError, Approver, Params, type Question } from "../../src/index.ts"
import { approver, asked, question, send, submit, tokenOf } from "../support/approvalPage.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

it.effect("the page shows the question, and an approval has name, comment and time", () =>
  Effect.gen(function*() {
    const { decision, url } = yield* asked(question, { timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin") })
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{64}$/)
    yield* TestClock.adjust("61 seconds")
    const { status, text } = yield* send(url)
    assert.equal(status, 200)
    assert.match(text, /<h1 dir="auto">Deploy v2 to production\?<\/h1>/)
    assert.match(text, /All tests have passed\.\nNobody is on holiday\./)
    assert.match(text, /<dt dir="auto">commit<\/dt><dd class="text" dir="auto">c0ffee1<\/dd>/)
    assert.match(text, /<button name="answer" value="approve"[^>]*>Ship it<\/button>/)
    assert.match(text, /<button name="answer" value="deny"[^>]*>Not now<\/button>/)
    assert.match(text, /58 min left: an answer counts until 1970-01-01 02:00:00 Europe\/Berlin \(UTC\+01:00\)\./)
    const answer = yield* submit(url, { answer: "approve", name: " Anna\n", comment: "fine\r\nby me \u0007😀" })
    assert.equal(answer.status, 200)
    assert.match(answer.text, /Your answer: Ship it/)
    assert.deepEqual({ ...(yield* Fiber.join(decision)) }, {
      _tag: "Approved",
      by: { id: "local", name: "Anna" },
      at: DateTime.makeUnsafe(61_000),
      comment: "fine\nby me 😀"
    })
  }))

it.live("a denial needs neither name nor comment", () =>
  Effect.gen(function*() {
    const { decision, url } = yield* asked(question)
    yield* submit(url, { answer: "deny", name: " ", comment: "" })
    const { _tag, ...rest } = yield* Fiber.join(decision)
    assert.equal(_tag, "Denied")
    assert.deepEqual({ ...rest, at: undefined }, {
      by: { id: "local", name: "local" },
      at: undefined,
      comment: undefined
    })
  }))

it.live("a question that is asked again has another link", () =>
  Effect.gen(function*() {
    const ask = yield* approver()
    const first = yield* (yield* ask(question)).link
    const second = yield* (yield* ask(question)).link
    assert.notEqual(tokenOf(first.url), tokenOf(second.url))
    assert.equal((yield* send(first.url)).status, 200)
  }))

it.effect("after an answer, a timeout or an interruption the link no longer works", () =>
  Effect.gen(function*() {
    const ask = yield* approver()
    const answered = yield* ask(question)
    const { url } = yield* answered.link
    yield* submit(url, { answer: "approve", name: "Anna" })
    yield* Fiber.join(answered.decision)
    for (const answer of [yield* send(url), yield* submit(url, { answer: "deny" })]) {
      assert.equal(answer.status, 410)
      assert.match(answer.text, /Anna answered “Ship it” on 1970-01-01/)
      assert.ok(!answer.text.includes("<form"))
    }

    const late = yield* ask(question)
    const lateUrl = (yield* late.link).url
    yield* TestClock.adjust("59 minutes")
    assert.equal((yield* send(lateUrl)).status, 200)
    yield* TestClock.adjust("1 minute")
    assert.deepEqual({ ...(yield* Fiber.join(late.decision)) }, {
      _tag: "TimedOut",
      at: DateTime.makeUnsafe(3_600_000)
    })
    for (const answer of [yield* send(lateUrl), yield* submit(lateUrl, { answer: "approve" })]) {
      assert.equal(answer.status, 410)
      assert.match(answer.text, /Nobody answered in time/)
    }

    const withdrawn = yield* ask(question)
    const withdrawnUrl = (yield* withdrawn.link).url
    yield* Fiber.interrupt(withdrawn.decision)
    for (const answer of [yield* send(withdrawnUrl), yield* submit(withdrawnUrl, { answer: "approve" })]) {
      assert.equal(answer.status, 410)
      assert.match(answer.text, /has stopped waiting/)
    }
  }))

it.live("each approver has a link of their own, which identifies them", () =>
  Effect.gen(function*() {
    const { decision, link } = yield* (yield* approver())({ ...question, approvers: ["anna", "ben", "anna"] })
    const links = [yield* link, yield* link]
    assert.deepEqual(links.map(({ approver }) => approver), ["anna", "ben"])
    const [anna, ben] = [links[0]!.url, links[1]!.url]
    const page = yield* send(ben)
    assert.match(page.text, /You answer as <strong dir="auto">ben<\/strong>/)
    assert.ok(!page.text.includes("name=\"name\""))
    yield* submit(ben, { answer: "deny", name: "anna" })
    const result = yield* Fiber.join(decision)
    assert.ok(result._tag === "Denied")
    assert.deepEqual(result.by, { id: "ben", name: "ben" })
    const second = yield* submit(anna, { answer: "approve" })
    assert.equal(second.status, 410)
    assert.match(second.text, /ben answered “Not now”/)
    assert.match(second.text, /Your answer was not counted/)
  }))

it.live("of concurrent answers the first counts, and the others are told that theirs do not", () =>
  Effect.gen(function*() {
    const names = Array.from({ length: 8 }, (_, i) => `approver-${i}`)
    const { decision, link } = yield* (yield* approver())({ ...question, approvers: names })
    const links = yield* Effect.forEach(names, () => link)
    const answers = yield* Effect.forEach(
      links,
      ({ approver, url }, i) =>
        Effect.map(submit(url, { answer: i % 2 === 0 ? "approve" : "deny" }), (answer) => ({ approver, ...answer })),
      {
        concurrency: "unbounded"
      }
    )
    const counted = answers.filter(({ status }) => status === 200)
    assert.equal(counted.length, 1)
    assert.equal(answers.filter(({ status }) => status === 410).length, names.length - 1)
    const result = yield* Fiber.join(decision)
    assert.ok(result._tag !== "TimedOut")
    assert.equal(result.by.id, counted[0]!.approver)
  }))

it.live("building the layer fails if the server can't listen, or its URL can't be known", () =>
  Effect.gen(function*() {
    const { url } = yield* asked(question)
    const failure = (options: WebPage.WebPageOptions) => Effect.scoped(Effect.flip(Layer.build(WebPage.layer(options))))
    const port = Number(new URL(url).port)
    const inUse = yield* failure({ port })
    assert.ok(inUse instanceof AlerterError)
    assert.equal(inUse.channel, "web-page")
    assert.deepEqual({ ...inUse.reason }, {
      _tag: "Unreachable",
      detail: `can't listen on 127.0.0.1, port ${port} (EADDRINUSE)`
    })
    assert.match((yield* failure({ port: 70_000 })).message, /port must be a whole number from 0 to 65535, got 70000/)
    assert.equal((yield* failure({ hostname: "0.0.0.0" })).reason._tag, "InvalidAlert")
    assert.equal((yield* failure({ publicUrl: "approve.example.com" })).reason._tag, "InvalidAlert")
    assert.equal((yield* failure({ publicUrl: "ftp://approve.example.com" })).reason._tag, "InvalidAlert")
  }))

it.live("closing the scope stops the server, even with an open connection", () =>
  Effect.gen(function*() {
    const url = yield* Effect.scoped(Effect.gen(function*() {
      const { url } = yield* asked(question)
      assert.equal((yield* Effect.promise(() => fetch(url, { keepalive: true }))).status, 200)
      return url
    }))
    assert.equal((yield* Effect.exit(send(url)))._tag, "Failure")
  }))

it.live("the person who answers gets the confirmation even if the script ends then", () =>
  Effect.gen(function*() {
    const link = yield* Deferred.make<Redacted.Redacted<string>>()
    const layer = WebPage.layer({ announce: (announced) => Deferred.succeed(link, announced) })
    const script = yield* Effect.forkChild(Approver.ask(question).pipe(Effect.provide(layer)))
    const answer = yield* submit(Redacted.value(yield* Deferred.await(link)), { answer: "approve" })
    assert.match(answer.text, /Your answer: Ship it/)
    assert.equal((yield* Fiber.join(script))._tag, "Approved")
  }))

it.effect("the timeout begins when all links are sent, and an answer before that counts", () =>
  Effect.gen(function*() {
    const links: Array<string> = []
    const ask = yield* approver({
      announce: (link, _, approver) =>
        Effect.sync(() => links.push(Redacted.value(link))).pipe(
          Effect.andThen(approver === "ben" ? Effect.sleep("2 hours") : Effect.void)
        )
    })
    const slow = yield* ask({ ...question, approvers: ["anna", "ben"] })
    yield* TestClock.adjust("90 minutes")
    assert.match((yield* send(links[0]!)).text, /1 h left/)
    yield* TestClock.adjust("89 minutes")
    assert.equal(slow.decision.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 minute")
    assert.equal((yield* Fiber.join(slow.decision))._tag, "TimedOut")

    const quick = yield* ask({ ...question, approvers: ["anna", "ben"] })
    yield* TestClock.adjust("1 second")
    yield* submit(links[2]!, { answer: "approve" })
    assert.equal((yield* Fiber.join(quick.decision))._tag, "Approved")
  }))

it.live("a question that nobody could answer is an error", () =>
  Effect.gen(function*() {
    const ask = yield* approver()
    const wrong: ReadonlyArray<Partial<Question>> = [
      { approvers: [] },
      { title: " " },
      { timeout: 0 },
      { options: { approve: "Go", deny: "go" } }
    ]
    for (const changes of wrong) {
      const { decision } = yield* ask({ ...question, ...changes })
      const error = yield* Effect.flip(Fiber.join(decision))
      assert.equal(error.reason._tag, "InvalidAlert")
      assert.equal(error.channel, "web-page")
    }
  }))

it.live("a timeout may be infinite, or end after the last date", () =>
  Effect.gen(function*() {
    const ask = yield* approver()
    for (const timeout of [Infinity, 1e300, "999999999 days"] as const) {
      const { decision, link } = yield* ask({ ...question, timeout })
      const { url } = yield* link
      const { status, text } = yield* send(url)
      assert.equal(status, 200)
      assert.ok(!text.includes(" left: "), text)
      yield* submit(url, { answer: "deny" })
      assert.equal((yield* Fiber.join(decision))._tag, "Denied")
    }
  }))

it.live("announce runs with the services of the layer", () =>
  Effect.gen(function*() {
    class Mailbox extends Context.Service<Mailbox, { readonly mails: Array<string> }>()("Mailbox") {}
    const mails: Array<string> = []
    const layer = WebPage.layer({
      announce: (link, { title }, approver) =>
        Effect.map(Mailbox, ({ mails }) => mails.push(`${approver}: ${title} ${String(link)}`))
    }).pipe(Layer.provide(Layer.succeed(Mailbox, { mails })))
    const { ask } = Context.get(yield* Layer.build(layer), Approver)
    const decision = yield* ask({ ...question, approvers: ["anna"], timeout: "50 millis" })
    assert.equal(decision._tag, "TimedOut")
    assert.deepEqual(mails, ["anna: Deploy v2 to production? <redacted:approval link>"])
  }))

it.live("a question fails when the server stops", () =>
  Effect.gen(function*() {
    const link = yield* Deferred.make<void>()
    const layer = WebPage.layer({ announce: () => Deferred.succeed(link, undefined) })
    const decision = yield* Effect.scoped(Effect.gen(function*() {
      const { ask } = Context.get(yield* Layer.build(layer), Approver)
      const fiber = yield* Effect.forkDetach(ask(question))
      yield* Deferred.await(link)
      return fiber
    }))
    const error = yield* Effect.flip(Fiber.join(decision))
    assert.deepEqual({ ...error.reason }, { _tag: "Unreachable", detail: "the server has stopped" })
  }))

// -----------------------------------------------------------------------------
// values
// -----------------------------------------------------------------------------

const form = Params.form({
  percent: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })).annotate({
    title: "Percent of <users>",
    description: "in the first hour"
  }),
  region: Schema.Literals(["eu", "us"]),
  dry: Schema.optionalKey(Schema.Boolean),
  ticket: Schema.String.check(Schema.isPattern(/^OPS-/)).annotate({ title: "Ticket" }),
  key: Schema.Redacted(Schema.String)
})

it.live("a question with values has an input for each field, and an approval has the values", () =>
  Effect.gen(function*() {
    const { decision, url } = yield* asked({ ...question, values: form })
    const { text } = yield* send(url)
    assert.match(text, /<label for="value-0" dir="auto">Percent of &lt;users&gt;<\/label>/)
    assert.match(text, /<p class="hint" dir="auto">in the first hour<\/p>/)
    assert.match(text, /<input id="value-0" name="value.percent"[^>]* inputmode="numeric"/)
    assert.match(text, /<select id="value-1" name="value.region">.*<option value="eu">eu<\/option>/)
    assert.match(text, /<label for="value-2" dir="auto">dry \(optional\)<\/label>/)
    assert.match(text, /<input id="value-4"[^>]* type="password"/)
    const values = { "value.percent": "10", "value.region": "eu", "value.ticket": "OPS-7", "value.key": "s3cret" }
    assert.equal((yield* submit(url, { answer: "approve", ...values })).status, 200)
    const answer = yield* Fiber.join(decision)
    assert.deepEqual(answer._tag === "Approved" && answer.values, {
      percent: 10,
      region: "eu",
      ticket: "OPS-7",
      key: "s3cret"
    })
  }))

it.live("values that do not fit are shown beside what was expected, and the question stays open", () =>
  Effect.gen(function*() {
    const { decision, url } = yield* asked({ ...question, values: form })
    const values = { "value.region": "eu", "value.ticket": "OPS-7", "value.key": "s3cret" }
    const wrong = yield* submit(url, {
      answer: "approve",
      name: "Anna",
      comment: "<b>",
      ...values,
      "value.percent": "101"
    })
    assert.equal(wrong.status, 422)
    assert.match(wrong.text, /role="alert" dir="auto">Expected a whole number from 1 to 100\.<\/p>/)
    assert.match(wrong.text, /aria-invalid="true" aria-describedby="value-0-wrong"[^>]* value="101"/)
    assert.match(wrong.text, /<option value="eu" selected>/)
    assert.match(wrong.text, /&lt;b&gt;<\/textarea>/)
    assert.match(wrong.text, /value="Anna"/)
    assert.ok(!wrong.text.includes("s3cret"))
    // what the Schema alone can tell
    const ticket = yield* submit(url, { answer: "approve", ...values, "value.percent": "10", "value.ticket": "7" })
    assert.equal(ticket.status, 422)
    assert.match(ticket.text, /id="value-3-wrong" role="alert"/)
    const long = yield* submit(url, {
      answer: "approve",
      ...values,
      "value.percent": "10",
      "value.ticket": "x".repeat(4_001)
    })
    assert.match(long.text, /Expected at most 4,000 characters\./)
    assert.equal((yield* submit(url, { answer: "approve" })).status, 422)
    assert.equal((yield* submit(url, { answer: "deny" })).status, 200)
    assert.equal((yield* Fiber.join(decision))._tag, "Denied")
  }))
