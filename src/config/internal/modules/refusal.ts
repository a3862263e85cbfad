/** Mistakes in the references of a file and in what they name. */
import * as Result from "effect/Result"

/** A mistake in words, for a sentence such as "expected a module, found a folder". */
export interface Refusal {
  readonly found: string
  readonly expected: string
}

/** Returns a failed result with a mistake in words. */
export const refuse = (found: string, expected: string): Result.Result<never, Refusal> =>
  Result.fail({ found, expected })
