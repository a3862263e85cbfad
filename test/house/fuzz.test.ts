/** `scripts/fuzz.ts`, by its output. */
import { expect, test } from "bun:test"

const fuzz = async (...args: ReadonlyArray<string>) => {
  const child = Bun.spawn([process.execPath, "scripts/fuzz.ts", ...args], {
    cwd: `${import.meta.dir}/../..`,
    stdout: "pipe"
  })
  return { output: await new Response(child.stdout).text(), code: await child.exited }
}

test("a fuzzer prints its seed and how much it checked", async () => {
  const { code, output } = await fuzz("--seconds=0.1", "--seed=1", "duration")
  expect(output).toMatch(/^seed: 1\n✓ duration: \d+ inputs in [\d.]+ s\n 1 pass\n 0 fail\n$/)
  expect(code).toBe(0)
}, 60_000)

test("a name that no fuzzer has fails", async () => {
  expect((await fuzz("--seconds=0.1", "nothing")).code).toBe(1)
}, 60_000)
