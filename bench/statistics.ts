/** Helpers that the benchmarks share. */
import process from "node:process"

/** Returns the median of numbers, of which there has to be at least one. */
export const median = (numbers: ReadonlyArray<number>): number => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const versions: Readonly<Record<string, string | undefined>> = process.versions
const name = ["bun", "deno", "node"].find((name) => versions[name] !== undefined)!

/** The runtime and its version, as in `bun 1.4.5`. */
export const runtime = `${name} ${versions[name]}`
