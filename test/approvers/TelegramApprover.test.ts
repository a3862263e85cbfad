import { Redacted } from "effect"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { TelegramApprover } from "../../src/approvers/index.ts"
import { Approver, type Question } from "../../src/index.ts"
import { approverContract } from "../support/approverContract.ts"
import { canary } from "../support/canary.ts"
import { type FakeTelegram, fakeTelegram, users } from "../support/fakeTelegram.ts"
import { makeIt } from "../support/it.ts"

approverContract(test, {
  channel: "telegram",
  fake: fakeTelegram,
  layer: (baseUrl, options) =>
    TelegramApprover.layer({ ...options, baseUrl, token: Redacted.make(`123456:${canary}0123456789`), chatId: "42" }),
  people: ["1", "2"],
  unauthorized: { status: 401, body: { ok: false, error_code: 401, description: "Unauthorized" } },
  checks: (payload) => {
    const { parse_mode, text } = JSON.parse(payload)
    assert.equal(parse_mode, "HTML")
    const shown = text.replace(/<\/?(b|i|pre|code)>/g, "").replace(/&(lt|gt|amp);/g, "x")
    assert.ok(shown.length <= 4096 && !/[<>]/.test(shown))
    assert.ok(!/(?<![A-Za-z0-9_])@/.test(text.replace(/<(code|pre)>[^<]*<\/\1>/g, "")))
  }
})

const it = makeIt(test)
const deploy: Question = { title: "Deploy?", timeout: "15 seconds" }
const [ada, eve] = [users["1"]!, users["2"]!]

const layer = ({ api }: FakeTelegram) =>
  TelegramApprover.layer({
    baseUrl: `${api.url}/`,
    token: Redacted.make("123:token"),
    chatId: 42,
    interval: "5 millis",
    timeout: "2 seconds",
    retries: 0
  })

const ask = (telegram: FakeTelegram, question: Question = deploy) =>
  Effect.provide(Approver.ask(question), layer(telegram))

it.live("telegram: a press counts only if it comes from the question's own message", () =>
  Effect.gen(function*() {
    const telegram = yield* fakeTelegram
    telegram.api.on("getUpdates", (n) => {
      const [yes, no] = telegram.messages[0]!.data
      if (n === 1) telegram.press(yes!, ada, { chat: -1042, id: 99 })
      if (n === 2) telegram.press(yes!, ada, { chat: -7, id: 1 })
      if (n === 3) telegram.press(no!, eve, { chat: -1042, id: 1 })
      return undefined
    })
    const decision = yield* ask(telegram)
    assert.ok(decision._tag === "Denied" && decision.by.id === "2", JSON.stringify(decision))
    assert.deepEqual(telegram.told().map(({ show_alert }) => show_alert), [true, true, false])
  }))

it.live("telegram: a question has two buttons, which are removed when it is settled", () =>
  Effect.gen(function*() {
    const telegram = yield* fakeTelegram
    telegram.api.on("getUpdates", (n) => n === 2 ? telegram.vote(0, "deny", "1") : undefined)
    yield* ask(telegram, { ...deploy, options: { approve: "Ship <it>", deny: "x".repeat(5000) } })
    const [asked] = telegram.api.bodies("sendMessage")
    const [[yes, no]] = asked.reply_markup.inline_keyboard
    assert.equal(yes.text, "✅ Ship <it>")
    assert.ok(no.text.startsWith("❌ xxx") && no.text.length < 70)
    for (const { callback_data } of [yes, no]) assert.ok(callback_data.length >= 32 && callback_data.length <= 64)
    assert.notEqual(yes.callback_data, no.callback_data)
    assert.equal(asked.disable_notification, false)
    const [edited] = telegram.api.bodies("editMessageText")
    assert.equal(edited.reply_markup, undefined)
    assert.match(edited.text, /^❌ <b>Deploy\?<\/b>[^]*Denied by Ada Lovelace/)
    assert.equal(telegram.told().length, 1)
  }))

it.live("telegram: a long poll asks for presses only, and lasts at most 25 seconds or the remaining time", () =>
  Effect.gen(function*() {
    const waits = (timeout: "10 minutes" | "8500 millis") =>
      Effect.gen(function*() {
        const telegram = yield* fakeTelegram
        telegram.press("of another bot's time", eve)
        telegram.api.on("getUpdates", (n) => n === 2 ? telegram.vote(0, "approve", "1") : undefined)
        assert.equal((yield* ask(telegram, { ...deploy, timeout }))._tag, "Approved")
        const polls = telegram.api.bodies("getUpdates")
        assert.deepEqual(polls.map(({ allowed_updates }) => allowed_updates), [["callback_query"], ["callback_query"]])
        assert.deepEqual(polls.map(({ offset }) => offset), [undefined, 502])
        return polls.map(({ timeout }) => timeout)
      })
    assert.deepEqual(yield* waits("10 minutes"), [25, 25])
    assert.deepEqual(yield* waits("8500 millis"), [8, 8])
  }))

it.live("telegram: presses by strangers and of old buttons get a reply, and don't count", () =>
  Effect.gen(function*() {
    const telegram = yield* fakeTelegram
    telegram.api.on("getUpdates", (n) => {
      if (n !== 1) return
      telegram.press(`${"0".repeat(32)}:y`, ada)
      telegram.vote(0, "approve", "2")
      telegram.press(telegram.messages[0]!.data[0], { id: 7, first_name: "robot", is_bot: true })
    })
    telegram.api.on("getUpdates", (n) => n === 2 ? telegram.vote(0, "deny", "1") : undefined)
    // usernames are compared without regard to case
    const decision = yield* ask(telegram, { ...deploy, approvers: ["@ADAl"] })
    assert.ok(decision._tag === "Denied")
    assert.deepEqual(decision.by, { id: "1", name: "Ada Lovelace" })
    assert.deepEqual(telegram.told().map(({ show_alert, text }) => [show_alert, text]), [
      [false, "This question has been settled."],
      [true, "You are not among the approvers of this question. Your answer does not count."],
      [true, "You are not among the approvers of this question. Your answer does not count."],
      [false, "Deny"]
    ])
    // a username without its @ identifies no user
    assert.equal((yield* ask(telegram, { ...deploy, approvers: ["AdaL"], timeout: "30 millis" }))._tag, "TimedOut")
  }))

it.live("telegram: presses by bots, and of buttons of a settled question, don't count", () =>
  Effect.gen(function*() {
    const telegram = yield* fakeTelegram
    telegram.api.on("getUpdates", (n) => {
      const data = telegram.messages[0]!.data
      if (n === 1) telegram.press(data[1], { id: 7, first_name: "robot", is_bot: true })
      if (n === 2) telegram.press(data[0], ada)
      if (telegram.messages.length === 2 && telegram.told().length === 2) telegram.press(data[1], eve)
    })
    yield* Effect.gen(function*() {
      assert.equal((yield* Approver.ask(deploy))._tag, "Approved")
      assert.equal((yield* Approver.ask({ ...deploy, timeout: "50 millis" }))._tag, "TimedOut")
    }).pipe(Effect.provide(layer(telegram)))
    assert.deepEqual(telegram.told().slice(1).map(({ text }) => text), ["Approve", "This question has been settled."])
    assert.match(telegram.shown()[0]!, /Approved by Ada/)
  }))

it.live("telegram: a press counts even if its acknowledgement fails", () =>
  Effect.gen(function*() {
    for (
      const fault of ["hang", { status: 400, body: { ok: false, error_code: 400, description: "too old" } }] as const
    ) {
      const telegram = yield* fakeTelegram
      telegram.api.on("answerCallbackQuery", () => fault)
      telegram.api.on("getUpdates", (n) => n === 1 ? telegram.vote(0, "approve", "1") : undefined)
      assert.equal((yield* ask(telegram))._tag, "Approved")
    }
  }))

it.live("telegram: a webhook, or another program that polls, is an error", () =>
  Effect.gen(function*() {
    const telegram = yield* fakeTelegram
    const description = "Conflict: can't use getUpdates method while webhook is active"
    telegram.api.on("getUpdates", () => ({ status: 409, body: { ok: false, error_code: 409, description } }))
    const { reason } = yield* Effect.flip(ask(telegram))
    assert.ok(reason._tag === "Rejected" && reason.status === 409)
    assert.match(reason.detail, /another program polls .* or the bot has a webhook .*webhook is active/)
    assert.match(telegram.shown()[0]!, /Withdrawn/)
  }))

it.live("telegram: a question with a short timeout ends the long poll of another", () =>
  Effect.gen(function*() {
    const telegram = yield* fakeTelegram
    telegram.api.on("getUpdates", (_, { json }) => json.timeout > 0 ? "hang" : undefined)
    yield* Effect.gen(function*() {
      const first = yield* Effect.forkChild(Approver.ask({ ...deploy, timeout: "1 hour" }))
      yield* telegram.api.called("getUpdates")
      const second = yield* Effect.forkChild(Approver.ask({ title: "quick?", timeout: "400 millis" }))
      // otherwise the long poll would delay the others for 25 seconds, longer than the test's timeout
      yield* telegram.api.called("getUpdates", 5)
      telegram.vote(0, "approve", "1")
      assert.equal((yield* Fiber.join(first))._tag, "Approved")
      assert.equal((yield* Fiber.join(second))._tag, "TimedOut")
    }).pipe(Effect.provide(layer(telegram)))
  }))

it.live("telegram: a press that another question's poll received is not lost when that question is interrupted", () =>
  Effect.gen(function*() {
    const telegram = yield* fakeTelegram
    yield* Effect.gen(function*() {
      let first: Fiber.Fiber<unknown, unknown> | undefined
      let interrupted: Promise<unknown> | undefined
      telegram.api.on("answerCallbackQuery", (n) => {
        if (n === 1) interrupted = Effect.runPromise(Fiber.interrupt(first!))
      })
      telegram.api.on("getUpdates", (n) => n === 1 ? "hang" : undefined)
      first = yield* Effect.forkChild(Approver.ask({ ...deploy, timeout: "1 hour" }))
      yield* telegram.api.called("getUpdates")
      const second = yield* Effect.forkChild(Approver.ask({ title: "other?", timeout: "15 seconds" }))
      telegram.api.on("getUpdates", () => {
        if (telegram.messages.length === 2 && telegram.told().length === 0) telegram.vote(1, "approve", "1")
      })
      assert.equal((yield* Fiber.join(second))._tag, "Approved")
      yield* Effect.promise(() => interrupted!)
      assert.match(telegram.shown()[0]!, /Withdrawn/)
      assert.match(telegram.shown()[1]!, /Approved/)
    }).pipe(Effect.provide(layer(telegram)))
  }))

it.live("telegram: a press that another question's poll receives before sendMessage returns is not lost", () =>
  Effect.gen(function*() {
    const telegram = yield* fakeTelegram
    yield* Effect.gen(function*() {
      const first = yield* Effect.forkChild(Approver.ask({ ...deploy, timeout: "500 millis" }))
      yield* telegram.api.called("getUpdates")
      // the second message is posted, but its request is not answered yet
      let data: string | undefined
      telegram.api.on("sendMessage", (_, { json }) => {
        data = json.reply_markup.inline_keyboard[0][0].callback_data
        telegram.press(data!, ada)
      })
      const second = yield* Approver.ask({ title: "other?", timeout: "900 millis" })
      assert.equal(second._tag, "Approved")
      assert.equal((yield* Fiber.join(first))._tag, "TimedOut")
      assert.deepEqual(telegram.told().map(({ text }) => text), ["Approve"])
    }).pipe(Effect.provide(layer(telegram)))
  }))

it.live("telegram: a press between post and listen is acknowledged at once, and an abandoned question delays no other", () =>
  Effect.gen(function*() {
    const telegram = yield* fakeTelegram
    yield* Effect.gen(function*() {
      const { ask, resumable } = yield* Approver
      const handle = yield* resumable!.post({ ...deploy, timeout: "10 seconds" })
      yield* Effect.timeoutOption(resumable!.listen(deploy, handle), "20 millis")
      telegram.api.on("getUpdates", (n, { json }) => {
        if (json.timeout === 25 && telegram.messages.length === 2) telegram.vote(0, "deny", "2")
        if (json.timeout === 25 && telegram.messages.length === 2 && n > 2) telegram.vote(1, "approve", "1")
      })
      assert.equal((yield* ask({ title: "other?", timeout: "1 hour" }))._tag, "Approved")
      assert.equal(telegram.told()[0]!.text, "Deny")
      assert.equal(telegram.api.bodies("getUpdates").at(-1).timeout, 25)
      // the vote is known since then, so polling returns at once
      const polls = telegram.api.bodies("getUpdates").length
      const decision = yield* resumable!.listen(deploy, handle)
      assert.ok(decision._tag === "Denied")
      assert.equal(decision.by.name, "Eve")
      assert.equal(telegram.api.bodies("getUpdates").length, polls)
      const { chat, id, nonce } = JSON.parse(handle).message
      assert.deepEqual([chat, id, `${nonce}:y`], [-1042, 1, telegram.messages[0]!.data[0]])
    }).pipe(Effect.provide(layer(telegram)))
  }))

it.live("telegram: after a restart, presses go to their questions, and those of strangers don't count", () =>
  Effect.gen(function*() {
    const telegram = yield* fakeTelegram
    const question = { ...deploy, approvers: ["@adal"] }
    const resumable = Effect.map(Approver, ({ resumable }) => resumable!)
    const handles = yield* Effect.flatMap(resumable, ({ post }) => Effect.all([post(question), post(question)])).pipe(
      Effect.provide(layer(telegram))
    )
    telegram.vote(1, "approve", "2")
    for (let i = 0; i < 60; i++) telegram.press(`${"0".repeat(32)}:y`, eve)
    telegram.vote(1, "approve", "1")
    telegram.vote(0, "deny", "1")
    telegram.press("not ours", ada)
    const decisions = yield* Effect.flatMap(
      resumable,
      ({ listen }) => Effect.forEach(handles, (handle) => listen(question, handle))
    ).pipe(Effect.provide(layer(telegram)))
    assert.deepEqual(decisions.map(({ _tag }) => _tag), ["Denied", "Approved"])
  }))

it.live("telegram: layerConfig reads token and chat from the environment", () =>
  Effect.gen(function*() {
    const env = ConfigProvider.layer(ConfigProvider.fromEnv({ env: { TELEGRAM_BOT_TOKEN: "1:x" } }))
    const missing = yield* Effect.flip(
      Approver.ask(deploy).pipe(Effect.provide(TelegramApprover.layerConfig()), Effect.provide(env))
    )
    assert.match(String(missing), /TELEGRAM_CHAT_ID/)
  }))
