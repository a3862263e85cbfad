/**
 * Measures how much longer a script takes to start when it imports this library: a script that imports `Step`, `Hook`,
 * `Pipeline`, `Alerter` and `AlerterHooks` is compared with one that imports the same modules of `effect` only.
 *
 *     bun bench/startup.ts [bun|deno|node …]
 *
 * Bun and Deno load `src`. Node loads the JavaScript that `tsc` makes of it, as users do. `BENCH_ROUNDS` (default 21)
 * sets how often each script is started; the scripts take turns.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join, resolve } from "node:path"
import process from "node:process"
import { fileURLToPath, pathToFileURL } from "node:url"
import { median } from "./statistics.ts"

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..")
const bin = join(root, "node_modules", ".bin")
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"]}`, DENO_NO_UPDATE_CHECK: "1" }
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 21)
const target = 1.3

const entries = ["Step", "Hook", "Pipeline", "Alerter", "AlerterHooks"]

/** Returns the specifiers of a module's imports, without those of types, which runtimes strip. */
const importsOf = (file: string): ReadonlyArray<string> => {
  const imports = /^(?:import|export) (?:\* as \w+|\*|\{[^{}]*\}) from "([^"]+)"/gm
  return [...readFileSync(file, "utf8").matchAll(imports)].map((match) => match[1]!)
}

const seen = new Set<string>()
const external = new Set<string>()
const visit = (file: string): void => {
  if (seen.has(file)) return
  seen.add(file)
  for (const specifier of importsOf(file)) {
    if (specifier.startsWith(".")) visit(resolve(dirname(file), specifier))
    else external.add(specifier)
  }
}
for (const entry of entries) visit(join(root, "src", `${entry}.ts`))
const submodules = [...external].toSorted()
if (submodules.length === 0) throw new Error("no imports of effect found: has their form changed?")
console.log(`${seen.size} modules of ours load ${submodules.length} of effect's: ${submodules.join(" ")}`)

// inside the project, so that `effect` is found; not in node_modules, where Deno treats scripts as part of a package
mkdirSync(join(root, "tmp"), { recursive: true })
const dir = mkdtempSync(join(root, "tmp", "startup-"))

const built = (): string => {
  if (existsSync(join(root, "dist", "Step.js"))) return join(root, "dist")
  if (existsSync(join(root, "dist", "src", "Step.js"))) return join(root, "dist", "src")
  const out = join(dir, "dist")
  execFileSync(join(bin, "tsc"), ["-p", join(root, "tsconfig.build.json"), "--outDir", out, "--noCheck"], {
    stdio: "inherit"
  })
  return out
}

/** Writes a script that imports the modules and uses them, so that no runtime can omit an import. */
const script = (name: string, specifiers: ReadonlyArray<string>): string => {
  const file = join(dir, name)
  const imports = specifiers.map((specifier, i) => `import * as m${i} from ${JSON.stringify(specifier)}`)
  writeFileSync(file, `${imports.join("\n")}\nglobalThis.loaded = [${specifiers.map((_, i) => `m${i}`)}].length\n`)
  return file
}

const start = (command: ReadonlyArray<string>, file: string): number => {
  const started = performance.now()
  const { error, status, stderr } = spawnSync(command[0]!, [...command.slice(1), file], { env, cwd: dir })
  const elapsed = performance.now() - started
  if (status !== 0) throw new Error(`${command.join(" ")} ${file}: ${error ?? stderr}`)
  return elapsed
}

const urls = (of: string, extension: string) =>
  entries.map((entry) => pathToFileURL(join(of, `${entry}.${extension}`)).href)

const asked = process.argv.slice(2)
const runtimes = [
  // by name: PATH resolves them to the runtimes in node_modules/.bin
  { name: "bun", command: ["bun"], source: () => urls(join(root, "src"), "ts") },
  { name: "deno", command: ["deno", "run", "-A", "--no-lock"], source: () => urls(join(root, "src"), "ts") },
  { name: "node", command: ["node"], source: () => urls(built(), "js") }
].filter(({ name }) => asked.length === 0 || asked.includes(name))

try {
  console.log(`median of ${rounds} starts, ms`)
  console.log(["", "nothing", "effect", "+ ours", "ratio"].map((cell) => cell.padStart(9)).join(""))
  for (const { command, name, source } of runtimes) {
    const files = [script("nothing.mjs", []), script("effect.mjs", submodules), script("ours.mjs", source())]
    for (const file of files) start(command, file)
    const times = files.map((): Array<number> => [])
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < files.length; i++) {
        const f = (i + round) % files.length
        times[f]!.push(start(command, files[f]!))
      }
    }
    const [nothing, effect, ours] = times as [Array<number>, Array<number>, Array<number>]
    const ratio = median(ours.map((time, i) => time / effect[i]!))
    console.log(
      name.padStart(9) + [nothing, effect, ours].map((of) => median(of).toFixed(1).padStart(9)).join("") +
        ratio.toFixed(2).padStart(9) + (ratio <= target ? `  met, ≤ ${target}` : `  NOT MET, ≤ ${target}`)
    )
  }
} finally {
  rmSync(dir, { recursive: true, force: true })
}
