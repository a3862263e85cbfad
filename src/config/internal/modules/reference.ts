/**
 * Parses references to the exports of modules: `./hooks.ts#pageOnCall`, `package/sub#export`, `epilogue#name`,
 * `dir.module.function`.
 */
import * as Result from "effect/Result"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { type Refusal, refuse } from "./refusal.ts"

/** A parsed reference. `name` is the name of the export. */
export type Reference =
  | { readonly _tag: "Standard"; readonly name: string }
  | { readonly _tag: "Path"; readonly path: string; readonly name: string }
  | { readonly _tag: "FileUrl"; readonly url: URL; readonly name: string }
  | { readonly _tag: "Package"; readonly package: string; readonly subpath: string; readonly name: string }
  | { readonly _tag: "Dotted"; readonly segments: ReadonlyArray<string> }

/** The extensions of modules, in the order in which they are tried for a reference without one. */
export const extensions: ReadonlyArray<string> = [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx"]

/** Quotes a text on one line of limited length, for a message. */
export const quoted = (text: string): string => JSON.stringify(fitEnd(oneLine(text), 200))

const forms = "a reference such as ./hooks.ts#name, package#name, epilogue#name or folder.module.name"

// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const controls = /[\u0000-\u001f\u007f]/
const schemed = /^([a-z][a-z0-9+.-]*):/i
const pathLike = /^(?:\.{0,2}\/|\.{1,2}$)/
const dotted = /^[\p{ID_Start}_$][\p{ID_Continue}$-]*(?:\.[\p{ID_Start}_$][\p{ID_Continue}$-]*)+$/u
const packaged = /^((?:@[^/@.\s%][^/@\s%]*\/)?[^/@.\s%][^/@\s%]*)((?:\/[^/]+)*)$/

/** Parses a reference. */
export const parse = (text: string): Result.Result<Reference, Refusal> => {
  if (text === "") return refuse("an empty text", forms)
  if (controls.test(text) || !text.isWellFormed()) return refuse(`${quoted(text)}, with control characters`, forms)
  if (text.includes("\\")) {
    return refuse(`backslashes in ${quoted(text)}`, `/ between folders, as in ${quoted(text.replaceAll("\\", "/"))}`)
  }
  // The last `#` separates the export: names of folders may contain a `#`, names of exports can't.
  const hash = text.lastIndexOf("#")
  const module = hash === -1 ? text : text.slice(0, hash)
  const name = hash === -1 ? "default" : text.slice(hash + 1)
  if (name === "") return refuse(`${quoted(text)}, which ends at the #`, "the name of an export after the #")
  if (module === "") return refuse(`${quoted(text)}, which begins with the #`, forms)
  const scheme = schemed.exec(module)?.[1]?.toLowerCase()
  // A scheme of one letter is a Windows drive.
  if (scheme !== undefined && scheme.length > 1) return parseUrl(text, module, scheme, name)
  if (module.startsWith("//")) {
    return refuse(
      `another machine's path in ${quoted(text)}`,
      "a module on this machine: remote modules are not loaded"
    )
  }
  if (scheme !== undefined || pathLike.test(module)) return Result.succeed({ _tag: "Path", path: module, name })
  if (module === "epilogue") return Result.succeed({ _tag: "Standard", name: hash === -1 ? "" : name })
  if (hash === -1 && dotted.test(module)) return Result.succeed({ _tag: "Dotted", segments: module.split(".") })
  return parsePackage(text, module, name)
}

const parseUrl = (text: string, module: string, scheme: string, name: string): Result.Result<Reference, Refusal> => {
  if (scheme !== "file") {
    return refuse(`a ${scheme}: URL`, "a file or an installed package: remote modules are not loaded")
  }
  if (!URL.canParse(module)) {
    return refuse(`${quoted(text)}, which is not a valid URL`, "a URL such as file:///srv/etl/hooks.ts#name")
  }
  const url = new URL(module)
  if (url.search !== "") return refuse(`a query in ${quoted(text)}`, "a file: URL without one")
  if (url.hostname !== "") {
    return refuse(`another machine in ${quoted(text)}`, "a module on this machine: remote modules are not loaded")
  }
  if (/%(?:2f|5c|00)/i.test(url.pathname)) {
    return refuse(`an encoded separator in ${quoted(text)}`, "a file: URL with / between folders")
  }
  const decoded = decode(name)
  return decoded === undefined || decode(url.pathname) === undefined
    ? refuse(`broken percent-encoding in ${quoted(text)}`, "%25 where a % is meant")
    : Result.succeed({ _tag: "FileUrl", url, name: decoded })
}

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const parsePackage = (text: string, module: string, name: string): Result.Result<Reference, Refusal> => {
  const [, packageName, subpath] = packaged.exec(module) ?? []
  if (packageName === undefined || subpath === undefined) return refuse(quoted(text), forms)
  const bad = module.split("/").find((segment) => segment === "." || segment === ".." || segment === "node_modules")
  if (bad !== undefined) return refuse(`${quoted(bad)} in ${quoted(text)}`, "the name of a package and of its export")
  return Result.succeed({ _tag: "Package", package: packageName, subpath: `.${subpath}`, name })
}

const moduleIn = (reference: Exclude<Reference, { readonly _tag: "Dotted" | "Standard" }>): string => {
  if (reference._tag === "Path") return reference.path
  return reference._tag === "FileUrl" ? decodeURIComponent(reference.url.pathname) : reference.package
}

/** Returns a name for the target of a reference: the name of its export, or that of its module for a default export. */
export const nameOf = (text: string): string => {
  const reference = Result.getOrUndefined(parse(text))
  if (reference === undefined) return text
  if (reference._tag === "Dotted") return reference.segments.at(-1) ?? text
  if (reference._tag === "Standard" || reference.name !== "default") return reference.name
  const module = moduleIn(reference)
  const base = module.slice(module.lastIndexOf("/") + 1)
  const extension = extensions.find((extension) => base.endsWith(extension))
  return extension === undefined || base === extension ? base : base.slice(0, -extension.length)
}
