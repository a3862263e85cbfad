/** The files of `epilogue init`, for each runtime and channel. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { parse } from "yaml"
import {
  allowsExtensions,
  channelNames,
  type Choices,
  filesOf,
  nextOf,
  noteOf,
  runtimes
} from "../../../src/cli/front/initFiles.ts"
import { documentOf } from "../../support/configFile.ts"
import * as editor from "../../support/editor.ts"
import { makeIt } from "../../support/it.ts"

const it = makeIt(test)

const choices: Choices = {
  runtime: "node",
  channel: "console",
  isYaml: true,
  extension: ".ts",
  folder: "jobs",
  schema: "../node_modules/effect-epilogue/dist/epilogue.schema.json",
  isOutside: false,
  tsconfig: undefined
}

const textOf = (choices: Choices, name: string): string =>
  filesOf(choices).find(([path]) => path.endsWith(name))?.[1] ?? assert.fail(`no ${name}`)

it.effect("the config file of each channel has no mistakes, as YAML and as JSON, and says the same", () =>
  Effect.gen(function*() {
    for (const channel of channelNames) {
      const yaml = yield* documentOf(textOf({ ...choices, channel }, "epilogue.yaml"))
      const json = yield* documentOf(textOf({ ...choices, channel, isYaml: false }, "epilogue.json"), {
        file: "epilogue.json"
      })
      const { $schema, ...others } = json
      assert.equal($schema, choices.schema)
      assert.deepEqual({ ...others }, { ...yaml })
    }
  }))

it.effect("the workflow of each runtime is YAML, runs what is printed, and has the secrets of its channel", () =>
  Effect.sync(() => {
    for (const runtime of runtimes) {
      for (const extension of [".ts", ".mts"]) {
        const made = { ...choices, runtime, extension, channel: "telegram" } as const
        const next = nextOf(made)
        const { jobs: { check }, name } = parse(textOf(made, ".github/workflows/epilogue-jobs.yml"))
        assert.equal(name, "epilogue-jobs")
        const runs = check.steps.flatMap(({ run }: { readonly run?: string }) => run ?? [])
        assert.equal(runs[1], next.at(-1))
        assert.equal(runs[2], next.at(-2)!.replace(" run jobs", " check jobs"))
        assert.deepEqual(check.steps.at(-1).env, {
          TELEGRAM_BOT_TOKEN: "${{ secrets.TELEGRAM_BOT_TOKEN }}",
          TELEGRAM_CHAT_ID: "${{ secrets.TELEGRAM_CHAT_ID }}"
        })
        assert.deepEqual(next.filter((line) => line.startsWith("export")), [
          "export TELEGRAM_BOT_TOKEN=…",
          "export TELEGRAM_CHAT_ID=…"
        ])
        assert.match(textOf(made, `hooks.test${extension}`), new RegExp(`"\\./hooks\\${extension}"`))
      }
    }
    assert.equal(nextOf({ ...choices, runtime: "deno" })[0], "deno add npm:effect npm:effect-epilogue npm:yaml")
    assert.equal(nextOf({ ...choices, runtime: "deno" })[1], "deno run -A npm:effect-epilogue run jobs/epilogue.yaml")
    assert.equal(nextOf({ ...choices, isYaml: false })[2], "npx epilogue run jobs/epilogue.json")
    assert.equal(nextOf(choices)[1], "npm install --save-dev typescript @types/node")
  }))

it.effect("paths with spaces are quoted, and a folder elsewhere keeps its workflow", () =>
  Effect.sync(() => {
    const spaced = { ...choices, folder: "my jobs/it's" }
    assert.equal(nextOf(spaced).at(-1), "node --test './my jobs/it'\\''s/hooks.test.ts'")
    const workflow = parse(textOf(spaced, ".github/workflows/epilogue-my-jobs-it-s.yml"))
    assert.equal(workflow.jobs.check.steps[3].run, nextOf(spaced).at(-1))
    const outside = filesOf({ ...choices, folder: "/srv/jobs", isOutside: true }).map(([path]) => path)
    assert.ok(outside.every((path) => path.startsWith("/srv/jobs/")), outside.join())
  }))

it.effect("a tsconfig.json is written where there is none, and one that refuses the import of the test is told", () =>
  Effect.sync(() => {
    const own = textOf(choices, "tsconfig.json")
    assert.ok(allowsExtensions(own))
    assert.equal(noteOf(choices), undefined)
    const isWritten = (made: Choices) => filesOf(made).some(([path]) => path.endsWith("tsconfig.json"))
    for (const allows of [true, false]) {
      const there = { ...choices, tsconfig: { path: "tsconfig.json", allows } }
      assert.equal(isWritten(there), false)
      assert.equal(noteOf(there)?.includes("\"allowImportingTsExtensions\": true"), allows ? undefined : true)
      assert.equal(noteOf({ ...there, runtime: "deno" }), undefined)
    }
    assert.equal(isWritten({ ...choices, runtime: "deno" }), false)
    assert.ok(!allowsExtensions("{ \"compilerOptions\": { \"allowImportingTsExtensions\": false } }"))
  }))

it.effect("the snippet of a config file has no mistakes, and a schema, and each snippet has a prefix of its own", () =>
  Effect.gen(function*() {
    const text = editor.inserted(editor.snippets["config"]!.body)
    assert.match(
      text,
      /^# yaml-language-server: \$schema=\.\/node_modules\/effect-epilogue\/dist\/epilogue\.schema\.json$/m
    )
    assert.deepEqual(Object.keys(yield* documentOf(text)).toSorted(), ["alerter", "pipeline", "stepHooks", "timeout"])
    const all = Object.values(editor.snippets)
    assert.equal(new Set(all.map(({ prefix }) => prefix)).size, all.length)
    assert.match(textOf(choices, "epilogue.yaml"), /^# yaml-language-server: \$schema=\.\.\/node_modules\//)
  }))
