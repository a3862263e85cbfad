import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { someRuntimes } from "../support/runtimes.ts"
import { root, run } from "./support.ts"

/** Returns an output without times and places, which differ from run to run. */
const normal = (output: string): string =>
  output.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "[time]").replace(/\b\d+ ms$/gm, "n ms")
    .replace(/ at (?:<anonymous>|fetchRows) \(.*\/(examples\/[^)]*?):\d+\)/g, " at $1")

const page = readFileSync(join(root, "docs", "existing-code.md"), "utf8")

// concurrent, since each takes a second
test.concurrent.each(someRuntimes())(
  "steps of promises print the output that docs/existing-code.md shows, on %s",
  async (runtime) => {
    const { code, stderr, stdout } = await run(runtime, "promises")
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const [, shown] = /```text\n(✗ ERROR nightly › fetch[^]*?)```/.exec(page)!
    expect(normal(stdout)).toContain(normal(shown!).trimEnd())
  },
  60_000
)
