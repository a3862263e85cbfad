/** Parses the text of a config file into a tree with positions. */
import * as Effect from "effect/Effect"
import type * as Yaml from "yaml"
import { parseJson } from "./json.ts"
import { positions } from "./positions.ts"
import { mostBytes, type Parsed, unreadable } from "./tree.ts"
import { parseYaml } from "./yaml.ts"

// Characters outside of YAML's set (https://yaml.org/spec/1.2.2/#51-character-set), and lone surrogates.
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const invalid = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff\ufdd0-\ufdef]|\p{Surrogate}/u

const start = { line: 1, column: 1 }

/**
 * Loads the package `yaml`. Returns `undefined` if it is not installed. Bundlers take it in where it is installed, and
 * leave out an import in `try` where it is not.
 */
const loadYaml: Effect.Effect<typeof Yaml | undefined> = Effect.promise(async () => {
  try {
    return await import("yaml")
  } catch {
    return undefined
  }
})

/** Parses a text by the extension of its file. Problems are part of the result. */
export const parse = (text: string, file: string): Effect.Effect<Parsed> =>
  Effect.gen(function*() {
    // A text has at least as many bytes as UTF-16 units, so a long one need not be encoded to be refused.
    const bytes = text.length > mostBytes ? text.length : new TextEncoder().encode(text).length
    if (bytes > mostBytes) return unreadable(start, "at most 1 MiB", "more")
    const content = text.startsWith("\ufeff") ? text.slice(1) : text
    const place = positions(content)
    const found = invalid.exec(content)
    if (found !== null) {
      // UTF-16 that was read as UTF-8, with its byte order mark or without: each ASCII character has a zero beside it
      if (found[0] === "\0" && /^(?:\ufffd\ufffd)?.?\0/.test(content)) {
        return unreadable(start, "text in UTF-8", "UTF-16, or a file that is no text")
      }
      const code = found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")
      return unreadable(place(found.index), "text without control or invalid characters", `the character U+${code}`)
    }
    const broken = content.indexOf("\ufffd")
    if (broken >= 0) {
      return unreadable(place(broken), "text in UTF-8", "bytes of another encoding")
    }
    const conflict = /^<{7} /m.exec(content)
    if (conflict !== null) {
      return unreadable(place(conflict.index), "a file without merge conflicts", "the marker <<<<<<<")
    }
    if (/\.json$/i.test(file)) return parseJson(content, place)
    if (!/\.ya?ml$/i.test(file)) {
      return unreadable(start, "a file whose name ends with .yaml, .yml or .json", "another name")
    }
    const yaml = yield* loadYaml
    return yaml === undefined
      ? unreadable(start, "the package yaml (npm install yaml), or a JSON file", "no such package")
      : parseYaml(yaml, content, place)
  })
