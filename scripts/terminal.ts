/**
 * Runs the tests that need a terminal, in tmux. Skips them without tmux; with
 * `CI_REQUIRE_ALL=1` a skip is a failure.
 */
import { $ } from "bun"
import * as path from "node:path"
import { isInstalled } from "../test/support/tmux.ts"

const root = path.resolve(import.meta.dirname, "..")

if (isInstalled()) {
  // each test has a terminal of its own and waits most of the time, so four at a time take a quarter of it
  const { exitCode } = await $`bun test --concurrent --max-concurrency=4 ./test/report/progressTmux.ts`.cwd(root)
    .nothrow()
  process.exitCode = exitCode
} else {
  console.log("skipped: test/report/progressTmux.ts (needs tmux: apt-get install tmux)")
  process.exitCode = process.env["CI_REQUIRE_ALL"] === "1" ? 1 : 0
}
