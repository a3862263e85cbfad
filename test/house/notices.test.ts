/** The licences of the packages that the command contains. */
import { expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { notices } from "../../scripts/notices.ts"

const withPackages = (files: Record<string, string>, use: (at: (name: string) => string) => void) => {
  const folder = mkdtempSync(join(tmpdir(), "notices-"))
  const at = (name: string) => join(folder, "node_modules", name)
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(at(name)), { recursive: true })
      writeFileSync(at(name), text)
    }
    use(at)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const manifest = (name: string, license: string) => JSON.stringify({ name, version: "1.2.3", license })

test("each package of a bundle is named once, with its licence, its notices and the comments on code of others", () => {
  const files = {
    "b/package.json": manifest("b", "MIT"),
    "b/LICENSE": "MIT of b",
    "b/index.js": "/* all is well */\nexport {}",
    "b/dist/other.js": "/* adapted from c: Copyright C */\nexport {}",
    "@a/a/package.json": manifest("@a/a", "Apache-2.0"),
    "@a/a/LICENSE.md": "Apache of a\r\n",
    "@a/a/NOTICE": "notice of a",
    "@a/a/index.js": "",
    "unused/package.json": manifest("unused", "MIT")
  }
  withPackages(files, (at) => {
    const inputs = [at("b/index.js"), at("b/dist/other.js"), at("@a/a/index.js"), join(import.meta.dir, "own.ts")]
    const text = notices([...inputs, ...inputs])
    const parts = [
      "@a/a 1.2.3 (Apache-2.0)",
      "Apache of a\n",
      "notice of a",
      "b 1.2.3 (MIT)",
      "MIT of b",
      "Copyright C"
    ]
    const places = parts.map((part) => text.indexOf(part))
    expect(places).not.toContain(-1)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(text.match(/ 1\.2\.3 /g)).toHaveLength(2)
    expect(text).not.toContain("all is well")
  })
})

test("a package whose licence asks for more, or is missing, is an error", () => {
  const files = {
    "strict/package.json": manifest("strict", "GPL-3.0-only"),
    "strict/LICENSE": "GPL",
    "strict/index.js": "",
    "bare/package.json": manifest("bare", "MIT"),
    "bare/index.js": ""
  }
  withPackages(files, (at) => {
    expect(() => notices([at("strict/index.js")])).toThrow("strict, whose licence GPL-3.0-only")
    expect(() => notices([at("bare/index.js")])).toThrow("bare, which has no file with its licence")
  })
})
