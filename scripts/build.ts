/**
 * Compiles `src` to `dist`, bundles the command, which then starts in a tenth of the time, and
 * writes the JSON Schema of config files, which editors read from a file.
 */
import { rm } from "node:fs/promises"
import { resolve } from "node:path"
import { ConfigFile } from "../src/config/index.ts"
import { bundle } from "./bundle.ts"
import { compile } from "./compile.ts"
import * as notices from "./notices.ts"
import { inputs as pageInputs } from "./page.ts"

await rm("dist", { recursive: true, force: true })
const library = await compile(resolve("dist"), { types: true })
await Bun.write("dist/epilogue.schema.json", `${JSON.stringify(ConfigFile.jsonSchema(), null, 2)}\n`)
notices.write([...await bundle("dist/cli", library), ...await pageInputs()])
