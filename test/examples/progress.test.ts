import { expect, test } from "bun:test"
import { everywhere, runWith, withoutTimes } from "./support.ts"

const steady = (lines: string): ReadonlyArray<string> =>
  lines.trimEnd().split("\n").map((line) =>
    line.replace(/ \(run weather-.*\)/, " (run …)").replace(/\b\d+(\.\d+)? (ms|s)\b/g, "n s")
  )

// they take their time, and share it
test.concurrent.each(everywhere)("without a terminal it says line by line what happens, on %s", async (runtime) => {
  const { code, stderr, stdout } = await runWith({ GITHUB_ACTIONS: "false" }, runtime, "progress")
  expect(code).toBe(0)
  expect(steady(stderr)).toEqual([
    "▶ weather (run …)",
    "  ▶ load",
    "  ▶ load > fetch",
    "  ▶ load > fetch",
    "  ▶ load > fetch",
    "  ↻ load > fetch: attempt 1 failed, the next follows in n s: HttpError: the server answered with 503",
    "  ✓ load > fetch (n s)",
    "  ✓ load > fetch (n s)",
    "  ✓ load > fetch (n s, 2 attempts)",
    "  ✓ load (n s)",
    "  ▶ check",
    "  ✓ check (n s)",
    "  ▶ publish",
    "  ✓ publish (n s)",
    "  ! hook \"page\" (success) of publish failed after n s: nobody is on call",
    "✓ weather (n s, 6 steps, 1 hook failed)"
  ])
  // what the script itself prints, here its logs, is apart from that
  expect(withoutTimes(stdout).slice(0, 4).map((line) => line.replace(/( failed).*/, "$1"))).toEqual([
    "INFO fetched weather.csv",
    "INFO fetched sensors.csv",
    "INFO fetched stations.csv",
    "ERROR hook \"page\" (success) of \"publish\" failed"
  ])
}, 60_000)

test.concurrent("in GitHub Actions it makes a group and annotations", async () => {
  const { code, stderr, stdout } = await runWith({ GITHUB_ACTIONS: "true" }, "bun", "progress")
  expect(code).toBe(0)
  expect(stderr).toBe("")
  const lines = steady(stdout)
  expect(lines[0]).toBe("::group::▶ weather (run …)")
  expect(lines).toContain("::warning title=hook \"page\" (success) of publish failed::nobody is on call")
  expect(lines.slice(-3)).toEqual([
    "::endgroup::",
    "  ! hook \"page\" (success) of publish failed after n s: nobody is on call",
    "✓ weather (n s, 6 steps, 1 hook failed)"
  ])
}, 60_000)
