/**
 * Compiles `src` to `dist`, bundles the command, which then starts in a tenth of the time, and
 * writes the JSON Schema of config files, which editors read from a file.
 */
import { $, Glob } from "bun"
import { ConfigFile } from "../src/config/index.ts"
import { bundle } from "./bundle.ts"
import * as notices from "./notices.ts"

await $`rm -rf dist`
await $`tsc -p tsconfig.build.json`

// tsc leaves `.ts` in the imports of declaration files, which not every editor follows
for await (const path of new Glob("dist/**/*.d.ts").scan()) {
  const text = await Bun.file(path).text()
  await Bun.write(path, text.replace(/((?:from |import\()"\.\.?\/[^"]+)\.ts"/g, "$1.js\""))
}

await Bun.write("dist/epilogue.schema.json", `${JSON.stringify(ConfigFile.jsonSchema(), null, 2)}\n`)
notices.write(await bundle("dist/cli"))
