/** Tests the key `language` of config files. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { jsonSchema } from "../../src/config/internal/schema/jsonSchema.ts"
import { projectFolder } from "../cli/support.ts"
import { epilogue } from "../support/command.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const module = `import { Effect } from "effect"
import { Pipeline, Step } from "effect-epilogue"
if (process.env.HOW === "throw") throw new Error("no database")
const load = Step.make("load", process.env.HOW === "crash" ? Effect.sync(() => process.exit(3)) : Effect.fail("no rows"))
export const job = Pipeline.make("nightly", load)
`

const config = (language: string) =>
  `pipeline: ./job.ts#job
stepHooks: { failure: epilogue#alerterFailure }
steps: { store: { timeout: 1 minute } }
alerter: { jsonLines: { path: alerts.jsonl } }
language: ${language}
`

const project = (language: string) =>
  Effect.map(projectFolder, (folder) => {
    writeFileSync(join(folder, "job.ts"), module)
    writeFileSync(join(folder, "job.yaml"), config(language))
    return folder
  })

const titlesIn = (folder: string): ReadonlyArray<string> =>
  readFileSync(join(folder, "alerts.jsonl"), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line).title)

for (
  const [what, how, flag, titles] of [
    ["that fails", "fail", "--no-supervise", ["nightly › load ist fehlgeschlagen"]],
    ["that can't begin", "throw", "--no-supervise", ["job.yaml konnte nicht beginnen"]],
    ["whose process crashes", "crash", "--supervise", ["nightly › load ist abgestürzt", "nightly ist abgestürzt"]]
  ] as const
) {
  it.effect(`a run ${what} is told in the language of its file, and the command speaks English`, () =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* project("de")
      const { stderr } = yield* epilogue("bun", ["run", "job.yaml", flag], { cwd: folder, env: { HOW: how } })
      assert.deepEqual(titlesIn(folder).toSorted(), titles.toSorted())
      assert.doesNotMatch(stderr, /fehlgeschlagen|beginnen|abgestürzt/)
      assert.doesNotMatch(stderr, /never ran/, "a run that failed says nothing about the steps that it left out")
    })))
}

it.effect("a language that is not known, or has no alerter beside it, is a mistake with its place", () =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* project("fr")
    const check = () => epilogue("bun", ["check", "job.yaml"], { cwd: folder })
    const unknown = yield* check()
    assert.match(unknown.stderr + unknown.stdout, /job\.yaml:5:11 language: expected .*"en".*"de"/)
    writeFileSync(join(folder, "job.yaml"), "pipeline: ./job.ts#job\nlanguage: de\n")
    const alone = yield* check()
    assert.match(alone.stderr + alone.stdout, /job\.yaml:2:11 language: expected alerter beside it/)
  })))

it.effect("explain shows the language, and the JSON Schema has those that are known", () =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* project("de")
    const { stdout } = yield* epilogue("bun", ["explain", "job.yaml"], { cwd: folder })
    assert.match(stdout, /^ {2}language of alerts: de$/m)
    assert.match(JSON.stringify(jsonSchema()["properties"]), /"language":\{[^}]*"enum":\["en","de"\]/)
  })))
