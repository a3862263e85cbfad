/**
 * Compiles `src` to `dist`. tsc leaves `.ts` in the imports of declaration files,
 * which not every editor follows, so these are made `.js` afterwards.
 */
import { $, Glob } from "bun"

await $`rm -rf dist`
await $`tsc -p tsconfig.build.json`

for await (const path of new Glob("dist/**/*.d.ts").scan()) {
  const text = await Bun.file(path).text()
  await Bun.write(path, text.replace(/((?:from |import\()"\.\.?\/[^"]+)\.ts"/g, "$1.js\""))
}
