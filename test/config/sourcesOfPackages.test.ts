/** References of config files to exports of packages. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import nodeModule from "node:module"
import { test } from "node:test"
import { makeIt } from "../support/it.ts"
import { says, tree, valueOf, within } from "./sourcesSupport.ts"

const it = makeIt(test)

const manifest = (json: object) => JSON.stringify({ type: "module", ...json })

it.live("references to packages follow their exports, as the runtimes do", () =>
  Effect.gen(function*() {
    const base = yield* tree({
      "package.json": manifest({ name: "project", exports: { "./own": "./app/own.js" } }),
      "app/own.js": "export const x = 'own'",
      "app/config/.keep": "",
      "node_modules/esm-only/package.json": manifest({
        name: "esm-only",
        exports: {
          ".": { require: "./nope.cjs", import: { types: "./a.d.ts", default: "./a.js" } },
          "./features/*.js": "./src/*.js",
          "./features/private/*": null,
          "./out": "./../../escape.js",
          "./list": [{ unknown: "./nope.js" }, "./a.js"],
          "./runtime": { bun: "./bun.js", deno: "./deno.js", node: "./node.js" }
        }
      }),
      "node_modules/esm-only/a.js": "export const x = 'esm-only'; export default 'the default'",
      "node_modules/esm-only/src/b.js": "export const x = 'feature b'",
      "node_modules/esm-only/src/private/c.js": "",
      "node_modules/esm-only/bun.js": "export const x = 'bun'",
      "node_modules/esm-only/deno.js": "export const x = 'deno'",
      "node_modules/esm-only/node.js": "export const x = 'node'",
      "node_modules/escape.js": "",
      "node_modules/@acme/hooks/package.json": manifest({ exports: "./index.js" }),
      "node_modules/@acme/hooks/index.js": "export const x = '@acme'",
      "node_modules/old/package.json": JSON.stringify({ main: "./lib/main" }),
      "node_modules/old/lib/main.js": "exports.x = 'old'",
      "node_modules/old/lib/other.js": "exports.x = 'other'",
      "node_modules/bad.js/package.json": "{",
      "node_modules/chart.js/package.json": manifest({ exports: "./i.js" }),
      "node_modules/chart.js/i.js": "export default 'chart.js'",
      "app/node_modules/near/package.json": manifest({ exports: "./i.js" }),
      "app/node_modules/near/i.js": "export const x = 'near'",
      "node_modules/near/package.json": manifest({ exports: "./i.js" }),
      "node_modules/near/i.js": "export const x = 'far'",
      "elsewhere/linked/package.json": manifest({ exports: "./i.js" }),
      "elsewhere/linked/i.js": "export const x = 'linked'",
      "node_modules/linked": "->elsewhere/linked"
    })
    const options = within(`${base}/app/config`)
    const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node"
    const expected = {
      "esm-only#x": "esm-only",
      "esm-only": "the default",
      "esm-only/features/b.js#x": "feature b",
      "esm-only/list#x": "esm-only",
      "esm-only/runtime#x": runtime,
      "@acme/hooks#x": "@acme",
      "old#x": "old",
      "old/lib/other.js#x": "other",
      "old/lib/other#x": "other",
      "chart.js": "chart.js",
      "near#x": "near",
      "linked#x": "linked",
      "project/own#x": "own"
    }
    for (const [reference, value] of Object.entries(expected)) {
      assert.equal(yield* valueOf(reference, options), value, reference)
    }
    yield* says("esm-only/feature#x", options, "no esm-only/feature among", "esm-only/features/*.js")
    yield* says("esm-only/features/private/c.js#x", options, "among what the package exports")
    yield* says("esm-only/out#x", options, "among what the package exports")
    yield* says("esm-only/a.js#x", options, "among what the package exports")
    yield* says("old/lib/gone#x", options, "no file lib/gone in the package")
    yield* says("bad.js#x", options, "not valid JSON")
    yield* says("Near#x", options, "no package Near")
    yield* says("not-installed#x", options, "no package not-installed", "a path that begins with ./")
    yield* says("@acme/gone/deep#x", options, "no package @acme/gone")
    yield* says("fs#rmSync", options, "no package fs")
  }))

it.live("packages of Yarn's Plug'n'Play are found where that keeps them", () =>
  Effect.gen(function*() {
    const root = yield* tree({
      "job/package.json": "{}",
      "cache/hooks/package.json": JSON.stringify({ exports: "./hooks.js" }),
      "cache/hooks/hooks.js": "export const x = 'hooks'"
    })
    const options = within(`${root}/job`)
    const resolveToUnqualified = (name: string, issuer: string) => {
      assert.equal(issuer, `${root}/job/`)
      return name === "hooks" ? `${root}/cache/hooks/` : assert.fail("no dependency of the project")
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => Reflect.set(nodeModule, "findPnpApi", () => ({ resolveToUnqualified }))),
      () => Effect.sync(() => Reflect.deleteProperty(nodeModule, "findPnpApi"))
    )
    assert.equal(yield* valueOf("hooks#x", options), "hooks")
    yield* says("other#x", options, "no package other")
  }))
