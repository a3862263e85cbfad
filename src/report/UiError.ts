/**
 * The error of the page with recorded runs.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import { selfExplained } from "../internal/text/selfExplained.ts"

const UiErrorBase: new(
  fields: UiErrorFields
) => Cause.YieldableError & { readonly _tag: "UiError" } & UiErrorFields = selfExplained(
  Data.TaggedError("UiError")<UiErrorFields>
)

/**
 * The fields of a {@link UiError}.
 *
 * @category errors
 * @since 0.1.0
 */
export interface UiErrorFields {
  /** The address that the server listens at. */
  readonly address: string
  /** Says what is wrong with it. */
  readonly message: string
}

/**
 * The error of `Report.layerUi` where other machines would reach the page.
 *
 * @category errors
 * @since 0.1.0
 */
export class UiError extends UiErrorBase {}
