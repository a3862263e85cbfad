/** Failures that people are asked to acknowledge. */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { SlackApprover } from "../../src/approvers/index.ts"
import * as D from "../../src/delivery/index.ts"
import { Alert, Alerter, Approver, Decision, type Question } from "../../src/index.ts"
import { TestApprover } from "../../src/testing/index.ts"
import { fakeSlack } from "../support/fakeSlack.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { memoryStore } from "../support/policies.ts"

const it = makeIt(test)

const about = (title: string, severity: "error" | "success") => Alert.make({ title, severity, dedupeKey: "load" })
const ada = (answer: "Approved" | "Denied") =>
  Decision[answer]({ by: { id: "U1", name: "Ada" }, at: DateTime.makeUnsafe(0), comment: "on it" })

/** A room in which questions stand, whatever processes come and go. */
const room = () => {
  const asked: Array<Question> = []
  const withdrawn: Array<string> = []
  const answers = new Map<string, Deferred.Deferred<Decision>>()
  const answerTo = (id: string) => {
    const deferred = answers.get(id) ?? Deferred.makeUnsafe<Decision>()
    answers.set(id, deferred)
    return deferred
  }
  const layer = Approver.layerResumable({
    post: (question) => Effect.sync(() => `${asked.push(question)}`),
    listen: (_, id) => Deferred.await(answerTo(id)),
    withdraw: (_, id) => Effect.sync(() => withdrawn.push(id))
  })
  return { asked, withdrawn, layer, say: (id: string, decision: Decision) => Deferred.succeed(answerTo(id), decision) }
}

/** Builds reminders, and the questions of an approver. Without a store, all of it is in memory. */
const open = (approver: Layer.Layer<Approver>, store?: Layer.Layer<D.Store>) =>
  Effect.gen(function*() {
    const titles: Array<string> = []
    const channel = Alerter.layer(({ title }) => Effect.sync(() => titles.push(title)))
    const ask = Layer.provide(D.askToAcknowledge({ timeout: "2 days" }), approver)
    const memory = D.Acknowledgements.layerMemory
    const layer = store === undefined
      ? Layer.provide(Layer.merge(D.remind(channel, { every: "1 hour" }), ask), memory)
      : Layer.merge(
        D.remind(channel, { every: "1 hour", persist: "nightly" }),
        Layer.provide(ask, D.Acknowledgements.layer)
      ).pipe(Layer.provide(store))
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(Layer.fresh(layer), scope)
    return { titles, post: Context.get(context, Alerter).post, close: Scope.close(scope, Exit.void) }
  })

it.effect("people are asked once about a failure, and the first answer acknowledges it with its comment", () =>
  Effect.gen(function*() {
    const { asked, layer, say, withdrawn } = room()
    const run = yield* open(layer)
    yield* run.post(about("load failed", "error"))
    yield* TestClock.adjust("1 second")
    yield* run.post(about("load failed again", "error"))
    yield* TestClock.adjust("1 minute")
    assert.equal(asked.length, 1)
    assert.deepEqual(asked[0]?.options, { approve: "Acknowledge", deny: "Leave it open" })
    assert.equal(asked[0]?.title, "Open: load failed")
    yield* say("1", ada("Approved"))
    yield* TestClock.adjust("1 day")
    assert.deepEqual(run.titles, ["load failed", "load failed again", "Acknowledged by Ada: load failed again"])
    yield* run.post(about("load succeeded", "success"))
    yield* run.post(about("load failed anew", "error"))
    yield* TestClock.adjust("1 minute")
    assert.equal(asked.length, 2)
    yield* run.close
    assert.deepEqual(withdrawn, ["2"])
  }).pipe(Effect.provide(logs().layer)))

it.effect("a denial leaves a failure open, and asks nobody again; a recovery withdraws the question", () =>
  Effect.gen(function*() {
    const { asked, layer, say, withdrawn } = room()
    const run = yield* open(layer)
    yield* run.post(about("load failed", "error"))
    yield* TestClock.adjust("1 minute")
    yield* say("1", ada("Denied"))
    yield* TestClock.adjust("2 hours")
    assert.equal(asked.length, 1)
    assert.deepEqual(run.titles, ["load failed", "Reminder 1: load failed", "Reminder 2: load failed"])
    yield* run.post(about("load succeeded", "success"))
    yield* run.post(about("load failed", "error"))
    yield* TestClock.adjust("1 minute")
    yield* run.post(about("load succeeded", "success"))
    yield* TestClock.adjust("1 second")
    assert.deepEqual([asked.length, withdrawn], [2, ["2"]])
    yield* run.close
  }).pipe(Effect.provide(logs().layer)))

it.effect("a question outlives its process, and the next one finds the answer before it ends", () =>
  Effect.gen(function*() {
    const { asked, layer, say, withdrawn } = room()
    const { layer: store } = yield* memoryStore
    const first = yield* open(layer, store)
    yield* first.post(about("load failed", "error"))
    yield* TestClock.adjust("1 second")
    yield* first.close
    assert.deepEqual([asked.length, withdrawn], [1, []])
    yield* TestClock.adjust("10 minutes")
    yield* say("1", ada("Approved"))
    const second = yield* open(layer, store)
    const closing = yield* Effect.forkChild(second.close, { startImmediately: true })
    yield* TestClock.adjust("5 seconds")
    assert.ok(closing.pollUnsafe() !== undefined, "still closing")
    assert.deepEqual(second.titles, ["Acknowledged by Ada: load failed"])
    assert.equal(asked.length, 1)
  }))

it.effect("of two processes at the same time one asks, and what cannot be asked is tried again", () =>
  Effect.gen(function*() {
    const { asked, layer } = room()
    const { layer: store } = yield* memoryStore
    const all = [yield* open(layer, store), yield* open(layer, store)]
    yield* all[0]!.post(about("load failed", "error"))
    yield* TestClock.adjust("5 minutes")
    assert.equal(asked.length, 1)
    yield* Effect.forEach(all, ({ close }) => Effect.forkChild(close))
    yield* TestClock.adjust("5 seconds")

    const log = logs()
    const down = Layer.fresh(TestApprover.layerFailing())
    const run = yield* Effect.provide(open(down), log.layer)
    yield* run.post(about("load failed", "error"))
    yield* TestClock.adjust("5 minutes")
    const warnings = () => log.list.filter(({ message }) => message.includes("people could not be asked")).length
    assert.equal(warnings(), 1)
    yield* TestClock.adjust("10 minutes")
    assert.equal(warnings(), 2)
    yield* run.close
  }).pipe(Effect.provide(logs().layer)))

it.effect("a question of another approver is asked anew, and an approver that can't resume asks each time", () =>
  Effect.gen(function*() {
    const { layer: store } = yield* memoryStore
    const slack = room()
    const first = yield* open(slack.layer, store)
    yield* first.post(about("load failed", "error"))
    yield* first.close
    const asked: Array<string> = []
    let interrupted = 0
    const terminal = Approver.layer(({ title }) =>
      Effect.onInterrupt(
        Effect.andThen(Effect.sync(() => asked.push(title)), Effect.never),
        () => Effect.sync(() => void interrupted++)
      ), { channel: "terminal" })
    for (let i = 0; i < 2; i++) {
      const run = yield* open(terminal, store)
      yield* TestClock.adjust("1 second")
      yield* run.close
    }
    assert.deepEqual([asked, interrupted], [["Open: load failed", "Open: load failed"], 2])
    const chat = room()
    const discord = Approver.layerResumable({
      post: (question) => Effect.sync(() => `${chat.asked.push(question)}`),
      listen: () => Effect.never,
      withdraw: () => Effect.void
    }, { channel: "discord" })
    const last = yield* open(discord, store)
    yield* TestClock.adjust("12 minutes")
    assert.equal(chat.asked.length, 1)
    const closing = yield* Effect.forkChild(last.close, { startImmediately: true })
    yield* TestClock.adjust("5 seconds")
    assert.ok(closing.pollUnsafe() !== undefined)
  }).pipe(Effect.provide(logs().layer)))

it.live("a reaction in Slack acknowledges a failure, also one that comes when no process runs", () =>
  Effect.gen(function*() {
    const slack = yield* fakeSlack
    const approver = SlackApprover.layer({
      baseUrl: `${slack.api.url}/`,
      token: Redacted.make("xoxb-1"),
      channel: "ops",
      interval: "5 millis"
    })
    const { layer: store } = yield* memoryStore
    const first = yield* open(approver, store)
    yield* first.post(about("load failed", "error"))
    yield* first.close
    assert.equal(slack.messages.length, 1)
    slack.react(0, "white_check_mark", "U1")
    const second = yield* open(approver, store)
    yield* second.close
    const third = yield* open(approver, store)
    yield* third.post(about("other failed", "error").with({ dedupeKey: "other" }))
    yield* third.close
    const titles = [...second.titles, ...third.titles]
    assert.deepEqual(titles.filter((title) => title.startsWith("Acknowledged")), [
      "Acknowledged by Ada Lovelace: load failed"
    ])
    assert.equal(slack.messages.length, 2)
    assert.match(JSON.stringify(slack.messages[0]!.payload), /Approved by Ada Lovelace/)
  }))
