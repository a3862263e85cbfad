/**
 * The rules of `.oxlintrc.json` that keep output and logs to the writers: each breach, planted in a scratch tree, is
 * reported with the message that names the writers.
 */
import { afterAll, expect, test } from "bun:test"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dirname, "../..")
const scratch = mkdtempSync(join(tmpdir(), "writers-"))
afterAll(() => rmSync(scratch, { recursive: true }))

const breaches = [
  "console.log(1)",
  "export const log = console",
  "process.stdout.write(\"x\")",
  "export const { stderr } = process",
  "export * from \"effect/Console\"",
  "export * from \"node:console\"",
  "Effect.log(\"x\")",
  "Effect.logError(\"x\")"
]

/** A folder of each row, since the last row that matches a file replaces the rules for imports. */
const places = [
  "src",
  "src/internal/text",
  "src/internal/engine",
  "src/alerters/internal",
  "src/report",
  "src/durable/internal",
  "src/config",
  "src/delivery",
  "src/approvers",
  "src/main/internal",
  "src/monitors/internal",
  "src/cli/front",
  "src/cli/run",
  "src/cli/supervise",
  "src/cli/durable",
  "src/cli/records"
]

test("every way to print or to log past the writers is reported, in every folder", async () => {
  copyFileSync(join(root, ".oxlintrc.json"), join(scratch, ".oxlintrc.json"))
  for (const place of places) {
    mkdirSync(join(scratch, place), { recursive: true })
    for (const [i, breach] of breaches.entries()) writeFileSync(join(scratch, place, `planted${i}.ts`), `${breach}\n`)
  }
  const oxlint = Bun.spawn([join(root, "node_modules/.bin/oxlint"), "-f", "json", "src"], {
    cwd: scratch,
    stdout: "pipe"
  })
  const { diagnostics } = (await new Response(oxlint.stdout).json()) as {
    readonly diagnostics: ReadonlyArray<{ readonly filename: string; readonly message: string; readonly help?: string }>
  }
  const reported = new Set(
    diagnostics.filter(({ help, message }) => `${message} ${help}`.includes("by the writers")).map((d) => d.filename)
  )
  const missed = places.flatMap((place) =>
    breaches.filter((_, i) => !reported.has(`${place}/planted${i}.ts`)).map((breach) => `${place}: ${breach}`)
  )
  expect(missed).toEqual([])
})
