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

/** Runs the first snippet that has all of the parts, and returns its output. */
const outputOf = async (...parts: ReadonlyArray<string>): Promise<string> => {
  const index = snippets.findIndex(({ code }) => parts.every((part) => code.includes(part)))
  const run = Bun.spawn([process.execPath, join(folder, `${index}_${snippets[index]!.name}.ts`)], {
    cwd: root,
    stdout: "pipe",
    env: { ...process.env, NO_COLOR: "1" }
  })
  const output = await new Response(run.stdout).text()
  expect(await run.exited).toBe(0)
  return output
}

/** Returns the first output that the README shows with a text in it. */
const shownWith = (text: string): string => fenced(readme, "text").find((shown) => shown.includes(text))!

test("the README's first snippet prints the output that the README shows", async () => {
  const normal = (output: string) => output.replace(/^\[[\d:.]+\]/gm, "[time]").replace(/\(#\d+\)/g, "(#n)").trim()
  expect(normal(await outputOf())).toBe(normal(shownWith("")))
}, 30_000)

test("the snippet of docs/defaults.md prints the output that the page shows", async () => {
  const normal = (output: string) => output.replace(/^\[[\d:.]+\]/gm, "[time]").replace(/\(#\d+\)/g, "(#n)").trim()
  const [shown] = fenced(readFileSync(join(root, "docs", "defaults.md"), "utf8"), "text")
  expect(normal(await outputOf("export const Defaults", "runMain"))).toBe(normal(shown!))
}, 30_000)

test("the snippet of docs/skips.md prints the output that the page shows", async () => {
  const normal = (output: string) =>
    output.replace(/\b\d+ ms\b/g, "n ms").replace(/^\[[\d:.]+\]/gm, "[time]").replace(/\(#\d+\)/g, "(#n)")
      .replace(/nightly-[\d_-]+/, "nightly-[time]").trim()
  const [shown] = fenced(readFileSync(join(root, "docs", "skips.md"), "utf8"), "text")
  expect(normal(await outputOf("Step.whenSkipped", "runMain"))).toBe(normal(shown!))
}, 30_000)

test("the README's snippet of a step that is late prints the output that the README shows", async () => {
  const normal = (output: string) =>
    output.replace(/\b\d+(\.\d+)? s\b/g, "n s").replace(/\d{4}-\d\d-\d\d[T ][\d:.]+(Z| .*UTC.*)?/g, "[time]").trim()
  expect(normal(await outputOf("Hook.overdueAfter", "runMain"))).toBe(normal(shownWith("is still running")))
}, 30_000)

test("the README's snippet of a rollback prints the output that the README shows", async () => {
  const normal = (output: string) =>
    output.replace(/\b\d+ ms\b/g, "n ms").replace(/^\[[\d:.]+\]/gm, "[time]").replace(/\(#\d+\)/g, "(#n)")
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "[time]").replace(/[\da-f-]{36}/, "[id]").trim()
  expect(normal(await outputOf("Step.onRollback", "runMain"))).toBe(normal(shownWith("not undone")))
}, 30_000)

test("the README's snippet of a step that logs ends its alert with the lines that the README shows", async () => {
  const normal = (output: string) =>
    output.replace(/\b\d+ ms\b/g, "n ms").replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "[time]").trim()
  expect(normal(await outputOf("StepLogs.layer()", "runMain"))).toContain(normal(shownWith("last lines logged")))
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
    expect(normal(output)).toBe(normal(fenced(readme, "text").find((text) => text.startsWith("▶ training"))!))
  },
  30_000
)
