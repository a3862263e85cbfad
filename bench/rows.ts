/** The work that benchmarks measure, and what it may cost. The table of docs/cost.md has these rows in this order. */

/** A piece of work, and the most that it may cost. */
export interface Row {
  readonly work: string
  /** The unit of what is measured: what it is divided by, or what it is counted in. */
  readonly unit: string
  readonly most: number
}

/** What a piece of work was compared with. */
const hand = "× (a)"
const handLimited = "× (a')"
const bare = "× the bare step"

/** @internal */
export const rows = {
  succeeds: { work: "a step with a success and a failure hook succeeds", unit: hand, most: 1.05 },
  fails: { work: "it fails", unit: hand, most: 0.95 },
  outside: { work: "outside of a pipeline", unit: hand, most: 1.2 },
  async: { work: "with an asynchronous hook", unit: hand, most: 2 },
  asyncLimited: { work: "with an asynchronous hook", unit: handLimited, most: 0.35 },
  fn: { work: "`Step.fn`, called for each step", unit: hand, most: 1.3 },
  anew: { work: "`Step.make` with three combinators, for each step", unit: hand, most: 2.5 },
  traced: { work: "traced", unit: "× `withSpan` by hand", most: 1.1 },
  observer: { work: "an observer that does nothing", unit: bare, most: 2 },
  recorded: { work: "`Report.layerRecord()`, a file for each run", unit: bare, most: 2 },
  recordedTogether: { work: "`Report.layerRecord({ file })`, one file", unit: bare, most: 2 },
  metrics: { work: "`Report.layerMetrics`", unit: bare, most: 1.5 },
  progress: { work: "`Report.layerProgress()`, 10,000 steps, 100 a second", unit: "% of a core", most: 3 },
  concurrentTime: { work: "10,000 concurrent steps with asynchronous hooks: time", unit: "s", most: 0.5 },
  concurrentMemory: { work: "10,000 concurrent steps with asynchronous hooks: memory", unit: "MB", most: 112 },
  durable: { work: "`Durable.layerMemory`, three steps with hooks", unit: "× a bare `Workflow`", most: 1.5 },
  startup: { work: "start of a script that imports five modules", unit: "× the same of `effect`", most: 1.15 }
} as const satisfies Record<string, Row>

/** @internal */
export type RowId = keyof typeof rows

/** Returns a measured value as it is shown. */
export const figure = (actual: number): string => actual >= 10 ? actual.toFixed(0) : actual.toFixed(2)

/** Whether a goal is met, by the value as it is shown. */
export const isMet = (id: RowId, actual: number): boolean => Number(figure(actual)) <= rows[id].most
