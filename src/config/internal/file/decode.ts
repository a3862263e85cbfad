/** From a file's text to what it says, or all that is wrong with it. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ConfigFileError, type ConfigIssue } from "../../ConfigFileError.ts"
import type { Document } from "../../Document.ts"
import { document } from "../schema/document.ts"
import { describe } from "./describe.ts"
import { interpolate } from "./interpolate.ts"
import { parse } from "./parse.ts"
import {
  byPosition,
  isList,
  isMap,
  type Node,
  type Path,
  type Position,
  positionOf,
  type Problem
} from "./positions.ts"

/** What a file says, and where. */
export interface Decoded {
  readonly document: Document
  readonly file: string
  /** Of what stands at a path; of what should hold it, where it is not there. */
  readonly positionOf: (path: Path) => Position | undefined
}

/** All that is wrong with a file, and what it says besides. */
export interface Reading {
  readonly issues: ReadonlyArray<ConfigIssue>
  /** Without the parts that are wrong; `undefined` where nothing is left. */
  readonly decoded: Decoded | undefined
}

/** Reads a file's text. Variables come from the `ConfigProvider`. */
export const decode = (text: string, file: string): Effect.Effect<Decoded, ConfigFileError> =>
  Effect.flatMap(read(text, file), ({ decoded, issues }) => {
    const [first, ...others] = issues
    return first === undefined && decoded !== undefined
      ? Effect.succeed(decoded)
      : Effect.fail(new ConfigFileError({ file, issues: [first ?? { ...nothing, file }, ...others] }))
  })

/** The same where something is wrong: what is right can be looked at too, so that all is told at once. */
export const read = (text: string, file: string): Effect.Effect<Reading> =>
  Effect.gen(function*() {
    const parsed = yield* parse(text, file)
    const at = (problems: ReadonlyArray<Problem>): ReadonlyArray<ConfigIssue> =>
      problems.toSorted(byPosition).map((problem) => ({ ...problem, file }))
    if (parsed.root === undefined) return { issues: at(parsed.problems), decoded: undefined }
    const { problems, root } = yield* interpolate(parsed.root)
    const known = [...parsed.problems, ...problems]
    const decoded = decodeDocument(plain(root))
    const wrong = Result.isFailure(decoded) ? describe(decoded.failure.issue, root) : []
    // what could not be read is not blamed for what it isn't
    const unread = new Set(known.map(({ path }) => JSON.stringify(path)))
    const others = wrong.filter(({ path }) =>
      !unread.has("[]") && !path.some((_, index) => unread.has(JSON.stringify(path.slice(0, index + 1))))
    )
    const document = Result.isSuccess(decoded) ? decoded.success : salvage(root, [...known, ...wrong])
    const issues = at([...known, ...others])
    return {
      issues: issues.length > 0 || Result.isSuccess(decoded) ? issues : [{ ...nothing, file }],
      decoded: document && { document, file, positionOf: (path) => positionOf(root, path) }
    }
  })

/** How often what is left is looked at again, since a part may be wrong only where another is missing. */
const rounds = 5

/** The document without what is wrong. */
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

/** Takes away what stands at a path, or else what should hold it. Of a list all, or the indices of others would change. */
const remove = (from: unknown, path: Path): void => {
  let holder: Record<string, unknown> | undefined
  let key = ""
  let part = from
  for (const segment of path) {
    if (typeof part !== "object" || part === null || !Object.hasOwn(part, segment)) break
    // a cast, since it has such a part
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

const nothing: Problem = { path: [], position: undefined, expected: "another document", found: "this" }

/** As the Schema takes it. Maps have no prototype, and parts that aliases share are one object. */
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
