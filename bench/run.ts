/**
 * Runs all benchmarks that have goals, on Bun, Deno and Node, and writes the tables of docs/cost.md and docs/comparison.md.
 *
 *     npm run bench
 *
 * Takes about five minutes. `bun bench/run.ts steps watched` runs some of them, and writes no table. Mastra is
 * among the peers after `npm install --prefix bench/peers`.
 * `BENCH_ROUNDS` and `BENCH_STEPS` are passed on.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { peersTable, type Result, tables, withTables } from "./table.ts"

const root = resolve(fileURLToPath(import.meta.url), "../..")
const bin = join(root, "node_modules", ".bin")

const runtimes: Readonly<Record<string, ReadonlyArray<string>>> = {
  bun: [join(bin, "bun")],
  deno: [join(bin, "deno"), "run", "-A"],
  node: [join(bin, "node")]
}

/** Benchmarks whose processes may run at once, since they wait most of the time. */
const together = new Set(["progress"])

/** Benchmarks that start all runtimes by themselves. */
const once = new Set(["startup"])

const all = ["steps", "peers", "watched", "concurrent", "durable", "startup", "progress"]
const asked = process.argv.slice(2)
const chosen = asked.length === 0 ? all : asked
const folder = mkdtempSync(join(tmpdir(), "bench-"))
const file = join(folder, "results.jsonl")

const run = (command: ReadonlyArray<string>, name: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const script = join(root, "bench", `${name}.ts`)
    const child = spawn(command[0]!, [...command.slice(1), script], {
      cwd: root,
      env: { ...process.env, BENCH_RESULTS: file, NODE_NO_WARNINGS: "1" },
      // the tree of `progress` would be drawn over the output of the others
      stdio: ["ignore", "inherit", name === "progress" ? "ignore" : "inherit"]
    })
    child.on(
      "close",
      (code) => code === 0 ? resolve() : reject(new Error(`${command[0]} ${script} ended with ${code}`))
    )
  })

writeFileSync(file, "")
for (const name of chosen) {
  if (once.has(name)) await run(runtimes["bun"]!, name)
  else if (together.has(name)) await Promise.all(Object.values(runtimes).map((command) => run(command, name)))
  else for (const command of Object.values(runtimes)) await run(command, name)
}
const results = readFileSync(file, "utf8").split("\n").filter(Boolean).map((line): Result => JSON.parse(line))
rmSync(folder, { recursive: true })
console.log(`\n${tables(results)}`)
if (asked.length === 0) {
  for (const [name, text] of [["cost.md", tables(results)], ["comparison.md", peersTable(results)]] as const) {
    const page = join(root, "docs", name)
    writeFileSync(page, withTables(readFileSync(page, "utf8"), text))
  }
}
