/** From a file's text to a tree of its parts, each with its place. */
import * as Effect from "effect/Effect"
import type * as Yaml from "yaml"
import { parseJson } from "./json.ts"
import { positions } from "./positions.ts"
import { type Building, unreadable } from "./tree.ts"
import { parseYaml } from "./yaml.ts"

const mostBytes = 1_048_576

// Whatever is no text, as YAML has it (https://yaml.org/spec/1.2.2/#51-character-set), and half characters.
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const unfit = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff\ufdd0-\ufdef]|\p{Surrogate}/u

const start = { line: 1, column: 1 }

/** The package, unless it is not installed. */
const loadYaml: Effect.Effect<typeof Yaml | undefined> = Effect.promise(() => import("yaml").catch(() => undefined))

/** Never fails: what is wrong is part of what is built. */
export const parse = (text: string, file: string): Effect.Effect<Building> =>
  Effect.gen(function*() {
    // no text of so many units has fewer bytes
    const bytes = text.length > mostBytes ? text.length : new TextEncoder().encode(text).length
    if (bytes > mostBytes) return unreadable(start, "at most 1 MiB", "more")
    const content = text.startsWith("\ufeff") ? text.slice(1) : text
    const place = positions(content)
    const strange = unfit.exec(content)
    if (strange !== null) {
      const code = strange[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")
      return unreadable(place(strange.index), "text", `the character U+${code}`)
    }
    if (/\.json$/i.test(file)) return parseJson(content, place)
    if (!/\.ya?ml$/i.test(file)) return unreadable(start, "a file whose name ends with .yaml, .yml or .json", "another")
    const yaml = yield* loadYaml
    return yaml === undefined
      ? unreadable(start, "the package that reads YAML (npm install yaml), or a file in JSON", "no such package")
      : parseYaml(yaml, content, place)
  })
