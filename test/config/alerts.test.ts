/** Tests the words that a file gives the alerts of the standard hooks. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, Path } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { TestAlerter } from "../../src/testing/index.ts"
import { issueLines } from "../support/configFile.ts"
import { makeIt } from "../support/it.ts"
import { loadText } from "./support.ts"

const it = makeIt(test)

const pipeline = "pipeline: ./words.ts#pipeline\n"

/** Returns the titles and bodies of the alerts of a run with this file. */
const alerted = (text: string) =>
  Effect.gen(function*() {
    const { pipeline: run } = yield* loadText(`${pipeline}${text}`)
    yield* Effect.exit(run)
    return (yield* TestAlerter.sent).map(({ body, title }) => [title, body])
  }).pipe(Effect.provide([NodeFileSystem.layer, Path.layer, TestAlerter.layer]))

it.effect("a file's words replace titles and bodies of the alerts that the standard hooks post", () =>
  Effect.gen(function*() {
    const hooks = "stepHooks: { failure: epilogue#alerterFailure, success: epilogue#alerter }\n"
    assert.deepEqual(yield* alerted(hooks), [
      ["nightly › load[7] failed", "no rows"],
      ["nightly › store succeeded", undefined]
    ])
    const words = `
alerts:
  failure:
    title: "{pipeline}: {step} ist fehlgeschlagen ({severity}, Versuch {attempt})"
    body: "{body}\\nLauf {run}, {field.rows} Zeilen, {field.none}{constructor.x}"
  success: { title: "{title}!" }
`
    assert.match((yield* issueLines(`${pipeline}${hooks}${words}`))[0]!, /alerts\.failure\.body.*\{field\.NAME\}/)
    assert.deepEqual(yield* alerted(hooks + words.replace("{constructor.x}", "")), [
      ["nightly: load[7] ist fehlgeschlagen (error, Versuch 1)", "no rows\nLauf nightly-1, 0 Zeilen, "],
      ["nightly › store succeeded!", undefined]
    ])
  }))

it.effect("a title that comes out empty stays as it is, and an empty body is none", () =>
  Effect.gen(function*() {
    const file = `
stepHooks: { failure: epilogue#alerterFailure, success: epilogue#alerterSuccess }
alerts: { failure: { title: "{field.none} ", body: "{field.none}" }, success: { title: "{field.rows}" } }
`
    assert.deepEqual(yield* alerted(file), [
      ["nightly › load[7] failed", undefined],
      ["nightly › store succeeded", undefined]
    ])
  }))

it.effect("words change the alert of a summary, and none of the hooks of a module", () =>
  Effect.gen(function*() {
    const file = `
hooks: { exit: epilogue#alerterSummary, success: ./words.ts#ended }
alerts: { summary: { title: "Nacht: {title}" }, success: { title: unused } }
`
    assert.deepEqual((yield* alerted(file)).map(([title]) => title), [
      "ended",
      "Nacht: nightly succeeded, though 1 of 2 steps failed"
    ])
  }))

it.effect("words without a standard hook, and words for no kind of alert, are mistakes with their place", () =>
  Effect.gen(function*() {
    const [line, ...others] = yield* issueLines(
      `${pipeline}alerts: { failure: { title: "x {stage}", text: y }, start: {} }`
    )
    assert.deepEqual([line, ...others].map((one) => /alerts[.\w]*/.exec(one ?? "")?.[0]), [
      "alerts.failure.title",
      "alerts.failure.text",
      "alerts.start"
    ])
    const { message } = yield* Effect.flip(loadText(`${pipeline}alerts: { failure: { title: x } }`)).pipe(
      Effect.provide([NodeFileSystem.layer, Path.layer])
    )
    assert.match(message, /alerts: .*epilogue#alerterFailure, without which it has no effect, found no standard hook/)
  }))
