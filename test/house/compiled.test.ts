/** The library as it is published: a bundler drops what nobody uses, and the core is one file. */
import { expect, test } from "bun:test"
import * as esbuild from "esbuild"
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import * as ts from "typescript-6"
import * as core from "../../scripts/core.ts"
import { rewritten } from "../../scripts/patterns.ts"
import { marked } from "../../scripts/pure.ts"

/** Bundles a module of which nothing is used, and returns what is left of it. */
const left = async (code: string): Promise<string> => {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: marked(code) },
    bundle: true,
    external: ["other"],
    format: "esm",
    treeShaking: true,
    write: false
  })
  return outputFiles[0]!.text.replace(/^import .*\n|^\/\/ .*\n/gm, "").trim()
}

const unused = {
  "a call": `const a = other.make(1)`,
  "a call of a call": `const a = other.make(1)(2)`,
  "a call in a call": `const a = other.make(other.made(1), [other.made(2)], { b: new Set(other.all()) })`,
  "a chain": `const a = other.make(1).pipe(other.map((x) => x), other.made())`,
  "a class of a call": `class A extends other.TaggedError("A") { field = other.make() }`,
  "a class with static fields": `class A extends other.Service()("A") { static layer = other.layer(A, other.make()) }`,
  "a class with computed keys": `const key = Symbol.for("key")\nclass A { [key] = 1; get [other.key]() { return 2 } }`,
  "a class as a value": `const A = class extends other.Error {}`,
  "a spread object": `const a = { b: 1 }\nconst c = { ...a, ...other.made(), d: other.make() }`,
  "a spread array": `const a = [...other.all(), 1]`,
  "arithmetic of constants": `const second = 1000\nconst minute = 60 * second`,
  "a template": "const a = `${other.name} and ${other.make()}`",
  "an element of something": `const a = other.all()[0].b`,
  "a property of a call": `const a = other.make()\nconst b = a.b\nconst c = other.make(a.b, { d: a.b })`,
  "a property of an import": `import { name } from "other"\nconst a = name.b\nclass A extends name.c {}`,
  "a choice": `const a = typeof other.make === "function" ? other.make() : { ...other }`
}

for (const [what, code] of Object.entries(unused)) {
  test(`a bundler drops ${what} that nobody uses`, async () => {
    expect(await left(`import * as other from "other"\n${code}`)).toBe("")
  })
}

test("what a module does for its effect stays", async () => {
  expect(await left(`globalThis.a = 1`)).toContain("globalThis.a = 1")
  expect(await left(`register(make())`)).toContain("register(make())")
  expect(marked(`class A { static { register(A) } }`)).not.toContain("PURE */ register")
  expect(marked(`const f = () => register(1)\nfunction g() { return make() }`)).not.toContain("PURE")
})

/** The modules of the library as it is published, by the configuration that compiles them. */
const compiled = () => {
  const root = join(import.meta.dirname, "..", "..")
  const { config } = ts.readConfigFile(join(root, "tsconfig.build.json"), ts.sys.readFile)
  return ts.parseJsonConfigFileContent(config, ts.sys, root).fileNames
}

/** Returns whether bundlers keep a statement for a script that uses nothing of it, marked or not. */
const isKept = (statement: ts.Statement): boolean =>
  ts.isVariableStatement(statement)
    // reading a property may call an accessor
    ? statement.declarationList.declarations.some(({ name }) => !ts.isIdentifier(name))
    : !ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement) &&
      !ts.isFunctionDeclaration(statement) &&
      !ts.isClassDeclaration(statement) && !ts.isInterfaceDeclaration(statement) &&
      !ts.isTypeAliasDeclaration(statement) && !ts.isModuleDeclaration(statement)

test("no module of the library has a statement that a bundler keeps though nobody uses it", async () => {
  const kept = await Promise.all(
    compiled().map(async (path) => {
      const source = ts.createSourceFile(path, await readFile(path, "utf8"), ts.ScriptTarget.Latest, true)
      return source.statements.filter(isKept).map((statement) => `${path}: ${statement.getText().slice(0, 100)}`)
    })
  )
  expect(kept.length).toBeGreaterThan(300)
  expect(kept.flat(), "make it a constant with a name, or the static block of a class").toEqual([])
})

test("a module computes the same once its calls are marked", async () => {
  const code = `
    const key = Symbol.for("key")
    export const base = { a: 1, [key]: 2 }
    export const more = { ...base, b: Math.max(1, 3) }
    export class Point { static origin = new Point(0); [key] = this.x ?? 5; constructor(x) { this.x = x } }
    export class Other extends Point { get [Symbol.toStringTag]() { return "Other" } }
    export const text = \`\${more.b} \${new Other(1)}\`, list = [...text].slice(0, 3), not = -1, name = Other.name
  `
  const folder = await mkdtemp(join(tmpdir(), "marked-"))
  const load = async (name: string, code: string) => {
    await writeFile(join(folder, name), code)
    return import(pathToFileURL(join(folder, name)).href)
  }
  const { Point: PointA, Other: OtherA, ...before } = await load("before.mjs", code)
  const { Point: PointB, Other: OtherB, ...after } = await load("after.mjs", marked(code))
  await rm(folder, { recursive: true })
  expect(marked(code)).toContain("const Point = /* @__PURE__ */ (() => class Point {")
  expect(after).toEqual(before)
  expect(Object.getOwnPropertyNames(PointB)).toEqual(Object.getOwnPropertyNames(PointA))
  expect(String(new OtherB(2))).toBe(String(new OtherA(2)))
})

test("a runtime has no Unicode properties to look up when it reads a module, and the patterns match the same", () => {
  const code = String.raw`[
    /[\p{L}"\u{1f600}]+\//gu, /[^\p{Cc}\n]/v, /\P{L}/iu, /[…😀]$/u, /…/g, /\\p{1}/, /[/\]]"/, () => /^\p{Emoji}/u
  ]`
  const after = rewritten(code)
  expect(after).toMatch(/^[\0-\x7f]*$/)
  expect(after).not.toMatch(/\/[^/]*\\p\{(?!1)[^/"]*\/[a-z]*[ug]/)
  const text = "aé\u{1f600}\"/ … \\p p\\ppp ]\" 😀"
  const matches = (code: string) =>
    (new Function(`return ${code}`)() as ReadonlyArray<RegExp | (() => RegExp)>).map((pattern) => {
      const made = typeof pattern === "function" ? pattern() : pattern
      return [made.flags, text.match(made)?.slice(), text.search(made)]
    })
  expect(matches(after)).toEqual(matches(code))
})

test("the core is one file, of which its modules hand on their exports", async () => {
  const folder = await mkdtemp(join(tmpdir(), "core-"))
  try {
    const write = async (path: string, code: string) => {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), code)
      await writeFile(join(folder, `${path}.map`), "{}")
    }
    for (const name of ["Alert", "Alerter", "AlerterHooks", "Hook", "Hooks", "Pipeline", "StepContext"]) {
      await write(
        `${name}.js`,
        `import * as path from "node:path";\nimport { join, sep as of } from "node:path";
import * as same from "./internal/same.js";
export const make = () => same.of("${name}"), joined = path.join("a", join("b", "c")).split(of)`
      )
    }
    await write("internal/same.js", `const seen = []\nexport const of = (name) => (seen.push(name), seen)`)
    await write("internal/types.js", `export {}`)
    await write("Step.js", `import "./internal/types.js"\nexport { of as make } from "./internal/same.js"`)
    await write("area/index.js", `export * as Step from "../Step.js"\nexport { of } from "../internal/same.js"`)
    await core.write(folder)
    const load = (path: string) => import(pathToFileURL(join(folder, path)).href)
    const [area, hook, step, whole] = await Promise.all(["area/index.js", "Hook.js", "Step.js", "core.js"].map(load))
    hook.make()
    step.make("Step")
    expect(area.of("area")).toEqual(["Hook", "Step", "area"])
    expect(area.Step.make).toBe(whole.internal$same$of)
    expect(hook.joined).toEqual(["a", "b", "c"])
    expect((await readFile(join(folder, "core.js"), "utf8")).match(/^import .*/gm)).toEqual([
      `import * as path from "node:path";`,
      `import { join } from "node:path";`,
      `import { sep } from "node:path";`
    ])
    expect(await readFile(join(folder, "Hook.js"), "utf8")).toBe(
      `export { Hook$joined as joined, Hook$make as make } from "./core.js"\n`
    )
    expect(await readFile(join(folder, "internal/same.js"), "utf8")).toContain(`from "../core.js"`)
    await expect(core.write(folder)).rejects.toThrow("compile src again")
  } finally {
    await rm(folder, { recursive: true })
  }
})
