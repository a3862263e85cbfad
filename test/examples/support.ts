/** Examples as a user runs them: each as a process of its own. */
import { execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"

export const root: string = join(import.meta.dirname, "..", "..")

export const runtimes = {
  bun: ["bun"],
  deno: ["deno", "run", "-A"],
  // examples import the library by name: this condition of its exports is its source
  node: ["node", "--conditions=@effect-epilogue/source"]
} as const

export type Runtime = keyof typeof runtimes

export const everywhere: ReadonlyArray<Runtime> = ["bun", "deno", "node"]

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `examples/<name>.ts` from the root, by the runtimes that the project installs. */
export const run = (runtime: Runtime, name: string, ...args: ReadonlyArray<string>): Promise<Result> => {
  const [command, ...options] = runtimes[runtime]
  const env = {
    ...process.env,
    NO_COLOR: "1",
    PATH: [join(root, "node_modules", ".bin"), process.env["PATH"]].join(delimiter)
  }
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      [...options, join("examples", `${name}.ts`), ...args],
      { cwd: root, env, timeout: 60_000 },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code === "string") reject(error)
        else resolve({ code: child.exitCode, stdout, stderr })
      }
    )
  })
}

/** With a folder that is gone afterwards. */
export const inFolder = async (use: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "epilogue-examples-"))
  try {
    await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What the default logger wrote, without time and fiber, which differ from run to run. */
export const withoutTimes = (output: string): ReadonlyArray<string> =>
  output.trimEnd().split("\n").map((line) => line.replace(/^\[[\d:.]+\] (\w+) \(#\d+\): /, "$1 "))
