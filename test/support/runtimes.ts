/** Chooses the runtimes on which tests start processes. */
import { all } from "./all.ts"

export type Runtime = "bun" | "deno" | "node"

const runtimes: ReadonlyArray<Runtime> = ["bun", "deno", "node"]

/** Returns the place in a file of tests from which this is called, while tests are registered. */
const place = (): string => {
  const found = /test\/[\w/.-]+\.test\.ts:\d+/.exec(new Error().stack ?? "")?.[0]
  if (found === undefined) throw new Error("no file of tests is in the stack: pass what tells this test from others")
  return found
}

/**
 * Returns the runtimes for a test: Bun, for every twelfth test Deno too, and for every twelfth Node. Most of the time that
 * `npm test` takes is that of processes which start, and what depends on a runtime shows in some test. In
 * `npm run test:slow` all three.
 *
 * @param key what tells the test from others: the place of the call unless given. A call at the end of a function has no
 *   frame on the stacks of Bun, so that a test which runs has no place.
 */
export const someRuntimes = (key: string = place()): ReadonlyArray<Runtime> => {
  if (all) return runtimes
  const sum = [...key].reduce((sum, character) => sum + character.codePointAt(0)!, 0)
  const second: Runtime | undefined = (["deno", "node"] as const)[sum % 12]
  return runtimes.filter((runtime) => runtime === "bun" || runtime === second)
}
