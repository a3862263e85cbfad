/** `npm test` runs each file of tests once, but for those that it leaves to `npm run test:slow`. */
import { Glob } from "bun"
import { expect, test } from "bun:test"
import { join } from "node:path"
import manifest from "../../package.json" with { type: "json" }

const root = join(import.meta.dir, "../..")

const ignoring = "--path-ignore-patterns="

/** Returns whether a script of `bun test` runs a file. Its arguments are parts of paths. */
const selects = (script: string): (file: string) => boolean => {
  const words = script.split(/\s+/).map((word) => word.replaceAll("'", "").replace(/^\.\//, ""))
  const parts = words.slice(2).filter((word) => !word.startsWith("--"))
  const ignored = words.flatMap((word) => word.startsWith(ignoring) ? [new Glob(word.slice(ignoring.length))] : [])
  return (file) =>
    (parts.length === 0 || parts.some((part) => file.includes(part))) && !ignored.some((glob) => glob.match(file))
}

test("npm test runs each file of tests in one script of bun test, unless its name has .slow", () => {
  const named = Object.entries(manifest.scripts)
  const scripts = named.filter(([name, script]) =>
    script.startsWith("bun test ") && manifest.scripts.test.split(" ").includes(name)
  )
  const lanes = scripts.map(([name, script]) => ({ name, runs: selects(script) }))
  const files = [...new Glob("test/**/*.test.ts").scanSync(root)].map((file) => file.replaceAll("\\", "/"))
  expect(files.length).toBeGreaterThan(300)
  const wrong = files.toSorted().flatMap((file) => {
    const within = lanes.filter(({ runs }) => runs(file)).map(({ name }) => name)
    return within.length === (file.endsWith(".slow.test.ts") ? 0 : 1) ? [] : [`${file}: ${within.join(", ") || "none"}`]
  })
  expect(wrong).toEqual([])
})
