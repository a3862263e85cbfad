/** Tests scripts that are run by `runMain`, on Bun, Deno (without any permission) and Node. */
import * as assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import { test } from "node:test"

const script = join(import.meta.dirname, "fixtures", "main.ts")

test("a signal interrupts a script, whose hooks run, and which ends with the signal's exit code", {
  // Windows has no SIGTERM
  skip: process.platform === "win32"
}, async () => {
  const args = process.versions["deno"] === undefined ? [] : ["run", "--no-prompt"]
  const child = spawn(process.execPath, [...args, script], { stdio: ["ignore", "pipe", "pipe"] })
  let [stdout, stderr] = ["", ""]
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
    // not `child.kill`, since Deno then reports that signal as the end, whatever the end was
    if (text.startsWith("waiting")) process.kill(child.pid!, "SIGTERM")
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
  })
  const code = await new Promise((resolve) => child.on("close", resolve))
  assert.deepEqual(stdout.trim().split("\n"), ["waiting", "hook: interrupted", "[warning] job was interrupted"])
  assert.equal(
    stderr,
    "SIGTERM: interrupting the run, whose hooks run before the process ends; a second signal ends it at once\n"
  )
  assert.equal(code, 143)
})
