/** Reads parts of a file whose other parts may be wrong. */
import * as Effect from "effect/Effect"
import { type Decoded, read, type Reading } from "./decode.ts"
import { jsonBefore } from "./json.ts"

/** A file whose parts may be wrong. */
export interface Parts {
  /**
   * The valid part, with none of the values of its keys that have a mistake in them. Where the text can't be parsed, this
   * is what stands before the part with the first mistake.
   */
  readonly decoded: Decoded | undefined
  /** All of the file, with its mistakes. */
  readonly whole: Reading
}

/** Decodes a file once, as a whole and for the part of it that is valid. */
export const readParts = (text: string, file: string): Effect.Effect<Parts> =>
  Effect.gen(function*() {
    const whole = yield* read(text, file)
    if (whole.decoded !== undefined) return { whole, decoded: withoutWrong(whole) }
    const before = /\.json$/i.test(file)
      ? jsonBefore(text.replace(/^\ufeff/, ""))
      : partBefore(text, whole.issues[0]?.position?.line ?? 1)
    return { whole, decoded: before === "" ? undefined : withoutWrong(yield* read(before, file)) }
  })

const withoutWrong = ({ decoded, issues }: Reading): Decoded | undefined => {
  if (decoded === undefined) return undefined
  const wrong = new Set(issues.map(({ path }) => path[0]))
  const entries = Object.entries(decoded.document).filter(([key]) => !wrong.has(key))
  return { ...decoded, document: Object.fromEntries(entries) }
}

/** Returns the text before the key, at the beginning of a line, whose value reaches to a line. */
const partBefore = (text: string, line: number): string => {
  const lines = text.split("\n").slice(0, line)
  const start = lines.findLastIndex((line) => /^[^\s#\]}-]/.test(line))
  return start <= 0 ? "" : `${lines.slice(0, start).join("\n")}\n`
}
