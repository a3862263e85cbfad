import { expect, test } from "bun:test"
import { someRuntimes } from "../support/runtimes.ts"
import { run } from "./support.ts"

/** Returns the titles of the alerts on the console, without times. */
const titles = (stdout: string): ReadonlyArray<string> =>
  stdout.split("\n").filter((line) => /^[!✓✗] /.test(line)).map((line) =>
    line.replace(/ \d{4}-.*/, "").replace(/\b\d+(\.\d+)? s\b/g, "n s")
  )

// concurrent, since each takes seconds of waiting
test.concurrent.each(someRuntimes())(
  "the script tells that a step is late, and that it has ended, on %s",
  async (runtime) => {
    const { code, stderr, stdout } = await run(runtime, "overdue")
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const late = "! WARNING nightly › load is still running after n s"
    // on a busy machine it may be told a third time, and never after the end
    const told = titles(stdout)
    const repeated = told.length === 4 ? [late, late, late] : [late, late]
    expect(told).toEqual([...repeated, "✓ SUCCESS nightly › load ended after n s"])
    expect(stdout).toContain("index takes longer than")
  },
  60_000
)

test.concurrent("the script tells a failure of what was late by the alert of that alone", async () => {
  const { code, stdout } = await run("bun", "overdue", "--fails")
  expect(code).toBe(1)
  expect(titles(stdout).slice(2)).toEqual(["✗ ERROR nightly › load failed"])
}, 60_000)
