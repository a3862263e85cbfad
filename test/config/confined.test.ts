import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import { test } from "node:test"
import { ConfigFile } from "../../src/config/index.ts"
import { canary } from "../support/canary.ts"
import { makeIt } from "../support/it.ts"
import { folder } from "./alerterSupport.ts"

const it = makeIt(test)

/** Loads a file with this alerter from `root/config`, beside a folder `outside` and links to it. Returns the issues. */
const loading = (alerter: string, options: Parameters<typeof ConfigFile.load>[1] = {}) =>
  Effect.gen(function*() {
    const top = yield* folder
    fs.mkdirSync(`${top}/root/config`, { recursive: true })
    fs.mkdirSync(`${top}/outside`)
    fs.symlinkSync(`${top}/outside`, `${top}/root/config/link`)
    fs.symlinkSync(`${top}/outside/new.jsonl`, `${top}/root/config/dangling.jsonl`)
    fs.symlinkSync(`${top}/root/config`, `${top}/root/config/self`)
    const file = `${top}/root/config/test.yaml`
    fs.writeFileSync(file, `alerter:\n${alerter}`)
    const pipeline = `${import.meta.dirname}/fixtures/load/pipeline.ts#pipeline`
    const settled = yield* Effect.result(
      ConfigFile.load(file, { pipeline, ...options, root: `${top}/${options.root ?? "root/config"}` })
    )
    return settled._tag === "Success"
      ? []
      : settled.failure.message.replaceAll(fs.realpathSync(top), "").replaceAll(top, "").split("\n")
  }).pipe(Effect.scoped, Effect.provide([NodeFileSystem.layer, Path.layer]))

const escaped = (place: string, found = "a path outside of it", root = "/root/config") =>
  new RegExp(`${place}: expected a path in ${root}, found ${found}$`)

it.effect("an alerter writes to paths inside of the root only", () =>
  Effect.gen(function*() {
    for (const inside of ["state", "a/b/c.jsonl", "./x/../y", "..hidden", "self/x", "link/../x"]) {
      assert.deepEqual(yield* loading(`  jsonLines: { path: ${inside} }\n  store: ${inside}\n  dedupe: 1 minute`), [])
    }
    for (const outside of ["../state", "/tmp/nowhere/x", "link", "link/new/x", "self/link/x"]) {
      const [first = "", second = "", ...more] = yield* loading(
        `  store: ${outside}\n  dedupe: 1 minute\n  fanOut: [console, { jsonLines: { path: ${outside} } }]`
      )
      assert.match(first, escaped("2:10 alerter.store"), outside)
      assert.match(second, escaped("4:42 alerter.fanOut\\[1\\].jsonLines.path"), outside)
      assert.deepEqual(more, [])
    }
    const [dangling = ""] = yield* loading("  jsonLines: { path: dangling.jsonl }")
    assert.match(dangling, escaped("2:22 alerter.jsonLines.path", "a broken link"))
  }))

it.effect("allowOutside and another root permit other paths", () =>
  Effect.gen(function*() {
    const alerter = "  jsonLines: { path: ../alerts.jsonl }"
    assert.deepEqual(yield* loading(alerter, { root: "root" }), [])
    assert.deepEqual(yield* loading(alerter, { allowOutside: true }), [])
    assert.equal((yield* loading("  jsonLines: { path: ../../alerts.jsonl }", { root: "root" })).length, 1)
  }))

it.effect("an issue does not show a path from a variable", () =>
  Effect.gen(function*() {
    const lines = yield* loading("  jsonLines: { path: \"${FILE}\" }")
    assert.match(lines.join("\n"), escaped("2:22 alerter.jsonLines.path"))
    assert.ok(!lines.join("\n").includes(canary))
  }).pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ FILE: `/${canary}/x` })))))
