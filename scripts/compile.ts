/** Compiles `src` without the command, as it is published. */
import { $, Glob } from "bun"
import { join } from "node:path"
import manifest from "../package.json" with { type: "json" }
import { imported } from "./bundle.ts"
import * as parts from "./parts.ts"
import * as patterns from "./patterns.ts"
import { marked } from "./pure.ts"

const root = join(import.meta.dirname, "..")

/**
 * Removes the call of a helper, which tsc puts around a specifier that is no literal and which isn't emitted: none of
 * those is the path of a source. Any other helper would be missing when the module runs.
 */
const withoutHelper = (path: string, code: string): string => {
  const text = code.replace(/__rewriteRelativeImportExtension\(((?:\/\*.*?\*\/ )*\w+)\)/g, "$1")
  const [other] = /\b__(?:rewriteRelative|await|async|addDisposable|disposeResources|esDecorate)\w*\(/.exec(text) ?? []
  if (other !== undefined) throw new Error(`${path} calls ${other}…), a helper of tsc that is not emitted`)
  return text
}

/** Returns the modules that are subpaths of the package. */
const subpaths = (): ReadonlyArray<string> =>
  Object.values(manifest.exports).flatMap((conditions) =>
    typeof conditions === "string" || !("default" in conditions) ? [] : [conditions.default.replace("./dist/", "")]
  )

/** Writes the JavaScript of the library to a folder that does not exist. With `types`, declarations, too. */
export const compile = async (folder: string, { types }: { readonly types: boolean }): Promise<parts.Library> => {
  const without = types ? [] : ["--noCheck", "--declaration", "false", "--declarationMap", "false"]
  await $`tsc -p tsconfig.build.json --outDir ${folder} ${without}`.cwd(root)
  for (const path of new Glob("**/*.js").scanSync({ cwd: folder, absolute: true })) {
    await Bun.write(path, marked(patterns.rewritten(withoutHelper(path, await Bun.file(path).text()))))
  }
  // tsc leaves `.ts` in the imports of declaration files, which not every editor follows
  for (const path of new Glob("**/*.d.ts").scanSync({ cwd: folder, absolute: true })) {
    const text = await Bun.file(path).text()
    await Bun.write(path, text.replace(/((?:from |import\()"\.\.?\/[^"]+)\.ts"/g, "$1.js\""))
  }
  const { atOnce, later } = await imported()
  return parts.write(folder, { subpaths: subpaths(), commands: atOnce, later })
}
