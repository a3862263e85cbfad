/**
 * Builds the site of the docs in `dist-docs/`: the pages of `README.md` and `docs/`, the API reference, and a search that
 * needs no server. Exits with 1, and writes nothing, if a link of it is broken.
 *
 *     bun scripts/docs.ts [FOLDER]
 */
import { rmSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { build, write } from "./site/build.ts"
import { brokenLinks } from "./site/links.ts"
import { root } from "./site/pages.ts"
import { reference } from "./site/reference.ts"

const folder = join(root, process.argv[2] ?? "dist-docs")

const { broken, site } = await build(reference())
const faults = [...broken, ...brokenLinks(site)]
if (faults.length > 0) {
  for (const fault of faults) console.error(fault)
  console.error(`broken links: ${faults.length}`)
  process.exit(1)
}

rmSync(folder, { recursive: true, force: true })
write(site, folder)
const bytes = [...site.values()].reduce((sum, content) => sum + content.length, 0)
console.log(`${folder}: ${site.size} files, ${(bytes / 1e6).toFixed(1)} MB`)
