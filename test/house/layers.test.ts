/**
 * The import rules of `.oxlintrc.json`. In a scratch tree, the files of each row import every
 * part of the library: what the table below allows must pass, all else must be reported with
 * the row's message, imports of types included.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"

const root = join(import.meta.dir, "..", "..")
const config = ".oxlintrc.json"

const folders = (path: string): ReadonlyArray<string> =>
  readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [`${path}/${entry.name}`] : []
  )
const modules = (path: string): ReadonlyArray<string> =>
  readdirSync(join(root, path)).flatMap((name) => name.endsWith(".ts") ? [`${path}/${name}`] : [])

const surface = modules("src").filter((file) => file !== "src/index.ts")
const core = [...surface, ...folders("src/internal")]
const areas = folders("src").filter((folder) => folder !== "src/internal" && folder !== "src/cli")
const command = [...folders("src/cli"), ...modules("src/cli").filter((file) => file !== "src/cli/main.ts")]
/** Each module of the surface and each folder that a row speaks of. */
const parts = [...core, ...areas, ...command]

const inside = (folder: string) => (...names: ReadonlyArray<string>) => names.map((name) => `${folder}/${name}`)
const src = inside("src")
const internal = inside("src/internal")
const cli = inside("src/cli")

/** The parts that the files of a row may import, besides those of their own folder. */
const allowed: Record<string, ReadonlyArray<string>> = {
  "src/*.ts": core,
  "src/internal/text/**": [],
  "src/internal/files/**": [],
  "src/internal/model/**": [...internal("text"), ...src("Alert.ts", "StepContext.ts")],
  "src/internal/engine/**": [...internal("model", "text"), ...src("Alert.ts", "Hook.ts", "StepContext.ts")],
  "src/internal/steps/**": [...internal("engine", "model", "text"), ...src("Alert.ts", "Hook.ts", "StepContext.ts")],
  "src/internal/alerts/**": [...internal("model", "text"), ...src("Alert.ts", "Alerter.ts", "StepContext.ts")],
  "src/internal/approvals/**": [...internal("model", "text"), ...src("Alert.ts", "Alerter.ts", "Approver.ts")],
  "src/delivery/**": core,
  "src/alerters/**": core,
  "src/approvers/**": [...core, ...src("alerters")],
  "src/durable/**": core,
  "src/main/**": core,
  "src/monitors/**": [...core, ...src("alerters")],
  "src/report/**": [...core, ...src("delivery")],
  "src/config/**": [...core, ...src("alerters", "approvers", "delivery", "monitors")],
  "src/testing/**": core,
  "src/cli/main.ts": cli("front", "request.ts", "terminal.ts"),
  "src/cli/request.ts": cli("terminal.ts"),
  "src/cli/terminal.ts": [...core, ...cli("request.ts"), ...src("report")],
  "src/cli/front/**": cli("request.ts", "terminal.ts"),
  "src/cli/run/**": [
    ...core,
    ...src("alerters", "approvers", "config", "delivery", "main", "monitors", "report"),
    ...cli("request.ts", "supervise", "terminal.ts")
  ],
  "src/cli/supervise/**": [
    ...core,
    ...src("alerters", "approvers", "config", "delivery", "main", "monitors", "report"),
    ...cli("request.ts", "terminal.ts")
  ],
  "src/cli/exec/**": [
    ...core,
    ...src("alerters", "approvers", "config", "delivery", "main", "monitors", "report"),
    ...cli("request.ts", "run", "supervise", "terminal.ts")
  ],
  "src/cli/durable/**": [
    ...core,
    ...src("alerters", "approvers", "config", "delivery", "durable", "main", "monitors", "report"),
    ...cli("request.ts", "run", "supervise", "terminal.ts")
  ],
  "src/cli/records/**": [...core, ...src("report"), ...cli("request.ts", "terminal.ts")]
}

const rows = new Map<string, string>()
const { overrides } = Bun.JSONC.parse(readFileSync(join(root, config), "utf8")) as {
  readonly overrides: ReadonlyArray<{
    readonly files: ReadonlyArray<string>
    readonly rules: Record<string, readonly [string, { readonly patterns: ReadonlyArray<{ message: string }> }]>
  }>
}
for (const { files, rules } of overrides) {
  const rule = rules["eslint/no-restricted-imports"]
  if (rule !== undefined) { for (const file of files) rows.set(file, rule[1].patterns[0]!.message) }
}

/** A file that the row is for: areas have folders within folders, all others are flat. */
const fileOf = (row: string) =>
  row.replace("*.ts", "planted.ts")
    .replace("/**", areas.includes(dirname(row)) ? "/internal/deep/planted.ts" : "/planted.ts")
const ownFolder = (row: string, part: string) => row === `${part}/**` || row === part
const imported = (part: string) => part.endsWith(".ts") ? part : `${part}/planted.ts`

const scratch = mkdtempSync(join(tmpdir(), "layers-"))
/** The messages that were reported, by file and line. */
const reported = new Map<string, string>()

beforeAll(async () => {
  copyFileSync(join(root, config), join(scratch, config))
  for (const row of rows.keys()) {
    const file = fileOf(row)
    const lines = parts.flatMap((part) => {
      const specifier = relative(dirname(file), imported(part))
      const from = `from "${specifier.startsWith(".") ? specifier : `./${specifier}`}"\n`
      return [`export * ${from}`, `export type * ${from}`]
    })
    mkdirSync(dirname(join(scratch, file)), { recursive: true })
    writeFileSync(join(scratch, file), lines.join(""))
  }
  const oxlint = Bun.spawn([join(root, "node_modules/.bin/oxlint"), "-f", "json", "src"], {
    cwd: scratch,
    stdout: "pipe"
  })
  const { diagnostics } = await new Response(oxlint.stdout).json()
  for (const { code, filename, help, labels } of diagnostics) {
    if (code === "eslint(no-restricted-imports)") reported.set(`${filename}:${labels[0].span.line}`, help)
  }
})

afterAll(() => rmSync(scratch, { recursive: true }))

test("every part of the library has a row, and every row is in the table", () => {
  const covered = (part: string) => rows.has(`${part}/**`) || rows.has(part) || rows.has(`${dirname(part)}/*.ts`)
  expect(parts.filter((part) => !covered(part))).toEqual([])
  expect([...rows.keys()].toSorted()).toEqual(Object.keys(allowed).toSorted())
})

describe.each([...rows])("%s", (row, message) => {
  const others = parts.filter((part) => !ownFolder(row, part) && !(row === "src/*.ts" && surface.includes(part)))
  const forbidden = others.filter((part) => !allowed[row]!.includes(part))
  const planted = (part: string) => {
    const line = 2 * parts.indexOf(part) + 1
    return [reported.get(`${fileOf(row)}:${line}`), reported.get(`${fileOf(row)}:${line + 1}`)]
  }

  test("reports each import of a part that it may not import, and says why", () => {
    expect(forbidden).not.toEqual([])
    expect(forbidden.map((part) => [part, planted(part)])).toEqual(
      forbidden.map((part) => [part, [message, message]])
    )
  })

  test("lets all other imports pass", () => {
    const passing = parts.filter((part) => !forbidden.includes(part))
    expect(passing.flatMap(planted).filter((help) => help !== undefined)).toEqual([])
  })
})
