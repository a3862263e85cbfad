/**
 * Runs the tests that need a browser, on Node, the only runtime where Playwright works. Skips
 * them without Chromium; with `CI_REQUIRE_ALL=1` a skip is a failure.
 */
import { $, Glob } from "bun"
import * as path from "node:path"
import { executablePath } from "../test/support/chromium.ts"

const root = path.resolve(import.meta.dirname, "..")

if (executablePath !== undefined) {
  const files = [...new Glob("test/browser/*.ts").scanSync(root)].toSorted()
    .filter((file) => process.env["TESTS"] === "all" || !file.endsWith(".slow.ts"))
  const { exitCode } = await $`node --conditions=@effect-epilogue/source --test --test-timeout=60000 ${files}`.cwd(root)
    .nothrow()
  process.exitCode = exitCode
} else {
  console.log("skipped: test/browser (needs Chromium: apt-get install chromium-headless-shell, or set CHROMIUM_PATH)")
  process.exitCode = process.env["CI_REQUIRE_ALL"] === "1" ? 1 : 0
}
