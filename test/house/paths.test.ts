/** Every path that the documents for contributors name exists. */
import { Glob } from "bun"
import { expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"

const root = join(import.meta.dir, "..", "..")

const documents = [
  "AGENTS.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...[...new Glob("docs/**/*.md").scanSync(root)].toSorted()
]

const topLevel = readdirSync(root)

/** Returns the paths in a document: links, relative to the document, and code that begins with a name of the root. */
const pathsIn = (document: string): ReadonlyArray<string> => {
  const prose = readFileSync(join(root, document), "utf8").replace(/^```[\s\S]*?^```/gm, "")
  const links = [...prose.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link]) =>
    normalize(join(dirname(document), link!))
  )
  const code = [...prose.matchAll(/`([^`]+)`/g)]
    .flatMap(([, text]) => text!.split(/[\s,]+/))
    .filter((word) => word.includes("/") && topLevel.includes(word.split("/")[0]!) || topLevel.includes(word))
  return [...links, ...code]
}

const isThere = (path: string) =>
  /[*{]/.test(path) ? [...new Glob(path).scanSync({ cwd: root, dot: true })].length > 0 : existsSync(join(root, path))

test.each(documents)("%s names paths that exist", (document) => {
  expect(pathsIn(document).filter((path) => !isThere(path))).toEqual([])
})

test("paths are found in links and in code", () => {
  expect(pathsIn("AGENTS.md")).toContain("docs/architecture.md")
  expect(pathsIn("AGENTS.md")).toContain("src/internal/engine/")
  expect(pathsIn("CONTRIBUTING.md")).toContain("test/types/*.tst.ts")
  expect(isThere("src/nothing.ts")).toBe(false)
  expect(isThere("src/nothing/*.ts")).toBe(false)
})
