/** Fields of a form that people fill in. */

/**
 * How a field of a form is filled in. `json` is for what has no input of its own, as a list.
 *
 * @category models
 * @since 0.1.0
 */
export type FieldKind = "text" | "whole" | "number" | "flag" | "choice" | "json"

/**
 * A field of a form, as plain data.
 *
 * @category models
 * @since 0.1.0
 */
export interface FormField {
  readonly name: string
  readonly label: string
  readonly description?: string
  readonly kind: FieldKind
  /** The least and the greatest number, of the kinds `whole` and `number`. */
  readonly minimum?: number
  readonly maximum?: number
  /** The texts to choose from, of the kind `choice`. */
  readonly choices?: ReadonlyArray<string>
  readonly required: boolean
  /** Whether a value that was filled in is not shown again. */
  readonly secret: boolean
}
