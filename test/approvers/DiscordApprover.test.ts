import { DateTime, Redacted } from "effect"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { DiscordApprover } from "../../src/approvers/index.ts"
import { Approver, type Question } from "../../src/index.ts"
import { approverContract } from "../support/approverContract.ts"
import { canary } from "../support/canary.ts"
import { type FakeDiscord, fakeDiscord, users } from "../support/fakeDiscord.ts"
import { makeIt } from "../support/it.ts"

approverContract(test, {
  channel: "discord",
  fake: fakeDiscord,
  layer: (baseUrl, options) =>
    DiscordApprover.layer({ ...options, baseUrl, token: Redacted.make(`${canary}0123456789`), channelId: "42" }),
  people: ["1", "2"],
  unauthorized: { status: 401, body: { message: "401: Unauthorized", code: 0 } },
  checks: (payload) => {
    const { allowed_mentions, embeds: [{ description, fields, footer, title }] } = JSON.parse(payload)
    assert.deepEqual(allowed_mentions, { parse: [] })
    const lengths = fields.map(({ name, value }: { name: string; value: string }) => {
      assert.ok(name.length <= 256 && value.length <= 1024)
      return name.length + value.length
    })
    assert.ok(fields.length <= 25 && title.length <= 256 && (description ?? "").length <= 4096)
    const all = lengths.reduce((sum: number, length: number) => sum + length, 0)
    assert.ok(all + title.length + (description ?? "").length + footer.text.length <= 6000)
    // a mention is code, or follows another within it
    assert.ok(!/(?<![`>]|everyone|here)@(everyone|here)|(?<![\\`>]|everyone|here)<@/.test(payload))
  }
})

const it = makeIt(test)
const deploy: Question = { title: "Deploy?", timeout: "15 seconds" }
const reactionsOf = "GET /messages/{id}/reactions"

const layer = ({ api }: FakeDiscord) =>
  DiscordApprover.layer({
    baseUrl: `${api.url}/`,
    token: Redacted.make("token"),
    channelId: "42",
    interval: "5 millis",
    retries: 0
  })

const ask = (discord: FakeDiscord, question: Question = deploy) =>
  Effect.provide(Approver.ask(question), layer(discord))

it.live("discord: the bot's own reactions show how to answer, and don't count", () =>
  Effect.gen(function*() {
    const discord = yield* fakeDiscord
    assert.equal((yield* ask(discord, { ...deploy, timeout: "50 millis" }))._tag, "TimedOut")
    const [{ reactions }] = discord.questions() as [ReturnType<FakeDiscord["questions"]>[number]]
    assert.deepEqual([...reactions].map(([emoji, users]) => [emoji, users.map(({ username }) => username)]), [
      ["✅", ["asker"]],
      ["❌", ["asker"]]
    ])
    const [asked] = discord.api.bodies("POST /messages")
    assert.equal(asked.embeds[0].fields[0].value, "✅ Approve   ❌ Deny")
    assert.match(asked.embeds[0].fields[1].value, /reply to this with “Approve” or “Deny”/)
    // the nonce, by which Discord drops a message that is sent again
    assert.ok(asked.enforce_nonce === true && asked.nonce.length <= 25)
    assert.ok(discord.api.calls.some(({ received }) => received.path.includes("/reactions/%E2%9C%85/@me")))
    assert.equal(discord.api.bodies("PATCH /messages/{id}")[0].nonce, undefined)
  }))

it.live("discord: a reply to the question is an answer, with its comment and its time", () =>
  Effect.gen(function*() {
    const discord = yield* fakeDiscord
    discord.api.on(reactionsOf, (n) => {
      if (n !== 2) return
      discord.say(users["2"]!, "no")
      discord.say({ id: "901", username: "robot", bot: true }, "no", 0)
      discord.say(users["2"]!, "why @everyone?", 0)
      for (let i = 0; i < 120; i++) discord.say(users["2"]!, `no ${i}`)
      discord.say(users["1"]!, "Approve, @everyone may", 0, 1500)
      discord.say(users["2"]!, "deny", 0, 1600)
    })
    const decision = yield* ask(discord)
    assert.ok(decision._tag === "Approved")
    assert.deepEqual(decision.by, { id: "1", name: "Ada Lovelace" })
    assert.equal(decision.comment, "@everyone may")
    assert.equal(DateTime.toEpochMillis(decision.at) - Date.parse(discord.questions()[0]!.timestamp), 1500)
    assert.match(discord.shown()[0]!, /Approved by Ada Lovelace at [^"]*: `@everyone` may/)
    // one request for all messages of the channel
    assert.equal(discord.api.calls.filter(({ method }) => method === reactionsOf).length, 8)
  }))

it.live("discord: reactions are read page by page, and those of bots are ignored", () =>
  Effect.gen(function*() {
    const discord = yield* fakeDiscord
    discord.api.on(reactionsOf, (n) => {
      if (n !== 1) return
      for (let i = 0; i < 250; i++) discord.react(0, "✅", { id: String(1000 + i), username: `u${i}`, bot: i < 249 })
    })
    const decision = yield* ask(discord)
    assert.ok(decision._tag === "Approved")
    assert.deepEqual(decision.by, { id: "1249", name: "u249" })
  }))

it.live("discord: a reply that was read before a request failed is not lost", () =>
  Effect.gen(function*() {
    const discord = yield* fakeDiscord
    discord.api.on("GET /messages", (n) => n === 2 ? discord.say(users["1"]!, "no", 0) : undefined)
    discord.api.on(reactionsOf, (n) => n === 5 || n === 6 ? { status: 500 } : undefined)
    const decision = yield* ask(discord)
    assert.equal(decision._tag, "Denied")
    assert.ok(discord.api.calls.filter(({ method }) => method === reactionsOf).length > 6)
  }))

it.live("discord: a reply that becomes visible after one with a greater id is not lost", () =>
  Effect.gen(function*() {
    const discord = yield* fakeDiscord
    let show = () => {}
    discord.api.on("GET /messages", (n) => {
      if (n === 1) {
        discord.say(users["1"]!, "yes", 0)
        show = discord.delay()
        discord.say(users["2"]!, "hello")
      } else if (n === 2) show()
    })
    assert.equal((yield* ask(discord, { ...deploy, timeout: "1 second" }))._tag, "Approved")
  }))

it.live("discord: a reply after the timeout doesn't count, and a deleted question is an error", () =>
  Effect.gen(function*() {
    const discord = yield* fakeDiscord
    discord.api.on(reactionsOf, (n) => n === 1 ? discord.say(users["1"]!, "yes", 0, 10_000) : undefined)
    assert.equal((yield* ask(discord, { ...deploy, timeout: "60 millis" }))._tag, "TimedOut")
    const gone = { status: 404, body: { message: "Unknown Message", code: 10008 } }
    discord.api.on(reactionsOf, () => gone)
    const { reason } = yield* Effect.flip(ask(discord))
    assert.ok(reason._tag === "Rejected" && reason.status === 404)
    assert.match(reason.detail, /Unknown Message/)
  }))

it.live("discord: super reactions count", () =>
  Effect.gen(function*() {
    const discord = yield* fakeDiscord
    discord.api.on(reactionsOf, (n) => n === 1 ? discord.react(0, "❌", users["2"]!, "burst") : undefined)
    assert.equal((yield* ask(discord, { ...deploy, timeout: "1 second" }))._tag, "Denied")
  }))

it.live("discord: an edited reply approves as of its edit, and denies as of its post", () =>
  Effect.gen(function*() {
    const discord = yield* fakeDiscord
    discord.api.on("GET /messages", (n) => {
      if (n !== 1) return
      discord.say(users["1"]!, "yes", 0, 1, 3)
      discord.say(users["2"]!, "no", 0, 2, 4)
    })
    assert.equal((yield* ask(discord))._tag, "Denied")
    discord.api.on("GET /messages", () => {
      if (discord.questions().length === 2) discord.say(users["1"]!, "yes", 1, 1, 10_000)
    })
    assert.equal((yield* ask(discord, { ...deploy, timeout: "60 millis" }))._tag, "TimedOut")
  }))

it.live("discord: after a rate limit, it waits as long as Discord says", () =>
  Effect.gen(function*() {
    const discord = yield* fakeDiscord
    const times: Array<number> = []
    const limited = { status: 429, body: { message: "You are being rate limited.", retry_after: 0.2, global: false } }
    discord.api.on(reactionsOf, (n) => {
      times.push(Date.now())
      if (n === 2) discord.react(0, "❌", users["2"]!)
      return n === 1 ? limited : undefined
    })
    const decision = yield* ask(discord)
    assert.ok(decision._tag === "Denied")
    assert.deepEqual(decision.by, { id: "2", name: "eve" })
    assert.ok(times[1]! - times[0]! >= 195, `${times[1]! - times[0]!}`)
  }))

it.effect("discord: a reply before the timeout counts, however late a process listens, and after however many messages", () =>
  Effect.gen(function*() {
    const brief: Question = { ...deploy, timeout: "3 seconds" }
    const discord = yield* fakeDiscord
    const resumable = Effect.map(Approver, ({ resumable }) => resumable!)
    const handle = yield* Effect.flatMap(resumable, ({ post }) => post(brief)).pipe(Effect.provide(layer(discord)))
    const [{ id, timestamp }] = discord.questions() as [ReturnType<FakeDiscord["questions"]>[number]]
    assert.deepEqual(JSON.parse(handle).message, { channel: "42", id, timestamp })
    const listen = Effect.flatMap(resumable, ({ listen }) => listen(brief, handle)).pipe(
      Effect.provide(layer(discord))
    )
    yield* TestClock.adjust("1 day")
    discord.react(0, "✅", users["2"]!)
    discord.say(users["2"]!, "yes", 0, 3500)
    assert.equal((yield* listen)._tag, "TimedOut")
    discord.say(users["1"]!, "yes, go", 0, 2500)
    for (let i = 0; i < 120; i++) discord.say(users["2"]!, `what about ${i}?`)
    const decision = yield* listen
    assert.ok(decision._tag === "Approved")
    assert.deepEqual([decision.by.id, decision.comment], ["1", "go"])
  }))

it.live("discord: a handle can only lead to messages", () =>
  Effect.gen(function*() {
    const discord = yield* fakeDiscord
    yield* Effect.gen(function*() {
      const { resumable } = yield* Approver
      const handle = JSON.parse(yield* resumable!.post(deploy))
      const sent = discord.api.calls.length
      for (const wrong of [{ id: ".." }, { id: "1/../../2" }, { channel: ".." }, { channel: "." }, { channel: 42 }]) {
        const bad = JSON.stringify({ ...handle, message: { ...handle.message, ...wrong } })
        assert.equal((yield* Effect.flip(resumable!.listen(deploy, bad))).reason._tag, "InvalidAlert")
      }
      assert.equal(discord.api.calls.length, sent)
    }).pipe(Effect.provide(layer(discord)))
  }))

it.live("discord: layerConfig reads token and channel from the environment", () =>
  Effect.gen(function*() {
    const env = ConfigProvider.layer(ConfigProvider.fromEnv({ env: { DISCORD_BOT_TOKEN: "x" } }))
    const missing = yield* Effect.flip(
      Approver.ask(deploy).pipe(Effect.provide(DiscordApprover.layerConfig()), Effect.provide(env))
    )
    assert.match(String(missing), /DISCORD_CHANNEL_ID/)
  }))
