/** Tests on each runtime that the cursor is shown again, however the process ends. */
import { expect, test } from "bun:test"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { root, runtimes } from "../support/command.ts"
import { type Runtime, someRuntimes } from "../support/runtimes.ts"

const script = join(root, "test/support/progressScript.ts")
const lines = join(root, "test/support/progressLines.ts")

const [hide, show] = ["\u001b[?25l", "\u001b[?25h"]

/** Runs the script to its end. Sends the signal, if given, when the tree is shown. */
const run = (runtime: Runtime, way: string, signal?: NodeJS.Signals) => {
  const [command, ...flags] = runtimes[runtime]
  const child = spawn(command, [...flags, script, way], { cwd: root, stdio: ["ignore", "pipe", "pipe"] })
  const output = { stdout: "", stderr: "" }
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      output[name] += chunk
    })
  }
  if (signal !== undefined) child.stderr.once("data", () => setTimeout(() => child.kill(signal), 300))
  const limit = setTimeout(() => child.kill("SIGKILL"), 55_000)
  return new Promise<typeof output & { readonly code: number | null; readonly signal: string | null }>((resolve) =>
    child.once("close", (code, signal) => {
      clearTimeout(limit)
      resolve({ ...output, code, signal })
    })
  )
}

const cursorIsShown = (stderr: string) => {
  expect(stderr).toContain(hide)
  expect(stderr.lastIndexOf(show)).toBeGreaterThan(stderr.lastIndexOf(hide))
  expect(stderr.lastIndexOf("\u001b[?7h")).toBeGreaterThan(stderr.lastIndexOf("\u001b[?7l"))
}

for (const runtime of someRuntimes()) {
  test.concurrent(`${runtime}: the run goes on when the reader of its lines is gone`, async () => {
    for (const mode of runtime === "bun" ? ["plain", "github"] : ["plain"]) {
      const [command, ...flags] = runtimes[runtime]
      const child = spawn(command, [...flags, lines, mode], { cwd: root, stdio: ["ignore", "pipe", "pipe"] })
      child.stdout.once("data", () => child.stdout.destroy())
      let said = ""
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk
      })
      const limit = setTimeout(() => child.kill("SIGKILL"), 55_000)
      const code = await new Promise((resolve) => child.once("close", resolve))
      clearTimeout(limit)
      expect([code, said]).toEqual([0, "# success\n"])
    }
  }, 60_000)
}

for (const runtime of someRuntimes()) {
  test.concurrent(`${runtime}: after success and failure, cursor and streams are restored`, async () => {
    for (const way of ["end", "fail"]) {
      const { code, stderr, stdout } = await run(runtime, way)
      expect(stdout).toBe("# restored\n")
      expect(code).toBe(0)
      cursorIsShown(stderr)
    }
  }, 60_000)

  test.concurrent(`${runtime}: a signal without other listeners ends the process`, async () => {
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      const { code, signal, stderr, stdout } = await run(runtime, "wait", name)
      expect(signal ?? code).toBe(name)
      expect(stdout).toBe("")
      cursorIsShown(stderr)
    }
  }, 60_000)

  test.concurrent(
    `${runtime}: a signal that the script handles, even by a once listener, does not end the process`,
    async () => {
      const { code, stderr, stdout } = await run(runtime, "listen", "SIGINT")
      expect(stdout).toBe("# restored\n")
      expect(code).toBe(0)
      expect(stderr).toContain("■ etl")
      cursorIsShown(stderr)
    },
    60_000
  )

  test.concurrent(
    `${runtime}: process.exit during a run restores the terminal and prints an unfinished line`,
    async () => {
      for (const way of ["exit", "unfinished"]) {
        const { code, stderr } = await run(runtime, way)
        expect(code).toBe(3)
        if (way === "unfinished") expect(stderr).toMatch(/half a line\n[^]*the last words\n/)
        cursorIsShown(stderr)
      }
    },
    60_000
  )

  test.concurrent(`${runtime}: a tree does not keep a process alive whose run nothing can end`, async () => {
    const { code, stderr } = await run(runtime, "stuck")
    expect(code).toBe(0)
    cursorIsShown(stderr)
  }, 60_000)

  test.concurrent(`${runtime}: an uncaught error restores the terminal`, async () => {
    for (const way of ["throw", "reject"]) {
      const { code, stderr } = await run(runtime, way)
      expect(code).not.toBe(0)
      expect(stderr).toContain("not caught")
      cursorIsShown(stderr)
    }
  }, 60_000)
}
