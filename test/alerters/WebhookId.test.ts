/** The id of a post to a webhook, by which a server recognizes a repeated post. */
import { Effect, Layer, Redacted, Schema } from "effect"
import * as assert from "node:assert/strict"
import { createHash, createHmac } from "node:crypto"
import { test } from "node:test"
import { Webhook } from "../../src/alerters/index.ts"
import { type Alert, Alerter } from "../../src/index.ts"
import { AnyText, textOf } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { sample } from "../support/channelContract.ts"
import { channelServer, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const secret = Redacted.make(`secret ${canary}`)

/** Posts with a new layer each time, as after a crash. */
const started = (...replies: ReadonlyArray<Reply>) =>
  Effect.map(channelServer(...replies), ({ requests, url }) => {
    const post = (alert: Alert) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(
        Effect.provide(Layer.fresh(Webhook.layer({ url: Redacted.make(`${url}/hooks/1`), secret, delay: "1 millis" })))
      )
    const sent = (idempotencyKey: string | undefined) =>
      Effect.map(post(sample.with({ idempotencyKey })), () => requests.at(-1)!)
    const idOf = (key: string | undefined) =>
      Effect.map(sent(key), ({ headers }) => {
        assert.equal(headers["idempotency-key"], headers["webhook-id"])
        return String(headers["webhook-id"])
      })
    return { sent, idOf, requests }
  })

it.live("a key of letters, digits, -, _, : and / is the id, and is in the JSON", () =>
  Effect.gen(function*() {
    const { idOf, requests } = yield* started({ status: 500 }, { status: 204 })
    for (const key of ["nightly:7f6c/load/failure_1-0", "a", "k".repeat(255)]) {
      assert.deepEqual([yield* idOf(key), yield* idOf(key)], [key, key])
      assert.equal(requests.at(-1)!.json.idempotencyKey, key)
    }
    assert.equal(requests.length, 7)
    assert.equal(requests[0]!.headers["webhook-id"], requests[1]!.headers["webhook-id"])
  }))

it.live("any other key becomes a digest, and different keys different ones", () =>
  Effect.gen(function*() {
    const { idOf } = yield* started({ status: 204 })
    const digestOf = (key: string) => `sha256_${createHash("sha256").update(JSON.stringify(key)).digest("hex")}`
    // a full stop would end the id in the signed content
    const keys = ["a.b", "a b", " a", "a\r\nx-b: c", "ü", "k".repeat(256), "\ud800", "\udc00", digestOf("a.b")]
    const ids = yield* Effect.forEach(keys, idOf)
    assert.deepEqual(ids, keys.map(digestOf))
    assert.equal(new Set(ids).size, keys.length)
    assert.deepEqual(yield* Effect.forEach(keys, idOf), ids, "the same once more")
  }))

it.live("without a key, or with an empty one, each post has a random id", () =>
  Effect.gen(function*() {
    const { idOf, sent } = yield* started({ status: 204 })
    const ids = yield* Effect.forEach([undefined, undefined, "", ""], idOf)
    assert.equal(new Set(ids).size, 4)
    for (const id of ids) assert.match(id, /^msg_[0-9a-f-]{36}$/)
    assert.ok(!("idempotencyKey" in (yield* sent(undefined)).json))
  }))

it.live("a secret in a key is not sent", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({ status: 204 })
    const { body, headers } = yield* sent(`secret ${canary}/load`)
    assert.ok(!`${JSON.stringify(headers)} ${body}`.includes(canary))
    assert.match(String(headers["webhook-id"]), /^sha256_[0-9a-f]{64}$/)
  }))

it.live("any key makes an id that can be sent and signed, the same for the same key only", () =>
  Effect.gen(function*() {
    const { sent } = yield* started({ status: 204 })
    yield* forAll(Schema.Struct({ a: AnyText, b: AnyText }), ({ a, b }) =>
      Effect.gen(function*() {
        const [one, other] = [`${textOf(a)}k`, `${textOf(b)}k`]
        const [first, again, second] = yield* Effect.forEach([one, one, other], sent)
        const id = first!.headers["webhook-id"]
        assert.match(String(id), /^[\w:/-]{1,255}$/)
        assert.equal(again!.headers["webhook-id"], id)
        assert.equal(second!.headers["webhook-id"] === id, one === other)
        const time = first!.headers["webhook-timestamp"]
        const hmac = createHmac("sha256", Redacted.value(secret)).update(`${id}.${time}.${first!.body}`)
        assert.equal(first!.headers["webhook-signature"], `v1,${hmac.digest("base64")}`)
        yield* Webhook.verify({ secret, headers: first!.headers, body: first!.body })
      }), 40)
  }))
