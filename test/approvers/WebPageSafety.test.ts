/** Attacks on the page, and through a question's text. */
import { Cause, Effect, Exit, Fiber, Redacted, Schema } from "effect"
import { TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { connect, type Socket } from "node:net"
import { test } from "node:test"
import { WebPage } from "../../src/approvers/index.ts"
import { AlerterError, AlerterErrorReason, Approver } from "../../src/index.ts"
import { approver, asked, question, send, submit, tokenOf } from "../support/approvalPage.ts"
import { printouts, recorder } from "../support/canary.ts"
import { until } from "../support/eventLoop.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

it.live("opening the page answers nothing", () =>
  Effect.gen(function*() {
    const { decision, url } = yield* asked(question)
    for (const suffix of ["", "?answer=approve", "?answer=deny&comment=x", "#approve"]) {
      assert.equal((yield* send(url + suffix)).status, 200)
    }
    const head = yield* send(url, { method: "HEAD" })
    assert.equal(head.status, 200)
    assert.equal(head.text, "")
    assert.equal(decision.pollUnsafe(), undefined)
    yield* submit(url, { answer: "deny" })
    assert.equal((yield* Fiber.join(decision))._tag, "Denied")
  }))

/** Opens connections that send a part of a request, or nothing. Returns how many have been closed. */
const connectionsTo = (url: string, count: number, text = "") =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() =>
        Promise.all(Array.from({ length: count }, () =>
          new Promise<Socket>((resolve) => {
            const socket = connect(Number(new URL(url).port), "127.0.0.1", () => {
              socket.write(text)
              resolve(socket)
            })
            socket.on("error", () => {})
            socket.resume()
          })))
      ),
      (sockets) => Effect.sync(() => sockets.forEach((socket) => socket.destroy()))
    ),
    (sockets) => () => sockets.filter(({ closed, readableEnded }) => closed || readableEnded).length
  )

it.live("connections beyond maxConnections are dropped, and so are those that take too long for a request", () =>
  Effect.gen(function*() {
    for (const text of ["", "GET / HTTP/1.1\r\nHost: "]) {
      const { decision, url } = yield* asked(question, { maxConnections: 3, connectionTimeout: "300 millis" })
      const closed = yield* connectionsTo(url, 3, text)
      const more = yield* connectionsTo(url, 2, text)
      yield* until(() => more() === 2)
      assert.equal(closed(), 0)
      yield* until(() => closed() === 3)
      yield* submit(url, { answer: "deny" })
      assert.equal((yield* Fiber.join(decision))._tag, "Denied")
    }
  }))

it.live("every response forbids scripts, frames, caching and referrers", () =>
  Effect.gen(function*() {
    const { url } = yield* asked(question)
    const answers = [
      yield* send(url),
      yield* send(`${url}x`),
      yield* send(url, { method: "DELETE" }),
      yield* submit(url, { answer: "approve" }),
      yield* send(url)
    ]
    assert.deepEqual(answers.map(({ status }) => status), [200, 404, 405, 200, 410])
    for (const { headers, text } of answers) {
      assert.match(
        String(headers["content-security-policy"]),
        /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/
      )
      assert.equal(headers["referrer-policy"], "no-referrer")
      assert.equal(headers["cache-control"], "no-store")
      assert.equal(headers["x-frame-options"], "DENY")
      assert.equal(headers["x-content-type-options"], "nosniff")
      assert.equal(headers["content-type"], "text/html; charset=utf-8")
      assert.ok(!/<script|\son\w+=|https?:/i.test(text), text)
    }
  }))

it.live("a form that does not come from the page is refused, and the question stays open", () =>
  Effect.gen(function*() {
    const { decision, url } = yield* asked(question)
    const { host, origin } = new URL(url)
    const approve = { answer: "approve" }
    const form = "application/x-www-form-urlencoded"
    const wrong = `${origin}/${tokenOf(url).replace(/.$/, (last) => last === "0" ? "1" : "0")}`
    const refusals = [
      [404, yield* send(`${origin}/`)],
      [404, yield* submit(wrong, approve)],
      [404, yield* submit(url.slice(0, -1), approve)],
      [404, yield* submit(`${url}/x`, approve)],
      [405, yield* send(url, { method: "PUT", headers: { "content-type": form }, body: "answer=approve" })],
      [421, yield* submit(url, approve, { host: "evil.example" })],
      [421, yield* submit(url, approve, { host: host.replace("127.0.0.1", "evil.example") })],
      [421, yield* submit(url, approve, { host: "127.0.0.1:1" })],
      [421, yield* submit(url, approve, { host: `x@${host}` })],
      [403, yield* submit(url, approve, { origin: "https://evil.example" })],
      [403, yield* submit(url, approve, { origin, "sec-fetch-site": "cross-site" })],
      [403, yield* submit(url, approve, { origin: "null", "sec-fetch-site": "same-site" })],
      [415, yield* send(url, { method: "POST", headers: { "content-type": "text/plain" }, body: "answer=approve" })],
      [415, yield* send(url, { method: "POST", body: "answer=approve" })],
      [413, yield* submit(url, { ...approve, comment: "x".repeat(1_000_000) })],
      [400, yield* submit(url, { comment: "x" })],
      [400, yield* submit(url, { answer: "Approve" })]
    ] as const
    assert.deepEqual(refusals.map(([, { status }]) => status), refusals.map(([status]) => status))
    for (const [, { text }] of refusals) {
      assert.match(text, /<h1/)
      assert.ok(!/at \S+ \(|\.ts/.test(text), text)
      assert.ok(!text.includes(question.title))
    }
    assert.equal(refusals[4][1].headers.allow, "GET, HEAD, POST")
    assert.equal((yield* send(url)).status, 200)
    assert.equal(decision.pollUnsafe(), undefined)
    // as a browser sends it
    const honest = yield* submit(url, approve, { origin: "null", "sec-fetch-site": "same-origin" })
    assert.equal(honest.status, 200)
    assert.equal((yield* Fiber.join(decision))._tag, "Approved")
  }))

it.live("behind a proxy, links, hosts and origins are those of publicUrl", () =>
  Effect.gen(function*() {
    const publicUrl = "https://Approve.example.com:443/epilogue?x=1"
    const { decision, url } = yield* asked(question, { publicUrl, port: 0, hostname: "localhost" })
    assert.match(url, /^https:\/\/approve\.example\.com\/epilogue\/[0-9a-f]{64}$/)
    assert.equal(yield* Fiber.interrupt(decision), undefined)
    const free = yield* freePort
    const second = yield* asked(question, { publicUrl, port: free })
    const local = `http://127.0.0.1:${free}/epilogue/${tokenOf(second.url)}`
    assert.equal((yield* send(local)).status, 200)
    assert.equal((yield* send(local, { headers: { host: "approve.example.com" } })).status, 200)
    assert.equal((yield* send(local, { headers: { host: "approve.example.com:8443" } })).status, 421)
    const headers = { host: "approve.example.com:443", origin: "https://approve.example.com" }
    assert.equal(
      (yield* submit(local, { answer: "deny" }, { ...headers, origin: "http://approve.example.com" })).status,
      403
    )
    assert.equal((yield* submit(local, { answer: "approve" }, headers)).status, 200)
    assert.equal((yield* Fiber.join(second.decision))._tag, "Approved")
  }))

/** Returns a port that is free, if no other process takes it now. */
const freePort = Effect.map(
  Effect.scoped(asked(question)),
  ({ url }) => Number(new URL(url).port)
)

it.live("by default the link is printed to the console, and appears nowhere else", () =>
  Effect.gen(function*() {
    const recorded = recorder()
    const failing = new Error("can't post")
    const announces: ReadonlyArray<WebPage.WebPageOptions["announce"]> = [
      undefined,
      (link) => Effect.fail(new Error(`can't post ${Redacted.value(link)}`)),
      (link) => Effect.die(`no ${tokenOf(Redacted.value(link))}`),
      (link) =>
        Effect.fail(
          new AlerterError({
            channel: "slack",
            reason: AlerterErrorReason.Rejected({ status: 400, detail: `no text ${Redacted.value(link)}` })
          })
        ),
      (link) => Effect.log("announced", link, { failing })
    ]
    const exits = yield* Effect.forEach(
      announces,
      (announce) =>
        Approver.ask({ ...question, timeout: "20 millis" }).pipe(
          Effect.tap((decision) => Effect.log("decided", decision)),
          Effect.tapCause((cause) => Effect.logError("not asked", cause)),
          Effect.withSpan("ask"),
          Effect.provide(WebPage.layer({ announce })),
          Effect.provide(recorded.layer),
          Effect.exit
        )
    )
    const printed = (yield* TestConsole.logLines).map(String)
    assert.equal(printed.length, 1)
    const url = /http:\/\/127\.0\.0\.1:\d+\/([0-9a-f]{64})/.exec(printed[0]!)
    assert.ok(url !== null, printed[0])
    assert.match(printed[0]!, /^Deploy v2 to production\?/)
    assert.deepEqual(exits.map((exit) => exit._tag), ["Success", "Failure", "Failure", "Failure", "Success"])
    const errors = exits.flatMap((exit) => Exit.isFailure(exit) ? [Cause.squash(exit.cause)] : [])
    assert.deepEqual(errors.map((error) => error instanceof AlerterError ? error.message : error), [
      "web-page: the alert was rejected: can't post <url>",
      "web-page: the alert was rejected: no <redacted>",
      "slack: the alert was rejected (400): no text <redacted>"
    ])
    assert.ok(recorded.counts.logs > 0 && recorded.counts.spans > 0)
    const leaked = [...recorded.outputs, ...exits].flatMap(printouts).filter((text) => /[0-9a-f]{64}/.test(text))
    assert.deepEqual(leaked, [])
  }).pipe(Effect.provide(TestConsole.layer)))

const tags = (html: string) => html.replace(/<style>.*<\/style>/s, "").match(/<[^>]*>/g)

it.live("texts are never rendered as markup", () =>
  Effect.gen(function*() {
    const ask = yield* approver()
    const shown = (text: string) =>
      Effect.scoped(Effect.gen(function*() {
        const { decision, link } = yield* ask({
          title: `t${text}`,
          body: text,
          fields: [{ name: text, value: text }],
          options: { approve: `y${text}`, deny: `n${text}` },
          approvers: [`a${text}`],
          timeout: "1 minute"
        })
        const page = yield* send((yield* link).url)
        yield* Fiber.interrupt(decision)
        return page.text
      }))
    const plain = tags(yield* shown("text"))
    const hostile = yield* shown("</p><script>alert(1)</script><b onclick=\"x\">'&amp;<!--")
    assert.ok(
      hostile.includes("&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;b onclick=&quot;x&quot;&gt;&#39;&amp;amp;")
    )
    assert.deepEqual(tags(hostile), plain)
    yield* forAll(Schema.String, (text) =>
      Effect.map(shown(text + "\ud83d"), (page) => {
        assert.deepEqual(tags(page), plain)
        // oxlint-disable-next-line no-control-regex -- control characters are what it is about
        assert.ok(!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(page))
      }), 50)
  }))

it.live("a text of 5 MB is cut, and says how much is missing, quickly", () =>
  Effect.gen(function*() {
    const huge = "שלום 😀 <b>\n".repeat(400_000)
    const { url } = yield* asked({ ...question, body: huge, fields: [{ name: "log", value: huge }] })
    const { status, text } = yield* send(url)
    assert.equal(status, 200)
    assert.ok(text.length < 500_000)
    assert.match(text, /… \d+ characters left out …/)
    assert.ok(text.isWellFormed())
    assert.match(text, /value="approve"/)
  }))

it.live("input that is longer than the form allows is cut", () =>
  Effect.gen(function*() {
    const { decision, url } = yield* asked(question)
    yield* submit(url, { answer: "approve", name: "😀".repeat(300), comment: "é".repeat(9000) })
    const result = yield* Fiber.join(decision)
    assert.ok(result._tag === "Approved")
    assert.equal(result.by.name, `${"😀".repeat(49)}…`)
    assert.equal(result.comment, `${"é".repeat(1999)}…`)
  }))
