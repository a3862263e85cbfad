/**
 * The error of a config file that can't be loaded, with all issues and their places.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import { selfExplained } from "../internal/text/selfExplained.ts"
import { type ConfigIssue, explain } from "./internal/file/positions.ts"

export type { ConfigIssue, PathSegment, Position } from "./internal/file/positions.ts"

/**
 * The fields of a {@link ConfigFileError}.
 *
 * @category errors
 * @since 0.1.0
 */
export interface ConfigFileErrorFields {
  /** The path of the file. */
  readonly file: string
  /** Everything that is wrong, in the order of the file. */
  readonly issues: readonly [ConfigIssue, ...ReadonlyArray<ConfigIssue>]
}

const ConfigFileErrorBase: new(
  fields: ConfigFileErrorFields
) => Cause.YieldableError & { readonly _tag: "ConfigFileError" } & ConfigFileErrorFields = selfExplained(
  Data.TaggedError(
    "ConfigFileError"
  )<ConfigFileErrorFields>
)

/**
 * The error of a config file that can't be loaded. `issues` lists every issue in the order of the file; the message
 * shows the first hundred.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConfigFileError extends ConfigFileErrorBase {
  /** Shows the issues, with line and column: the first hundred. */
  override get message(): string {
    return explain(this.issues)
  }
}

/**
 * Returns whether a value is a {@link ConfigFileError}.
 *
 * @category guards
 * @since 0.1.0
 */
export const isConfigFileError = (u: unknown): u is ConfigFileError => u instanceof ConfigFileError
