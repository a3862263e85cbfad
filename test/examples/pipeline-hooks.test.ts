import { expect, test } from "bun:test"
import { someRuntimes } from "../support/runtimes.ts"
import { run, withoutTimes } from "./support.ts"

test.each(someRuntimes())("a step's own hook replaces the pipeline's of that kind, on %s", async (runtime) => {
  const { code, stderr, stdout } = await run(runtime, "pipeline-hooks")
  expect({ code, stderr, lines: withoutTimes(stdout) }).toEqual({
    code: 0,
    stderr: "",
    lines: ["INFO load succeeded", "INFO sorted 3 rows", "ERROR publish failed: no room for 3 rows"]
  })
}, 60_000)
