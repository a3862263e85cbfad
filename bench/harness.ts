/**
 * Measures candidates against each other, in CPU time: other processes on the machine change that less than the time of
 * day. The candidates take turns within each round, and ratios are those within a round.
 *
 * `BENCH_ROUNDS` sets the number of rounds. With `BENCH_RESULTS`, results are appended to that file as lines of JSON,
 * which `bench/run.ts` makes the table of docs/cost.md of.
 */
import { appendFileSync } from "node:fs"
import process from "node:process"
import { figure, isMet, type RowId, rows } from "./rows.ts"
import { median, runtime } from "./statistics.ts"

/** Something to measure. `run` does `steps` steps. */
export interface Candidate {
  readonly name: string
  readonly steps: number
  readonly run: () => Promise<unknown>
}

/** @internal */
export const rounds = Number(process.env["BENCH_ROUNDS"] ?? 21)

/** Returns the CPU time of this process in nanoseconds, that of its other threads included. */
const cpuNanos = (): number => {
  const { system, user } = process.cpuUsage()
  return (user + system) * 1000
}

/** The least time of a sample, in nanoseconds. */
const leastSample = 8e6

/** How long a candidate runs before it is measured, so that all of them run equally optimized code. */
const warmUp = 300e6

const nanosPerStep = async ({ run, steps }: Candidate, least: number): Promise<number> => {
  const since = cpuNanos()
  for (let runs = 1;; runs++) {
    await run()
    const taken = cpuNanos() - since
    if (taken >= least) return taken / runs / steps
  }
}

/** The times of candidates, by round, in nanoseconds a step. */
export class Times {
  readonly #times: ReadonlyMap<string, ReadonlyArray<number>>
  constructor(times: ReadonlyMap<string, ReadonlyArray<number>>) {
    this.#times = times
  }
  of(name: string): ReadonlyArray<number> {
    const times = this.#times.get(name)
    if (times === undefined) throw new Error(`no candidate ${name}`)
    return times
  }
  /** Returns the median of the ratios of two candidates within a round. */
  ratio(name: string, to: string): number {
    const base = this.of(to)
    return median(this.of(name).map((time, round) => time / base[round]!))
  }
  /** Returns the least time of a candidate. */
  least(name: string): number {
    return Math.min(...this.of(name))
  }
  /** Prints a table, with a column for the ratios to each of `bases`. */
  print(title: string, bases: ReadonlyArray<string>): void {
    console.log(`\n${title}`)
    console.log(["ns a step", "least", ...bases.map((base) => `× ${short(base)}`)].reduce(cells, "".padEnd(44)))
    for (const [name, times] of this.#times) {
      const figures = [median(times).toFixed(0), this.least(name).toFixed(0)]
      const ratios = bases.map((base) => this.ratio(name, base).toFixed(2))
      console.log([...figures, ...ratios].reduce(cells, name.padEnd(44)))
    }
  }
}

/** `(a)` of `(a) by hand`. */
const short = (name: string): string => /^\([^)]*\)/.exec(name)?.[0] ?? name

const cells = (line: string, cell: string): string => line + cell.padStart(12)

/** Measures candidates. `between` runs after each round. `least` is how long a sample takes at least, in nanoseconds. */
export const compare = async (
  candidates: ReadonlyArray<Candidate>,
  between: () => void | Promise<void> = () => {},
  least = leastSample
): Promise<Times> => {
  for (const candidate of candidates) await nanosPerStep(candidate, warmUp)
  await between()
  const times = new Map(candidates.map(({ name }): [string, Array<number>] => [name, []]))
  for (let round = 0; round < rounds; round++) {
    // each round starts with another candidate, as the first one of a round may be at a disadvantage
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[(i + round) % candidates.length]!
      times.get(candidate.name)!.push(await nanosPerStep(candidate, least))
    }
    await between()
  }
  return new Times(times)
}

/** Prints whether a goal is met, and keeps the result for the table of docs/cost.md. `of` is the runtime that was measured. */
export const report = (id: RowId, actual: number, of = runtime): void => {
  const { most, unit, work } = rows[id]
  console.log(`${isMet(id, actual) ? "met    " : "NOT MET"}  ${figure(actual)} ≤ ${most} ${unit}: ${work}`)
  keep({ runtime: of, id, actual })
}

/** Keeps the time of a candidate that has no goal, to be shown beside those that have. */
export const reportTime = (name: string, nanos: number): void => keep({ runtime, name, nanos })

const keep = (result: object): void => {
  const file = process.env["BENCH_RESULTS"]
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(result)}\n`)
}
