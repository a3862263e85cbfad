/**
 * What is wrong with a file, all of it, and where.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import { type ConfigIssue, explain } from "./internal/file/positions.ts"

export type { ConfigIssue, PathSegment, Position } from "./internal/file/positions.ts"

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
    return explain(this.issues)
  }
}

/**
 * @category guards
 * @since 0.1.0
 */
export const isConfigFileError = (u: unknown): u is ConfigFileError => u instanceof ConfigFileError
