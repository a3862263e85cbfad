/** The output and the log of the library in a plain script, by effect's default logger. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as TestConsole from "effect/testing/TestConsole"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { inspect } from "node:util"
import { Alert, Alerter, Hook, Step } from "../src/index.ts"
import { Report } from "../src/report/index.ts"
import { makeIt } from "./support/it.ts"
import { setTerminal } from "./support/terminal.ts"

const it = makeIt(test)

const hostile = "\u001b]52;c;ZXZpbA==\u0007\u009b31m\u202e\u2028\r\n::error::x\n##[add-mask]y"

// oxlint-disable-next-line no-control-regex -- all but line feeds
const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/

/** Returns all that was printed, as a console shows it. */
const printed = Effect.map(
  Effect.all([TestConsole.logLines, TestConsole.errorLines]),
  (lines) => lines.flat(2).map((part) => typeof part === "string" ? part : inspect(part)).join("\n")
)

const step = Step.make(`load${hostile}`, Effect.fail(new Error(`500${hostile}`))).pipe(
  Step.hooks(Hook.onFailure(() => Effect.die(new Error(`no network${hostile}`))).pipe(Hook.named(`page${hostile}`)))
)

const assertHarmless = (text: string) => {
  assert.equal(obeyed.exec(text), null, JSON.stringify(text))
  for (const line of text.split("\n")) {
    const isOwn = /^::(group::|endgroup::|(error|warning) title=[^:]*::)/.test(line)
    assert.ok((isOwn || !line.trimStart().startsWith("::")) && !line.includes("##["), JSON.stringify(text))
  }
}

it.effect("what the library logs of a hook's error in a plain script is shown, not obeyed", () =>
  Effect.scoped(Effect.gen(function*() {
    yield* setTerminal("stdout", false, { GITHUB_ACTIONS: "true" })
    yield* Effect.exit(step)
    const text = yield* printed
    assertHarmless(text)
    assert.ok(
      text.includes("hook \"page\\u{1b}]52;c;ZXZpbA==\\u{7}\\u{9b}31m\\u{202e}\\u{2028}\\u{d}\\u{a}::error::x"),
      text
    )
    assert.match(text, /no network\\u\{1b\}\]52/)
  })))

it.effect("a logger gets the cause of a hook's error itself, if its text is printable", () =>
  Effect.gen(function*() {
    const causes: Array<Cause.Cause<unknown>> = []
    const failing = (message: string) =>
      Step.make("load", Effect.void).pipe(Step.onSuccess(() => Effect.die(new Error(message))))
    yield* Effect.andThen(failing("no network\nat all"), failing(hostile)).pipe(
      Effect.provide(Logger.layer([Logger.make(({ cause }) => void causes.push(cause))]))
    )
    assert.deepEqual(causes.map((cause) => cause.reasons.map((reason) => reason._tag)), [["Die"], []])
  }))

for (const mode of ["plain", "github"] as const) {
  it.effect(`progress obeys no name and no error in the log of GitHub Actions: ${mode}`, () =>
    Effect.scoped(Effect.gen(function*() {
      yield* setTerminal("stdout", false, { GITHUB_ACTIONS: "true" })
      yield* Effect.exit(Effect.provide(step, Report.layerProgress({ mode, stream: "stdout" })))
      const text = yield* printed
      assertHarmless(text)
      assert.match(text, /▶ load\\u\{1b\}\]52/)
    })))
}

it.effect("an alert on the console has no workflow command, and its text can't pass for another alert", () =>
  Effect.scoped(Effect.gen(function*() {
    yield* setTerminal("stdout", false, { GITHUB_ACTIONS: "true" })
    const body = `a\n::error::b\r✗ ERROR fake${hostile}`
    yield* Effect.flatMap(
      Alerter,
      (alerter) => alerter.post(Alert.make({ title: hostile, body, fields: { [hostile]: body }, detail: body }))
    ).pipe(Effect.provide(Alerter.layerConsole))
    const text = yield* printed
    assertHarmless(text)
    assert.ok(text.split("\n").slice(1).every((line) => line.startsWith("  ")), text)
  })))
