/** Schemas of the record of runs. */
import * as Schema from "effect/Schema"
import { durationOf, type FromFile, leaf, orVariable, yes } from "../../../alerters/internal/channel/schema/leaf.ts"
import { either, isMap, map } from "../../../alerters/internal/channel/schema/structure.ts"
import type { Keep, RecordDocument } from "./types.ts"

const runsText = /^(\d{1,9})\s+runs?$/u

const partOf = (text: string): Keep | undefined => {
  const runs = runsText.exec(text)?.[1]
  if (runs !== undefined) return { runs: Number(runs), age: undefined }
  const age = durationOf(text, false, 0)
  return age === undefined ? undefined : { runs: undefined, age }
}

/** Reads a number of runs, a duration, or both. */
const keepOf = (input: unknown): Keep | undefined => {
  if (typeof input === "number") {
    return Number.isSafeInteger(input) && input >= 0
      ? { runs: input, age: undefined }
      : undefined
  }
  if (typeof input !== "string") return undefined
  const parts = input.split(",").map((text) => partOf(text.trim()))
  const [first, second, ...more] = parts
  if (first === undefined || (parts.length > 1 && second === undefined) || more.length > 0) return undefined
  if (second === undefined) return first
  const runs = first.runs ?? second.runs
  const age = first.age ?? second.age
  return runs === undefined || age === undefined ? undefined : { runs, age }
}

const keep: FromFile<Keep> = leaf<Keep>({
  expected: "how many runs to keep, for how long, or both: \"200 runs, 30 days\"",
  json: orVariable(Schema.Union([Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)), Schema.String])),
  parse: keepOf
})

const RecordMap = map(
  "a map with the key keep",
  Schema.Struct({
    keep: keep.annotateKey({
      description: "How many of the newest runs to keep, for how long, or both, as in \"200 runs, 30 days\"."
    })
  }).annotate({ identifier: "Record" })
)

/** The schema of the key `record`. */
export const Record: FromFile<RecordDocument> = either(
  yes("true, or a map with the key keep"),
  RecordMap,
  (): RecordDocument => ({ keep: undefined }),
  isMap
)
