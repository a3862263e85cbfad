/**
 * Measures how much longer a script takes to start when it imports this library: a script that imports `Step`, `Hook`,
 * `Pipeline`, `Alerter` and `AlerterHooks` is compared with one that imports the same modules of `effect` only.
 *
 *     bun bench/startup.ts [bun|deno|node …]
 *
 * All runtimes load the library as it is published. `BENCH_ROUNDS` (default 21) sets how often each script is started;
 * the scripts take turns, and the ratio is the median of those within a round. Times are those of the CPU, which other
 * processes on the machine change less than the time of day.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join, resolve } from "node:path"
import process from "node:process"
import { fileURLToPath, pathToFileURL } from "node:url"
import { compile } from "../scripts/compile.ts"
import { report } from "./harness.ts"
import { median } from "./statistics.ts"

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..")
const bin = join(root, "node_modules", ".bin")
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"]}`, DENO_NO_UPDATE_CHECK: "1" }
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 21)

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
// inside the project, so that `effect` is found; not in node_modules, where Deno treats scripts as part of a package
mkdirSync(join(root, "tmp"), { recursive: true })
const dir = mkdtempSync(join(root, "tmp", "startup-"))
process.on("exit", () => rmSync(dir, { recursive: true, force: true }))
const library = join(dir, "library")
await compile(library, { types: false })
for (const entry of entries) visit(join(library, `${entry}.js`))
const submodules = [...external].toSorted()
if (submodules.length === 0) throw new Error("no imports of effect found: has their form changed?")
console.log(`${seen.size} modules of ours load ${submodules.length} of effect's: ${submodules.join(" ")}`)

/** Writes a script that imports the modules and uses them, so that no runtime can omit an import. */
const script = (name: string, specifiers: ReadonlyArray<string>): string => {
  const file = join(dir, name)
  const imports = specifiers.map((specifier, i) => `import * as m${i} from ${JSON.stringify(specifier)}`)
  writeFileSync(file, `${imports.join("\n")}\nglobalThis.loaded = [${specifiers.map((_, i) => `m${i}`)}].length\n`)
  return file
}

/** Starts a script, and returns the milliseconds of CPU that it takes. */
const start = (command: ReadonlyArray<string>, file: string): number => {
  const { exitCode, resourceUsage, stderr } = Bun.spawnSync([...command, file], { env, cwd: dir, stderr: "pipe" })
  if (exitCode !== 0 || resourceUsage === undefined) throw new Error(`${command.join(" ")} ${file}: ${stderr}`)
  return Number(resourceUsage.cpuTime.total) / 1000
}

/** Returns the first version number of what a runtime says of itself. */
const versionOf = (command: string): string => {
  const { stdout } = Bun.spawnSync([command, "--version"], { env })
  return /\d+\.\d+\.\d+/.exec(stdout.toString())?.[0] ?? "of unknown version"
}

const specifiers = entries.map((entry) => pathToFileURL(join(library, `${entry}.js`)).href)

const asked = process.argv.slice(2)
const runtimes = [
  // by name: PATH resolves them to the runtimes in node_modules/.bin
  { name: "bun", command: ["bun"] },
  { name: "deno", command: ["deno", "run", "-A", "--no-lock"] },
  { name: "node", command: ["node"] }
].filter(({ name }) => asked.length === 0 || asked.includes(name))

const files = [script("nothing.mjs", []), script("effect.mjs", submodules), script("ours.mjs", specifiers)]
console.log(`median of ${rounds} starts, ms of CPU`)
console.log(["", "nothing", "effect", "+ ours", "ratio"].map((cell) => cell.padStart(9)).join(""))
for (const { command, name } of runtimes) {
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
      ratio.toFixed(2).padStart(9)
  )
  report("startup", ratio, `${name} ${versionOf(command[0]!)}`)
}
