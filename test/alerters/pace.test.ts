import { Clock, Effect, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import {
  Discord,
  GoogleChat,
  Gotify,
  Matrix,
  Mattermost,
  Ntfy,
  PagerDuty,
  RocketChat,
  Slack,
  Teams,
  Telegram,
  Webhook,
  Zulip
} from "../../src/alerters/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { token, webhookUrl } from "../support/channels.ts"
import { makeIt } from "../support/it.ts"
import * as services from "../support/limited.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const keys = 50

/** Alerts about fifty steps, one after another. */
const alerts = (count: number): ReadonlyArray<Alert> =>
  Array.from({ length: count }, (_, i) =>
    Alert.make({
      title: `key${i % keys} seq${Math.floor(i / keys)}`,
      severity: "error",
      dedupeKey: `key${i % keys}`
    }))

/** Posts all at once, and moves the clock until all are settled. Succeeds with the time that it took. */
const flood = (
  layer: Layer.Layer<Alerter, unknown, never>,
  count: number
): Effect.Effect<number, unknown> =>
  Effect.gen(function*() {
    const began = yield* Clock.currentTimeMillis
    let ended = began
    const posting = yield* Effect.flatMap(
      Alerter,
      ({ post }) => Effect.forEach(alerts(count), post, { concurrency: "unbounded", discard: true })
    ).pipe(
      Effect.andThen(Effect.tap(Clock.currentTimeMillis, (now) =>
        Effect.sync(() => {
          ended = now
        }))),
      Effect.provide(layer),
      Effect.forkChild
    )
    // steps, since a fiber may have to run between the sleeps of others
    while (posting.pollUnsafe() === undefined) yield* TestClock.adjust("5 minutes")
    yield* Fiber.join(posting)
    return ended - began
  })

/** Asserts that alerts about the same step arrived in the order of their posts, and that all did. */
const assertOrder = (arrived: services.Limited["arrived"], count: number) => {
  const found = arrived.map(({ body }) => /key(\d+) seq(\d+)/.exec(body)?.slice(1).map(Number) ?? [])
  assert.equal(found.length, count)
  for (let key = 0; key < keys; key++) {
    const sequence = found.flatMap(([of, n]) => of === key ? [n!] : [])
    assert.deepEqual(sequence, sequence.map((_, i) => i), `key${key}`)
  }
}

interface Case {
  /** 300 unless set. */
  readonly counts?: ReadonlyArray<number>
  readonly service: services.Make
  readonly layer: Layer.Layer<Alerter, unknown>
  /** How many requests the service may refuse, where nothing tells its limit beforehand. None unless set. */
  readonly refused?: number
}

const cases: Readonly<Record<string, Case>> = {
  Slack: { service: services.slack, layer: Slack.layer({ webhookUrl }), counts: [70, 1000] },
  SlackBot: { service: services.slackApi, layer: Slack.layerBot({ token, channel: "C1" }), counts: [100] },
  "Slack, without bursts": { service: services.strictSlack, layer: Slack.layer({ webhookUrl }), refused: 1 },
  Discord: { service: services.discord, layer: Discord.layer({ webhookUrl }), counts: [300, 1000] },
  // of a limit that is in no header nothing is known to a bot: one refusal a minute
  DiscordBot: {
    service: services.discord,
    layer: Discord.layerBot({ token, channelId: "1" }),
    refused: 4,
    counts: [100]
  },
  "Telegram, a chat": { service: services.telegramChat, layer: Telegram.layer({ token, chatId: 1 }) },
  "Telegram, a group": { service: services.telegramGroup, layer: Telegram.layer({ token, chatId: -1001 }) },
  "Telegram, a channel": {
    service: services.telegramGroup,
    layer: Telegram.layer({ token, chatId: "@alerts" }),
    counts: [100]
  },
  Teams: { service: services.teams, layer: Teams.layer({ webhookUrl }) },
  GoogleChat: { service: services.googleChat, layer: GoogleChat.layer({ webhookUrl }), counts: [100] },
  Mattermost: { service: services.mattermost, layer: Mattermost.layer({ webhookUrl }) },
  RocketChat: { service: services.rocketChat, layer: RocketChat.layer({ webhookUrl }), counts: [50] },
  Matrix: {
    service: services.matrix,
    layer: Matrix.layer({ server: "https://matrix.example.com", token, room: "!r:example.com" }),
    counts: [60]
  },
  Zulip: {
    service: services.zulip,
    layer: Zulip.layer({ server: "https://zulip.example.com", email: "b@example.com", apiKey: token, channel: "ops" })
  },
  Gotify: { service: services.gotify, layer: Gotify.layer({ server: "https://gotify.example.com", token }) },
  PagerDuty: { service: services.pagerDuty, layer: PagerDuty.layer({ routingKey: token }) },
  Ntfy: { service: services.ntfy, layer: Ntfy.layer({ topic: "nightly" }) },
  "Webhook, with a pace": {
    service: services.webhook(() => services.sliding(10, 1000), () => services.sliding(100, 60_000)),
    layer: Webhook.layer({
      url: webhookUrl,
      pace: [{ count: 10, per: "1 second" }, { count: 100, per: "1 minute" }]
    })
  }
}

for (const [name, { counts = [300], layer, refused = 0, service }] of Object.entries(cases)) {
  it.effect(`${name}: many alerts at once arrive as fast as the service accepts them, in order`, () =>
    Effect.gen(function*() {
      for (const count of counts) {
        const fake = services.limited(service)
        const took = yield* flood(Layer.provide(layer, fake.layer), count)
        assertOrder(fake.arrived, count)
        assert.ok(fake.refused() <= refused, `${fake.refused()} refused`)
        const best = services.ideal(service, count)
        assert.ok(took <= best * 1.1, `${took} ms of ${best} ms`)
      }
    }))
}

it.effect("Webhook: without a pace nothing waits", () =>
  Effect.gen(function*() {
    const fake = services.limited(services.webhook())
    assert.equal(yield* flood(Layer.provide(Webhook.layer({ url: webhookUrl }), fake.layer), 1000), 0)
    assertOrder(fake.arrived, 1000)
  }))

it.effect("Discord: the headers of an answer stop the next message before it is refused", () =>
  Effect.gen(function*() {
    const fake = services.limited(services.slowDiscord)
    const took = yield* flood(Layer.provide(Discord.layer({ webhookUrl }), fake.layer), 100)
    assert.equal(fake.refused(), 0)
    assertOrder(fake.arrived, 100)
    assert.ok(took <= services.ideal(services.slowDiscord, 100) * 1.1)
  }))

it.effect("a channel that says how long to wait, in seconds or by a date, is waited for", () =>
  Effect.gen(function*() {
    for (const after of ["seconds", "date"] as const) {
      const slow: services.Make = () => ({
        ...services.slack(),
        meters: [services.sliding(1, 7000)],
        refuse: (wait, now) =>
          new Response("", {
            status: 429,
            headers: {
              "retry-after": after === "date"
                ? new Date(Math.ceil((now + wait) / 1000) * 1000).toUTCString()
                : String(wait / 1000)
            }
          })
      })
      const fake = services.limited(slow)
      yield* flood(Layer.provide(Slack.layer({ webhookUrl }), fake.layer), 50)
      assertOrder(fake.arrived, 50)
      // each alert is refused once, since the pace is too fast, and is the only one that is tried
      assert.ok(fake.refused() <= 50, `${fake.refused()} refused`)
    }
  }))

const count = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 }))
const millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3000 }))

it.effect("a service with the limits of the pace refuses nothing, whenever it counts a request", () =>
  forAll(
    Schema.Struct({
      limits: Schema.Array(
        Schema.Struct({ count, per: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5000 })) })
      ),
      burst: Schema.UndefinedOr(count),
      before: Schema.NonEmptyArray(millis),
      after: Schema.NonEmptyArray(millis)
    }),
    ({ after, before, burst, limits }) =>
      Effect.gen(function*() {
        const bursts = burst === undefined ? [] : [{ count: 1, per: 1000, burst }]
        const fake = services.limited(
          services.webhook(
            ...limits.map(({ count, per }) => () => services.sliding(count, per)),
            ...bursts.map(({ burst, per }) => () => services.bucket(burst, per))
          ),
          (n) => ({ before: before[n % before.length]!, after: after[n % after.length]! })
        )
        yield* flood(
          Layer.provide(Webhook.layer({ url: webhookUrl, pace: [...limits, ...bursts] }), fake.layer),
          30
        )
        assertOrder(fake.arrived, 30)
        assert.equal(fake.refused(), 0)
      }),
    30
  ))
