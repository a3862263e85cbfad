/** Compiles every TypeScript snippet of the README, `docs/` and the docstrings, and runs the programs whose output a page shows. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"

const root = dirname(import.meta.dir)
const folder = join(root, "tmp", `docs-${process.pid}`)

const fenced = (text: string, language: string): ReadonlyArray<string> =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map((match) => match[1]!)

interface Block {
  readonly language: string
  readonly code: string
}

/** Returns the blocks of code of a page, in their order. */
const blocksOf = (page: string): ReadonlyArray<Block> =>
  [...readFileSync(join(root, page), "utf8").matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
    .map(([, language, code]) => ({ language: language!, code: code! }))

const pages = [
  "README.md",
  ...readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md")).map((file) => `docs/${file}`)
].map((page) => ({ page, blocks: blocksOf(page) }))

const docstrings = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) =>
    [...readFileSync(join(root, "src", file), "utf8").matchAll(/\/\*\*[\s\S]*?\*\//g)]
      .flatMap(([comment]) => fenced(comment.replace(/^ *\* ?/gm, ""), "ts"))
      .map((code, index) => ({ name: `${file.replaceAll("/", "_").slice(0, -3)}_${index}`, code }))
  )

const nameOf = (page: string, index: number): string => `${page.replaceAll("/", "_").slice(0, -3)}_${index}`

const snippets = [
  ...pages.flatMap(({ blocks, page }) =>
    blocks.flatMap(({ code, language }, index) => language === "ts" ? [{ name: nameOf(page, index), code }] : [])
  ),
  ...docstrings
]

beforeAll(() => {
  mkdirSync(folder, { recursive: true })
  for (const { code, name } of snippets) writeFileSync(join(folder, `${name}.ts`), `${code}\nexport {}\n`)
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: "../../tsconfig.json", include: ["*.ts"], compilerOptions: { noEmit: true } })
  )
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test("every TypeScript snippet compiles", async () => {
  const tsc = Bun.spawn([process.execPath, "x", "tsc", "-p", folder], { cwd: root, stdout: "pipe" })
  const output = await new Response(tsc.stdout).text()
  expect(output.replaceAll(relative(root, folder), "")).toBe("")
  expect(await tsc.exited).toBe(0)
}, 60_000)

/** Programs with the output that their pages show: the next block of code is the text that they print. */
const shown = pages.flatMap(({ blocks, page }) =>
  blocks.flatMap(({ code, language }, index) => {
    const next = blocks[index + 1]
    return language === "ts" && code.includes("runMain") && next?.language === "text"
      ? [{ name: nameOf(page, index), output: next.code }]
      : []
  })
)

/** Replaces times, durations, ids and the numbers of fibers. */
const normal = (output: string): string =>
  output
    .replace(/\d{4}-\d\d-\d\d[T ][\d:.]+(Z| UTC)?/g, "[time]")
    .replace(/^\[[\d:.]+\]/gm, "[time]")
    .replace(/\b\d+(\.\d+)? m?s\b/g, "[duration]")
    .replace(/\(#\d+\)/g, "(#n)")
    .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, "[id]")
    .replace(/\b([\w-]+)-\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d/g, "$1-[time]")
    .trim()

/** Runs a command, and returns its standard output. */
const outputOf = async (...command: ReadonlyArray<string>): Promise<string> => {
  const run = Bun.spawn([process.execPath, ...command], {
    cwd: root,
    stdout: "pipe",
    env: { ...process.env, NO_COLOR: "1" }
  })
  const output = await new Response(run.stdout).text()
  expect(await run.exited).toBe(0)
  return output
}

test("pages show programs with their output, the README and the first pages among them", () => {
  expect(shown.map(({ name }) => name)).toContain("README_1")
  expect(shown.length).toBeGreaterThan(5)
})

test.concurrent.each(shown)("$name prints the output that its page shows", async ({ name, output }) => {
  const printed = normal(await outputOf(join(folder, `${name}.ts`)))
  // the page about the last lines of the log shows the alert, and not the log itself
  if (name === "docs_alerts_0") expect(printed).toContain(normal(output))
  else expect(printed).toBe(normal(output))
}, 60_000)

test(
  "the config file of docs/config-files-and-command.md is that of the examples, and prints what the page shows",
  async () => {
    const file = join(root, "examples", "config", "training.yaml")
    const blocks = blocksOf("docs/config-files-and-command.md")
    expect(blocks.find(({ language }) => language === "yaml")!.code).toBe(readFileSync(file, "utf8"))
    const output = blocks.find(({ code }) => code.startsWith("▶ training"))!.code
    expect(normal(await outputOf(join(root, "src", "cli", "main.ts"), "run", file))).toBe(normal(output))
  },
  30_000
)
