import { expect, test } from "bun:test"
import { Effect, Exit } from "effect"
import { failing, program, succeeding } from "../../examples/step-hooks.ts"
import { makeIt } from "../support/it.ts"
import { someRuntimes } from "../support/runtimes.ts"
import { run, withoutTimes } from "./support.ts"

const it = makeIt(test)

it.effect("a hook does not change the exit of its step", () =>
  Effect.gen(function*() {
    const exit = yield* Effect.exit(failing)
    expect(Exit.isFailure(exit) && exit.cause.reasons).toMatchObject([{ _tag: "Fail", error: { _tag: "BadInput" } }])
    expect(yield* succeeding).toBe(1)
    expect(yield* program).toBe(1)
  }))

test.each(someRuntimes())("the script logs from both hooks, on %s", async (runtime) => {
  const { code, stderr, stdout } = await run(runtime, "step-hooks")
  expect({ code, stderr, lines: withoutTimes(stdout) }).toEqual({
    code: 0,
    stderr: "",
    lines: ["ERROR Step failed: no rows", "INFO going on without it", "INFO Step succeeded: 1"]
  })
}, 60_000)
