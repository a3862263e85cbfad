/**
 * Runs scripts of package.json beside one another and prints a line for each: its result, its
 * time, and all of its output if it failed. Ends with what was skipped and how many tests
 * passed and failed; exits with 1 if anything failed.
 *
 *     bun scripts/test.ts [--lanes=N] SCRIPT…
 *
 * Two scripts run at a time unless `--lanes` says otherwise. They start in the order given, so
 * the longest comes first. Temporary files are kept in memory where there is room, unless `TMPDIR`
 * is set: each record of a durable run waits for the disk.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, statfsSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import manifest from "../package.json" with { type: "json" }

const root = join(import.meta.dirname, "..")

interface Ended {
  readonly ok: boolean
  readonly output: string
}

/** Makes a folder for temporary files in memory, and removes it when the process exits. */
const folderInMemory = (): string | undefined => {
  const memory = "/dev/shm"
  try {
    const { bavail, bsize } = statfsSync(memory)
    // in a container it may be a few megabytes
    if (bavail * bsize < 2 ** 31) return undefined
    const folder = mkdtempSync(join(memory, "epilogue-"))
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
    return folder
  } catch {
    return undefined
  }
}

/** Runs a command in a shell, as npm does, and keeps what it writes. */
const run = (command: string, env: NodeJS.ProcessEnv): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(command, {
      cwd: root,
      shell: true,
      stdio: ["ignore", "pipe", "pipe"],
      env
    })
    const written: Array<Buffer> = []
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => void written.push(chunk))
    child.on("close", (code) => resolve({ ok: code === 0, output: Buffer.concat(written).toString() }))
  })

/** Patterns of the lines that count tests in the summaries of Bun, Deno, Node and TSTyche. */
const summaries = {
  passed: [/^ *(\d+) pass$/, /^(?:ok|FAILED) \| (\d+) passed/, /^ℹ pass (\d+)$/, /^Tests: .*?(\d+) passed/],
  failed: [/^ *(\d+) fail$/, /^(?:ok|FAILED) .*\| (\d+) failed/, /^ℹ fail (\d+)$/, /^Tests: .*?(\d+) failed/],
  skipped: [/^ *(\d+) (?:skip|todo)$/, /^(?:ok|FAILED) .*\| (\d+) ignored/, /^ℹ skipped (\d+)$/]
} as const

type Counts = Record<keyof typeof summaries, number>

/** Adds up the counts in the summaries of the runners. */
export const countsOf = (output: string): Counts => {
  // oxlint-disable-next-line no-control-regex -- the colours of a summary
  const lines = output.replace(/\u001b\[[\d;]*m/g, "").split("\n")
  const count = (patterns: ReadonlyArray<RegExp>) =>
    lines.reduce((sum, line) => sum + Number(patterns.map((pattern) => pattern.exec(line)?.[1]).find(Boolean) ?? 0), 0)
  return { passed: count(summaries.passed), failed: count(summaries.failed), skipped: count(summaries.skipped) }
}

/** Variables of the job, by which alerts get an address and runs a summary, which the tests would find. */
const ofJob = [
  "GITHUB_ACTIONS",
  "GITHUB_STEP_SUMMARY",
  "GITLAB_CI",
  "BUILDKITE",
  "CIRCLECI",
  "JENKINS_URL",
  "EPILOGUE_URL"
]

const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofJob.includes(name)))

const main = async (): Promise<void> => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { lanes: { type: "string", default: `${Math.max(2, availableParallelism())}` } }
  })
  const scripts: Readonly<Record<string, string>> = manifest.scripts
  const began = performance.now()
  const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`
  const total: Counts = { passed: 0, failed: 0, skipped: 0 }
  const skipped: Array<string> = []
  const broken: Array<string> = []

  const temporary = process.env["TMPDIR"] ?? folderInMemory()
  const env = {
    // Node strips the types of 300 files at each start; most starts of the command's tests find them stripped
    NODE_COMPILE_CACHE: join(root, "node_modules/.cache/node"),
    // In a virtual machine, the page faults of memory that Bun gives back and takes again are a fourth of all its time.
    // https://github.com/microsoft/mimalloc#environment-options
    MIMALLOC_PURGE_DELAY: "-1",
    MIMALLOC_ALLOW_THP: "1",
    ...environment,
    ...(temporary === undefined ? {} : { TMPDIR: temporary })
  }

  const waiting = [...positionals]
  const lane = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const started = performance.now()
      const command = scripts[name]
      const { ok, output } = command === undefined ? { ok: false, output: "no such script\n" } : await run(command, env)
      console.log(`${ok ? "✓" : "✗"} ${name.padEnd(16)}${seconds(started).padStart(8)}`)
      if (!ok) {
        broken.push(name)
        console.log(output)
      }
      const counts = countsOf(output)
      for (const key of ["passed", "failed", "skipped"] as const) total[key] += counts[key]
      if (counts.skipped > 0) skipped.push(`${name}: ${counts.skipped} tests`)
      skipped.push(...[...output.matchAll(/^skipped: (.*)$/gm)].map((match) => `${name}: ${match[1]}`))
    }
  }
  await Promise.all(Array.from({ length: Number(values.lanes) }, lane))

  for (const line of skipped) console.log(`skipped in ${line}`)
  if (broken.length > 0) console.log(`failed: ${broken.join(", ")}`)
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped in ${seconds(began)}`)
  process.exitCode = broken.length > 0 ? 1 : 0
}

if (import.meta.main) await main()
