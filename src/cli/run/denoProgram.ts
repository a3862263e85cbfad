/**
 * Finds how a child process of Deno starts the command again where that runs from Deno's cache of npm packages, as by
 * `deno run npm:effect-epilogue`. A file in there finds no packages when it is started by its path: only what an `npm:`
 * specifier names belongs to the packages of the project.
 */

/** Matches the command in a folder of the package, and of its version with the number of a copy. */
const versioned = /[\\/]effect-epilogue[\\/](\d[^\\/]*?)(?:_\d+)?[\\/]dist[\\/]cli[\\/]main\.js$/

/** Matches a folder of the cache that has another for each registry. Apart, since one pattern for both takes quadratic time. */
const cache = /[\\/]npm[\\/][^\\/]/

/** Returns the version that is running from the cache. */
const cachedVersion = (script: string): string | undefined => {
  const found = versioned.exec(script)
  return found !== null && cache.test(script.slice(0, found.index)) ? found[1] : undefined
}

/** Flags that decide which packages are found, with a value after `=`, if any. */
const resolving =
  /^--(?:no-config|import-map|lock|no-lock|frozen|node-modules-dir|cached-only|no-remote|no-npm|vendor|conditions)(?:=|$)/

const config = /^(?:-c|--config)(?:=|$)/

/**
 * Returns the flags and the specifier that start a script again, beside the flags that are given. The specifier is that
 * of this process, which a frozen lockfile knows, or else names the version that is running.
 */
export const programOf = (
  script: string,
  args: ReadonlyArray<string>,
  given: ReadonlyArray<string>,
  commandLine: () => ReadonlyArray<string> | undefined
): ReadonlyArray<string> => {
  const version = script.includes("node_modules") ? undefined : cachedVersion(script)
  if (version === undefined) return [script]
  const exact = `npm:effect-epilogue@${version}`
  const line = commandLine()
  const end = (line?.length ?? 0) - args.length - 1
  const specifier = line?.[end]
  if (line === undefined || specifier === undefined || args.some((arg, i) => line[end + 1 + i] !== arg)) return [exact]
  const hasConfig = given.some((flag) => config.test(flag))
  const flags = line.slice(1, end).flatMap((flag, i) => {
    if (config.test(flag) ? hasConfig : !resolving.test(flag)) return []
    // the value may be the next argument
    return /^(?:-c|--config|--import-map)$/.test(flag) ? [flag, line[i + 2] ?? ""] : [flag]
  })
  return [...flags, specifier.startsWith("npm:") ? specifier : exact]
}
