/** Tells steps with the same path apart in the fragments of their addresses. */
import { stepFragment } from "../../../internal/text/stepLink.ts"

/** Returns the fragment of the nth step with a path, from 1. */
export const nthFragment = (labels: ReadonlyArray<string>, nth: number): string => {
  const fragment = stepFragment(labels)
  return fragment === "" || nth === 1 ? fragment : `${fragment}&nth=${nth}`
}
