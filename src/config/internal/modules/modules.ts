/** From a reference in a file to what it names: found first, without running anything, then loaded. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { hasProperty } from "effect/Predicate"
import { closest, didYouMean, listed } from "../../../internal/text/closest.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { standard } from "./hooks.ts"
import * as packages from "./packages.ts"
import { extensions, parse, quoted, type Reference } from "./reference.ts"

/** What was found where something else was expected, both in words. */
export interface Problem {
  readonly found: string
  readonly expected: string
}

/** Where references are resolved from, and what they may reach. */
export interface SourceOptions {
  /** Of the file that names them. */
  readonly folder: string
  /** No path may leave it, not by a link either. Installed packages may lie outside. */
  readonly root: string
  readonly allowOutside: boolean
}

/** A module that is there, and the export of it that is wanted. */
export interface Source {
  /** What `import()` takes. */
  readonly url: string
  /** The export, and by dots what is inside it. */
  readonly name: string
  /** As it was written. */
  readonly shown: string
}

type Services = FileSystem.FileSystem | Path.Path

/** No module: where the standard hooks are. */
const standardUrl = "epilogue:"

/** How long a module may take to load. */
const loadLimit = "10 seconds"

const fail = (found: string, expected: string): Effect.Effect<never, Problem> => Effect.fail({ found, expected })

// -----------------------------------------------------------------------------
// finding
// -----------------------------------------------------------------------------

/** Finds the module. Whether it has such an export is known when it is loaded. */
export const resolve = (reference: string, options: SourceOptions): Effect.Effect<Source, Problem, Services> =>
  Effect.gen(function*() {
    const path = yield* Path.Path
    const parsed = yield* Effect.fromResult(parse(reference))
    const shown = oneLine(reference)
    switch (parsed._tag) {
      case "Standard": {
        if (Object.hasOwn(standard, parsed.name)) return { url: standardUrl, name: parsed.name, shown }
        const names = Object.keys(standard)
        const one = `one of ${listed(names.map((name) => `epilogue#${name}`))}${didYouMean(parsed.name, names)}`
        return yield* fail(quoted(reference), one)
      }
      case "Path": {
        // a drive is a path on its own system only
        if (/^[a-z]:/i.test(parsed.path) && !path.isAbsolute(parsed.path)) {
          return yield* fail(`a drive in ${quoted(reference)}`, "a path of this system")
        }
        const from = yield* realOr(options.folder)
        const url = yield* locate(path.resolve(from, parsed.path), parsed.path, options)
        return { url, name: parsed.name, shown }
      }
      case "FileUrl": {
        const file = yield* Effect.mapError(path.fromFileUrl(parsed.url), (): Problem => ({
          found: quoted(reference),
          expected: "a file: URL of this system"
        }))
        return { url: yield* locate(file, file, options), name: parsed.name, shown }
      }
      case "Dotted":
        return { ...(yield* locateDotted(parsed.segments, reference, options)), shown }
      case "Package":
        return { url: yield* locatePackage(parsed, reference, options), name: parsed.name, shown }
    }
  })

/** Without links, or as it is where that can't be said. */
export const realOr = (folder: string): Effect.Effect<string, never, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const absolute = path.resolve(folder)
    return yield* Effect.catch(fs.realPath(absolute), () => Effect.succeed(absolute))
  })

/** Whether a file is the root, or in it. */
export const isInside = (path: Path.Path, root: string, file: string): boolean => {
  const relative = path.relative(root, file)
  return relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative)
}

const outside = (written: string, how: string, root: string): Problem => ({
  found: `${quoted(written)}, ${how}`,
  expected: `a file in ${root}`
})

/** The URL of a module at a path, if it may be reached. */
const locate = (target: string, written: string, options: SourceOptions): Effect.Effect<string, Problem, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const root = yield* realOr(options.root)
    // the same folder may be written with links or without
    const base = [root, path.resolve(options.root)].find((root) => isInside(path, root, target))
    if (base === undefined && !options.allowOutside) return yield* Effect.fail(outside(written, "outside", root))
    yield* checkSpelling(base ?? path.dirname(target), target, written)
    const real = yield* Effect.mapError(fs.realPath(target), ({ reason }): Problem => ({
      found: `${quoted(written)}, which can't be opened (${reason._tag})`,
      expected: "a module"
    }))
    if (!options.allowOutside && !isInside(path, root, real)) {
      return yield* Effect.fail(outside(written, "a link to outside", root))
    }
    return yield* moduleUrl(real, written)
  })

/** That each name on the way is there in these letters: there are file systems to which `Hooks.ts` is `hooks.ts`. */
const checkSpelling = (base: string, target: string, written: string): Effect.Effect<void, Problem, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    let folder = base
    for (const segment of path.relative(base, target).split(path.sep)) {
      if (segment === "") continue
      // a folder may be entered that must not be read
      const names = yield* Effect.catch(fs.readDirectory(folder), () => Effect.succeed(undefined))
      if (names !== undefined && !names.some((name) => name.normalize() === segment.normalize())) {
        const last = path.join(folder, segment) === target
        // what is no module is not what was meant
        const candidates = last ? names.filter((name) => extensions.includes(path.extname(name))) : names
        const meant = closest(segment, candidates)
          ?? candidates.find((name) => name.startsWith(`${path.parse(segment).name}.`))
        const expected = last ? `a module in ${folder}` : `a folder in ${folder}`
        return yield* fail(
          `no ${quoted(segment)}, of ${quoted(written)}`,
          meant === undefined ? expected : `${expected} (did you mean ${meant}?)`
        )
      }
      folder = path.join(folder, segment)
    }
  })

/** What `import()` takes, if the file, of which no part is a link, is a module by its name. */
const moduleUrl = (file: string, written: string): Effect.Effect<string, Problem, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const info = yield* Effect.mapError(fs.stat(file), ({ reason }): Problem => ({
      found: `${quoted(written)}, which can't be opened (${reason._tag})`,
      expected: "a module"
    }))
    if (info.type !== "File") {
      const what = info.type === "Directory" ? "a folder" : "no file"
      return yield* fail(`${quoted(written)}, which is ${what}`, "a module, as in ./hooks.ts#name")
    }
    const extension = path.extname(file)
    if (!extensions.includes(extension)) {
      const what = extension === "" ? "a file without an extension" : `a ${extension} file`
      return yield* fail(`${quoted(written)}, ${what}`, `a module: a file with ${listed(extensions)}`)
    }
    const url = yield* Effect.mapError(path.toFileUrl(file), (): Problem => ({
      found: quoted(written),
      expected: "a path with a URL"
    }))
    return url.href
  })

/** ZenML's form: `dir.module.function` is `function` of `dir/module`, or a member of what `dir` exports as `module`. */
const locateDotted = (
  segments: ReadonlyArray<string>,
  reference: string,
  options: SourceOptions
): Effect.Effect<Pick<Source, "url" | "name">, Problem, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = yield* realOr(options.folder)
    // the longest module first
    for (let length = segments.length - 1; length > 0; length--) {
      const stem = path.join(folder, ...segments.slice(0, length))
      const base = path.basename(stem)
      const names = yield* Effect.catch(
        fs.readDirectory(path.dirname(stem)),
        () => Effect.succeed<ReadonlyArray<string>>([])
      )
      const extension = extensions.find((extension) => names.includes(`${base}${extension}`))
      if (extension === undefined) continue
      const file = `${stem}${extension}`
      return {
        url: yield* locate(file, `./${segments.slice(0, length).join("/")}${extension}`, options),
        name: segments.slice(length).join(".")
      }
    }
    // packages may have dots in their names
    const packageName = segments.join(".")
    const file = yield* packages.find(packageName, ".", folder)
    if (file !== undefined) return { url: yield* packageUrl(file, reference), name: "default" }
    const module = segments.slice(0, -1).join("/")
    return yield* fail(
      `${quoted(reference)}, but no ./${module}.ts`,
      `a module ./${module} (${listed(extensions)}) with the export ${segments.at(-1)}`
    )
  })

const locatePackage = (
  { name, package: packageName, subpath }: Extract<Reference, { readonly _tag: "Package" }>,
  reference: string,
  options: SourceOptions
): Effect.Effect<string, Problem, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = yield* realOr(options.folder)
    const file = yield* packages.find(packageName, subpath, folder)
    if (file !== undefined) return yield* packageUrl(file, reference)
    const here = `${packageName}${subpath.slice(1)}`
    const isHere = yield* Effect.catch(fs.exists(path.join(folder, here)), () => Effect.succeed(false))
    return yield* fail(
      `no package ${packageName} in a node_modules of ${folder} or above`,
      isHere ?
        `./ before a path, as in ${quoted(`./${here}${name === "default" ? "" : `#${name}`}`)}`
        : "an installed package, or a path that begins with ./"
    )
  })

/** Packages are often links to where they are kept. */
const packageUrl = (file: string, reference: string): Effect.Effect<string, Problem, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const real = yield* Effect.mapError(fs.realPath(file), ({ reason }): Problem => ({
      found: `${file}, which can't be opened (${reason._tag})`,
      expected: "the module that the package says is there"
    }))
    return yield* moduleUrl(real, reference)
  })

// -----------------------------------------------------------------------------
// loading
// -----------------------------------------------------------------------------

// Not every runtime remembers a module that failed, which would do again what it did before.
const imports = new Map<string, Promise<Readonly<Record<string, unknown>>>>()

/** What is still loading after all this time, and not waited for once more. */
const stuck = new Set<string>()

const importOnce = (url: string): Promise<Readonly<Record<string, unknown>>> => {
  const known = imports.get(url)
  if (known !== undefined) return known
  const loading: Promise<Readonly<Record<string, unknown>>> = import(url)
  const ended = () => void stuck.delete(url)
  loading.then(ended, ended)
  imports.set(url, loading)
  return loading
}

/** All that a module exports. It runs once, however often it is asked for. */
export const module = (
  { shown, url }: Pick<Source, "url" | "shown">
): Effect.Effect<Readonly<Record<string, unknown>>, Problem> =>
  url === standardUrl
    ? Effect.succeed(standard)
    : Effect.timeoutOrElse(
      Effect.tryPromise({
        try: () => importOnce(url),
        catch: (error): Problem => ({
          found: `an error while ${quoted(shown)} was loaded: ${messageOf(error)}`,
          expected: "a module that loads"
        })
      }),
      {
        duration: stuck.has(url) ? 0 : loadLimit,
        orElse: () => {
          stuck.add(url)
          return fail(`${quoted(shown)}, which was still loading after ${loadLimit}`, "a module that loads")
        }
      }
    )

/** What is said of an error, without where it was thrown. Bundlers collect several. */
const messageOf = (error: unknown): string => {
  const errors = error instanceof AggregateError && error.errors.length > 0 ? error.errors : [error]
  const messages = errors.map((error: unknown) =>
    hasProperty(error, "message") && typeof error.message === "string" && error.message !== ""
      ? error.message
      : typeof error === "string"
      ? error
      : `it threw ${error instanceof Error ? error.name : error === null ? "null" : `a value of type ${typeof error}`}`
  )
  return fitEnd(oneLine(messages.join("; ")), 500)
}

/** Loads the module and takes the export. */
export const load = (source: Source): Effect.Effect<unknown, Problem> =>
  Effect.flatMap(module(source), (exports) => {
    if (Object.hasOwn(exports, source.name)) return Effect.succeed(exports[source.name])
    const member = memberOf(exports, source.name.split("."))
    return member === undefined ? Effect.fail(missing(exports, source)) : Effect.succeed(member.value)
  })

const memberOf = (from: unknown, names: ReadonlyArray<string>): { readonly value: unknown } | undefined => {
  let value = from
  for (const name of names) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name] // it was just seen to have it
  }
  return { value }
}

const missing = (exports: Readonly<Record<string, unknown>>, { name, shown }: Source): Problem => {
  // Node adds the second to modules of the old kind
  const names = Object.keys(exports).filter((name) => name !== "__esModule" && name !== "module.exports").toSorted()
  const has = names.length === 0 ? "the module exports nothing" : `the module exports ${listed(names)}`
  return name === "default"
    ? { found: `no default export in ${quoted(shown)}: ${has}`, expected: "the name of an export after a #" }
    : { found: `no export ${quoted(name)}: ${has}`, expected: `one of its exports${didYouMean(name, names)}` }
}
