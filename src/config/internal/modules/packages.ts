/**
 * Resolves the exports of installed packages from the folder of a config file.
 *
 * `import.meta.resolve` would resolve them from this module instead, and `require.resolve` finds no packages that have
 * ES modules only. So this follows https://nodejs.org/api/esm.html#resolution-algorithm-specification.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { hasProperty, isObject } from "effect/Predicate"
import { didYouMean, listed } from "../../../internal/text/closest.ts"
import { homeOf } from "./pnpPackages.ts"
import type { Refusal } from "./refusal.ts"

type Services = FileSystem.FileSystem | Path.Path

/** Returns the conditions of the runtime, and those of its flag `--conditions`. */
const conditions = (): ReadonlySet<string> => {
  const all = ["import", "module-sync", "node", "default"]
  if ("Bun" in globalThis) all.push("bun")
  if ("Deno" in globalThis) all.push("deno")
  const flags = globalThis.process?.execArgv ?? []
  for (const [index, flag] of flags.entries()) {
    const [option, value] = flag.split("=", 2)
    if (option === "--conditions" || option === "-C") all.push(...(value ?? flags[index + 1] ?? "").split(","))
  }
  return new Set(all)
}

/** Returns the file of a package's subpath, or `undefined` if no such package is installed for the folder. */
export const find = (
  name: string,
  subpath: string,
  folder: string
): Effect.Effect<string | undefined, Refusal, Services> =>
  Effect.gen(function*() {
    const path = yield* Path.Path
    const folders = ancestors(path, folder)
    for (const own of folders) {
      const manifest = yield* manifestOf(own, name)
      if (manifest === undefined) continue
      // The folder belongs to the package of the nearest manifest, so no other is a reference to itself.
      if (manifest.name !== name || manifest.exports === undefined) break
      return path.join(own, yield* exported(name, manifest.exports, subpath))
    }
    const home = homeOf(name, folder) ?? (yield* nearest(name, folders))
    if (home === undefined) return undefined
    const manifest = (yield* manifestOf(home, name)) ?? { name: undefined, exports: undefined, main: undefined }
    if (manifest.exports !== undefined) return path.join(home, yield* exported(name, manifest.exports, subpath))
    return yield* legacy(name, home, manifest.main, subpath)
  })

/** Returns the folder of a package in the nearest `node_modules` that has it. */
const nearest = (name: string, folders: ReadonlyArray<string>): Effect.Effect<string | undefined, never, Services> =>
  Effect.gen(function*() {
    const path = yield* Path.Path
    for (const above of folders) {
      const modules = path.join(above, "node_modules")
      if (yield* isSpelled(modules, name)) return path.join(modules, name)
    }
    return undefined
  })

const ancestors = (path: Path.Path, folder: string): ReadonlyArray<string> => {
  const parent = path.dirname(folder)
  return parent === folder ? [folder] : [folder, ...ancestors(path, parent)]
}

interface Manifest {
  readonly name: unknown
  readonly exports: unknown
  readonly main: unknown
}

const manifestOf = (folder: string, name: string): Effect.Effect<Manifest | undefined, Refusal, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const text = yield* Effect.catch(
      fs.readFileString(path.join(folder, "package.json")),
      () => Effect.succeed(undefined)
    )
    if (text === undefined) return undefined
    const json = yield* Effect.try({
      try: (): unknown => JSON.parse(text),
      catch: (): Refusal => ({
        found: `${path.join(folder, "package.json")}, which is not valid JSON`,
        expected: `the package ${name}`
      })
    })
    const field = (key: string): unknown => hasProperty(json, key) ? json[key] : undefined
    return { name: field("name"), exports: field("exports") ?? undefined, main: field("main") }
  })

/** Returns whether a package's folder exists in this spelling. On some file systems `Effect` would find `effect`. */
const isSpelled = (modules: string, name: string): Effect.Effect<boolean, never, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    let folder = modules
    for (const segment of name.split("/")) {
      const names = yield* Effect.catch(fs.readDirectory(folder), () => Effect.succeed<ReadonlyArray<string>>([]))
      if (!names.includes(segment)) return false
      folder = path.join(folder, segment)
    }
    return true
  })

/** Returns the file of a subpath by the field `exports` of the manifest. */
const exported = (name: string, exports: unknown, subpath: string): Effect.Effect<string, Refusal> => {
  const isTable = isObject(exports) && Object.keys(exports).every((key) => key.startsWith("."))
  const table: Readonly<Record<string, unknown>> = isTable ? exports : { ".": exports }
  const key = Object.hasOwn(table, subpath) && !subpath.includes("*") ? subpath : patternOf(Object.keys(table), subpath)
  const file = key === undefined ? undefined : targetOf(table[key], starOf(key, subpath), conditions())
  if (typeof file === "string") return Effect.succeed(file)
  const show = (key: string) => `${name}${key.slice(1)}`
  const names = Object.keys(table).map(show)
  return Effect.fail({
    found: `no ${show(subpath)} among what the package exports`,
    expected: `one of ${listed(names)}${didYouMean(show(subpath), names)}`
  })
}

/** Returns the matching pattern with the longest part before its `*`. */
const patternOf = (keys: ReadonlyArray<string>, subpath: string): string | undefined => {
  let best: string | undefined
  for (const key of keys) {
    if (starOf(key, subpath) === undefined) continue
    const longer = best === undefined || key.indexOf("*") > best.indexOf("*") ||
      (key.indexOf("*") === best.indexOf("*") && key.length > best.length)
    if (longer) best = key
  }
  return best
}

/** Returns the part of a subpath that the `*` of a pattern stands for. */
const starOf = (key: string, subpath: string): string | undefined => {
  const star = key.indexOf("*")
  if (star === -1) return undefined
  const [head, tail] = [key.slice(0, star), key.slice(star + 1)]
  return subpath.length > head.length + tail.length && subpath.startsWith(head) && subpath.endsWith(tail)
    ? subpath.slice(head.length, subpath.length - tail.length)
    : undefined
}

/** Returns the file of a target. Returns `null` if the package excludes it, `undefined` if no condition holds. */
const targetOf = (
  target: unknown,
  star: string | undefined,
  conditions: ReadonlySet<string>
): string | null | undefined => {
  if (typeof target === "string") {
    const file = star === undefined ? target : target.replaceAll("*", () => star)
    const leaves = file.split("/").slice(1).some((segment) => [".", "..", "node_modules"].includes(segment))
    return file.startsWith("./") && !leaves ? file : null
  }
  if (Array.isArray(target)) {
    for (const one of target) {
      const file = targetOf(one, star, conditions)
      if (typeof file === "string") return file
    }
    return null
  }
  if (typeof target !== "object" || target === null) return null
  for (const [condition, inner] of Object.entries(target)) {
    if (!conditions.has(condition)) continue
    const file = targetOf(inner, star, conditions)
    if (file !== undefined) return file
  }
  return undefined
}

/** Returns the file of a subpath in a package without `exports`: its `main`, or any of its files. */
const legacy = (name: string, home: string, main: unknown, subpath: string): Effect.Effect<string, Refusal, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const stem = subpath === "." ? typeof main === "string" ? main : "index.js" : subpath
    const tried = [stem, `${stem}.js`, `${stem}/index.js`, ...(subpath === "." ? ["index.js"] : [])]
    for (const one of tried) {
      const file = path.join(home, one)
      // A `main` such as `../..` must not lead out of the package.
      if (!file.startsWith(`${home}${path.sep}`)) continue
      const info = yield* Effect.catch(fs.stat(file), () => Effect.succeed(undefined))
      if (info?.type === "File") return file
    }
    return yield* Effect.fail<Refusal>({
      found: `no file ${subpath === "." ? stem : subpath.slice(2)} in the package`,
      expected: `a module of the package ${name}`
    })
  })
