/** Compiles every TypeScript snippet of the README, `docs/` and the docstrings, and runs those whose output the README shows. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"

const root = dirname(import.meta.dir)
const folder = join(root, "tmp", `docs-${process.pid}`)

const fenced = (text: string, language: string): ReadonlyArray<string> =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map((match) => match[1]!)

const readme = readFileSync(join(root, "README.md"), "utf8")

const docstrings = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) =>
    [...readFileSync(join(root, "src", file), "utf8").matchAll(/\/\*\*[\s\S]*?\*\//g)]
      .flatMap(([comment]) => fenced(comment.replace(/^ *\* ?/gm, ""), "ts"))
      .map((code, index) => ({ name: `${file.replaceAll("/", "_").slice(0, -3)}_${index}`, code }))
  )

const pages = readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md")).flatMap((file) =>
  fenced(readFileSync(join(root, "docs", file), "utf8"), "ts")
    .map((code, index) => ({ name: `docs_${file.slice(0, -3)}_${index}`, code }))
)

const snippets = [
  ...fenced(readme, "ts").map((code, index) => ({ name: `README_${index}`, code })),
  ...pages,
  ...docstrings
]

beforeAll(() => {
  mkdirSync(folder, { recursive: true })
  snippets.forEach(({ code, name }, index) =>
    writeFileSync(join(folder, `${index}_${name}.ts`), `${code}\nexport {}\n`)
  )
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: "../../tsconfig.json", include: ["*.ts"], compilerOptions: { noEmit: true } })
  )
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test("README and docstrings have snippets to compile", () => {
  expect(fenced(readme, "ts").length).toBeGreaterThan(3)
  expect(docstrings.length).toBeGreaterThan(15)
})

test("every TypeScript snippet compiles", async () => {
  const tsc = Bun.spawn([process.execPath, "x", "tsc", "-p", folder], { cwd: root, stdout: "pipe" })
  const output = await new Response(tsc.stdout).text()
  expect(output.replaceAll(relative(root, folder), "")).toBe("")
  expect(await tsc.exited).toBe(0)
}, 60_000)

test("the README's first snippet prints the output that the README shows", async () => {
  const normal = (output: string) => output.replace(/^\[[\d:.]+\]/gm, "[time]").replace(/\(#\d+\)/g, "(#n)").trim()
  const run = Bun.spawn([process.execPath, join(folder, "0_README_0.ts")], { cwd: root, stdout: "pipe" })
  const output = await new Response(run.stdout).text()
  expect(await run.exited).toBe(0)
  expect(normal(output)).toBe(normal(fenced(readme, "text")[0]!))
}, 30_000)

test(
  "the README's config file is examples/config/training.yaml and prints the output that the README shows",
  async () => {
    const file = join(root, "examples", "config", "training.yaml")
    expect(fenced(readme, "yaml")[0]).toBe(readFileSync(file, "utf8"))
    const normal = (output: string) => output.replace(/\b\d+ ms\b/g, "n ms").trim()
    const run = Bun.spawn([process.execPath, join(root, "src", "cli", "main.ts"), "run", file], {
      cwd: root,
      stdout: "pipe"
    })
    const output = await new Response(run.stdout).text()
    expect(await run.exited).toBe(0)
    expect(normal(output)).toBe(normal(fenced(readme, "text")[1]!))
  },
  30_000
)
