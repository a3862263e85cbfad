/** Tests that runMain notices `Deno.exit`, with processes of Deno. */
import { expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root, runtimes } from "../support/command.ts"

test.each([
  [
    "a step that calls Deno.exit",
    `Step.make("load", Effect.sync(() => Deno.exit(0)))`,
    1,
    /^error: the process was ended/
  ],
  ["a callback that calls it in a run", `Step.make("load", Effect.never.pipe(later(0)))`, 1, /^error: the process was/],
  ["its own code", `Step.make("load", Effect.never.pipe(later(4)))`, 4, /^error: the process was ended/],
  ["after the runs", `Effect.andThen(Step.make("load", Effect.void), Effect.never.pipe(later(0)))`, 0, /^$/],
  ["no such call", `Step.make("load", Effect.void)`, 0, /^$/]
])("Deno.exit is noticed as process.exit is: %s", async (_, program, code, says) => {
  mkdirSync(join(root, "tmp"), { recursive: true })
  const folder = mkdtempSync(join(root, "tmp/"))
  const script = join(folder, "job.ts")
  writeFileSync(
    script,
    `
    import * as Effect from "effect/Effect"
    import { Step } from "../../src/index.ts"
    import { runMain } from "../../src/main/index.ts"
    const later = (code) => (self) =>
      Effect.andThen(Effect.sync(() => setTimeout(() => Deno.exit(code), 1)), self)
    runMain(${program})
  `
  )
  try {
    const [command, ...flags] = runtimes.deno
    const child = Bun.spawn([command, ...flags, "--no-check", script], {
      stderr: "pipe",
      env: { ...process.env, NO_COLOR: "1" }
    })
    expect(await child.exited).toBe(code)
    expect(await new Response(child.stderr).text()).toMatch(says)
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 60_000)
