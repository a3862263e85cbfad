/** The counts that `scripts/test.ts` reads from the summaries of the runners. */
import { expect, test } from "bun:test"
import { countsOf } from "../../scripts/test.ts"

test.each([
  ["Bun", " 1274 pass\n 2 skip\n 5 fail\n 135 expect() calls\n", { passed: 1274, failed: 5, skipped: 2 }],
  ["Deno", "\u001b[0m\u001b[32mok\u001b[0m | 38 passed | 0 failed (6s)\n", { passed: 38, failed: 0, skipped: 0 }],
  ["Deno with failures", "FAILED | 36 passed | 2 failed | 1 ignored (6s)\n", { passed: 36, failed: 2, skipped: 1 }],
  ["Node", "ℹ tests 38\nℹ pass 36\nℹ fail 1\nℹ skipped 1\n", { passed: 36, failed: 1, skipped: 1 }],
  ["TSTyche", "Tests:      \u001b[32m145 passed\u001b[0m, 145 total\n", { passed: 145, failed: 0, skipped: 0 }],
  ["TSTyche with failures", "Tests:      2 failed, 143 passed, 145 total\n", { passed: 143, failed: 2, skipped: 0 }]
])("counts the tests of %s", (_, output, counts) => {
  expect(countsOf(output)).toEqual(counts)
})

test("counts nothing in what is no summary", () => {
  expect(countsOf("Test files: 12 passed, 12 total\n✓ 3 pass\nran 5 fail tests\n")).toEqual({
    passed: 0,
    failed: 0,
    skipped: 0
  })
})

test("a script that fails is named at the end and fails the whole", async () => {
  const child = Bun.spawn([process.execPath, "scripts/test.ts", "missing"], {
    cwd: `${import.meta.dir}/../..`,
    stdout: "pipe"
  })
  const output = await new Response(child.stdout).text()
  expect(output).toMatch(/^✗ missing +[\d.]+ s$/m)
  expect(output).toContain("no such script")
  expect(output).toMatch(/\nfailed: missing\n0 passed, 0 failed, 0 skipped in [\d.]+ s\n$/)
  expect(await child.exited).toBe(1)
}, 60_000)
