import { DateTime, Redacted } from "effect"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { SlackApprover } from "../../src/approvers/index.ts"
import { Approver, type Question } from "../../src/index.ts"
import { approverContract } from "../support/approverContract.ts"
import { canary } from "../support/canary.ts"
import { type FakeSlack, fakeSlack } from "../support/fakeSlack.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { inSlack } from "../support/slackReceivers.ts"

approverContract(test, {
  channel: "slack",
  fake: fakeSlack,
  layer: (baseUrl, options) =>
    SlackApprover.layer({ ...options, baseUrl, token: Redacted.make(`xoxb-1-${canary}0123456789`), channel: "ops" }),
  people: ["U1", "U2"],
  unauthorized: { body: { ok: false, error: "token_revoked" } },
  checks: (payload) => {
    const message = JSON.parse(payload)
    const blocks = [...message.blocks, ...message.attachments[0].blocks]
    assert.ok(blocks.length <= 50 && JSON.stringify(blocks).length <= 12_000)
    assert.deepEqual(inSlack(message).mentions, [])
  }
})

const it = makeIt(test)
const deploy: Question = { title: "Deploy?", timeout: "15 seconds" }

const layer = ({ api }: FakeSlack, retries = 0) =>
  SlackApprover.layer({
    baseUrl: `${api.url}/`,
    token: Redacted.make("xoxb-1"),
    channel: "ops",
    interval: "5 millis",
    delay: "1 millis",
    retries
  })

const ask = (slack: FakeSlack, question: Question = deploy, retries = 0) =>
  Effect.provide(Approver.ask(question), layer(slack, retries))

const refused = (error: string, more: object = {}) => ({ body: { ok: false, error, ...more } })

it.live("slack: the bot's own reactions show how to answer, and don't count", () =>
  Effect.gen(function*() {
    const slack = yield* fakeSlack
    const decision = yield* ask(slack, { ...deploy, timeout: "50 millis" })
    assert.equal(decision._tag, "TimedOut")
    assert.deepEqual([...slack.messages[0]!.reactions], [["white_check_mark", ["UBOT"]], ["x", ["UBOT"]]])
    const [question] = slack.api.bodies("chat.postMessage")
    assert.equal(question.parse, "none")
    const [, answer, how, until] = inSlack(question).text.split("\n")
    assert.equal(answer, "Answer: ✅ Approve   ❌ Deny")
    assert.match(how!, /^How: .*reply in the thread with “Approve” or “Deny”/)
    assert.match(until!, /^Until: \d{4}-/)
  }))

it.live("slack: a reply on any page of the thread is an answer, with its comment and its time", () =>
  Effect.gen(function*() {
    const slack = yield* fakeSlack
    slack.api.on("reactions.get", (n) => {
      if (n > 1) return
      slack.reply(0, "U2", "is it tested?")
      slack.reply(0, "UBOT", "approve")
      slack.reply(0, "UAPP", "No calendar found", 1, { bot_id: "B2" })
      slack.reply(0, "U1", "approve?")
      slack.reply(0, "U3", "*Ship it*, R&amp;D &lt;3\nthanks", 1.5)
    })
    const decision = yield* ask(slack, { ...deploy, options: { approve: "Ship it" } })
    assert.ok(decision._tag === "Approved")
    assert.deepEqual(decision.by, { id: "U3", name: "Grace <!channel> *Hopper*" })
    assert.equal(decision.comment, "R&D <3\nthanks")
    assert.ok(Math.abs(DateTime.toEpochMillis(decision.at) - Number(slack.messages[0]!.ts) * 1000 - 1500) < 2)
    const update = inSlack(slack.messages[0]!.payload)
    assert.match(update.text, /\nDecision: Approved by Grace <!channel> \*Hopper\* at .*: R&D <3 thanks\n/)
    assert.deepEqual(update.mentions, [])
  }))

it.live("slack: which replies are answers", () =>
  Effect.gen(function*() {
    const answers: ReadonlyArray<readonly [string, string]> = [
      ["yes", "Approved"],
      ["YES!", "Approved"],
      ["  Approve: after lunch", "Approved after lunch"],
      ["“Go ahead” - but slowly", "Approved but slowly"],
      ["no.", "Denied"],
      ["No, it is Friday", "Denied it is Friday"],
      ["_deny_ this", "Denied this"],
      ["go no further", "Denied"],
      ["yes?", "TimedOut"],
      ["yesterday", "TimedOut"],
      ["Nobody knows", "TimedOut"],
      ["not yet", "TimedOut"],
      ["no-one is here", "TimedOut"],
      ["I approve", "TimedOut"],
      ["go ahead?", "TimedOut"],
      ["", "TimedOut"]
    ]
    const slack = yield* fakeSlack
    for (const [i, [text, expected]] of answers.entries()) {
      slack.api.on("conversations.replies", () => {
        if (slack.messages.length === i + 1 && slack.messages[i]!.replies.length === 0) {
          slack.reply(i, "U1", text, 0.001)
        }
      })
      const decision = yield* ask(slack, {
        ...deploy,
        timeout: expected === "TimedOut" ? "15 millis" : "3 seconds",
        options: { approve: "Go ahead", deny: "Go no further" }
      })
      const comment = decision._tag === "TimedOut" ? undefined : decision.comment
      assert.equal(comment === undefined ? decision._tag : `${decision._tag} ${comment}`, expected, text)
    }
  }))

it.live("slack: the earlier reply counts, and a denial if the order is unknown", () =>
  Effect.gen(function*() {
    const slack = yield* fakeSlack
    slack.api.on("conversations.replies", (n) => {
      if (n > 1) return
      slack.reply(0, "U2", "no", 2)
      slack.reply(0, "U1", "yes", 1)
      slack.react(0, "white_check_mark", "U1")
    })
    assert.equal((yield* ask(slack))._tag, "Approved")
    slack.api.on("conversations.replies", () => {
      if (slack.messages.length !== 2 || slack.messages[1]!.replies.length > 0) return
      slack.reply(1, "U1", "yes", 1)
      slack.react(1, "x", "U2")
    })
    assert.equal((yield* ask(slack))._tag, "Denied")
  }))

it.live("slack: an edited reply approves as of its edit, and denies as of its post", () =>
  Effect.gen(function*() {
    const slack = yield* fakeSlack
    slack.api.on("conversations.replies", (n) => {
      if (n > 1) return
      slack.reply(0, "U1", "yes", 1, { edited: 3 })
      slack.reply(0, "U2", "no", 2, { edited: 4 })
    })
    assert.equal((yield* ask(slack))._tag, "Denied")
    slack.api.on("conversations.replies", () => {
      if (slack.messages.length === 2) slack.reply(1, "U1", "yes", 0.01, { edited: 10 })
    })
    assert.equal((yield* ask(slack, { ...deploy, timeout: "60 millis" }))._tag, "TimedOut")
  }))

it.live("slack: replies of Slackbot are ignored", () =>
  Effect.gen(function*() {
    const slack = yield* fakeSlack
    slack.api.on("conversations.replies", (n) =>
      n === 1 ? slack.reply(0, "USLACKBOT", "yes, of course", 0.01) : undefined)
    assert.equal((yield* ask(slack, { ...deploy, timeout: "60 millis" }))._tag, "TimedOut")
  }))

it.live("slack: a plain yes is no answer if the label of the denial begins with it", () =>
  Effect.gen(function*() {
    const slack = yield* fakeSlack
    const delete_ = { ...deploy, options: { approve: "Delete", deny: "Yes, keep them" } }
    slack.api.on("conversations.replies", (n) => n === 1 ? slack.reply(0, "U1", "yes", 0.01) : undefined)
    assert.equal((yield* ask(slack, { ...delete_, timeout: "60 millis" }))._tag, "TimedOut")
    slack.api.on("conversations.replies", () => {
      if (slack.messages.length === 2 && slack.messages[1]!.replies.length === 0) {
        slack.reply(1, "U1", "yes, keep them please", 0.01)
      }
    })
    assert.equal((yield* ask(slack, delete_))._tag, "Denied")
  }))

it.live("slack: the label of an answer may have marks of emphasis and quotes around it", () =>
  Effect.gen(function*() {
    const slack = yield* fakeSlack
    slack.api.on("conversations.replies", (n) => n === 1 ? slack.reply(0, "U1", "“Stop” it", 0.01) : undefined)
    const decision = yield* ask(slack, { ...deploy, timeout: "1 second", options: { approve: "*Go*", deny: "“Stop”" } })
    assert.equal(decision._tag, "Denied")
  }))

it.live("slack: answers of bots and replies after the timeout don't count", () =>
  Effect.gen(function*() {
    const slack = yield* fakeSlack
    slack.api.on("reactions.get", (n) => {
      if (n > 1) return
      slack.react(0, "white_check_mark", "UROBOT")
      slack.reply(0, "U1", "approve", 10)
    })
    assert.equal((yield* ask(slack, { ...deploy, timeout: "300 millis" }))._tag, "TimedOut")
    const lookups = slack.api.calls.filter(({ method }) => method === "users.info").length
    assert.equal(lookups, 2)
    slack.api.on("reactions.get", () => slack.messages.length === 2 ? slack.react(1, "x", "U2") : undefined)
    yield* ask(slack, { ...deploy, timeout: "30 millis", approvers: ["U1"] })
    assert.equal(slack.api.calls.filter(({ method }) => method === "users.info").length, lookups)
  }))

it.live("slack: without the scope for replies, reactions still count", () =>
  Effect.gen(function*() {
    const slack = yield* fakeSlack
    const { layer, list } = logs()
    slack.api.on("conversations.replies", () => refused("missing_scope", { needed: "channels:history" }))
    slack.api.on("reactions.get", (n) => n === 3 ? slack.react(0, "x", "U1") : undefined)
    const decision = yield* Effect.provide(ask(slack), layer)
    assert.ok(decision._tag === "Denied")
    assert.deepEqual(decision.by, { id: "U1", name: "Ada Lovelace" })
    assert.deepEqual(list.map(({ level }) => level), ["Warn"])
    assert.match(list[0]!.message, /replies can't be read.*channels:history/)
    assert.equal(slack.api.calls.filter(({ method }) => method === "conversations.replies").length, 1)
  }))

it.live("slack: nobody counts whom Slack does not tell from a bot, and a missing scope is logged once", () =>
  Effect.gen(function*() {
    for (const error of ["missing_scope", "user_not_found", "user_not_visible"]) {
      const slack = yield* fakeSlack
      const { layer, list } = logs()
      slack.api.on("users.info", () => refused(error))
      slack.api.on("reactions.get", (n) => {
        if (n === 1) slack.react(0, "white_check_mark", "U1")
        if (n === 2) slack.reply(0, "U2", "approve")
        return undefined
      })
      const decision = yield* Effect.provide(ask(slack, { ...deploy, timeout: "200 millis" }), layer)
      assert.equal(decision._tag, "TimedOut", error)
      const warnings = error === "missing_scope" ? [/no answer counts.*needed: users:read/] : []
      assert.equal(list.length, warnings.length)
      for (const [nth, warning] of warnings.entries()) assert.match(list[nth]!.message, warning)
    }
    // the answer describes another user than the one that was asked for
    const slack = yield* fakeSlack
    slack.api.on("users.info", () => ({ body: { ok: true, user: { id: "U2", real_name: "Eve" } } }))
    slack.api.on("reactions.get", (n) => n === 1 ? slack.react(0, "white_check_mark", "U1") : undefined)
    assert.equal((yield* ask(slack, { ...deploy, timeout: "100 millis" }))._tag, "TimedOut")
  }))

it.live("slack: a deleted question is an error", () =>
  Effect.gen(function*() {
    for (const remaining of ["reactions.get", "conversations.replies"]) {
      const slack = yield* fakeSlack
      slack.api.on(remaining, (n) => n === 2 ? void slack.messages.pop() : undefined)
      const error = yield* Effect.flip(Effect.provide(ask(slack), logs().layer))
      assert.ok(error.reason._tag === "Rejected")
      assert.match(error.reason.detail, /^(message|thread)_not_found$/)
    }
  }))

it.live("slack: errors in answers with status 200 become reasons", () =>
  Effect.gen(function*() {
    const reasonOf = (error: string, more?: object) =>
      Effect.gen(function*() {
        const slack = yield* fakeSlack
        slack.api.on("chat.postMessage", () => refused(error, more))
        return (yield* Effect.flip(ask(slack))).reason
      })
    assert.deepEqual({ ...yield* reasonOf("missing_scope", { needed: "chat:write" }) }, {
      _tag: "Unauthorized",
      detail: "missing_scope (needed: chat:write)"
    })
    assert.deepEqual({ ...yield* reasonOf("not_in_channel") }, {
      _tag: "Rejected",
      status: 200,
      detail: "not_in_channel"
    })
    assert.equal((yield* reasonOf("internal_error"))._tag, "Unreachable")

    const slack = yield* fakeSlack
    const limited = { ...refused("ratelimited"), headers: { "retry-after": "0" } }
    slack.api.on("reactions.get", (n) => n === 1 ? limited : n === 2 ? refused("fatal_error") : undefined)
    slack.api.on("reactions.get", (n) => n === 3 ? slack.react(0, "white_check_mark", "U1") : undefined)
    assert.equal((yield* ask(slack))._tag, "Approved")
  }))

it.live("slack: if the bot can't add its reactions, the question is withdrawn", () =>
  Effect.gen(function*() {
    const slack = yield* fakeSlack
    slack.api.on("reactions.add", () => refused("missing_scope", { needed: "reactions:write" }))
    const error = yield* Effect.flip(ask(slack))
    assert.ok(error.reason._tag === "Unauthorized")
    assert.match(slack.shown()[0]!, /Withdrawn/)
  }))

it.effect("slack: a reply before the timeout counts, however late a process listens", () =>
  Effect.gen(function*() {
    const brief: Question = { ...deploy, timeout: "3 seconds" }
    const slack = yield* fakeSlack
    const resumable = Effect.map(Approver, ({ resumable }) => resumable!)
    const handle = yield* Effect.flatMap(resumable, ({ post }) => post(brief)).pipe(Effect.provide(layer(slack)))
    assert.deepEqual(JSON.parse(handle).message, { channel: "C-ops", ts: slack.messages[0]!.ts })
    const listen = Effect.flatMap(resumable, ({ listen }) => listen(brief, handle)).pipe(Effect.provide(layer(slack)))
    yield* TestClock.adjust("1 day")
    slack.react(0, "white_check_mark", "U2")
    slack.reply(0, "U2", "yes", 3.5)
    assert.equal((yield* listen)._tag, "TimedOut")
    slack.reply(0, "U1", "yes, go", 2.5)
    const decision = yield* listen
    assert.ok(decision._tag === "Approved")
    assert.deepEqual([decision.by.id, decision.comment], ["U1", "go"])
  }))

it.live("slack: layerConfig reads token and channel from the environment", () =>
  Effect.gen(function*() {
    const env = ConfigProvider.layer(ConfigProvider.fromEnv({ env: { SLACK_CHANNEL: "ops" } }))
    const missing = yield* Effect.flip(
      Approver.ask(deploy).pipe(Effect.provide(SlackApprover.layerConfig()), Effect.provide(env))
    )
    assert.match(String(missing), /SLACK_BOT_TOKEN/)
  }))
