/** Tests the hooks of a file for steps and runs that are skipped. */
import { Ajv2020 } from "ajv/dist/2020.js"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { explained } from "../../src/cli/run/output.ts"
import { jsonSchema } from "../../src/config/Document.ts"
import { Alert, Alerter, Step } from "../../src/index.ts"
import { issueLines } from "../support/configFile.ts"
import { makeIt } from "../support/it.ts"
import { plain } from "../support/observe.ts"
import { calls } from "./fixtures/load/skips.ts"
import { loadText, runText } from "./support.ts"

const it = makeIt(test)

const pipeline = "pipeline: ./skips.ts#pipeline\n"

/** Returns what a run with this file calls. */
const called = (text: string) =>
  Effect.gen(function*() {
    calls.length = 0
    const exit = yield* runText(`${pipeline}${text}`)
    assert.deepEqual(plain(exit), [{ fail: new Step.StepSkipped({ reason: "no rows" }) }])
    return calls.slice()
  })

it.effect("a file's skip hooks run for a step, for all steps and for the run, as its other hooks do", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* called(""), ["code: weekly only on Mondays"])
    assert.deepEqual(yield* called("stepHooks: { skip: ./skips.ts#tell }"), [
      "file: weekly only on Mondays",
      "file: load no rows"
    ])
    assert.deepEqual(
      yield* called("steps: { weekly: { hooks: { skip: ./skips.ts#asHook }, inherit: { skip: append } } }"),
      ["code: weekly only on Mondays", "hook: weekly only on Mondays"]
    )
    assert.deepEqual(yield* called("inherit: { skip: off }\nhooks: { skip: [./skips.ts#tell, ./skips.ts#asHook] }"), [
      "file: skips no rows",
      "hook: skips no rows"
    ])
  }))

it.effect("a retry of the file does not retry a skip", () =>
  Effect.gen(function*() {
    const text = "steps: { load: { retry: 5, hooks: { skip: ./skips.ts#tell, retry: ./skips.ts#tell } } }"
    assert.deepEqual(yield* called(text), ["code: weekly only on Mondays", "file: load no rows"])
  }))

it.effect("explain shows the skip hooks of both, and where they come from", () =>
  Effect.gen(function*() {
    const loaded = yield* loadText(`${pipeline}steps: { load: { hooks: { skip: ./skips.ts#asHook } } }`)
    const lines = explained(loaded).map((line) => line.replaceAll(/[^\s(]*test\.yaml/g, "test.yaml"))
    assert.deepEqual(lines, [
      "skips",
      "  load",
      "    skip: asHook (test.yaml:2:33): the file's skip hooks of the step replace all others",
      "  weekly",
      "    skip: onSkip (code): the step's own in code; the file has none of this kind"
    ])
  }))

it.effect("what can't be a skip hook is refused with its place", () =>
  Effect.gen(function*() {
    const refused = (text: string) =>
      Effect.map(Effect.flip(loadText(`${pipeline}${text}`)), ({ message }) => message.replace(/^.*test\.yaml:/, ""))
    assert.equal(
      yield* refused("stepHooks: { skip: ./skips.ts#onFailure }"),
      "2:20 stepHooks.skip: expected a skip hook, found the failure hook \"onFailure\""
    )
    assert.match(
      yield* refused("stepHooks: { skip: ./skips.ts#calls }"),
      /^2:20 stepHooks\.skip: expected a skip hook, Hooks, or a function \(skipped\) => …, found an array/
    )
    const lines = yield* issueLines(
      `${pipeline}stepHooks:\n  skip: { use: ./skips.ts#tell, when: { tag: NoRows } }\nsteps:\n  load: { hooks: { skipped: ./skips.ts#tell } }\n`
    )
    assert.equal(lines.length, 2)
    assert.match(lines[0]!, /^3:33 stepHooks\.skip\.when/)
    assert.match(lines[1]!, /^5:20 steps\.load\.hooks\.skipped.*skip/)
  }))

it.effect("a file changes the words of the alerts of alerterSkip, and the JSON Schema knows the keys", () =>
  Effect.gen(function*() {
    const posted: Array<Alert> = []
    const text = `${pipeline}stepHooks: { skip: epilogue#alerterSkip }
alerts: { skip: { title: "{step} had nothing to do", body: "because: {body}" } }
`
    const alerter = Layer.succeed(Alerter, { post: (alert) => Effect.sync(() => void posted.push(Alert.make(alert))) })
    yield* Effect.provide(runText(text, { alerter: () => alerter }), alerter)
    assert.deepEqual(posted.map(({ body, title }) => `${title}: ${body}`), [
      "weekly had nothing to do: because: only on Mondays",
      "load had nothing to do: because: no rows"
    ])
    const validate = new Ajv2020({ strict: false }).compile(jsonSchema())
    const document = {
      pipeline: "./skips.ts#pipeline",
      hooks: { skip: "./skips.ts#tell" },
      stepHooks: { skip: ["./skips.ts#tell", { use: "epilogue#alerterSkip", timeout: 5 }] },
      inherit: { skip: "append" },
      alerts: { skip: { title: "{title}" } }
    }
    assert.ok(validate(document), JSON.stringify(validate.errors))
    assert.ok(!validate({ ...document, hooks: { skipped: "./skips.ts#tell" } }))
  }))
