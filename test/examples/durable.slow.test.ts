import { expect, test } from "bun:test"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { type Runtime, someRuntimes } from "../support/runtimes.ts"
import { inFolder, run, start } from "./support.ts"

const day = "2026-11-25"

const inSteps = (stdout: string): ReadonlyArray<string> =>
  [...stdout.matchAll(/^(load|aggregate|write|\d+ months)\b/gm)].map(([, step]) => step!)

const job = (runtime: Runtime, folder: string, ...args: ReadonlyArray<string>) =>
  run(runtime, "durable", "--day", day, "--folder", folder, ...args)

test.each(someRuntimes())(
  "after kill -9 in a step the next start continues with that step, on %s",
  (runtime) =>
    inFolder(async (folder) => {
      const killed = await job(runtime, folder, "--die-in", "write")
      expect(killed.code).toBe(null)
      expect(inSteps(killed.stdout)).toEqual(["load", "aggregate", "48 months", "write"])
      expect(killed.stdout).not.toContain("SUCCESS")

      const resumed = await job(runtime, folder)
      expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: "" })
      expect(inSteps(resumed.stdout)).toEqual(["write"])
      expect(resumed.stdout.match(/SUCCESS nightly succeeded/g)).toHaveLength(1)
      expect(resumed.stdout).toEndWith("done: 48 months\n")
      const report = await readFile(join(folder, `seattle-${day}.md`), "utf8")
      expect(report.match(/^\| \d{4}-/gm)).toHaveLength(48)

      // the run of that day has ended: its result is printed, and nothing runs or posts again
      const again = await job(runtime, folder)
      expect({ code: again.code, stdout: again.stdout }).toEqual({ code: 0, stdout: "done: 48 months\n" })
    }),
  60_000
)

test(
  "a step that has ended is not repeated, whichever step the process is killed in",
  () =>
    inFolder(async (folder) => {
      const output: Array<string> = []
      for (const step of ["load", "aggregate", "write"]) {
        output.push(...inSteps((await job("bun", folder, "--die-in", step)).stdout))
      }
      output.push(...inSteps((await job("bun", folder)).stdout))
      expect(output).toEqual(["load", "load", "aggregate", "aggregate", "48 months", "write", "write"])
      expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([])
    }),
  60_000
)

test("two processes at once execute the run once", () =>
  inFolder(async (folder) => {
    const holder = start("bun", "durable", ["--day", day, "--folder", folder, "--die-in", "never"])
    const both = await Promise.all([holder.ended, job("bun", folder)])
    // the first process executes the run; the other finds its result, or the database in use
    expect(both.filter(({ code }) => code === 0).length).toBeGreaterThan(0)
    expect(both.map(({ stdout }) => stdout).join("").match(/^write/gm)).toHaveLength(1)
  }), 60_000)
