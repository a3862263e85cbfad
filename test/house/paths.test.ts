/** Every path that the documents name exists, each link to a heading finds it, and the index of docs/ has all pages. */
import { Glob } from "bun"
import { expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { anchors } from "../../scripts/site/anchors.ts"
import { externalFault } from "../../scripts/site/links.ts"

const root = join(import.meta.dir, "..", "..")

const documents = [
  "README.md",
  "AGENTS.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...[...new Glob("docs/**/*.md").scanSync(root)].toSorted()
]

// without what is built, perhaps just now, by a script beside this one
const topLevel = readdirSync(root).filter((name) => name !== "dist")

/** Returns a document without its blocks of code. */
const prose = (document: string): string => readFileSync(join(root, document), "utf8").replace(/^```[\s\S]*?^```/gm, "")

/** Returns the paths in a document: links, relative to the document, and code that begins with a name of the root. */
const pathsIn = (document: string): ReadonlyArray<string> => {
  const text = prose(document)
  const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link]) =>
    normalize(join(dirname(document), link!))
  )
  const code = [...text.matchAll(/`([^`]+)`/g)]
    .flatMap(([, text]) => text!.split(/[\s,]+/))
    // the commands of packages are in the project of the reader
    .filter((word) => !word.startsWith("node_modules/.bin/"))
    .filter((word) => word.includes("/") && topLevel.includes(word.split("/")[0]!) || topLevel.includes(word))
  return [...links, ...code]
}

const isThere = (path: string) =>
  /[*{]/.test(path) ? [...new Glob(path).scanSync({ cwd: root, dot: true })].length > 0 : existsSync(join(root, path))

test.each(documents)("%s names paths that exist", (document) => {
  expect(pathsIn(document).filter((path) => !isThere(path))).toEqual([])
})

/** Returns the anchors that GitHub gives to the headings of a document. */
const anchorsOf = (document: string): ReadonlySet<string> => {
  const anchorOf = anchors()
  return new Set([...prose(document).matchAll(/^#+ (.+)$/gm)].map(([, title]) => anchorOf(title!)))
}

/** Returns the links of a document to headings that are not there. */
const missingHeadings = (document: string): ReadonlyArray<string> =>
  [...prose(document).matchAll(/\]\(([^)#:]*)#([^)]+)\)/g)].flatMap(([link, path, anchor]) => {
    const target = path === "" ? document : normalize(join(dirname(document), path!))
    return existsSync(join(root, target)) && anchorsOf(target).has(anchor!) ? [] : [link]
  })

test.each(documents)("%s links to headings that exist", (document) => {
  expect(missingHeadings(document)).toEqual([])
})

test.each(documents)("%s links to other sites by their addresses", (document) => {
  const links = [...prose(document).matchAll(/\]\(([a-z][a-z+.-]*:[^)]*)\)/g)].map(([, href]) => href!)
  expect(links.filter((href) => externalFault(href) !== undefined)).toEqual([])
})

test("docs/README.md has all pages", () => {
  const index = prose("docs/README.md")
  const pages = readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md"))
  const forContributors = ["README.md", "architecture.md"]
  expect(pages.filter((page) => !forContributors.includes(page) && !index.includes(`](${page})`))).toEqual([])
})

test("anchors are those of GitHub", () => {
  expect([...anchorsOf("AGENTS.md")]).toEqual([
    "for-agents-and-for-people-in-a-hurry",
    "commands",
    "layers",
    "output",
    "budgets",
    "words",
    "code"
  ])
  expect(missingHeadings("docs/exec.md")).toEqual([])
  expect(anchorsOf("docs/exec.md").has("no-such-heading")).toBe(false)
})

test("paths are found in links and in code", () => {
  expect(pathsIn("AGENTS.md")).toContain("docs/architecture.md")
  expect(pathsIn("AGENTS.md")).toContain("src/internal/engine/")
  expect(pathsIn("CONTRIBUTING.md")).toContain("test/types/*.tst.ts")
  expect(isThere("src/nothing.ts")).toBe(false)
  expect(isThere("src/nothing/*.ts")).toBe(false)
})
