import { expect, test } from "bun:test"
import { someRuntimes } from "../support/runtimes.ts"
import { runWith, withoutTimes } from "./support.ts"

const steady = (lines: string): ReadonlyArray<string> =>
  lines.trimEnd().split("\n").map((line) =>
    line.replace(/ \(run weather-.*\)/, " (run …)").replace(/\b\d+(\.\d+)? (ms|s)\b/g, "n s")
  )

// concurrent, since each takes seconds of waiting
test.concurrent.each(someRuntimes())(
  "the script prints a line for each event if there is no terminal, on %s",
  async (runtime) => {
    const { code, stderr, stdout } = await runWith({ GITHUB_ACTIONS: "false" }, runtime, "progress")
    expect(code).toBe(0)
    expect(steady(stderr)).toEqual([
      "▶ weather (run …)",
      "  ▶ load",
      "  ▶ load > fetch[weather.csv]",
      "  ▶ load > fetch[stations.csv]",
      "  ▶ load > fetch[sensors.csv]",
      "  ↻ load > fetch[stations.csv]: attempt 1 failed, the next follows in n s: HttpError: the server answered with 503",
      "  ✓ load > fetch[weather.csv] (n s)  bytes=21700",
      "  ✓ load > fetch[sensors.csv] (n s)  bytes=34100",
      "  ✓ load > fetch[stations.csv] (n s, 2 attempts)  bytes=12400",
      "  ✓ load (n s)",
      "  ▶ check",
      "  ✓ check (n s)  rows=4400",
      "  ▶ publish",
      "  ✓ publish (n s)",
      "  ! hook \"page\" (success) of publish failed after n s: nobody is on call",
      "✓ weather (n s, 6 steps, 1 hook failed)"
    ])
    // the logs of the script go to stdout, apart from progress
    expect(withoutTimes(stdout).slice(0, 4).map((line) => line.replace(/( failed).*/, "$1"))).toEqual([
      "INFO fetched weather.csv",
      "INFO fetched sensors.csv",
      "INFO fetched stations.csv",
      "ERROR hook \"page\" (success) of \"publish\" failed"
    ])
  },
  60_000
)

test.concurrent("the script prints a group and annotations in GitHub Actions", async () => {
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
