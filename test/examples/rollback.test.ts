import { expect, test } from "bun:test"
import { someRuntimes } from "../support/runtimes.ts"
import { run } from "./support.ts"

/** Returns what the script has logged. */
const logged = (stdout: string): ReadonlyArray<string> =>
  [...stdout.matchAll(/^\[[\d:.]+\] INFO \(#\d+\): (.*)$/gm)].map((match) => match[1]!)

const done = ["reserved tent", "reserved stove", "charged 4200 cents"]

test.concurrent.each(someRuntimes())(
  "an order that fails is taken back, which its alert tells, on %s",
  async (runtime) => {
    const { code, stdout } = await run(runtime, "rollback", "--fails")
    expect({ code, logged: logged(stdout) }).toEqual({
      code: 1,
      logged: [...done, "refunded 4200 cents", "put stove back", "put tent back"]
    })
    expect(stdout).toContain("✗ ERROR order failed")
    expect(stdout).toMatch(/^ {2}undone +charge, reserve\[stove\], reserve\[tent\]$/m)
    expect(stdout).not.toContain("not undone")
  },
  60_000
)

test.concurrent("an order that succeeds undoes nothing", async () => {
  const { code, stdout } = await run("bun", "rollback")
  expect({ code, logged: logged(stdout) }).toEqual({ code: 0, logged: [...done, "shipped"] })
}, 60_000)
