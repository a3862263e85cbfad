/** From a file's text to what it says, or all that is wrong with it. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ConfigFileError } from "../../config/ConfigFileError.ts"
import type { Document } from "../../config/Document.ts"
import { describe } from "./describe.ts"
import { document } from "./documentSchema.ts"
import { interpolate } from "./interpolate.ts"
import { parse } from "./parse.ts"
import { isList, isMap, type Node, type Path, type Position, positionOf, type Problem } from "./positions.ts"

/** What a file says, and where. */
export interface Decoded {
  readonly document: Document
  readonly file: string
  /** Of what stands at a path; of what should hold it, where it is not there. */
  readonly positionOf: (path: Path) => Position | undefined
}

/** Reads a file's text. Variables come from the `ConfigProvider`. */
export const decode = (text: string, file: string): Effect.Effect<Decoded, ConfigFileError> =>
  Effect.gen(function*() {
    const parsed = yield* parse(text, file)
    if (parsed.root === undefined) return yield* failed(file, parsed.problems)
    const { problems, root } = yield* interpolate(parsed.root)
    const known = [...parsed.problems, ...problems]
    const decoded = decodeDocument(plain(root))
    const wrong = Result.isFailure(decoded) ? describe(decoded.failure.issue, root) : []
    // what could not be read is not blamed for what it isn't
    const unread = new Set(known.map(({ path }) => JSON.stringify(path)))
    const others = wrong.filter(({ path }) =>
      !unread.has("[]") && !path.some((_, index) => unread.has(JSON.stringify(path.slice(0, index + 1))))
    )
    if (known.length > 0 || others.length > 0 || Result.isFailure(decoded)) {
      return yield* failed(file, [...known, ...others])
    }
    return { document: decoded.success, file, positionOf: (path) => positionOf(root, path) }
  })

const decodeDocument = Schema.decodeUnknownResult(document, { errors: "all", onExcessProperty: "error" })

const failed = (file: string, problems: ReadonlyArray<Problem>): Effect.Effect<never, ConfigFileError> => {
  const [first = nothing, ...others] = problems.toSorted(byPosition).map((problem) => ({ ...problem, file }))
  return Effect.fail(new ConfigFileError({ file, issues: [{ ...first, file }, ...others] }))
}

const nothing: Problem = { path: [], position: undefined, expected: "another document", found: "this" }

const byPosition = (a: Problem, b: Problem): number =>
  (a.position?.line ?? 0) - (b.position?.line ?? 0) || (a.position?.column ?? 0) - (b.position?.column ?? 0)

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
