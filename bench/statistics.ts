/** Helpers that the benchmarks share. */
import { measure } from "mitata"
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

/** Measures a program of `steps` steps and returns the median time of one step in nanoseconds. */
export const nanosPerStep = async (
  program: () => Promise<unknown>,
  steps: number,
  minSamples: number
): Promise<number> => {
  // `gc: false`: where no runtime flag exposes a garbage collector, mitata's fallback allocates a gigabyte
  const { p50 } = await measure(program, { gc: false, min_samples: minSamples, min_cpu_time: 10e6, warmup_samples: 0 })
  return p50 / steps
}
