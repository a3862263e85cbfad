/** The example of docs/exec.md, as it is printed there. */
import { expect, test } from "bun:test"
import * as Effect from "effect/Effect"
import { readFileSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { root } from "../../support/command.ts"
import { shell } from "./support.ts"

const page = readFileSync(join(root, "docs/exec.md"), "utf8")

/** Returns the first example in a language that has a text in it. */
const example = (language: string, text: string): string =>
  [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].find(([, of, code = ""]) =>
    of === language && code.includes(text)
  )![2]!

const timeless = (text: string) =>
  text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "[time]").replace(/\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d/g, "[time]")
    .replace(/\b\d+ m?s\b/g, "n ms")

test("the example prints what the page shows", async () => {
  const [command = "", ...shown] = example("text", "$ ").split("\n")
  const { stdout } = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const { folder, run } = yield* shell("bun", example("yaml", "alerter"))
    writeFileSync(join(folder, "backup.sh"), example("sh", "#!"), { mode: 0o755 })
    return yield* run(command.replace("$ ", ""))
  })))
  expect(timeless(stdout).replaceAll(`host      ${hostname()}`, "host      db1")).toBe(timeless(shown.join("\n")))
}, 30_000)

test("the page has each exit code that the command itself chooses", () => {
  for (const code of [1, 2, 3, 124, 126, 127, "128 \\+ n"]) expect(page).toMatch(new RegExp(`^\\| ${code} `, "m"))
})
