/** Tests how errors read on Bun (`bun test`), Deno (`deno test -A`) and Node (`node --test`), whose stacks differ. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { type Alert, AlerterHooks, Step } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { Hostile, hostile } from "../support/hostile.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const alertOf = (body: Effect.Effect<unknown, unknown>): Effect.Effect<Alert> =>
  Effect.gen(function*() {
    const [alert] = yield* Step.make("load", body).pipe(
      Step.hooks(AlerterHooks.failure),
      Effect.exit,
      Effect.andThen(TestAlerter.sent),
      Effect.provide(TestAlerter.layer)
    )
    assert.ok(alert !== undefined, "no alert was posted")
    return alert
  })

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number }> {}

const thrower = (n: number): number => {
  if (n > 0) throw new TypeError("no rows\n    at nowhere (see the manual:1:1)")
  return n
}

it.effect("the frames of an error's own code are listed, and those of effect and the runtime are counted", () =>
  Effect.gen(function*() {
    const async = Effect.tryPromise(async () => {
      await Promise.resolve()
      return [1].map(thrower)
    })
    for (const body of [Effect.sync(() => [1].map(thrower)), async]) {
      const { body: headline, detail } = yield* alertOf(Effect.andThen(Effect.yieldNow, body))
      assert.equal(headline, "TypeError: no rows")
      const [first, second, ...frames] = detail!.split("\n")
      assert.deepEqual([first, second], ["TypeError: no rows", "    at nowhere (see the manual:1:1)"])
      assert.match(frames[0]!, /^ {4}at thrower \(.*errors\.test\.ts:\d+:\d+\)$/)
      for (const frame of frames.slice(0, -1)) assert.match(frame, /^ {4}at .*errors\.test\.ts/)
      assert.match(frames.at(-1)!, /^ {4}… \d+ frames? of (effect|the runtime)/)
    }
  }))

it.effect("a tagged error that is yielded has the frame of the code that made it", () =>
  Effect.gen(function*() {
    const { body, detail } = yield* alertOf(Effect.gen(function*() {
      return yield* new HttpError({ status: 503 })
    }))
    assert.equal(body, "HttpError: status 503")
    assert.match(detail!.split("\n")[1]!, /^ {4}at .*errors\.test\.ts/)
  }))

it.effect("symbols, revoked proxies and proxies that trap are told", () =>
  Effect.gen(function*() {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    assert.equal((yield* alertOf(Effect.fail(Symbol("stop")))).body, "Symbol(stop)")
    assert.match((yield* alertOf(Effect.fail(proxy))).body!, /^<unreadable: TypeError: .*/)
    assert.equal((yield* alertOf(Effect.fail(new Proxy(new RangeError("far"), {})))).body, "RangeError: far")
    const shy = new Proxy(new Error(), {
      get: () => assert.fail("trapped")
    })
    assert.match((yield* alertOf(Effect.fail(shy))).body!, /<unreadable: AssertionError: trapped>/)
  }))

it.effect("a proxy with a prototype for every question is told in bounded time", () =>
  Effect.gen(function*() {
    const endless = (): object => new Proxy({}, { getPrototypeOf: endless, get: () => undefined })
    const { body } = yield* alertOf(Effect.fail({ _tag: "Odd", first: endless(), second: Object.create(endless()) }))
    assert.match(body!, /^Odd: first <a proxy>, second /)
  }))

it.effect("whatever a step fails with is alerted", () =>
  forAll(Hostile, (description) =>
    Effect.map(alertOf(Effect.fail(hostile(description))), ({ body, detail = "" }) => {
      assert.ok(body!.length < 2_000 && detail.length < 60_000)
    }), 100))
