import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { setImmediate } from "node:timers/promises"
import { load, module, resolve } from "../../src/config/internal/modules/modules.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"
import { inWords, problemOf, says, services, tree, valueOf, within } from "./sourcesSupport.ts"

const it = makeIt(test)

const fixtureFolder = decodeURIComponent(new URL("fixtures", import.meta.url).pathname)

// -----------------------------------------------------------------------------
// forms of references
// -----------------------------------------------------------------------------

it.live("each form of reference finds its export", () =>
  Effect.gen(function*() {
    const root = yield* tree({
      "a.ts": "export const name: string = 'a.ts'; export default 'default of a.ts'",
      "b.js": "export const name = 'b.js'",
      "c.mjs": "export const name = 'c.mjs'",
      "d.mts": "export const name: string = 'd.mts'",
      "sub/e.ts": "export const name = 'sub/e.ts'; export const of = { inner: { it: 'member' } }",
      "with space/100%25 #1.ts": "export const name = 'odd'; export { name as défaut }",
      "my.hooks.ts": "export const name = 'dots'"
    })
    const expected = {
      "./a.ts#name": "a.ts",
      "./a.ts#default": "default of a.ts",
      "./a.ts": "default of a.ts",
      "./b.js#name": "b.js",
      "./c.mjs#name": "c.mjs",
      "./d.mts#name": "d.mts",
      "./sub/../sub//e.ts#name": "sub/e.ts",
      "./sub/e.ts#of.inner.it": "member",
      "./with space/100%25 #1.ts#name": "odd",
      "./with space/100%25 #1.ts#défaut": "odd",
      "./my.hooks.ts#name": "dots",
      [`${root}/a.ts#name`]: "a.ts",
      [`file://${root}/a.ts#name`]: "a.ts",
      [`FILE://${root}/a.ts`]: "default of a.ts",
      [`file://${root}/with%20space/100%2525%20%231.ts#d%C3%A9faut`]: "odd",
      "a.name": "a.ts",
      "sub.e.name": "sub/e.ts",
      "sub.e.of.inner.it": "member"
    }
    for (const [reference, value] of Object.entries(expected)) {
      assert.equal(yield* valueOf(reference, within(root)), value, reference)
    }
    assert.equal(yield* valueOf("../a.ts#name", within(`${root}/sub`, { root })), "a.ts")
  }))

it.live("a dotted reference finds the longest path, and TypeScript before JavaScript", () =>
  Effect.gen(function*() {
    const root = yield* tree({
      "x.ts": "export const y = { z: 'member of x.ts' }",
      "x/y.js": "export const z = 'x/y.js'",
      "x/y.ts": "export const z = 'x/y.ts'"
    })
    assert.equal(yield* valueOf("x.y.z", within(root)), "x/y.ts")
    assert.deepEqual(yield* valueOf("x.y", within(root)), { z: "member of x.ts" })
    const page = yield* valueOf("alerts.on_call.page", within(fixtureFolder))
    assert.equal((page as () => string)(), "page of alerts/on_call.ts")
    yield* says("alerts.oncall.page", within(fixtureFolder), "no ./alerts/oncall.ts", "the export page")
  }))

it.live("epilogue#name finds a standard hook, or suggests one", () =>
  Effect.gen(function*() {
    const options = within(fixtureFolder)
    for (const name of ["alerterSuccess", "alerterFailure", "alerter"]) {
      assert.ok(yield* valueOf(`epilogue#${name}`, options), name)
    }
    yield* says("epilogue#alerterFailed", options, "epilogue#alerterSuccess", "did you mean alerterFailure")
    yield* says("epilogue#constructor", options, "one of")
    yield* says("epilogue", options, "one of epilogue#alerterSuccess")
  }))

it.live("malformed and remote references are refused", () =>
  Effect.gen(function*() {
    const root = yield* tree({ "hooks.ts": "export const x = 1", "data.json": "{}", "bare": "", "lib/a.ts": "" })
    const refused: Readonly<Record<string, ReadonlyArray<string>>> = {
      "": ["empty"],
      "./hooks.ts#": ["ends at the #"],
      "#x": ["begins with the #"],
      ".\\hooks.ts#x": ["backslashes", "./hooks.ts#x"],
      "C:\\etl\\hooks.ts#x": ["backslashes"],
      "C:/etl/hooks.ts#x": ["drive"],
      "//server/share/hooks.ts#x": ["another machine"],
      "file://server/share/h.ts#x": ["another machine"],
      "http://evil.test/h.ts#x": ["a http: URL", "remote modules are not loaded"],
      "HTTPS://evil.test/h.ts#x": ["a https: URL"],
      "data:text/javascript,export const x = 1#x": ["a data: URL"],
      "node:fs#rmSync": ["a node: URL"],
      "npm:left-pad#x": ["a npm: URL"],
      "jsr:@a/b#x": ["a jsr: URL"],
      "./hooks.ts\u0000.png#x": ["control characters"],
      "./ho\nok.ts#x": ["control characters"],
      "~/hooks.ts#x": ["no package ~"],
      "pkg/../../hooks.ts#x": ["\"..\" in"],
      "pkg/node_modules/other#x": ["node_modules"],
      "@scope#x": ["a reference such as"],
      "hooks.ts#x": ["./hooks.ts#x"],
      [`file://${root}/hooks.ts?v=2#x`]: ["query"],
      [`file://${root}%2fhooks.ts#x`]: ["encoded separator"],
      [`file://${root}/%E0%A4%A.ts#x`]: ["percent-encoding"],
      "./#x": ["folder"],
      ".#x": ["folder"],
      "./lib#x": ["folder"],
      "./data.json#x": [".json", ".ts, .mts"],
      "./bare#x": ["extension"]
    }
    for (const [reference, words] of Object.entries(refused)) yield* says(reference, within(root), ...words)
  }))

it.live("for any text the module is inside of the root, or the reference is a problem", () =>
  Effect.gen(function*() {
    const root = yield* tree({ "root/a.ts": "", "root/b/c.ts": "", "out.ts": "" })
    const parts = [
      "./",
      "../",
      "/",
      "a.ts",
      "b",
      "c.ts",
      "out.ts",
      "#",
      "x",
      ".",
      "\\",
      "file://",
      root,
      "%2e",
      "@",
      " "
    ]
    yield* forAll(
      Schema.Array(Schema.Union([Schema.Literals(parts), Schema.String])),
      (texts) =>
        Effect.map(
          Effect.result(Effect.provide(resolve(texts.join(""), within(`${root}/root`)), services)),
          (result) => {
            if (result._tag === "Failure") assert.ok(result.failure.found !== "" && result.failure.expected !== "")
            // of what may be a package, Deno alone says whether there is one
            else if (!("Deno" in globalThis) || !result.success.url.startsWith("data:")) {
              assert.ok(result.success.url.startsWith(`file://${root}/root/`), result.success.url)
            }
          }
        ),
      300
    )
  }))

// -----------------------------------------------------------------------------
// paths
// -----------------------------------------------------------------------------

it.live("no path, URL or link leads to a module outside of the root", () =>
  Effect.gen(function*() {
    const base = yield* tree({
      "out/secret.ts": "export const x = 'outside'",
      "root/in.ts": "export const x = 'inside'",
      "root/link.ts": "->out/secret.ts",
      "root/folder": "->out",
      "root/fine.ts": "->root/in.ts",
      "root/dangling.ts": "->gone.ts",
      "rooted/x.ts": "export const x = 'beside'",
      "alias": "->root"
    })
    const options = within(`${base}/root`)
    const ways = {
      "../out/secret.ts#x": "outside",
      "./../out/secret.ts#x": "outside",
      "./sub/../../out/secret.ts#x": "outside",
      "../rooted/x.ts#x": "outside",
      "../out/gone.ts#x": "outside",
      "./folder/secret.ts#x": "a link to outside",
      "./link.ts#x": "a link to outside",
      [`${base}/out/secret.ts#x`]: "outside",
      [`file://${base}/out/secret.ts#x`]: "outside",
      [`file://${base}/root/%2e%2e/out/secret.ts#x`]: "outside",
      "folder.secret.x": "a link to outside"
    }
    for (const [reference, words] of Object.entries(ways)) {
      yield* says(reference, options, words, `a file in ${base}/root`)
      if (reference.includes("secret")) {
        assert.equal(yield* valueOf(reference, { ...options, allowOutside: true }), "outside", reference)
      }
    }
    assert.equal(yield* valueOf("./fine.ts#x", options), "inside")
    yield* says("./dangling.ts#x", options, "can't be opened (NotFound)")
    // the same folder with and without links
    const names = [`${base}/root`, `${base}/alias`]
    for (const [folder, root] of names.flatMap((folder) => names.map((root) => [folder, root] as const))) {
      assert.equal(yield* valueOf("./in.ts#x", within(folder, { root })), "inside")
      assert.equal(yield* valueOf(`${root}/in.ts#x`, within(folder, { root })), "inside")
    }
  }))

it.live("a missing file or export is a problem with a suggestion", () =>
  Effect.gen(function*() {
    const root = yield* tree({
      "Hooks/onCall.ts": "export const pageOnCall = 1, celebrate = 2",
      "empty.ts": "export {}"
    })
    const options = within(root)
    yield* says("./Hooks/oncall.ts#x", options, "no \"oncall.ts\"", "did you mean onCall.ts?")
    yield* says("./Hooks/onCall#x", options, "did you mean onCall.ts?")
    yield* says("./Hooks/onCall.js#x", options, "did you mean onCall.ts?")
    yield* says("./hooks/onCall.ts#x", options, "no \"hooks\"", "a folder in", "did you mean Hooks?")
    yield* says(
      "./Hooks/onCall.ts#pageOnCal",
      options,
      "no export",
      "celebrate, pageOnCall",
      "did you mean pageOnCall?"
    )
    yield* says("./Hooks/onCall.ts", options, "no default export", "exports celebrate, pageOnCall")
    yield* says("./Hooks/onCall.ts#__proto__", options, "no export \"__proto__\"")
    yield* says("./Hooks/onCall.ts#pageOnCall.constructor", options, "no export")
    yield* says("./empty.ts#x", options, "the module exports nothing")
    yield* says("./nothing-like-it.ts#x", options, `a module in ${root}`)
  }))

// -----------------------------------------------------------------------------
// loading
// -----------------------------------------------------------------------------

it.effect("a channel in the place of a hook is told where it goes", () =>
  Effect.gen(function*() {
    const root = yield* tree({})
    yield* says(
      "slack",
      within(root),
      "expected epilogue#alerter, with alerter: slack in the file, found the channel slack"
    )
  }))

it.live("an error of a module is a problem with its message, and the place where it was made", () =>
  Effect.gen(function*() {
    const root = yield* tree({
      "throws.ts": "export const x = 1\nthrow new Error('no \\u001b[31mdatabase\\nat hand')",
      "text.ts": "throw 'just text'",
      "nothing.ts": "throw null",
      "syntax.ts": "export const x = ;",
      "rows.ts": "\n\nexport const rows = (() => { throw new TypeError('no rows') })()",
      "json.ts": "\n\n\nexport const x = JSON.parse('{')",
      "deep.ts": "export { rows } from './rows.ts'",
      "deepSyntax.ts": "export { x } from './syntax.ts'",
      "import.ts": "import { y } from './gone.ts'; export const x = y"
    })
    yield* says("./throws.ts#x", within(root), "an error while \"./throws.ts#x\" was loaded", "no database at hand")
    yield* says("./text.ts#x", within(root), "just text")
    yield* says("./nothing.ts#x", within(root), "it threw null")
    yield* says("./syntax.ts#x", within(root), "an error while")
    yield* says("./deep.ts#rows", within(root), "no rows, at", "rows.ts:3:")
    yield* says("./json.ts#x", within(root), ", at", "json.ts:4:")
    yield* says("./deepSyntax.ts#x", within(root), "an error while", "syntax.ts:1")
    yield* says("./import.ts#x", within(root), "an error while", "gone.ts")
  }))

it.effect("a module that never ends loading fails after ten seconds, and at once when it is loaded again", () =>
  Effect.gen(function*() {
    const root = yield* tree({
      "hangs.ts": "export const x = 1; await new Promise((finish) => { globalThis.finish = finish })"
    })
    const source = yield* Effect.provide(resolve("./hangs.ts#x", within(root)), services)
    const both = Effect.flip(Effect.andThen(Effect.exit(load(source)), load(source)))
    const fiber = yield* Effect.forkChild(both)
    yield* TestClock.adjust("9999 millis")
    assert.equal(fiber.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 millis")
    assert.match(
      inWords(yield* Fiber.join(fiber)),
      /a module that loads, found ".\/hangs.ts#x", which was still loading/
    )
    const again = yield* Effect.forkChild(Effect.flip(load(source)))
    yield* TestClock.adjust("0 millis")
    assert.match((yield* Fiber.join(again)).found, /still loading/)
    // Let the module end, since Deno reports a top-level await that never resolves.
    yield* Effect.promise(async () => {
      // The module may not have started yet: it is read on the real clock.
      while (!Reflect.has(globalThis, "finish")) await setImmediate()
      Reflect.get(globalThis, "finish")()
      await import(source.url)
    })
    assert.equal(yield* load(source), 1)
  }))

it.live("a module runs once, even if it fails, and all its exports can be read", () =>
  Effect.gen(function*() {
    const root = yield* tree({
      "once.ts": "globalThis.timesLoaded = (globalThis.timesLoaded ?? 0) + 1; export const a = 1; export const b = 2",
      "fails.ts": "globalThis.timesFailed = (globalThis.timesFailed ?? 0) + 1; throw new Error('no')"
    })
    const options = within(root)
    const times = (name: string) => Reflect.get(globalThis, name)
    assert.deepEqual(yield* Effect.all([valueOf("./once.ts#a", options), valueOf("once.b", options)]), [1, 2])
    const source = yield* Effect.provide(resolve(`file://${root}/once.ts#a`, options), services)
    assert.deepEqual({ ...(yield* module(source)) }, { a: 1, b: 2 })
    assert.equal(times("timesLoaded"), 1)
    yield* problemOf("./fails.ts#a", options)
    yield* problemOf("./fails.ts#b", options)
    assert.equal(times("timesFailed"), 1)
  }))
