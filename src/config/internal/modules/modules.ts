/** Finds the module of a reference, without running it, and loads its export. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import { hasProperty } from "effect/Predicate"
import { channels } from "../../../alerters/internal/channels.ts"
import { runtimeImport } from "../../../internal/files/runtimeImport.ts"
import { closest, didYouMean, listed } from "../../../internal/text/closest.ts"
import { deniedText } from "../../../internal/text/denied.ts"
import { errorMessage } from "../../../internal/text/errors.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { foldedFrames, locationOf } from "../../../internal/text/frames.ts"
import { isError, property, readOr, textProperty } from "../../../internal/text/read.ts"
import * as denoPackages from "./denoPackages.ts"
import { standard } from "./hooks.ts"
import * as packages from "./packages.ts"
import { extensions, parse, quoted, type Reference } from "./reference.ts"
import type { Refusal } from "./refusal.ts"

/** The folder that references are resolved from, and the folder that they may not leave. */
export interface SourceOptions {
  /** The folder of the file that contains the references. */
  readonly folder: string
  /** The folder that no path may leave, neither directly nor through a link. Installed packages may lie outside. */
  readonly root: string
  readonly allowOutside: boolean
}

/** An existing module and the name of one of its exports. */
export interface Source {
  /** The argument of `runtimeImport`. */
  readonly url: string
  /** The name of the export, then those of its members, separated by dots. */
  readonly name: string
  /** The reference as it is written in the file, for messages. */
  readonly shown: string
}

type Services = FileSystem.FileSystem | Path.Path

/** The URL that stands for the standard hooks, which are in no module. */
const standardUrl = "epilogue:"

/** How long a module may take to load. */
const loadLimit = "10 seconds"

const fail = (found: string, expected: string): Effect.Effect<never, Refusal> => Effect.fail({ found, expected })

// -----------------------------------------------------------------------------
// resolving
// -----------------------------------------------------------------------------

/** Finds the module of a reference. Whether it has the export is known only once it is loaded. */
export const resolve = (reference: string, options: SourceOptions): Effect.Effect<Source, Refusal, Services> =>
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
        // Elsewhere than on Windows, `c:/hooks.ts` would be a relative path.
        if (/^[a-z]:/i.test(parsed.path) && !path.isAbsolute(parsed.path)) {
          return yield* fail(`a drive in ${quoted(reference)}`, "a path of this system")
        }
        const from = yield* realOr(options.folder)
        const url = yield* locate(path.resolve(from, parsed.path), parsed.path, options)
        return { url, name: parsed.name, shown }
      }
      case "FileUrl": {
        const file = yield* Effect.mapError(path.fromFileUrl(parsed.url), (): Refusal => ({
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

/** Returns the real path of a folder, or its absolute path if the real one can't be determined. */
export const realOr = (folder: string): Effect.Effect<string, never, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const absolute = path.resolve(folder)
    return yield* Effect.catch(fs.realPath(absolute), () => Effect.succeed(absolute))
  })

/** Returns whether a file is the root or inside of it. */
export const isInside = (path: Path.Path, root: string, file: string): boolean => {
  const relative = path.relative(root, file)
  return relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative)
}

const outside = (written: string, how: string, root: string): Refusal => ({
  found: `${quoted(written)}, ${how}`,
  expected: `a file in ${root}`
})

const why = ({ _tag, cause }: PlatformError.PlatformError["reason"]): string => deniedText(cause) ?? _tag

/** Returns the URL of the module at a path, unless that is outside of the root. */
const locate = (target: string, written: string, options: SourceOptions): Effect.Effect<string, Refusal, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const root = yield* realOr(options.root)
    // The root may be written with links, and the path without, or the other way round.
    const base = [root, path.resolve(options.root)].find((root) => isInside(path, root, target))
    if (base === undefined && !options.allowOutside) {
      return yield* Effect.fail(outside(written, "which is outside", root))
    }
    yield* checkSpelling(base ?? path.dirname(target), target, written)
    const real = yield* Effect.mapError(fs.realPath(target), ({ reason }): Refusal => ({
      found: `${quoted(written)}, which can't be opened (${why(reason)})`,
      expected: "a module"
    }))
    if (!options.allowOutside && !isInside(path, root, real)) {
      return yield* Effect.fail(outside(written, "which is a link to outside", root))
    }
    return yield* moduleUrl(real, written)
  })

/**
 * Fails unless every part of the path exists in this spelling. On some file systems `Hooks.ts` would find `hooks.ts`.
 */
const checkSpelling = (base: string, target: string, written: string): Effect.Effect<void, Refusal, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    let folder = base
    for (const segment of path.relative(base, target).split(path.sep)) {
      if (segment === "") continue
      // A folder without read permission may still be entered, so it is not an error here.
      const names = yield* Effect.catch(fs.readDirectory(folder), () => Effect.succeed(undefined))
      if (names !== undefined && !names.some((name) => name.normalize() === segment.normalize())) {
        const last = path.join(folder, segment) === target
        // Only modules are suggested.
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

/** Returns the URL of a file whose path has no links, if it has the extension of a module. */
const moduleUrl = (file: string, written: string): Effect.Effect<string, Refusal, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const info = yield* Effect.mapError(fs.stat(file), ({ reason }): Refusal => ({
      found: `${quoted(written)}, which can't be opened (${why(reason)})`,
      expected: "a module"
    }))
    if (info.type !== "File") {
      const what = info.type === "Directory" ? "a folder" : "not a file"
      return yield* fail(`${quoted(written)}, which is ${what}`, "a module, as in ./hooks.ts#name")
    }
    const extension = path.extname(file)
    if (!extensions.includes(extension)) {
      const what = extension === "" ? "a file without an extension" : `a ${extension} file`
      return yield* fail(`${quoted(written)}, ${what}`, `a module: a file with ${listed(extensions)}`)
    }
    const url = yield* Effect.mapError(path.toFileUrl(file), (): Refusal => ({
      found: quoted(written),
      expected: "a path that a URL can express"
    }))
    return url.href
  })

/**
 * Resolves ZenML's form: `dir.module.function` is `function` of `dir/module`, or a member of the export `module` of
 * `dir`.
 */
const locateDotted = (
  segments: ReadonlyArray<string>,
  reference: string,
  options: SourceOptions
): Effect.Effect<Pick<Source, "url" | "name">, Refusal, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = yield* realOr(options.folder)
    // The longest path is tried first: a file `dir/module` wins over an export `module` of `dir`.
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
    // a package whose name contains dots
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
): Effect.Effect<string, Refusal, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = yield* realOr(options.folder)
    const file = yield* packages.find(packageName, subpath, folder)
    if (file !== undefined) return yield* packageUrl(file, reference)
    if (Object.hasOwn(channels, packageName) && name === "default") {
      return yield* fail(`the channel ${packageName}`, `epilogue#alerter, with alerter: ${packageName} in the file`)
    }
    const here = `${packageName}${subpath.slice(1)}`
    const isHere = yield* Effect.catch(fs.exists(path.join(folder, here)), () => Effect.succeed(false))
    const cached = isHere ? undefined : denoPackages.urlOf(packageName, subpath.slice(1))
    if (cached !== undefined) return cached
    return yield* fail(
      `no package ${packageName} in a node_modules of ${folder} or above`,
      isHere ?
        `./ before a path, as in ${quoted(`./${here}${name === "default" ? "" : `#${name}`}`)}`
        : "an installed package, or a path that begins with ./"
    )
  })

/** Returns the URL of a file in a package. Package managers often link packages, so the real path is used. */
const packageUrl = (file: string, reference: string): Effect.Effect<string, Refusal, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const real = yield* Effect.mapError(fs.realPath(file), ({ reason }): Refusal => ({
      found: `${file}, which can't be opened (${why(reason)})`,
      expected: "the module that the package declares"
    }))
    return yield* moduleUrl(real, reference)
  })

// -----------------------------------------------------------------------------
// loading
// -----------------------------------------------------------------------------

// Some runtimes run a module that failed again at its next import, which would repeat its side effects.
const imports = new Map<string, Promise<Readonly<Record<string, unknown>>>>()

/** The URLs of modules that exceeded the time limit and are still loading. They are not waited for again. */
const stuck = new Set<string>()

const importOnce = (url: string): Promise<Readonly<Record<string, unknown>>> => {
  const known = imports.get(url)
  if (known !== undefined) return known
  const loading = denoPackages.isUrl(url) ? denoPackages.load(url) : runtimeImport(url)
  const ended = () => void stuck.delete(url)
  loading.then(ended, ended)
  imports.set(url, loading)
  return loading
}

/** Returns all exports of a module. Its code runs once, however often it is loaded. */
export const module = (
  { shown, url }: Pick<Source, "url" | "shown">
): Effect.Effect<Readonly<Record<string, unknown>>, Refusal> =>
  url === standardUrl
    ? Effect.succeed(standard)
    // looked up when it runs: two exports of one module may be asked for at once
    : Effect.suspend(() =>
      Effect.timeoutOrElse(
        Effect.tryPromise({
          try: () => importOnce(url),
          catch: (error): Refusal =>
            denoPackages.refusalOf(url, error) ?? ({
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
    )

/** Returns the message of an error, and its place. Bundlers throw an `AggregateError` with several. */
const messageOf = (error: unknown): string => {
  const errors = error instanceof AggregateError && error.errors.length > 0 ? error.errors : [error]
  const told = errors.slice(0, 20).map((error: unknown): string => {
    const message = thrownMessage(error)
    const place = typeof error === "object" && error !== null ? placeOf(error, message) : undefined
    return [withCure(message), place].filter(Boolean).join(", ")
  })
  return fitEnd(oneLine(told.join("; ")), 500)
}

/** Returns where an error was made, or where a module can't be parsed, unless its message says it. */
const placeOf = (error: object, message: string): string | undefined => {
  if (message.includes("file://") || message.includes(" imported from ")) return undefined
  // Bun's own, and the beginning of the stack that Node gives such an error
  const parsed = property(error, "position")
  const stack = textProperty(error, "stack") ?? ""
  const original = textProperty(error, "message") ?? ""
  const head = stack.split("\n", 1)[0]!
  const isPlace = !head.includes(original.split("\n", 1)[0]!) && Number(head.slice(head.lastIndexOf(":") + 1)) > 0
  const [frame] = foldedFrames(stack, original, true)
  const place = typeof parsed === "object" && parsed !== null && "file" in parsed
    ? ["file", "line", "column"].map((key) => property(parsed, key)).join(":")
    : isPlace
    ? head
    : frame && locationOf(frame.trim())
  return place && `at ${place}`
}

/** The messages of Node about a module that it takes for CommonJS, as under the package.json that `npm init` writes. */
const takenForCommonJs = ["Cannot use import statement outside a module", "Unexpected token 'export'"]

const withCure = (message: string): string =>
  takenForCommonJs.includes(message)
    ? `${message}: write "type": "module" into package.json, or end the name of the file in .mts or .mjs`
    : message

/** A value that is thrown and is no error is named by its type alone, since it may be a secret. */
const thrownMessage = (error: unknown): string =>
  typeof error === "string" || isError(error) || readOr(false, () => hasProperty(error, "message"))
    ? errorMessage(error)
    : `it threw ${error === null ? "null" : `a value of type ${typeof error}`}`

/** Loads a module and returns the export of the source. */
export const load = (source: Source): Effect.Effect<unknown, Refusal> =>
  Effect.flatMap(module(source), (exports) => {
    if (Object.hasOwn(exports, source.name)) return Effect.succeed(exports[source.name])
    const member = memberOf(exports, source.name.split("."))
    return member === undefined ? Effect.fail(missing(exports, source)) : Effect.succeed(member.value)
  })

const memberOf = (from: unknown, names: ReadonlyArray<string>): { readonly value: unknown } | undefined => {
  let value = from
  for (const name of names) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name] // the cast is safe: the line above has checked that it is there
  }
  return { value }
}

const missing = (exports: Readonly<Record<string, unknown>>, { name, shown }: Source): Refusal => {
  // Node adds these to the exports of CommonJS modules.
  const names = Object.keys(exports).filter((name) => name !== "__esModule" && name !== "module.exports").toSorted()
  const has = names.length === 0 ? "the module exports nothing" : `the module exports ${listed(names)}`
  return name === "default"
    ? { found: `no default export in ${quoted(shown)}: ${has}`, expected: "the name of an export after a #" }
    : { found: `no export ${quoted(name)}: ${has}`, expected: `one of its exports${didYouMean(name, names)}` }
}
