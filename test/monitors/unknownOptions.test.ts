/**
 * Tests that monitors refuse options that JavaScript, a spread and a variable that is not set let through: unknown ones,
 * missing ones, and those of another kind.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import * as monitors from "../../src/monitors/index.ts"
import { BetterStack, Cronitor, Healthchecks, Ping, Sentry, UptimeKuma } from "../../src/monitors/index.ts"
import type { MonitorError } from "../../src/monitors/index.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const url = Redacted.make("https://ping.example.com/0123456789abcdef")
const dsn = Redacted.make("https://0123456789abcdef@o0.ingest.sentry.io/0")

type Make = (more: object) => Layer.Layer<never, MonitorError>

/** All monitors, each with its name in errors, and with more options than it has. */
const layers: Readonly<Record<string, readonly [monitor: string, make: Make]>> = {
  BetterStack: ["betterStack", (more) => BetterStack.layer({ url, ...more })],
  Cronitor: ["cronitor", (more) => Cronitor.layer({ apiKey: Redacted.make("abc"), monitor: "nightly", ...more })],
  Healthchecks: ["healthchecks", (more) => Healthchecks.layer({ url, ...more })],
  Ping: ["ping", (more) => Ping.layer({ success: url, ...more })],
  Sentry: ["sentry", (more) => Sentry.layer({ dsn, ...more })],
  UptimeKuma: ["uptimeKuma", (more) => UptimeKuma.layer({ url, ...more })]
}

/** Builds a layer, and returns its error. */
const refusal = (layer: Layer.Layer<never, MonitorError>) => Effect.flip(Effect.scoped(Layer.build(layer)))

for (const [name, [monitor, make]] of Object.entries(layers)) {
  it.effect(`${name} refuses an option that it does not have`, () =>
    Effect.gen(function*() {
      const refused = yield* refusal(make({ timout: "5 seconds" }))
      assert.deepEqual([refused._tag, refused.monitor, refused.mistakes.map(({ option }) => option)], [
        "MonitorError",
        monitor,
        ["timout"]
      ])
    }))
}

it.effect("a secret that is a plain text, or missing, is refused by its name and without the text", () =>
  Effect.gen(function*() {
    for (const [name, option] of [["Ping", "success"], ["Sentry", "dsn"], ["Cronitor", "apiKey"]] as const) {
      for (const value of ["https://ping.example.com/0123456789abcdef", name === "Ping" ? null : undefined]) {
        const { message } = yield* refusal(layers[name]![1]({ [option]: value }))
        assert.match(
          message,
          new RegExp(`^${layers[name]![0]}: ${option}: expected a Redacted with (?!.*0123456789abcdef)`)
        )
      }
    }
  }))

for (const [name, [monitor, make]] of Object.entries(layers)) {
  it.effect(`${name} refuses options of another kind by their names, not with an error of the runtime`, () =>
    Effect.gen(function*() {
      const unknown = (yield* refusal(make({ timout: 1 }))).mistakes[0].expected
      for (const option of unknown.replace("one of the options ", "").split(", ")) {
        const redacted = Redacted.make(undefined as unknown as string)
        for (const value of [null, "", -1, {}, [undefined], Symbol("a"), () => "a", true, redacted]) {
          const result = yield* Effect.result(Effect.scoped(Layer.build(make({ [option]: value }))))
          if (result._tag === "Success") continue
          assert.deepEqual([result.failure._tag, result.failure.monitor], ["MonitorError", monitor])
          assert.ok(result.failure.mistakes.some((mistake) => mistake.option === option), result.failure.message)
        }
      }
    }))
}

it.effect("a key of Cronitor that is not set, and an ending that does not exist, are refused", () =>
  Effect.gen(function*() {
    const [, make] = layers["Cronitor"]!
    const wrong = {
      apiKey: Redacted.make(undefined),
      monitor: undefined,
      baseUrl: new URL("https://a:s3cr3t@example.com")
    }
    assert.equal(
      (yield* refusal(make({ ...wrong, interrupt: "succes" }))).message,
      "cronitor: apiKey: expected an API key of Cronitor; monitor: expected the key of a monitor; baseUrl: expected an " +
        "address that begins with https:// or http://; interrupt: expected \"failure\", \"success\" or \"none\""
    )
  }))

test("every monitor is in the table", () => {
  const all = Object.entries(monitors).flatMap(([name, exported]) => "layer" in exported ? [name] : [])
  assert.deepEqual(Object.keys(layers), all.toSorted())
})

it.effect("a refusal names the options that there are, those of the monitor first", () =>
  Effect.gen(function*() {
    const misspelt = { creates: true }
    assert.equal(
      (yield* refusal(Healthchecks.layer({ url, ...misspelt }))).message,
      "healthchecks: creates: expected one of the options url, create, logs, timeout, retries, delay, maxDelay, pace, " +
        "drain, capacity, pipeline, when, every, interrupt"
    )
  }))

it.effect("a monitor whose service takes no log has no option for it", () =>
  Effect.gen(function*() {
    const more = { logs: 10 }
    const { message } = yield* refusal(UptimeKuma.layer({ url, ...more }))
    assert.match(message, /^uptimeKuma: logs: expected one of the options url, timeout, /)
  }))
