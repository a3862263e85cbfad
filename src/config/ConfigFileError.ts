/**
 * What is wrong with a file, all of it, and where.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as internal from "./internal/file/positions.ts"

/**
 * A place in a file. Lines and columns are counted from 1, columns in UTF-16 code
 * units.
 *
 * @category models
 * @since 0.1.0
 */
export interface Position {
  readonly line: number
  readonly column: number
}

/**
 * A key, or an index from 0.
 *
 * @category models
 * @since 0.1.0
 */
export type PathSegment = string | number

/**
 * One thing that is wrong with a file. It never quotes a variable's value.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConfigIssue {
  /** Keys and indices from the top, as in `steps.validate.hooks.failure[1]`; none where the whole file is meant. */
  readonly path: ReadonlyArray<PathSegment>
  readonly file: string
  /** Of what was found. Of what should hold it, where something is missing. */
  readonly position: Position | undefined
  readonly found: string
  readonly expected: string
}

/**
 * What a {@link ConfigFileError} is made of.
 *
 * @category errors
 * @since 0.1.0
 */
export interface ConfigFileErrorFields {
  readonly file: string
  readonly issues: readonly [ConfigIssue, ...ReadonlyArray<ConfigIssue>]
}

const ConfigFileErrorBase: new(
  fields: ConfigFileErrorFields
) => Cause.YieldableError & { readonly _tag: "ConfigFileError" } & ConfigFileErrorFields = Data.TaggedError(
  "ConfigFileError"
)<ConfigFileErrorFields>

/**
 * A file that does not say what to do: every issue at once, in the order of the
 * file, of which the message shows the first hundred.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConfigFileError extends ConfigFileErrorBase {
  override get message(): string {
    return internal.explain(this.issues)
  }
}

/**
 * @category guards
 * @since 0.1.0
 */
export const isConfigFileError = (u: unknown): u is ConfigFileError => u instanceof ConfigFileError
