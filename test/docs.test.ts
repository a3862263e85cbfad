/** Compiles every TypeScript snippet of the README, `docs/` and the docstrings, and runs the programs whose output a page shows. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { parse } from "yaml"
import { ConfigFile } from "../src/config/index.ts"
import * as editor from "./support/editor.ts"

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

/** A block of code below a line that names its file, as in "`nightly.ts`:". */
const namedBlock = /`([\w.-]+\.(?:ts|yaml|json))`[^`\n]*:\n\n```\w+\n([\s\S]*?)^```/gm

// the command shows progress as in a terminal's log, wherever the test runs
const environment = { ...process.env }
for (const name of ["CI", "GITHUB_ACTIONS", "GITLAB_CI"]) delete environment[name]

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

const editorImports = `import { Effect, Schema } from "effect"
import { Alerter, AlerterHooks, Hook, Params, Pipeline, Step, StepContext } from "effect-epilogue"
import { TestAlerter } from "effect-epilogue/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
`

const nameOf = (page: string, index: number): string => `${page.replaceAll("/", "_").slice(0, -3)}_${index}`

/** What the snippets of the editor insert, below the imports that they need. */
const inserted = Object.entries(editor.snippets).flatMap(([name, { body, scope }]) =>
  scope === "yaml" ? [] : [{
    name: `editor_${name}`,
    code: `${body[0]!.startsWith("import ") ? "" : editorImports}${editor.inserted(body)}`
  }]
)

const snippets = [
  ...pages.flatMap(({ blocks, page }) =>
    blocks.flatMap(({ code, language }, index) => language === "ts" ? [{ name: nameOf(page, index), code }] : [])
  ),
  ...docstrings,
  ...inserted
]

/** A page about a package, whose other snippets import it. */
const hooksPage = "docs/hooks-as-a-package.md"

/** Where the library's sources are, seen from the folder of the snippets. */
const paths = {
  "effect-epilogue": ["../../src/index.ts"],
  "effect-epilogue/*": ["../../src/*.ts", "../../src/*/index.ts"]
}

/** What a page uses of `@effect/vitest`, which is not installed: Vite would come with it, for one snippet. */
const vitest = `declare module "@effect/vitest" {
  import type { Effect, Scope } from "effect"
  export const it: {
    readonly effect: <A, E>(name: string, test: () => Effect.Effect<A, E, Scope.Scope>) => void
  }
  export const expect: <T>(actual: T) => {
    readonly toBe: (expected: T) => void
    readonly toEqual: (expected: T) => void
    readonly toHaveLength: (expected: number) => void
  }
}
`

beforeAll(() => {
  mkdirSync(folder, { recursive: true })
  for (const { code, name } of snippets) writeFileSync(join(folder, `${name}.ts`), `${code}\nexport {}\n`)
  writeFileSync(join(folder, "vitest.d.ts"), vitest)
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../../tsconfig.json",
      include: ["*.ts"],
      compilerOptions: { noEmit: true, paths: { ...paths, "@acme/epilogue-hooks": [`./${nameOf(hooksPage, 2)}.ts`] } }
    })
  )
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test("every TypeScript snippet compiles", async () => {
  const tsc = Bun.spawn([process.execPath, "x", "tsc", "-p", folder], { cwd: root, stdout: "pipe" })
  const output = await new Response(tsc.stdout).text()
  expect(output.replaceAll(relative(root, folder), "")).toBe("")
  expect(await tsc.exited).toBe(0)
}, 120_000)

const configs = pages.flatMap(({ blocks, page }) =>
  blocks.flatMap(({ code, language }, index): ReadonlyArray<readonly [name: string, document: object]> => {
    const document: unknown = language === "yaml" ? parse(code) : undefined
    if (typeof document !== "object" || document === null) return []
    // files of GitHub Actions, GitLab and Kubernetes
    const isOther = ["on", "jobs", "apiVersion"].some((key) => key in document) || /^\w+:\n {2}script:/m.test(code)
    return isOther ? [] : [[`${page}, block ${index + 1}`, document]]
  })
)

/** The values of the variables that are no plain addresses. */
const variables: Readonly<Record<string, string>> = {
  "${ALERT_URL}": "webhooks://example.com/1",
  "${SENTRY_DSN}": "https://key@example.com/1"
}

/** Replaces texts that are variables, as loading a file does. */
const expanded = (value: unknown): unknown =>
  typeof value === "string"
    ? value.startsWith("${") ? Redacted.make(variables[value] ?? "https://example.com/1") : value
    : Array.isArray(value)
    ? value.map(expanded)
    : typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, expanded(one)]))
    : value

const decodeConfig = Schema.decodeUnknownEffect(ConfigFile.Document, { errors: "all", onExcessProperty: "error" })

test("every config file of the pages is valid", async () => {
  expect(configs.length).toBeGreaterThan(10)
  const mistakes = configs.map(([name, document]) =>
    Effect.map(
      Effect.result(decodeConfig(expanded(document))),
      (result) => result._tag === "Failure" ? [`${name}: ${result.failure.message}`] : []
    )
  )
  expect((await Effect.runPromise(Effect.all(mistakes))).flat()).toEqual([])
})

/** Programs with the output that their pages show: the next block of code is the text that they print. */
const shown = pages.flatMap(({ blocks, page }) =>
  blocks.flatMap(({ code, language }, index) => {
    const next = blocks[index + 1]
    return language === "ts" && code.includes("runMain") && next?.language === "text"
      ? [{ page, name: nameOf(page, index), output: next.code }]
      : []
  })
)

/** Replaces times, durations, ids, the numbers of fibers and the folder of the test. */
const normal = (output: string): string =>
  output
    .replaceAll(folder, "/work")
    .replace(/\d{4}-\d\d-\d\d[T ][\d:.]+(Z| UTC)?/g, "[time]")
    .replace(/\[\d\d:\d\d:[\d.]+\]/g, "[time]")
    .replace(/\b\d+(\.\d+)? m?s\b/g, "[duration]")
    .replace(/\(#\d+\)/g, "(#n)")
    .replace(/ +$/gm, "")
    .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, "[id]")
    .replace(/\b([\w-]+)-\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d/g, "$1-[time]")
    .trim()

/** Runs a command, and returns its standard output. */
const outputOf = async (cwd: string, ...command: ReadonlyArray<string>): Promise<string> => {
  const run = Bun.spawn([...command], {
    cwd,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
    env: { ...environment, NO_COLOR: "1" }
  })
  const output = await new Response(run.stdout).text()
  await run.exited
  return output
}

/** Compares what was printed with what a page shows. `UPDATE=1` writes it to the page: look at what changed. */
const compare = (page: string, shown: string, printed: string) => {
  if (process.env["UPDATE"] === "1" && normal(printed) !== normal(shown)) {
    const text = readFileSync(join(root, page), "utf8")
    const block = (output: string) => `\`\`\`text\n${output}\`\`\``
    const plain = `${printed.replaceAll(folder, "/work").trimEnd()}\n`
    writeFileSync(join(root, page), text.replace(block(shown), () => block(plain)))
  } else expect(normal(printed)).toBe(normal(shown))
}

test("pages show programs with their output, the README and the first pages among them", () => {
  expect(shown.map(({ name }) => name)).toContain("README_1")
  expect(shown.length).toBeGreaterThan(5)
})

test("the README's program prints the output that the README shows", async () => {
  const { name, output, page } = shown.find(({ page }) => page === "README.md")!
  compare(page, output, await outputOf(root, process.execPath, join(folder, `${name}.ts`)))
}, 120_000)

test("the programs of the pages print the outputs that these show", async () => {
  const programs = shown.filter(({ page }) => page !== "README.md")
  // one process for all, which loads the library once, in place of one each
  writeFileSync(
    join(folder, "all.ts"),
    `import { Effect } from "effect"
let running
globalThis.runMain = (program) => {
  if (!Effect.isEffect(program)) return runMain
  running = Effect.runPromise(program)
}
for (const name of process.argv.slice(2)) {
  console.log("=== " + name)
  await import("./" + name + ".run.ts")
  await running
  await new Promise((resolve) => process.stdout.write("", resolve))
}`
  )
  for (const { name } of programs) {
    const code = readFileSync(join(folder, `${name}.ts`), "utf8")
    writeFileSync(join(folder, `${name}.run.ts`), code.replace(/^import \{ runMain \}.*$/m, ""))
  }
  const output = await outputOf(root, process.execPath, join(folder, "all.ts"), ...programs.map(({ name }) => name))
  const printed = new Map(
    output.split("=== ").map((part) => [part.split("\n", 1)[0]!, part.slice(part.indexOf("\n") + 1)])
  )
  for (const { name, output, page } of programs) {
    // the page about the last lines of the log shows the alert, and not the log itself
    if (name === "docs_alerts_2") expect(normal(printed.get(name)!)).toContain(normal(output))
    else compare(page, output, printed.get(name) ?? "")
  }
}, 120_000)

/** Pages with sessions in a shell: the first line of the block is a command. The files that they name stand above it. */
const sessions = ["docs/start.md", "docs/supervision.md"].map((page) => ({ page, blocks: blocksOf(page) }))

test.each(sessions)("the commands of $page print the output that it shows", async ({ blocks, page }) => {
  const project = join(folder, page.slice(0, -3))
  mkdirSync(project, { recursive: true })
  for (const [, name, code] of readFileSync(join(root, page), "utf8").matchAll(namedBlock)) {
    writeFileSync(join(project, name!), code!)
  }
  const epilogue = `epilogue() { "${process.execPath}" "${join(root, "src/cli/main.ts")}" "$@"; }`
  for (const { code } of blocks.filter(({ code, language }) => language === "text" && code.startsWith("$ "))) {
    let printed = ""
    for (const [line] of code.matchAll(/^\$ .*$/gm)) {
      printed += `${line}\n${await outputOf(project, "bash", "-c", `${epilogue}; ${line!.slice(2)} 2>&1`)}`
    }
    compare(page, code, printed)
  }
}, 120_000)

test(
  "the config file of docs/config-files-and-command.md is that of the examples, and prints what the page shows",
  async () => {
    const file = join(root, "examples", "config", "training.yaml")
    const page = "docs/config-files-and-command.md"
    const blocks = blocksOf(page)
    expect(blocks.find(({ language }) => language === "yaml")!.code).toBe(readFileSync(file, "utf8"))
    const output = blocks.find(({ code }) => code.startsWith("▶ training"))!.code
    compare(page, output, await outputOf(root, process.execPath, join(root, "src", "cli", "main.ts"), "run", file))
  },
  30_000
)
