/** Marks errors whose message says all that their fields do, so that the fields are not shown once more. */
import { readOr } from "./read.ts"

const key = Symbol.for("effect-epilogue/Error/selfExplained")

/** Marks the class of such errors, and returns it. */
export const selfExplained = <C extends { readonly prototype: object }>(base: C): C => {
  Object.defineProperty(base.prototype, key, { value: true })
  return base
}

/** Returns whether the class of an error is marked, or is that of effect whose field is the tree of a schema. */
export const isSelfExplained = (error: object): boolean =>
  readOr(false, () => key in error || "~effect/Schema/SchemaError" in error)
