/**
 * Compares the size of each module, in bytes, minified and compressed, with its budget. `own`
 * counts the code of this package, `total` the code of effect that it loads, too. A module may
 * load `Schema` only if its budget says so.
 */
import * as esbuild from "esbuild"
import * as path from "node:path"
import { gzipSync } from "node:zlib"

interface Budget {
  readonly own: number
  readonly total: number
  readonly schema?: boolean
}

const modules: Record<string, Budget> = {
  Alert: { own: 1950, total: 9100 },
  Alerter: { own: 10750, total: 28500 },
  "alerters/index": { own: 33300, total: 84600, schema: true },
  AlerterHooks: { own: 15750, total: 35300 },
  Approver: { own: 21100, total: 42050 },
  "approvers/index": { own: 43410, total: 94300, schema: true },
  "config/index": { own: 89800, total: 150150, schema: true },
  "delivery/index": { own: 22800, total: 59750, schema: true },
  "durable/index": { own: 43800, total: 167300, schema: true },
  Hook: { own: 1400, total: 15050 },
  Hooks: { own: 1810, total: 12500 },
  Params: { own: 3950, total: 38250, schema: true },
  Pipeline: { own: 16570, total: 36050 },
  "report/index": { own: 50900, total: 86600, schema: true },
  RunEvent: { own: 6950, total: 25400 },
  Step: { own: 17500, total: 37800 },
  StepContext: { own: 420, total: 13500 },
  index: { own: 34300, total: 75200, schema: true }
}

/** Scripts that import the index. A bundler must drop everything that they don't use. */
const scripts: Record<string, Budget & { readonly code: string }> = {
  "a step with a hook": {
    code: `
      import * as Effect from "effect/Effect"
      import { Step } from "./src/index.ts"
      Step.make("load", Effect.void).pipe(Step.onFailure(Effect.logError), Effect.runPromise)
    `,
    own: 17500,
    total: 37900
  }
}

const bundle = async (contents: string, external: Array<string>) => {
  const { metafile, outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir: path.resolve(import.meta.dirname, "..") },
    bundle: true,
    minify: true,
    format: "esm",
    // optional peers and the runtime's modules, which no bundle contains
    external: [...external, "nodemailer", "yaml", "@resvg/resvg-js", "node:*"],
    metafile: true,
    write: false
  })
  const [output] = Object.values(metafile.outputs)
  return {
    size: gzipSync(outputFiles[0]!.contents).length,
    loaded: Object.keys(metafile.inputs),
    kept: Object.entries(output!.inputs).flatMap(([input, { bytesInOutput }]) => bytesInOutput > 0 ? [input] : [])
  }
}

const isSchema = (input: string) => /\/effect\/dist\/(internal\/)?schema/i.test(input)
const cell = (size: number, budget: number) => `${size}`.padStart(8) + ` of ${budget}`.padEnd(10)

let failed = false
const check = async (name: string, budget: Budget, code: string, inputs: "loaded" | "kept") => {
  const [own, total] = await Promise.all([bundle(code, ["effect/*"]), bundle(code, [])])
  const schema = budget.schema === true ? [] : total[inputs].filter(isSchema)
  const ok = own.size <= budget.own && total.size <= budget.total && schema.length === 0
  console.log(
    `${ok ? "✓" : "✗"} ${name.padEnd(20)}${cell(own.size, budget.own)}${cell(total.size, budget.total)}`,
    ...schema
  )
  failed ||= !ok
}

console.log(`  ${"".padEnd(20)}     own               total`)
for (const [name, budget] of Object.entries(modules)) {
  await check(name, budget, `export * from "./src/${name}.ts"`, "loaded")
}
for (const [name, budget] of Object.entries(scripts)) await check(name, budget, budget.code, "kept")
process.exitCode = failed ? 1 : 0
