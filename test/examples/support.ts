/** Runs examples as a user does: each as a process. */
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import type { Runtime } from "../support/runtimes.ts"

export const root: string = join(import.meta.dirname, "..", "..")

export const runtimes = {
  bun: ["bun"],
  deno: ["deno", "run", "-A"],
  // examples import the library by name; with this condition its exports are the sources
  node: ["node", "--conditions=@effect-epilogue/source"]
} as const satisfies Record<Runtime, ReadonlyArray<string>>

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  /** Resolves with the first match in stdout. Rejects if the process ends without one. */
  readonly said: (what: RegExp) => Promise<RegExpExecArray>
  readonly ended: Promise<Result>
}

/** Starts `examples/<name>.ts` in the root folder, by the runtimes that the project installs. */
export const start = (
  runtime: Runtime,
  name: string,
  args: ReadonlyArray<string> = [],
  variables: Readonly<Record<string, string>> = {}
): Started => {
  const [command, ...options] = runtimes[runtime]
  const env = {
    ...process.env,
    NO_COLOR: "1",
    PATH: [join(root, "node_modules", ".bin"), process.env["PATH"]].join(delimiter),
    ...variables
  }
  const child = spawn(command, [...options, join("examples", `${name}.ts`), ...args], {
    cwd: root,
    env,
    timeout: 60_000,
    stdio: ["ignore", "pipe", "pipe"]
  })
  let [stdout, stderr] = ["", ""]
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
  })
  const ended = new Promise<Result>((resolve, reject) => {
    child.on("error", reject).on("close", (code) => resolve({ code, stdout, stderr }))
  })
  const said = (what: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const match = what.exec(stdout)
        if (match !== null) resolve(match)
      }
      look()
      child.stdout.on("data", look)
      ended.then(
        () => reject(new Error(`${name} ended before it said ${what}:\n${stdout}${stderr}`)),
        reject
      )
    })
  return { said, ended }
}

/** Runs an example to its end. */
export const run = (runtime: Runtime, name: string, ...args: ReadonlyArray<string>): Promise<Result> =>
  start(runtime, name, args).ended

/** Runs an example to its end, with environment variables. */
export const runWith = (
  variables: Readonly<Record<string, string>>,
  runtime: Runtime,
  name: string,
  ...args: ReadonlyArray<string>
): Promise<Result> => start(runtime, name, args, variables).ended

/** Calls `use` with a temporary folder, which is deleted afterwards. */
export const inFolder = async (use: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "epilogue-examples-"))
  try {
    await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Returns the lines of the default logger without time and fiber, which differ from run to run. */
export const withoutTimes = (output: string): ReadonlyArray<string> =>
  output.trimEnd().split("\n").map((line) => line.replace(/^\[[\d:.]+\] (\w+) \(#\d+\): /, "$1 "))
