/** docs/troubleshooting.md has an entry for each error that the library raises. */
import { expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import manifest from "../package.json" with { type: "json" }
import { storageReasons } from "../src/durable/internal/storage/storageFailed.ts"

const root = join(import.meta.dir, "..")

const page = readFileSync(join(root, "docs/troubleshooting.md"), "utf8")

const entries = [...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name!)

test("the entries of errors are in alphabetical order", () => {
  const [, section] = page.split(/^## Errors$|^## Reasons$/m)
  const names = [...section!.matchAll(/^### (\w+)$/gm)].map(([, name]) => name!)
  expect(names.length).toBeGreaterThan(20)
  expect(names).toEqual(names.toSorted((a, b) => a.toLowerCase().localeCompare(b.toLowerCase())))
})

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".gen.ts"))
  .map((file) => ({ file, text: readFileSync(join(root, "src", file), "utf8").replace(/\/\*\*[\s\S]*?\*\//g, "") }))

/** Returns the names of the error classes that a module exports, in its namespaces, too. */
const errorsOf = (module: object): ReadonlyArray<string> =>
  Object.entries(module).flatMap(([name, value]) =>
    typeof value === "function" && value.prototype instanceof Error
      ? [name]
      : typeof value === "object" && value !== null && Object.prototype.toString.call(value) === "[object Module]"
      ? errorsOf(value)
      : []
  )

test("each error class that the package exports has an entry", async () => {
  const areas = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
    typeof target === "object" && subpath.split("/").length <= 2 ? [target["@effect-epilogue/source"]] : []
  )
  const exported = (await Promise.all(areas.map((source) => import(join(root, source))))).flatMap(errorsOf)
  expect(exported.length).toBeGreaterThan(20)
  expect([...new Set(exported)].filter((name) => !entries.includes(name))).toEqual([])
})

test("each tag of an error in the sources has an entry", () => {
  const tags = sources.flatMap(({ text }) =>
    [...text.matchAll(/TaggedError(?:<\w+>\(\))?\(\s*"(\w+)"/g)].map(([, tag]) => tag!)
  )
  expect(tags.length).toBeGreaterThan(20)
  // the tag of Effect's own error, which a variable of the environment has in its place
  expect([...new Set(tags)].filter((tag) => tag !== "SchemaError" && !entries.includes(tag))).toEqual([])
})

test("each reason of an error has an entry", () => {
  const reasons = sources.flatMap(({ text }) =>
    [...text.matchAll(/ErrorReason = Data\.TaggedEnum<\{([\s\S]*?)^\}>/gm)]
      .flatMap(([, body]) => [...body!.matchAll(/^ {2}(\w+): \{/gm)].map(([, reason]) => reason!))
  )
  expect(reasons).toContain("RateLimited")
  expect(reasons).toContain("NotARecord")
  expect(reasons.filter((reason) => !entries.includes(reason))).toEqual([])
  expect(storageReasons.filter((reason) => !page.includes(`| \`${reason}\``))).toEqual([])
})

const all = sources.map(({ text }) => text).join("\n")

/** Returns what the first cells of a table quote and the sources do not have, apart from where they have a value. */
const unknownIn = (table: string): ReadonlyArray<string> =>
  [...table.matchAll(/^\| (.*?`.+?) +\| /gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map(([, message]) => message!)
  ).flatMap((message) => message.split(/ ?…"? ?/)).filter((piece) => piece.length > 3 && !all.includes(piece))

test("each line of the log that the page quotes is one of the library", () => {
  const table = page.split(/^## Lines of the log$/m)[1]!
  expect(table.match(/^\| .*`/gm)!.length).toBeGreaterThan(10)
  expect(unknownIn(table)).toEqual([])
})

test("each message that the page quotes is one of the library", () => {
  const effects = ["Service not found: effect-epilogue/", "An asynchronous Effect was executed with Effect.runSync"]
  const [, defects] = page.replace(/^## What the compiler says$[\s\S]*?^## /m, "## ").split(/^## Defects$/m)
  const quoted = [...defects!.matchAll(/^\| (`.+?) \| /gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map(([, message]) => message!)
  ).filter((message) => !effects.some((known) => message.startsWith(known)))
  expect(quoted.length).toBeGreaterThan(30)
  const pieces = quoted.flatMap((message) => message.split(/ ?…"? ?/)).filter((piece) => piece.length > 3)
  expect(pieces.filter((piece) => !all.includes(piece))).toEqual([])
})
