/** The library as it is published: a bundler drops what nobody uses, and its modules are a few files. */
import { Glob } from "bun"
import { describe, expect, test } from "bun:test"
import * as esbuild from "esbuild"
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join, relative, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import * as ts from "typescript-6"
import * as parts from "../../scripts/parts.ts"
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

describe("the parts of the compiled library", () => {
  const names = ["Alert", "Alerter", "AlerterHooks", "Hook", "Hooks", "Pipeline", "StepContext"]
  const code: Record<string, string> = {
    ...Object.fromEntries(names.map((name) => [
      `${name}.js`,
      `import * as path from "node:path";\nimport { join, sep as of } from "node:path";
import * as same from "./internal/same.js";
export const make = () => same.of("${name}"), joined = path.join("a", join("b", "c")).split(of)`
    ])),
    "internal/same.js": `const seen = []\nexport const of = (name) => (seen.push(name), seen)`,
    "internal/types.js": `export {}`,
    "Step.js": `import "./internal/types.js"\nexport { of as make } from "./internal/same.js"`,
    "Late.js": `import { of } from "./internal/same.js"\nexport const late = () => of("late")`,
    "index.js": `export * as Step from "./Step.js"`,
    "alerters/index.js": `export * as Bell from "./Bell.js"\nexport * as Horn from "./Horn.js"`,
    "alerters/Bell.js": `import { of } from "./internal/channel.js"\nimport { tone } from "./internal/tone.js"
export const layer = () => of(tone)`,
    "alerters/Horn.js": `import { of } from "./internal/channel.js"\nimport { words } from "./internal/words.js"
export const layer = () => of(words + "horn")
export const later = () => import("./internal/later.js")`,
    "alerters/internal/channel.js": `import { of as same } from "../../internal/same.js"
import { words } from "./words.js"
export const of = (name) => same(words + name)`,
    "alerters/internal/later.js": `import { of } from "../../internal/same.js"\nexport const told = () => of("later")`,
    "alerters/internal/tone.js": `export const tone = "bell"`,
    "alerters/internal/words.js": `export const words = "a "`
  }
  const entries = {
    subpaths: [...names, "Step", "Late", "index", "alerters/index", "alerters/Bell", "alerters/Horn"].map((name) =>
      `${name}.js`
    ),
    commands: [["internal/same.js", "alerters/internal/channel.js", "alerters/internal/tone.js"]],
    later: []
  }

  const written = async (use: (folder: string, library: parts.Library) => Promise<void>) => {
    const folder = await mkdtemp(join(tmpdir(), "parts-"))
    try {
      for (const [path, text] of Object.entries(code)) {
        await mkdir(dirname(join(folder, path)), { recursive: true })
        await writeFile(join(folder, path), text)
        await writeFile(join(folder, `${path}.map`), "{}")
      }
      await use(folder, await parts.write(folder, entries))
    } finally {
      await rm(folder, { recursive: true })
    }
  }
  const load = (folder: string, path: string) => import(pathToFileURL(join(folder, path)).href)
  const filesIn = (folder: string) => [...new Glob("**/*.js").scanSync({ cwd: folder })].toSorted()

  test("each module is loaded once, by whichever path", () =>
    written(async (folder) => {
      const paths = ["index.js", "Hook.js", "alerters/index.js", "alerters/Bell.js", "shared/core.js"]
      const [index, hook, alerters, bell, core] = await Promise.all(paths.map((path) => load(folder, path)))
      hook.make()
      alerters.Bell.layer()
      alerters.Horn.layer()
      const { told } = await alerters.Horn.later()
      told()
      expect(index.Step.make("Step")).toEqual(["Hook", "a bell", "a a horn", "later", "Step"])
      expect(index.Step.make).toBe(core.internal$same$of)
      expect(alerters.Bell.layer).toBe(bell.layer)
      expect(hook.joined).toEqual(["a", "b", "c"])
    }))

  test("a part is a file, and so is what is loaded by its path", () =>
    written(async (folder) => {
      expect(filesIn(folder)).toEqual([
        ...names.map((name) => `${name}.js`),
        "Late.js",
        "Step.js",
        "alerters/Bell.js",
        "alerters/Horn.js",
        "alerters/index.js",
        "alerters/internal/later.js",
        "index.js",
        "shared/alerters.Bell.js",
        "shared/channels.js",
        "shared/core.js"
      ].toSorted())
      expect(await readFile(join(folder, "Hook.js"), "utf8")).toBe(
        `export { Hook$joined as joined, Hook$make as make } from "./shared/core.js"\n`
      )
      expect(await readFile(join(folder, "index.js"), "utf8")).toBe(code["index.js"]!)
      expect(await readFile(join(folder, "Late.js"), "utf8")).toContain(`from "./shared/core.js"`)
      expect(await readFile(join(folder, "alerters/Horn.js"), "utf8")).toContain(`from "../shared/channels.js"`)
    }))

  test("the modules of a part share their imports of other packages", () =>
    written(async (folder) => {
      expect((await readFile(join(folder, "shared/core.js"), "utf8")).match(/^import .*/gm)).toEqual([
        `import * as path from "node:path";`,
        `import { join } from "node:path";`,
        `import { sep } from "node:path";`
      ])
    }))

  test("a command imports the parts of what it needs", () =>
    written(async (folder, library) => {
      await mkdir(join(folder, "cli/run"), { recursive: true })
      await writeFile(
        join(folder, "cli/run.js"),
        `import { of } from "../internal/same.js"\nimport * as Tone from "../alerters/internal/tone.js"
export const ring = () => of(Tone.tone)`
      )
      await esbuild.build({
        entryPoints: [join(folder, "cli/run.js")],
        outfile: join(folder, "cli/run/run.js"),
        bundle: true,
        format: "esm",
        plugins: [library.imports("../../", ({ path, resolveDir }) => relative(folder, resolve(resolveDir, path)))]
      })
      const { ring } = await load(folder, "cli/run/run.js")
      const { layer } = await load(folder, "alerters/Horn.js")
      expect(ring()).toBe(layer())
      expect((await readFile(join(folder, "cli/run/run.js"), "utf8")).match(/from ".*"/g)).toEqual([
        `from "../../shared/core.js"`,
        `from "../../shared/alerters.Bell.js"`
      ])
    }))

  test("modules that are parts already are refused", () =>
    written(async (folder) => {
      await expect(parts.write(folder, entries)).rejects.toThrow("compile src again")
    }))
})
