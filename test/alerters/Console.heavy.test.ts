import { DateTime, Effect } from "effect"
import { TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Console } from "../../src/alerters/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { alertOf, AnyAlert } from "../support/anyAlert.ts"
import { sample } from "../support/channelContract.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"
import { large } from "../support/sizes.ts"
import { setTerminal } from "../support/terminal.ts"

const it = makeIt(test)

const alert = sample.with({ at: DateTime.makeUnsafe("2026-11-23T12:40:12Z") })
const timeZone = DateTime.zoneMakeNamedUnsafe("Europe/Berlin")

const post = (options?: Console.ConsoleOptions, posted = alert) =>
  Effect.provide(Effect.flatMap(Alerter, (alerter) => alerter.post(posted)), Console.layer(options))

const rest = [
  "  Error: no such bucket",
  "  pipeline  nightly",
  "  step      load",
  "  rows      1461",
  "  │ Error: no such bucket",
  "  │     at load (etl.ts:12:3)"
]

it.effect("Console prints an alert, with the time in UTC", () =>
  Effect.gen(function*() {
    yield* post({ colors: "never" })
    assert.deepEqual(yield* TestConsole.logLines, [
      ["✗ ERROR nightly › load failed 2026-11-23T12:40:12.000Z", ...rest].join("\n")
    ])
    assert.deepEqual(yield* TestConsole.errorLines, [])
    // keys, tags and the source are for machines only
    yield* post({ colors: "never" }, alert.with({ idempotencyKey: "nightly/load" }))
    const [first, second] = yield* TestConsole.logLines
    assert.equal(second, first)
  }))

it.effect("timeZone sets the zone of the time, and stream the output", () =>
  Effect.gen(function*() {
    yield* post({ colors: "never", timeZone, stream: "stderr" })
    assert.deepEqual(yield* TestConsole.errorLines, [
      ["✗ ERROR nightly › load failed 2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)", ...rest].join("\n")
    ])
    assert.deepEqual(yield* TestConsole.logLines, [])
  }))

it.effect("colors: always prints in colours", () =>
  Effect.gen(function*() {
    yield* post({ colors: "always" })
    yield* post({ colors: "always", timeZone })
    const [utc, zoned] = (yield* TestConsole.logLines).map((text) => String(text).split("\n")[0])
    assert.equal(
      utc,
      "\u001b[31m✗ ERROR\u001b[0m \u001b[1mnightly › load failed\u001b[0m \u001b[2m2026-11-23T12:40:12.000Z\u001b[0m"
    )
    assert.equal(zoned, utc?.replace("2026-11-23T12:40:12.000Z", "2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"))
  }))

it.effect("each line of an alert is printed as a line", () =>
  Effect.gen(function*() {
    const count = large(2_500_000)
    for (const part of ["body", "detail"] as const) {
      yield* post({ colors: "never" }, Alert.make({ title: "t", [part]: "-\n".repeat(count) }))
    }
    for (const [index, margin] of ["  ", "  │ "].entries()) {
      const written = String((yield* TestConsole.logLines)[index])
      assert.equal(written.split("\n").length, 1 + count + 1)
      assert.ok(written.endsWith(`\n${margin}-\n${margin}`))
    }
  }))

it.effect("by default, colours are printed on a terminal only, and not with NO_COLOR", () =>
  Effect.gen(function*() {
    const colored = (stream: "stdout" | "stderr", isTTY: boolean, env?: { readonly NO_COLOR?: string }) =>
      Effect.gen(function*() {
        yield* setTerminal(stream, isTTY, env)
        yield* post({ stream })
        const lines = stream === "stdout" ? yield* TestConsole.logLines : yield* TestConsole.errorLines
        return String(lines.at(-1)).includes("\u001b[")
      }).pipe(Effect.scoped)
    assert.equal(yield* colored("stdout", true), true)
    assert.equal(yield* colored("stdout", true, { NO_COLOR: "" }), true)
    assert.equal(yield* colored("stdout", true, { NO_COLOR: "1" }), false)
    assert.equal(yield* colored("stdout", false), false)
    assert.equal(yield* colored("stderr", true), true)
    assert.equal(yield* colored("stderr", false), false)
  }))

it.effect("control sequences in an alert do not reach the terminal, and each alert begins with its severity", () =>
  forAll(AnyAlert, (input) =>
    Effect.gen(function*() {
      const posted = alertOf({ ...input, times: { texts: 1, fields: 1 } })
      yield* post({ colors: "never", timeZone }, posted)
      const text = String((yield* TestConsole.logLines).at(-1))
      // oxlint-disable-next-line no-control-regex -- control characters are what it is about
      assert.ok(!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text))
      const [first, ...others] = text.split("\n")
      assert.ok(first!.includes(` ${posted.severity.toUpperCase()} `))
      assert.ok(first!.endsWith(" 2026-11-23 13:40:12 Europe/Berlin (UTC+01:00)"), first)
      assert.ok(others.every((line) => line.startsWith("  ")))
    })))
