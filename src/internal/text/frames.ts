/**
 * Shortens stacks: the frames of the user's code come first, and those of effect, of this library and of the runtime
 * become one line that counts them.
 */
import { readOr } from "./read.ts"
import { plural } from "./words.ts"

/** The longest part of a stack that is read, and the most of the user's frames that are shown. */
const longestStack = 100_000
const longestFrame = 500
const mostFrames = 20

/** Frames that are shown of an error that has none of the user's. */
const framesOfOthers = 3

type Origin = "effect" | "effect-epilogue" | "the runtime"

/**
 * Returns the lines of a stack, without the error's name and message. Of an error whose origin says nothing (`quiet`)
 * and has no frame of the user's, no frame is shown.
 */
export const foldedFrames = (stack: string, message: string, quiet: boolean): ReadonlyArray<string> => {
  const own: Array<string> = []
  const others: Array<string> = []
  const counts = new Map<Origin, number>()
  for (const line of framesOf(stack, message)) {
    const origin = originOf(line)
    if (origin === undefined) own.push(line)
    else {
      // Bun's parsers have no file
      if (others.length < framesOfOthers && /:\d+:\d/.test(line)) others.push(line)
      counts.set(origin, (counts.get(origin) ?? 0) + 1)
    }
  }
  if (own.length === 0) {
    // effect makes a stored defect anew when it decodes it: where it does so says nothing
    if (quiet || others[0]?.includes("decodeJson")) return []
    for (const line of others) {
      own.push(line)
      const origin = originOf(line)!
      counts.set(origin, counts.get(origin)! - 1)
    }
  }
  const folded = [...counts].filter(([, n]) => n > 0).map(([origin, n], i) =>
    `${i === 0 ? plural(n, "frame") : n} of ${origin}`
  )
  return [
    ...own.slice(0, mostFrames).map((line) => `    ${line}`),
    ...(own.length > mostFrames ? [`    … ${own.length - mostFrames} more frames`] : []),
    ...(folded.length > 0 ? [`    … ${folded.join(", ")}`] : [])
  ]
}

/** Returns the frames of a stack as `at f (file:1:2)`, whichever engine wrote it. */
const framesOf = (stack: string, message: string): ReadonlyArray<string> => {
  // V8 and Bun put the name and the message before the frames, and a message may look like frames
  const at = message === "" ? -1 : stack.slice(0, longestStack + message.length).indexOf(message)
  const from = at < 0 ? 0 : at + message.length
  return stack.slice(from, from + longestStack).split("\n").flatMap((line) => {
    const frame = line.trim()
    if (frame.length > longestFrame) return []
    return frame.startsWith("at ") && line.startsWith(" ") ? frame : fromJsc(frame) ?? []
  })
}

/** Converts a frame of JavaScriptCore, `f@file:1:2`, as browsers on it write them. */
const fromJsc = (line: string): string | undefined => {
  const at = line.indexOf("@")
  if (at < 0 || line.includes(" ")) return undefined
  const [name, location] = [line.slice(0, at), line.slice(at + 1)]
  if (!/:\d+$/.test(location) && location !== "[native code]") return undefined
  return name === "" ? `at ${location}` : `at ${name} (${location})`
}

// the last are of Bun: a parser has no file
const runtimes = ["node:", "bun:", "native", "[native", "ext:", "deno:", "internal", "<anonymous>", "unknown", ":0"]

/** Returns whose code a frame is of, or `undefined` for the user's and other packages'. */
const originOf = (frame: string): Origin | undefined => {
  const location = locationOf(frame)
  if (runtimes.some((start) => location.startsWith(start))) return "the runtime"
  const path = location.replaceAll("\\", "/")
  if (isOf(path, "effect-epilogue") || isOwn(path)) return "effect-epilogue"
  // effect names functions of its interpreter so, wherever it is bundled
  return isOf(path, "effect") || isOf(path, "@effect") || frame.includes("~effect/") ? "effect" : undefined
}

/** Returns the file, the line and the column of a frame. */
export const locationOf = (frame: string): string => {
  const open = frame.lastIndexOf("(")
  if (open >= 0 && frame.endsWith(")")) return frame.slice(open + 1, -1)
  return frame.slice("at ".length).replace(/^async /, "")
}

/** The folders in which packages are installed: by npm, pnpm and Bun, and of JSR. */
const stores = ["/node_modules/", "/install/cache/", "jsr.io/"]

/** Returns whether a path lies in an installed package, or scope. */
const isOf = (path: string, name: string): boolean => {
  for (const store of stores) {
    const at = path.lastIndexOf(store)
    if (at < 0) continue
    const rest = path.slice(at + store.length)
    const [first = "", second = ""] = rest.split("/", 2)
    // as Bun and Deno name them: effect@4.1.0
    if (first === name || first.startsWith(`${name}@`)) return true
    if (store === "jsr.io/" && first.startsWith("@") && second === name) return true
  }
  return isInCacheOfDeno(path, name)
}

/**
 * Returns whether a path lies in a package, or scope, of Deno's cache: `npm/HOST/effect/4.1.0`. The host is that of the
 * registry, which is a company's own as often as not.
 */
const isInCacheOfDeno = (path: string, name: string): boolean => {
  const cache = path.indexOf("/npm/")
  const at = path.indexOf(`/${name}/`, cache + "/npm".length)
  return cache >= 0 && at >= 0 && /^([^/]+\/)?\d+\.\d+\.\d/.test(path.slice(at + name.length + "//".length))
}

/** This file, below the folder of the library's code. In a bundle it has another name. */
const here = "internal/text/frames."

let ownFolder: string | undefined

/** Returns whether a path lies in the folder of this library's code, as it does in a checkout. */
const isOwn = (path: string): boolean => {
  if (ownFolder === undefined) {
    // not by `import.meta`, at which bundlers that make CommonJS warn
    const own = readOr([], () => String(new Error().stack).split("\n").filter((line) => line.includes(here)))[0]
    const location = own === undefined ? "" : locationOf(own.trim()).replaceAll("\\", "/")
    ownFolder = location.slice(0, Math.max(0, location.indexOf(here)))
  }
  return ownFolder !== "" && path.startsWith(ownFolder)
}
