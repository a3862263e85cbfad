import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { someRuntimes } from "../support/runtimes.ts"
import { root, run } from "./support.ts"

/** Returns an output without times, which differ from run to run. */
const normal = (output: string): string =>
  output.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "[time]").replace(/nightly-[\d_-]+/g, "[run]").replace(
    /\b\d+ ms\b/g,
    "n ms"
  )

const page = readFileSync(join(root, "docs", "existing-code.md"), "utf8")

// concurrent, since each takes a second
test.concurrent.each(someRuntimes())(
  "a program whose spans are steps prints the output that docs/existing-code.md shows, on %s",
  async (runtime) => {
    const { code, stderr, stdout } = await run(runtime, "spans")
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const [, shown] = /```text\n(▶ nightly[^]*?)```/.exec(page)!
    expect(normal(stdout)).toStartWith(normal(shown!))
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^✗ nightly \(\d+ ms, 3 steps\)$/)
  },
  60_000
)
