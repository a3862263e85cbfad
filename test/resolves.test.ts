import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { recovered } from "../src/delivery/index.ts"
import { type Alert, Alerter, AlerterHooks, Params, Pipeline, Step } from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { forAll } from "./support/property.ts"

const it = makeIt(test)

/** Runs effects one after another with `recovered`, and returns the titles of what is posted by each. */
const nights = (...bodies: ReadonlyArray<Effect.Effect<unknown, unknown>>) =>
  Effect.gen(function*() {
    const sent: Array<string> = []
    const channel = Alerter.layer(({ title }) => Effect.sync(() => void sent.push(title)))
    const titles: Array<ReadonlyArray<string>> = []
    const run = (body: Effect.Effect<unknown, unknown>) =>
      Effect.exit(Pipeline.make("nightly", body).pipe(Pipeline.stepHooks(AlerterHooks.all)))
    yield* Effect.forEach(bodies, (body) => Effect.andThen(run(body), Effect.sync(() => titles.push(sent.splice(0)))))
      .pipe(
        Effect.provide(recovered(channel, { successes: "drop" }))
      )
    return titles
  })

const page = (n: number, bad: ReadonlyArray<number>) =>
  Step.make("page", bad.includes(n) ? Effect.fail(`no page ${n}`) : Effect.yieldNow)

const pages = (bad: ReadonlyArray<number>, concurrency = 3) =>
  Effect.forEach([1, 2, 3], (n) => Effect.exit(page(n, bad)), { concurrency })

const keyed = (bad: ReadonlyArray<number>) =>
  Effect.forEach([1, 2, 3], (n) => Effect.exit(Step.key(page(n, bad), n)), { concurrency: 3 })

/** A step that fails the first `times` evaluations. */
const flaky = (times: number, name = "flaky") => {
  let n = 0
  return Step.make(name, Effect.suspend(() => n++ < times ? Effect.fail(`attempt ${n}`) : Effect.void))
}

it.effect("a step without a key recovers at the end of a run in which none of its evaluations failed", () =>
  Effect.gen(function*() {
    const failed = "nightly › page failed"
    assert.deepEqual(yield* nights(pages([1]), pages([2]), pages([2], 1), pages([]), pages([])), [
      [failed],
      [failed],
      [failed],
      ["nightly › page recovered"],
      []
    ])
  }))

it.effect("a step with a key recovers when that key succeeds", () =>
  Effect.gen(function*() {
    const told = yield* nights(keyed([1, 2]), keyed([2]), keyed([]))
    assert.deepEqual(told.map((titles) => titles.toSorted()), [
      ["nightly › page[1] failed", "nightly › page[2] failed"],
      ["nightly › page[1] recovered", "nightly › page[2] failed"],
      ["nightly › page[2] recovered"]
    ])
  }))

it.effect("a step that does not run does not recover", () =>
  Effect.gen(function*() {
    const load = (end: Effect.Effect<void, string>) => Step.make("load", end)
    assert.deepEqual(yield* nights(load(Effect.fail("no")), Step.make("other", Effect.void), load(Effect.void)), [
      ["nightly › load failed"],
      [],
      ["nightly › load recovered"]
    ])
  }))

it.effect("a step value that fails and succeeds when it is retried from outside has succeeded", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* nights(Effect.retry(flaky(1), { times: 1 })), [
      ["nightly › flaky failed", "nightly › flaky recovered"]
    ])
    const outer = Step.make("outer", Effect.suspend(() => Step.make("inner", flaky(0))))
    assert.deepEqual(yield* nights(outer), [[]])
  }))

it.effect("the steps inside of a step that succeeds at its second attempt have succeeded", () =>
  Effect.gen(function*() {
    let n = 0
    const outer = Step.make(
      "outer",
      Effect.suspend(() => Step.make("inner", n++ === 0 ? Effect.fail("no") : Effect.void))
    ).pipe(Step.retry({ times: 1 }))
    assert.deepEqual(yield* nights(outer), [["nightly › outer › inner failed", "nightly › outer › inner recovered"]])
  }))

it.effect("an evaluation of the same value that began before the failure does not make up for it", () =>
  Effect.gen(function*() {
    let n = 0
    const step = Step.make("load", Effect.suspend(() => n++ === 0 ? Effect.fail("no") : Effect.sleep(0)))
    const both = Effect.all([Effect.exit(step), Effect.exit(step)], { concurrency: 2 })
    const alerts = yield* nights(
      Effect.all([Effect.andThen(Effect.yieldNow, Effect.exit(step)), both], { concurrency: 2 })
    )
    assert.equal(alerts.flat().filter((title) => title.includes("failed")).length, 1)
  }))

class Page extends Params.Service<Page>()("Page", { n: Schema.Int }) {}

it.effect("the same value with other parameters does not make up for a failure", () =>
  Effect.gen(function*() {
    const step = Step.make("page", Effect.flatMap(Page, ({ n }) => n === 1 ? Effect.fail("no") : Effect.void)).pipe(
      Step.params(Page)
    )
    const all = Effect.forEach([1, 2], (n) => Effect.exit(Effect.provide(step, Page.layer({ n }))))
    assert.deepEqual(yield* nights(all), [["nightly › page failed"]])
  }))

it.effect("the winner of a race recovers, though the loser of the same name was interrupted", () =>
  Effect.gen(function*() {
    const fetch = (end: Effect.Effect<void, string>) => Step.make("fetch", end)
    const [first, second] = yield* nights(
      Effect.all([fetch(Effect.fail("a")), fetch(Effect.fail("b"))].map(Effect.exit)),
      Effect.race(fetch(Effect.yieldNow), fetch(Effect.never))
    )
    assert.equal(first!.length, 2)
    assert.deepEqual(second!.filter((title) => title.includes("recovered")), ["nightly › fetch recovered"])
  }))

it.effect("the alert of a success says whether it resolves", () =>
  Effect.gen(function*() {
    const sent: Array<Alert> = []
    const channel = Alerter.layer((alert) => Effect.sync(() => void sent.push(alert)))
    const run = Pipeline.make(
      "nightly",
      Effect.andThen(Step.make("a", Effect.void), Step.key(Step.make("b", Effect.void), 1))
    )
      .pipe(Pipeline.stepHooks(AlerterHooks.all), Pipeline.hooks(AlerterHooks.all))
    yield* Effect.provide(
      Effect.andThen(run, Step.make("alone", Effect.void).pipe(Step.hooks(AlerterHooks.all))),
      channel
    )
    assert.deepEqual(sent.map(({ resolves, title }) => [title, resolves]), [
      ["nightly › a succeeded", false],
      ["nightly › b[1] succeeded", true],
      ["nightly succeeded", true],
      ["alone succeeded", true]
    ])
  }))

const Night = Schema.Array(Schema.Struct({
  name: Schema.Literals(["a", "b"]),
  key: Schema.Literals([0, 1, 2]),
  attempts: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 })),
  fails: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 })),
  delay: Schema.Boolean
})).check(Schema.isMaxLength(6))

it.effect("no step recovers in a run in which an evaluation of it, or of its key, failed for good", () =>
  forAll(Schema.Array(Night).check(Schema.isMaxLength(4)), (stories) =>
    Effect.gen(function*() {
      const runs = stories.map((night) =>
        Effect.forEach(night, ({ attempts, delay, fails, key, name }) => {
          let n = 0
          const body = Effect.suspend(() => n++ < fails ? Effect.fail(`attempt ${n}`) : Effect.void)
          const step = Step.make(name, delay ? Effect.andThen(Effect.yieldNow, body) : body)
          return Effect.exit(Effect.retry(key === 0 ? step : Step.key(step, key), { times: attempts - 1 }))
        }, { concurrency: 3 })
      )
      const told = yield* nights(...runs)
      const down = new Set<string>()
      stories.forEach((night, i) => {
        const label = ({ key, name }: (typeof night)[number]) => `nightly › ${key === 0 ? name : `${name}[${key}]`}`
        const bad = new Set(night.filter(({ attempts, fails }) => fails >= attempts).map(label))
        const recoveries = told[i]!.flatMap((title) =>
          title.endsWith(" recovered") ? [title.replace(/ recovered$/, "")] : []
        )
        for (const step of new Set(night.map(label))) {
          const once = night.filter((one) => label(one) === step).length === 1
          const unkeyed = !step.includes("[")
          if (unkeyed) {
            // no false all-clear, and no missing one
            const failed = down.has(step) || night.some((one) => label(one) === step && one.fails > 0)
            assert.equal(recoveries.includes(step), failed && !bad.has(step), step)
          } else if (once) {
            assert.equal(recoveries.includes(step) && bad.has(step), false, step)
          }
          if (bad.has(step)) down.add(step)
          else down.delete(step)
        }
        assert.ok(recoveries.every((step) => night.some((one) => label(one) === step)))
      })
    }), 150))
