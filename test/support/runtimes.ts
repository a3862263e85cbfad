/** Chooses the runtimes on which the tests of a file start processes. */
import process from "node:process"

export type Runtime = "bun" | "deno" | "node"

const all: ReadonlyArray<Runtime> = ["bun", "deno", "node"]

/** Returns the file of tests that is loaded or runs. */
const caller = (): string => /test\/[\w/]+\.test\.ts/.exec(new Error().stack ?? "")?.[0] ?? ""

/**
 * Returns the runtimes for the tests of the file that calls it: Bun, and Deno or Node by the file's name. Most of the time
 * that `npm test` takes is that of processes which start, and two runtimes out of three show what depends on them in some
 * file. With `RUNTIMES=all`, as in `npm run test:slow`, all three.
 */
export const someRuntimes = (): ReadonlyArray<Runtime> => {
  if (process.env["RUNTIMES"] === "all") return all
  const sum = [...caller()].reduce((sum, character) => sum + character.codePointAt(0)!, 0)
  const left = sum % 2 === 0 ? "node" : "deno"
  return all.filter((runtime) => runtime !== left)
}
