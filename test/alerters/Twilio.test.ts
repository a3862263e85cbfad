import { Config, ConfigProvider, DateTime, Effect, Layer, Redacted, Schema } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Twilio } from "../../src/alerters/index.ts"
import { Alert, Alerter, type AlertInput } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import { channelServer, formOf, type Reply } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { postingTo } from "../support/posting.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const accepted = { status: 201, body: { sid: "SM1", status: "queued", error_code: null } }

channelContract(test, {
  channel: "twilio",
  layer: (url, options) =>
    Twilio.layer({
      ...options,
      accountSid: `AC${canary}`,
      authToken: Redacted.make(`${canary}0123456789`),
      from: "+15557122661",
      to: "+15558675310",
      baseUrl: url
    }),
  accepted,
  readsBody: false,
  read: formOf
})

const at = DateTime.makeUnsafe("2026-11-23T12:40:12.345Z")
const alert = sample.with({ at })
const time = "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"

const started = (options: Partial<Twilio.TwilioOptions> = {}, reply: Reply = accepted) =>
  Effect.gen(function*() {
    const server = yield* channelServer(reply)
    return yield* postingTo(
      server,
      Twilio.layer({
        accountSid: "AC1",
        authToken: Redacted.make("t0ken"),
        from: "+15557122661",
        to: "+15558675310",
        baseUrl: `${server.url}/`,
        timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
        pace: [],
        delay: 0,
        ...options
      })
    )
  })

it.live("a number gets an alert as a short message", () =>
  Effect.gen(function*() {
    const { sent } = yield* started()
    const { form, headers, method, path } = yield* sent(alert)
    assert.equal(`${method} ${path}`, "POST /2010-04-01/Accounts/AC1/Messages.json")
    assert.equal(headers.authorization, `Basic ${btoa("AC1:t0ken")}`)
    assert.equal(headers["content-type"], "application/x-www-form-urlencoded")
    assert.deepEqual(form, {
      To: "+15558675310",
      From: "+15557122661",
      Body: `ERROR: nightly > load failed\nError: no such bucket\n${time}`
    })
  }))

it.live("an API key, a messaging service and a list of recipients take effect", () =>
  Effect.gen(function*() {
    const from = "MG0123456789abcdef0123456789abcdef"
    const { post, requests } = yield* started({ apiKey: "SK1", from, to: ["+1", "+2"] })
    yield* post(alert)
    assert.deepEqual(
      requests.map((
        { form, headers }
      ) => [headers.authorization, form["From"], form["MessagingServiceSid"], form["To"]]),
      ["+1", "+2"].map((to) => [`Basic ${btoa("SK1:t0ken")}`, undefined, from, to])
    )
  }))

it.live("a recipient that can't be sent to is told, and others have the message", () =>
  Effect.gen(function*() {
    const message = "Attempt to send to unsubscribed recipient"
    const { post, requests } = yield* started(
      { to: ["+1", "+2"] },
      ({ form }) => form["To"] === "+1" ? { status: 400, body: { code: 21610, message, status: 400 } } : accepted
    )
    assert.deepEqual({ ...(yield* Effect.flip(post(alert))).reason }, {
      _tag: "Rejected",
      status: 400,
      detail: `${message} (21610)`
    })
    assert.deepEqual(requests.map(({ form }) => form["To"]), ["+1", "+2"])
  }))

const bodyOf = (changes: Partial<AlertInput>, options: Partial<Twilio.TwilioOptions> = {}) =>
  Effect.gen(function*() {
    const { sent } = yield* started(options)
    return (yield* sent(alert.with(changes))).form["Body"]!
  })

it.live("characters that GSM-7 has not are replaced by some that are alike, unless there are none", () =>
  Effect.gen(function*() {
    const title = "»Größe« – „čeština“ ﬁx… it’s `ok` → €"
    assert.match(
      yield* bodyOf({ title, body: "naïve" }),
      /^ERROR: "Größe" - "cestina" fix\.\.\. it's 'ok' -> €\nnaive\n/
    )
    assert.match(yield* bodyOf({ title, body: "🔥" }), /^ERROR: "Größe" - "cestina" fix\.\.\. it's 'ok' -> €\n🔥\n/)
    assert.match(yield* bodyOf({ title: "данные" }), /^ERROR: данные\n/)
  }))

it.live("the body is what says most, and the first link is a line of it", () =>
  Effect.gen(function*() {
    const url = "https://ci.example/runs/1?q=(a_b)"
    const actions = [{ label: "Runbook", url: "https://wiki.example/load" }]
    assert.match(yield* bodyOf({ body: undefined }), /\npipeline: nightly\nstep: load\nrows: 1461\n2026/)
    assert.match(yield* bodyOf({ body: " ", fields: [] }), /\nError: no such bucket\n    at load/)
    assert.equal(
      yield* bodyOf({ body: undefined, fields: [], detail: undefined }),
      `ERROR: nightly > load failed\n${time}`
    )
    assert.ok((yield* bodyOf({ url, actions })).endsWith(`\nError: no such bucket\n${url}\n${time}`))
    assert.ok((yield* bodyOf({ actions })).endsWith(`\nError: no such bucket\nhttps://wiki.example/load\n${time}`))
    // a third of the message at most
    assert.ok(!(yield* bodyOf({ url: `https://ci.example/${"a".repeat(200)}` })).includes("https"))
  }))

const gsm = /^[@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà^{}\\[~\]|€]*$/
const twice = /[\^{}\\[~\]|€]/

/** Counts the segments as carriers divide a message. */
const segmentsOf = (body: string): number => {
  const isGsm = gsm.test(body)
  const sizes = [...body].map((character) => isGsm ? (twice.test(character) ? 2 : 1) : character.length)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  if (total <= (isGsm ? 160 : 70)) return 1
  let segments = 1
  let left = isGsm ? 153 : 67
  for (const size of sizes) {
    if (size > left) {
      segments++
      left = isGsm ? 153 : 67
    }
    left -= size
  }
  return segments
}

const assertWithinLimits = (body: string, segments: number) => {
  assert.ok(body.trim() !== "" && body.length <= 1600, `${body.length}`)
  assert.ok(segmentsOf(body) <= segments, `${segmentsOf(body)} segments: ${body}`)
  assert.ok(body.isWellFormed() && !/\p{Cc}/u.test(body.replace(/\n/g, "")), JSON.stringify(body))
}

it.live("long texts fill the segments, and no more", () =>
  Effect.gen(function*() {
    const huge = { title: "t".repeat(500), body: hugeDetail().slice(0, 50_000) }
    for (const maxSegments of [1, 2, 3, 10]) {
      for (
        const [body, isGsm] of [["b".repeat(5000), true], ["{}".repeat(5000), true], [
          "🔥".repeat(5000),
          false
        ]] as const
      ) {
        const text = yield* bodyOf({ body }, { maxSegments })
        assertWithinLimits(text, maxSegments)
        assert.equal(segmentsOf(text), maxSegments, text)
        assert.equal(gsm.test(text), isGsm)
        assert.match(text, /^ERROR: nightly > load failed\n.*(\.\.\.|…)(\n2026.*)?$/s)
      }
      const text = yield* bodyOf(huge, { maxSegments })
      assertWithinLimits(text, maxSegments)
      assert.match(text, /^ERROR: t{30}/)
    }
    assert.equal(segmentsOf(yield* bodyOf({ ...huge, body: hugeDetail() })), 3)
    assertWithinLimits(yield* bodyOf(huge, { maxSegments: 99 }), 10)
  }))

it.live("any alert becomes a message within the limits", () =>
  Effect.gen(function*() {
    const Input = Schema.Struct({ alert: AnyAlert, maxSegments: Schema.Literals([1, 2, 3, 10]) })
    yield* forAll(Input, ({ alert, maxSegments }) =>
      Effect.gen(function*() {
        const { sent } = yield* started({ maxSegments })
        assertWithinLimits((yield* sent(alertOf(alert))).form["Body"]!, maxSegments)
      }).pipe(Effect.scoped), 60)
  }))

it.live("codes that refuse the rate are retried, and others are told as Twilio says them", () =>
  Effect.gen(function*() {
    const full = { status: 400, body: { code: 21611, message: "queue is full" } }
    let refused = 0
    const { post, requests } = yield* started({}, () => refused++ === 0 ? full : accepted)
    yield* post(alert)
    assert.equal(requests.length, 2)
    const refusal = (reply: Reply) =>
      Effect.gen(function*() {
        const { post } = yield* started({ retries: 0 }, reply)
        return { ...(yield* Effect.flip(post(alert))).reason }
      })
    assert.equal((yield* refusal(full))._tag, "RateLimited")
    assert.deepEqual(yield* refusal({ status: 401, body: { code: 20003, message: "Authenticate" } }), {
      _tag: "Unauthorized",
      detail: "Authenticate (20003)"
    })
    assert.deepEqual(yield* refusal({ status: 400, body: { message: "no code" } }), {
      _tag: "Rejected",
      status: 400,
      detail: "no code"
    })
    assert.deepEqual(yield* refusal({ status: 400, body: { code: 1 } }), {
      _tag: "Rejected",
      status: 400,
      detail: "{\"code\":1}"
    })
  }))

it.live("beyond 20 alerts that wait, some are folded into one", () =>
  Effect.gen(function*() {
    const { post, requests } = yield* started({ pace: [{ count: 1, per: "20 millis" }] })
    yield* Effect.forEach(Array.from({ length: 60 }, (_, i) => `alert ${i}`), (title) => post(Alert.make({ title })), {
      concurrency: "unbounded"
    })
    assert.ok(requests.length <= 22, `${requests.length}`)
  }))

it.live("layerConfig reads account, token, sender and numbers from the environment, or from a config", () =>
  Effect.gen(function*() {
    const server = yield* channelServer(accepted)
    const post = (layer: Layer.Layer<Alerter, Config.ConfigError>, env: Record<string, string>) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(
        Effect.provide(Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
      )
    const given = Twilio.layerConfig({
      accountSid: Config.String("SID"),
      authToken: Config.Redacted("TOKEN"),
      from: Config.String("FROM"),
      to: Config.String("PHONE"),
      baseUrl: Config.succeed(server.url)
    })
    yield* post(given, { SID: "AC9", TOKEN: "t", FROM: "Jobs", PHONE: "+1" })
    assert.deepEqual([server.requests[0]?.path, server.requests[0]?.form["To"]], [
      "/2010-04-01/Accounts/AC9/Messages.json",
      "+1"
    ])
    const env = { TWILIO_ACCOUNT_SID: "AC1", TWILIO_AUTH_TOKEN: "t", TWILIO_FROM: "Jobs" }
    assert.match(String(yield* Effect.flip(post(Twilio.layerConfig(), env))), /TWILIO_TO/)
  }))
