/** Chooses the runtimes on which tests start processes. */
import { all } from "./all.ts"

export type Runtime = "bun" | "deno" | "node"

const runtimes: ReadonlyArray<Runtime> = ["bun", "deno", "node"]

/** Returns the place in a file of tests from which this is called. */
const place = (): string => /test\/[\w/.]+\.test\.ts:\d+/.exec(new Error().stack ?? "")?.[0] ?? ""

/**
 * Returns the runtimes for the test that calls it: Bun, for every eighth test Deno too, and for every eighth Node. Most of
 * the time that `npm test` takes is that of processes which start, and what depends on a runtime shows in some test. In
 * `npm run test:slow` all three.
 */
export const someRuntimes = (): ReadonlyArray<Runtime> => {
  if (all) return runtimes
  const [file = "", line = ""] = place().split(":")
  const sum = [...file].reduce((sum, character) => sum + character.codePointAt(0)!, Number(line))
  const second: Runtime | undefined = (["deno", "node"] as const)[sum % 8]
  return runtimes.filter((runtime) => runtime === "bun" || runtime === second)
}
