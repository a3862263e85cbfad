/**
 * Errors of recording runs and of reading records.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import { withWords } from "../internal/files/private.ts"
import { selfExplained } from "../internal/text/selfExplained.ts"

/**
 * Says why a run can't be recorded, or a record can't be read.
 *
 * - `Inaccessible`: an operation on the file or folder failed with a code of the system, such as `EACCES`;
 * - `NotARecord`: the file is something else, as this line shows;
 * - `OtherVersion`: the file has another version of the format, of a later or an earlier effect-epilogue;
 * - `TooLarge`: the file has more bytes than `limit`, or would have with a line for each step of a burst;
 * - `NotFound`: no run recorded in the folder has an id that begins with `id`;
 * - `Ambiguous`: several runs have one: `ids`.
 *
 * @category errors
 * @since 0.1.0
 */
export type RecordErrorReason = Data.TaggedEnum<{
  Inaccessible: { readonly operation: string; readonly code: string }
  NotARecord: { readonly line: number; readonly expected: string }
  OtherVersion: { readonly line: number; readonly expected: number; readonly found: number }
  TooLarge: { readonly size: number; readonly limit: number }
  NotFound: { readonly id: string }
  Ambiguous: { readonly id: string; readonly ids: ReadonlyArray<string> }
}>

/**
 * The constructors and guards of {@link RecordErrorReason}.
 *
 * @category errors
 * @since 0.1.0
 */
export const RecordErrorReason: Data.TaggedEnum.Constructor<RecordErrorReason> = Data.taggedEnum<RecordErrorReason>()

/**
 * The fields of a {@link RecordError}.
 *
 * @category errors
 * @since 0.1.0
 */
export interface RecordErrorFields {
  /** The path of the file or folder. */
  readonly path: string
  readonly reason: RecordErrorReason
}

const RecordErrorBase: new(
  fields: RecordErrorFields
) => Cause.YieldableError & { readonly _tag: "RecordError" } & RecordErrorFields = selfExplained(
  Data.TaggedError("RecordError")<
    RecordErrorFields
  >
)

/**
 * The error of a run that can't be recorded, or of a record that can't be read.
 *
 * @category errors
 * @since 0.1.0
 */
export class RecordError extends RecordErrorBase {
  override get message(): string {
    const { path, reason } = this
    switch (reason._tag) {
      case "Inaccessible":
        return `can't ${reason.operation} ${path}: ${withWords(reason.code)}`
      case "NotARecord":
        return `${path}:${reason.line}: this is no record of a run: expected ${reason.expected}`
      case "OtherVersion": {
        const { expected, found, line } = reason
        return `${path}:${line}: this record has version ${found} of the format, and version ${expected} is expected: ` +
          `it was written by ${found > expected ? "a later" : "an earlier"} version of effect-epilogue`
      }
      case "TooLarge":
        return `${path} has ${reason.size} bytes, with a line for each step, and a record of at most ${reason.limit} bytes is expected`
      case "NotFound":
        return `${path}: no recorded run has an id that begins with ${JSON.stringify(reason.id)}`
      case "Ambiguous":
        return `${path}: several recorded runs have an id that begins with ${JSON.stringify(reason.id)}: ${
          reason.ids.slice(0, 10).join(", ")
        }${reason.ids.length > 10 ? ", …" : ""}`
    }
  }
}

/**
 * Returns whether a value is a {@link RecordError}.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRecordError = (u: unknown): u is RecordError => u instanceof RecordError
