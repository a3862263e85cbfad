/** Failures and recoveries through policies over several alerters, one of which may be down. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import {
  afterConsecutive,
  dedupe,
  digest,
  fallback,
  fanOut,
  minSeverity,
  quietHours,
  recovered,
  route,
  throttle
} from "../../src/delivery/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { build, failure, memoryStore } from "../support/policies.ts"
import { utc } from "./support.ts"

const it = makeIt(test)

const failed = Alert.make({ title: "load failed", severity: "error", dedupeKey: "load", tags: ["HttpError"] })
const succeeded = Alert.make({ title: "load succeeded", severity: "success", dedupeKey: "load" })

/** Makes a channel that can be down, and that keeps failures: it records quiet alerts too. */
const channel = (name: string) => {
  const got: Array<string> = []
  const state = { down: false }
  const layer = Layer.succeed(Alerter, {
    post: (input) =>
      Effect.suspend(() => {
        if (state.down) return Effect.fail(failure(name))
        const alert = Alert.make(input)
        got.push(alert.quiet ? "(well)" : alert.title)
        return Effect.void
      })
  })
  return { got, layer, state }
}

it.effect("while one alerter of a fanOut is down, the other gets neither repeats nor a second recovery", () =>
  Effect.gen(function*() {
    const [chat, mail] = [channel("chat"), channel("mail")]
    const post = yield* build(
      fanOut([chat.layer, mail.layer]).pipe(dedupe({ window: "1 hour" }), recovered({ successes: "drop" }))
    )
    mail.state.down = true
    for (const _ of [1, 2]) yield* Effect.flip(post(failed))
    mail.state.down = false
    yield* post(failed)
    yield* post(failed)
    assert.deepEqual([chat.got, mail.got], [["load failed"], ["load failed"]])
    chat.state.down = true
    yield* Effect.flip(post(succeeded))
    chat.state.down = false
    yield* post(succeeded)
    yield* post(succeeded)
    const all = ["load failed", "Recovered: load succeeded"]
    assert.deepEqual([chat.got, mail.got], [all, all])
  }))

it.effect("an alerter of a fanOut that was not told of a failure is not told of the recovery", () =>
  Effect.gen(function*() {
    const [chat, mail] = [channel("chat"), channel("mail")]
    const nested = fanOut([fanOut([chat.layer, mail.layer], { succeeds: "any" })])
    const post = yield* build(nested.pipe(recovered({ successes: "drop" })))
    mail.state.down = true
    yield* post(failed)
    mail.state.down = false
    yield* post(succeeded)
    assert.deepEqual([chat.got, mail.got], [["load failed", "Recovered: load succeeded"], ["(well)"]])
  }))

it.effect("a recovery goes to the route of its failure, also after a restart, whatever the rule looked at", () =>
  Effect.gen(function*() {
    const [night, day] = [channel("night"), channel("day")]
    const kept = yield* memoryStore
    let isNight = true
    const routed = route([{ when: () => isNight, to: night.layer }], { otherwise: day.layer })
    const layer = routed.pipe(recovered({ successes: "drop", persist: "x" }), Layer.provide(kept.layer))
    yield* Effect.scoped(Effect.flatMap(build(layer), (post) => post(failed)))
    isNight = false
    yield* Effect.scoped(Effect.flatMap(build(layer), (post) => post(succeeded)))
    assert.deepEqual([night.got, day.got], [["load failed", "Recovered: load succeeded"], ["(well)"]])
  }))

it.effect("without recovered, a success resolves the incidents of every route", () =>
  Effect.gen(function*() {
    const [pager, chat] = [channel("pager"), channel("chat")]
    const post = yield* build(
      route([{ when: { atLeast: "error" }, to: pager.layer }], { otherwise: chat.layer })
    )
    yield* post(failed)
    yield* post(succeeded)
    assert.deepEqual([pager.got, chat.got], [["load failed", "(well)"], ["load succeeded"]])
  }))

it.effect("the second alerter of a fallback tells the recovery of a failure that it has told", () =>
  Effect.gen(function*() {
    const [chat, push] = [channel("chat"), channel("push")]
    const post = yield* build(chat.layer.pipe(fallback(push.layer), recovered({ successes: "drop" })))
    chat.state.down = true
    yield* post(failed)
    chat.state.down = false
    yield* post(succeeded)
    assert.deepEqual([chat.got, push.got], [["(well)"], ["load failed", "Recovered: load succeeded"]])
    // told by each
    yield* post(failed)
    chat.state.down = true
    yield* post(failed)
    chat.state.down = false
    yield* post(succeeded)
    const both = ["load failed", "Recovered: load succeeded"]
    assert.deepEqual([chat.got.slice(1), push.got.slice(2)], [both, both])
    // a recovery that the second can't tell is told by the first
    chat.state.down = true
    yield* post(failed)
    chat.state.down = false
    push.state.down = true
    yield* Effect.exit(post(succeeded))
    assert.deepEqual(chat.got.slice(3), ["Recovered: load succeeded"])
  }))

for (
  const [name, policies] of Object.entries({
    "recovered around minSeverity": (self: Layer.Layer<Alerter>) =>
      self.pipe(minSeverity("critical"), recovered({ successes: "drop" })),
    "minSeverity around recovered": (self: Layer.Layer<Alerter>) =>
      self.pipe(recovered({ successes: "drop" }), minSeverity("critical")),
    "recovered around afterConsecutive": (self: Layer.Layer<Alerter>) =>
      self.pipe(afterConsecutive(2), recovered({ successes: "drop" })),
    "dedupe around minSeverity": (self: Layer.Layer<Alerter>) =>
      self.pipe(minSeverity("critical"), recovered({ successes: "drop" }), dedupe({ window: "1 hour" }))
  })
) {
  it.effect(`${name}: a failure that was dropped is not recovered from`, () =>
    Effect.gen(function*() {
      const { got, layer } = channel("chat")
      const post = yield* build(policies(layer))
      yield* post(failed)
      yield* post(succeeded)
      assert.deepEqual(got.filter((title) => title !== "(well)"), [])
    }))
}

it.effect("minSeverity around recovered: the recovery of a failure that has passed is delivered", () =>
  Effect.gen(function*() {
    const { got, layer } = channel("chat")
    const post = yield* build(layer.pipe(recovered({ successes: "drop" }), minSeverity("error")))
    for (const alert of [failed, succeeded]) yield* post(alert)
    assert.deepEqual(got, ["load failed", "Recovered: load succeeded"])
  }))

it.effect("dedupe around afterConsecutive holds nothing back that was dropped", () =>
  Effect.gen(function*() {
    const { got, layer } = channel("chat")
    const post = yield* build(layer.pipe(afterConsecutive(3), dedupe({ window: "1 hour" })))
    for (const _ of [1, 2, 3, 4, 5]) yield* post(failed)
    assert.deepEqual(got, ["load failed"])
  }))

it.effect("throttle around minSeverity: an alert that is dropped takes no slot", () =>
  Effect.gen(function*() {
    const { got, layer } = channel("chat")
    const post = yield* build(layer.pipe(minSeverity("error"), throttle({ limit: 1, window: "1 hour" })))
    for (const title of ["a", "b"]) yield* post(title)
    yield* post(failed)
    assert.deepEqual(got, ["load failed"])
  }))

it.effect("digest: a success resolves its incident at once, and is shown with the digest", () =>
  Effect.gen(function*() {
    const { got, layer } = channel("pager")
    const post = yield* build(digest(layer, { window: "10 minutes" }))
    yield* post(failed.with({ severity: "critical" }))
    yield* post(succeeded)
    assert.deepEqual(got, ["load failed", "(well)"])
    yield* TestClock.adjust("10 minutes")
    assert.deepEqual(got, ["load failed", "(well)", "load succeeded"])
  }))

it.effect("quietHours: the recovery of a failure that was posted at night is, too, with what is held about it", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-11-23T23:00:00Z"))
    const { got, layer } = channel("chat")
    const hours = { from: "22:00", to: "07:00", timeZone: utc } as const
    const post = yield* build(layer.pipe(quietHours(hours), recovered({ successes: "drop" })))
    yield* post(failed.with({ severity: "critical" }))
    yield* post(succeeded)
    yield* post(failed.with({ severity: "critical" }))
    yield* post(failed)
    yield* post(succeeded)
    yield* TestClock.adjust("1 minute")
    assert.deepEqual(got.filter((title) => title !== "(well)"), [
      "load failed",
      "Recovered: load succeeded",
      "load failed",
      "2 alerts in quiet hours: 1 failed, 1 recovered"
    ])
  }))

it.effect("digest around a fanOut: an alerter that was down gets the digest once, and the others no second one", () =>
  Effect.gen(function*() {
    const [chat, mail] = [channel("chat"), channel("mail")]
    const post = yield* build(digest(fanOut([chat.layer, mail.layer]), { window: "10 minutes" }))
    mail.state.down = true
    for (const title of ["a", "b"]) yield* post(title)
    yield* TestClock.adjust("10 minutes")
    mail.state.down = false
    yield* post("c")
    yield* TestClock.adjust("10 minutes")
    const both = ["2 alerts in 10 min: 2 info", "c"]
    assert.deepEqual(chat.got, both)
    assert.deepEqual(mail.got.map((title) => title.replace("in 20 min", "in 10 min")), both)
  }).pipe(Effect.provide(logs().layer)))

it.effect("an alert that is alone in its digest keeps its attachments, and a digest names those of the others", () =>
  Effect.gen(function*() {
    const sent: Array<Alert> = []
    const slow = Alerter.layer((alert) => Effect.delay(Effect.sync(() => sent.push(alert)), "1 minute"))
    const post = yield* build(digest(slow, { window: "10 minutes" }))
    const picture = (title: string) =>
      Alert.make({ title, attachments: [{ name: `${title}.png`, mediaType: "image/png", content: new Uint8Array(1) }] })
    yield* post(picture("first"))
    // while the first is being posted
    yield* TestClock.adjust("630 seconds")
    yield* post(picture("second"))
    yield* TestClock.adjust("11 minutes")
    assert.deepEqual(sent.map(({ attachments }) => attachments.length), [1, 1])
    for (const title of ["a", "b"]) yield* post(picture(title))
    yield* TestClock.adjust("11 minutes")
    assert.deepEqual(sent[2]?.fields.at(-1), { name: "not attached", value: "a.png (a), b.png (b)" })
  }))
