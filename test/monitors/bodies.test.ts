import * as assert from "node:assert/strict"
import { test } from "node:test"
import { fitPing, toPingJson } from "../../src/cli/supervise/pingJson.ts"
import { fromLine, maxLine, toLine } from "../../src/cli/supervise/protocol.ts"
import { bodyOf, lineOf, make, type Ping } from "../../src/monitors/internal/ping.ts"
import { fitQuery } from "../../src/monitors/internal/query.ts"

const texts = [
  "",
  "a",
  "x".repeat(100_000),
  "ä€🦀".repeat(20_000),
  "\u0000\u001b[31m\ud800\u202e".repeat(10_000),
  "l\n".repeat(50_000)
]

/** Pings whose parts are of every kind of text, in turn. */
const pings: ReadonlyArray<Ping> = texts.flatMap((text, i) =>
  [0, 1, 2].map((shift) => {
    const at = (n: number) => texts[(i + shift + n) % texts.length]!
    return make({
      kind: "failure",
      pipelineName: text,
      runId: "7f6c2b9e-3c55-4a4e-9d6b-0b6a3c1d2e4f",
      runName: at(1),
      headline: at(2),
      lines: Array.from({ length: 30 }, (_, n) => at(n)),
      detail: at(3),
      logs: Array.from({ length: 200 }, (_, n) => at(n)),
      millis: 1,
      numbers: { [text]: 1 }
    })
  })
)

test("a body has at most so many bytes, is well-formed, and begins with what happened", () => {
  for (const ping of pings) {
    for (const limit of [0, 1, 2, 50, 100, 1_000, 10_000, 100_000]) {
      const body = bodyOf(ping, limit)
      assert.ok(Buffer.byteLength(body) <= limit, `${Buffer.byteLength(body)} of ${limit}`)
      assert.ok(body.isWellFormed())
      // oxlint-disable-next-line no-control-regex -- control characters are what it is about
      assert.doesNotMatch(body, /[\u0000-\u0008\u000b-\u001f\u202e]/)
      if (limit === 10_000) assert.ok(body.startsWith(ping.headline))
    }
  }
})

test("of a body that has no room for all, the error keeps half and the log its last lines", () => {
  const detail = "d".repeat(5_000)
  const logs = Array.from({ length: 100 }, (_, i) => `line ${i} ${"x".repeat(100)}`)
  const body = bodyOf(make({ kind: "failure", headline: "failed", detail, logs }), 4_000)
  const [, shown = "", log = ""] = body.split("\n\n")
  assert.ok(shown.length > 1_900 && shown.length < 2_100, `${shown.length}`)
  assert.ok(log.startsWith("Last lines of the log:\nline ") && log.endsWith(logs.at(-1)!), log)
  assert.ok(Buffer.byteLength(body) > 3_800)
})

test("a message is one line, and fits into an address", () => {
  for (const ping of pings) {
    const message = fitQuery(lineOf(ping, 2_000), 2_000)
    assert.ok(message.length <= 2_000 && encodeURIComponent(message).length <= 4_000)
    assert.doesNotMatch(message, /[\r\n]/)
  }
})

test("the message of a ping to the supervisor is a line that fits, whatever its texts", () => {
  for (const ping of pings) {
    const line = toLine({ _tag: "PingTaken", id: 1, monitor: 0, ping: toPingJson(ping) })
    assert.ok(Buffer.byteLength(line) <= maxLine, `${Buffer.byteLength(line)}`)
    const message = fromLine(line)
    assert.ok(message?._tag === "PingTaken")
    assert.equal(message.ping.runId, ping.runId)
    assert.equal(message.ping.headline, ping.headline)
  }
  const { logs } = fitPing(
    toPingJson(make({ kind: "failure", headline: "x", logs: ["first", "y".repeat(400), "last"] })),
    false
  )
  assert.deepEqual(logs.at(-1), "last")
})
