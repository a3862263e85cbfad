/**
 * Compares sizes, in bytes, minified and compressed, with their budgets: of each module, and of scripts as a user's
 * bundler makes them. Both are of the compiled library, as it is published.
 *
 * Of a module, `own` counts the code of this package, `total` the code of effect that it loads, too. A module may load
 * `Schema` only if its budget says so. Of a script, what counts is how much more it takes than the same script without
 * the library, or without the import in question.
 */
import * as esbuild from "esbuild"
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import * as path from "node:path"
import process from "node:process"
import { gzipSync } from "node:zlib"
import { compile } from "./compile.ts"

interface Budget {
  readonly own: number
  readonly total: number
  readonly schema?: boolean
}

const modules: Record<string, Budget> = {
  Alert: { own: 2570, total: 9843 },
  Alerter: { own: 13244, total: 29317 },
  "alerters/index": { own: 65470, total: 99880, schema: true },
  AlerterHooks: { own: 27830, total: 48110 },
  Approver: { own: 12510, total: 30010 },
  "approvers/index": { own: 41040, total: 96610, schema: true },
  "config/index": { own: 176400, total: 234740, schema: true },
  "delivery/index": { own: 52400, total: 89750, schema: true },
  "durable/index": { own: 99080, total: 215900, schema: true },
  Hook: { own: 14340, total: 33500 },
  Hooks: { own: 3700, total: 20150 },
  "main/index": { own: 19370, total: 34380 },
  "monitors/index": { own: 35130, total: 69000, schema: true },
  Params: { own: 5032, total: 37958, schema: true },
  Pipeline: { own: 28100, total: 49810 },
  "report/index": { own: 81540, total: 117420, schema: true },
  RunEvent: { own: 7401, total: 25750 },
  Spans: { own: 27404, total: 47049 },
  Step: { own: 30240, total: 49705 },
  StepContext: { own: 430, total: 12400 },
  StepLogs: { own: 6097, total: 19564 },
  index: { own: 59790, total: 102060, schema: true }
}

/** A script whose size counts beyond that of another one. */
interface Script {
  readonly name: string
  readonly code: string
  readonly without: string
  readonly budget: number
  /** The most that it should take, which the budget may be below. */
  readonly goal?: number
}

const root = path.resolve(import.meta.dirname, "..")
// inside the project, so that effect is found
mkdirSync(path.join(root, "tmp"), { recursive: true })
const folder = mkdtempSync(path.join(root, "tmp", "size-"))
process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
await compile(folder, { types: false })

const compiled = (module: string) => JSON.stringify(path.join(folder, `${module}.js`))

const withEffect = `
  import * as Effect from "effect/Effect"
  const body = Effect.gen(function*() {
    yield* Effect.log("loading")
    return yield* Effect.fail("unreachable")
  })
  const told = (cause) => Effect.logError(cause)
`
const bySubpath = ["Step", "Pipeline"].map((name) => `import * as ${name} from ${compiled(name)}`).join("\n")
const byRoot = `import { Pipeline, Step } from ${compiled("index")}`
const pipeline = `
  const pipeline = Pipeline.make("nightly", Step.make("load", body).pipe(Step.onFailure(told))).pipe(
    Pipeline.onFailure(told)
  )
`
const alerting = `
  import * as AlerterHooks from ${compiled("AlerterHooks")}
  const alerted = Step.onFailure(Step.make("extract", body), AlerterHooks.failure)
`
const slack = (by: string, layer: string) => `
  ${by}
  Effect.runPromise(Effect.provide(Effect.andThen(alerted, pipeline), ${layer}))
`
const ofArea = `import { Slack } from ${compiled("alerters/index")}`
const ofChannel = `import * as Slack from ${compiled("alerters/Slack")}`
const run = "Effect.runPromise(pipeline)"
const steps = withEffect + bySubpath + pipeline
const alone = `${withEffect} Effect.runPromise(Effect.onError(body, told))`
const address = "Slack.layer({ webhookUrl: globalThis.address })"

const scripts: ReadonlyArray<Script> = [
  { name: "Step and Pipeline by subpath", code: steps + run, without: alone, budget: 27700, goal: 27_700 },
  { name: "Step and Pipeline by the root", code: withEffect + byRoot + pipeline + run, without: alone, budget: 40290 },
  {
    name: "Slack.layer",
    code: steps + alerting + slack(ofArea, address),
    without: steps + run,
    budget: 45000,
    goal: 45_000
  },
  {
    name: "Slack.layerConfig",
    code: steps + alerting + slack(ofArea, "Slack.layerConfig()"),
    without: steps + run,
    budget: 45000,
    goal: 45_000
  },
  {
    name: "Slack.layer by subpath",
    code: steps + alerting + slack(ofChannel, address),
    without: steps + run,
    budget: 41700,
    goal: 45_000
  }
]

/** Leaves effect outside, without the imports that nothing uses. */
const outside: esbuild.Plugin = {
  name: "outside",
  setup: (build) =>
    build.onResolve({ filter: /^effect\// }, ({ path }) => ({ path, external: true, sideEffects: false }))
}

/** Leaves outside what a module of ours loads later, when a function of it needs that. */
const later: esbuild.Plugin = {
  name: "later",
  setup: (build) =>
    build.onResolve(
      { filter: /^\.\.?\// },
      ({ kind, path }) => kind === "dynamic-import" ? { path, external: true } : undefined
    )
}

const bundle = async (contents: string, plugins: Array<esbuild.Plugin> = []) => {
  const { metafile, outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    format: "esm",
    // optional peers and the runtime's modules, which no bundle contains
    external: ["nodemailer", "yaml", "@resvg/resvg-js", "node:*"],
    plugins: [later, ...plugins],
    metafile: true,
    write: false
  })
  return { size: gzipSync(outputFiles[0]!.contents).length, loaded: Object.keys(metafile.inputs) }
}

const isSchema = (input: string) => /\/effect\/dist\/(internal\/)?schema/i.test(input)
const cell = (size: number, budget: number) => `${size}`.padStart(8) + ` of ${budget}`.padEnd(10)
const line = (ok: boolean, name: string, ...cells: ReadonlyArray<string>) => {
  console.log(`${ok ? "✓" : "✗"} ${name.padEnd(32)}${cells.join("")}`)
  if (!ok) process.exitCode = 1
}

console.log(`  ${"a module".padEnd(32)}     own               total`)
for (const [name, budget] of Object.entries(modules)) {
  const code = `export * from ${compiled(name)}`
  const [own, total] = await Promise.all([bundle(code, [outside]), bundle(code)])
  const schema = budget.schema === true ? [] : total.loaded.filter(isSchema)
  const ok = own.size <= budget.own && total.size <= budget.total && schema.length === 0
  line(ok, name, cell(own.size, budget.own), cell(total.size, budget.total), schema.join(" "))
}

/** The KB that a script adds, as docs/cost.md says. */
const told = new Map(
  readFileSync(path.join(root, "docs/cost.md"), "utf8").split("\n").flatMap((text) => {
    const [, name, size] = /^\| (.*?) +\| (\d+) KB +\|$/.exec(text) ?? []
    return name === undefined ? [] : [[name, Number(size)] as const]
  })
)

console.log(`\n  ${"a script, beyond one without".padEnd(32)}   bytes`)
for (const { budget, code, goal, name, without } of scripts) {
  const [size, base] = await Promise.all([bundle(code), bundle(without)])
  const more = size.size - base.size
  const met = goal === undefined ? "" : `${more <= goal ? "met" : "NOT MET"}: ≤ ${goal}`
  const inDocs = told.get(name) ?? more / 1000
  const wrong = Math.abs(inDocs - more / 1000) < 0.75 ? "" : ` docs/cost.md says ${inDocs} KB`
  line(more <= budget && wrong === "", name, cell(more, budget), met, wrong)
}
