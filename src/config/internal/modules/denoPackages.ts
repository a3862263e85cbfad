/**
 * Loads packages that Deno keeps in its cache, as it does without a folder `node_modules`. Only Deno knows which those
 * are, by its import map and its lock file: so a module that is made for it imports the package. An `import()` of this
 * file's would be resolved by the packages that this library depends on.
 */
import { isBuiltin } from "node:module"
import { runtimeImport } from "../../../internal/files/runtimeImport.ts"
import { errorMessage } from "../../../internal/text/errors.ts"
import type { Refusal } from "./refusal.ts"

const start = "data:text/javascript,export%20*%20as%20exported%20from%20"

const packageName = /^(@[\w-][\w.~-]*\/)?[a-z\d][\w.~-]*$/i

/**
 * Returns the URL of a module that exports a package, or `undefined` where a package can't have such a name. Whether Deno
 * knows the package is seen when that module is loaded. Modules of Node are no packages: Deno would import `fs`.
 */
export const urlOf = (name: string, subpath: string): string | undefined =>
  "Deno" in globalThis && packageName.test(name) && !isBuiltin(name)
    ? `${start}${encodeURIComponent(JSON.stringify(`${name}${subpath}`))}`
    : undefined

/** Returns whether a URL is one of {@link urlOf}. */
export const isUrl = (url: string): boolean => url.startsWith(start)

/** Returns the exports of the package of a URL. An error that names that URL says nothing of it, which nobody has written. */
export const load = async (url: string): Promise<Readonly<Record<string, unknown>>> => {
  try {
    // a cast, since the module is the one above, whose only export is the namespace of the package
    return (await runtimeImport(url))["exported"] as Readonly<Record<string, unknown>>
  } catch (error) {
    const message = errorMessage(error)
    const at = message.search(/ (imported )?from ["']data:/)
    throw at < 0 ? error : new TypeError(message.slice(0, at), { cause: error })
  }
}

/** Returns why a package could not be imported where Deno does not know it, and `undefined` for all other errors. */
export const refusalOf = (url: string, error: unknown): Refusal | undefined => {
  if (!isUrl(url) || !errorMessage(error).endsWith(" not a dependency and not in import map")) return undefined
  const specifier = String(JSON.parse(decodeURIComponent(url.slice(start.length))))
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/")
  return {
    found: `no package ${name} in a node_modules or among the imports of deno.json`,
    expected: `an installed package (deno add npm:${name}), or a path that begins with ./`
  }
}
