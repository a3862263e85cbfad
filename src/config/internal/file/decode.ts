/** Decodes the text of a config file, and collects everything that is wrong with it. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { withPublic } from "../../../alerters/internal/channel/schema/leaf.ts"
import { CurrentGuard } from "../../../internal/model/secrets.ts"
import { minLength } from "../../../internal/text/secrets.ts"
import { plural } from "../../../internal/text/words.ts"
import type { ConfigFileError, ConfigIssue } from "../../ConfigFileError.ts"
import { uncounted } from "../schema/alerterParts.ts"
import { document } from "../schema/document.ts"
import type { Document } from "../schema/types.ts"
import { describe } from "./describe.ts"
import { doubtfulIn } from "./dollars.ts"
import { errorOf, invalid } from "./errorOf.ts"
import { interpolate, type Secret } from "./interpolate.ts"
import { parse } from "./parse.ts"
import {
  asWritten,
  byPosition,
  isList,
  isMap,
  type Node,
  type Path,
  type Position,
  positionOf,
  type Problem
} from "./positions.ts"

/** A decoded document, with the positions of its parts. */
export interface Decoded {
  readonly document: Document
  readonly file: string
  /** Returns the position of the value at a path, or of the nearest value around it. */
  readonly positionOf: (path: Path) => Position | undefined
  /** Returns a text as the file writes it, if it is that of the number or the truth value at a path. */
  readonly asWritten?: ((path: Path, found: string) => string) | undefined
}

/** All issues of a file, and the part of it that is valid. */
export interface Reading {
  readonly issues: ReadonlyArray<ConfigIssue>
  /** The document without its invalid parts, or `undefined` if nothing valid is left. */
  readonly decoded: Decoded | undefined
  /** Warnings about a file that is loaded all the same. */
  readonly warnings: ReadonlyArray<ConfigIssue>
}

/** Decodes the text of a file, or fails with all of its issues. Variables come from the `ConfigProvider`. */
export const decode = (text: string, file: string): Effect.Effect<Decoded, ConfigFileError> =>
  Effect.flatMap(
    read(text, file),
    ({ decoded, issues }) =>
      issues.length === 0 && decoded !== undefined ? Effect.succeed(decoded) : Effect.fail(errorOf(file, issues))
  )

/**
 * Decodes the text of a file as far as it is valid. The caller checks the valid part too (hooks, parameters), so that
 * users see all issues at once.
 */
export const read = (text: string, file: string): Effect.Effect<Reading> =>
  Effect.gen(function*() {
    const parsed = yield* parse(text, file)
    const at = (problems: ReadonlyArray<Problem>): ReadonlyArray<ConfigIssue> =>
      problems.toSorted(byPosition).map((problem) => ({ ...problem, file }))
    if (parsed.root === undefined) return { issues: at(parsed.problems), decoded: undefined, warnings: [] }
    const { problems, root, secrets } = yield* interpolate(parsed.root)
    const guard = yield* CurrentGuard
    guard?.add(secrets.map(({ value }) => value).filter((value) => !booleans.has(value.trim())))
    const known = [...parsed.problems, ...problems]
    const decoded = decodeDocument(plain(root))
    const mismatches = Result.isFailure(decoded) ? describe(decoded.failure.issue, root) : []
    // A value that could not be read has its issue already. The Schema's complaint about its absence would be noise.
    const unread = new Set(known.map(({ path }) => JSON.stringify(path)))
    const others = mismatches.filter(({ path }) =>
      !unread.has("[]") && !path.some((_, index) => unread.has(JSON.stringify(path.slice(0, index + 1))))
    )
    const document = Result.isSuccess(decoded) ? decoded.success : salvage(root, [...known, ...mismatches])
    guard?.addRedacted(withPublic(document))
    const issues = at([...known, ...others])
    return {
      issues: issues.length > 0 || Result.isSuccess(decoded) ? issues : [{ ...invalid, file }],
      decoded: document && {
        document,
        file,
        positionOf: (path) => positionOf(root, path),
        asWritten: (path, found) => asWritten(root, path, found)
      },
      warnings: at([
        ...secrets.flatMap((secret) => isTooShort(secret.value) && !secret.isDefault ? [tooShort(secret)] : []),
        ...(document?.alerter === undefined ? [] : uncounted(document.alerter, ["alerter"]).map((path) => ({
          path,
          position: positionOf(root, path),
          found:
            "a count that begins anew with each process, with which a job that is started for each run tells nothing",
          expected:
            "store: .epilogue/alerts.db beside it, or persist: false where the failures of one process are meant"
        }))),
        ...yield* doubtfulIn(parsed.root, yield* ConfigProvider.ConfigProvider)
      ])
    }
  })

/** Values that say nothing, and stand in many a text. */
const booleans: ReadonlySet<string> = new Set(["true", "false"])

const isTooShort = (value: string): boolean => value !== "" && value.trim().length < minLength

const tooShort = ({ name, path, position, value }: Secret): Problem => ({
  path,
  position,
  found: `the variable ${name} with a value of ${
    plural(value.length, "character")
  }, which may be shown in alerts and logs`,
  expected: `at least ${minLength} characters of a secret, or public: [${name}] where it is none`
})

/** How often invalid parts are removed: a part may become invalid because another was removed. */
const rounds = 5

/** Returns the document without its invalid parts. */
const salvage = (root: Node, problems: ReadonlyArray<Problem>): Document | undefined => {
  const rest = plain(root)
  let paths = problems.map(({ path }) => path)
  for (let round = 0; round < rounds; round++) {
    for (const path of paths) remove(rest, path)
    const decoded = decodeDocument(rest)
    if (Result.isSuccess(decoded)) return decoded.success
    paths = describe(decoded.failure.issue, root).map(({ path }) => path)
  }
  return undefined
}

/**
 * Removes the value at a path, or the nearest value around it. A list is removed as a whole: without one item, the
 * indices of the others would no longer match the file.
 */
const remove = (from: unknown, path: Path): void => {
  let holder: Record<string, unknown> | undefined
  let key = ""
  let part = from
  for (const segment of path) {
    if (typeof part !== "object" || part === null || !Object.hasOwn(part, segment)) break
    // The cast is safe: the line above has checked that the part is there.
    const whole = part as Record<string, unknown>
    if (!Array.isArray(part)) {
      holder = whole
      key = String(segment)
    }
    part = whole[segment]
  }
  if (holder !== undefined) delete holder[key]
}

const decodeDocument = Schema.decodeUnknownResult(document, { errors: "all", onExcessProperty: "error" })

/** Returns the input for the Schema. Maps have no prototype, and values that aliases share are one object. */
const plain = (root: Node): unknown => {
  const done = new Map<unknown, unknown>()
  const of = ({ value }: Node): unknown => {
    if (!isList(value) && !isMap(value)) return value
    const known = done.get(value)
    if (known !== undefined) return known
    const made = isList(value)
      ? value.map(of)
      : Object.assign(Object.create(null), Object.fromEntries([...value].map(([key, { node }]) => [key, of(node)])))
    done.set(value, made)
    return made
  }
  return of(root)
}
