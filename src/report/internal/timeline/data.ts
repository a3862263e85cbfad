/** Defines the data of a timeline, which the library makes and the script of the page reads as JSON. */

/** `cut` if no end is recorded: the run goes on, or was cut off. */
export type Ending = "success" | "failure" | "interrupt" | "cut"

/** A parameter or an annotation. */
export interface Entry {
  readonly name: string
  readonly value: string
}

/** Times are in milliseconds since 1970. */
export interface Attempt {
  readonly start: number
  readonly end: number
  readonly ending: Ending
  readonly cause?: string
}

/** @internal */
export interface Hook {
  readonly name: string
  readonly kind: string
  readonly level: "step" | "pipeline"
  readonly start: number
  readonly end: number
  readonly outcome: "ended" | "failed" | "skipped" | "cut"
  readonly cause?: string
}

/** A run, or a step. A row comes before the rows that are inside it. */
export interface Row {
  readonly kind: "run" | "step"
  readonly name: string
  readonly depth: number
  /** The index of the row that this one is inside of; -1 for a run. */
  readonly parent: number
  /** How many rows are inside this one, at any depth. They follow it. */
  readonly size: number
  readonly start: number
  /** The time of the last event of the run, if no end is recorded. */
  readonly end: number
  readonly ending: Ending
  readonly cause?: string
  /** Empty for a run. The last attempt may not have begun yet. */
  readonly attempts: ReadonlyArray<Attempt>
  /** In the order in which they began. */
  readonly hooks: ReadonlyArray<Hook>
  /** Other facts, such as the id of the run or the progress of the body. */
  readonly facts: ReadonlyArray<Entry>
  readonly params: ReadonlyArray<Entry>
  readonly annotations: ReadonlyArray<Entry>
}

/** @internal */
export interface Timeline {
  readonly title: string
  readonly rows: ReadonlyArray<Row>
}

/** Returns whether the step failed, has no recorded end, or has a hook that failed. */
export const isTrouble = (row: Row): boolean =>
  row.ending === "failure" || row.ending === "cut" || row.hooks.some(({ outcome }) => outcome === "failed")

/** Returns how many attempts followed the first one. */
export const retries = ({ attempts }: Row): number => Math.max(0, attempts.length - 1)

/**
 * Returns whether no two of several runs overlap, as runs of different nights. On a common clock most of their chart
 * would be empty.
 */
export const areApart = (rows: ReadonlyArray<Row>): boolean => {
  const runs = rows.filter(({ kind }) => kind === "run").toSorted((a, b) => a.start - b.start)
  return runs.length > 1 && runs.every((run, index) => index === 0 || runs[index - 1]!.end <= run.start)
}
