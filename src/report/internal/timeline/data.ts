/** What timelines show of runs, as JSON can hold it: the library makes it, and the page's script reads it. */

/** `cut` where no end is known: the run goes on, or was cut off. */
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

/** A run, or a step in one. A row stands before those that are in it. */
export interface Row {
  readonly kind: "run" | "step"
  readonly name: string
  readonly depth: number
  /** Which row it is in, by its place among all; -1 for a run. */
  readonly parent: number
  /** How many rows are in it, at any depth: they follow it. */
  readonly size: number
  readonly start: number
  /** Where no end is known, when the run was last heard of. */
  readonly end: number
  readonly ending: Ending
  readonly cause?: string
  /** None for a run. The next attempt may be yet to begin. */
  readonly attempts: ReadonlyArray<Attempt>
  /** In the order in which they began. */
  readonly hooks: ReadonlyArray<Hook>
  /** What is known besides: the run's id, how far the body was. */
  readonly facts: ReadonlyArray<Entry>
  readonly params: ReadonlyArray<Entry>
  readonly annotations: ReadonlyArray<Entry>
}

/** @internal */
export interface Timeline {
  readonly title: string
  readonly rows: ReadonlyArray<Row>
}

/** Whether something about it went wrong, or may have. */
export const isTrouble = (row: Row): boolean =>
  row.ending === "failure" || row.ending === "cut" || row.hooks.some(({ outcome }) => outcome === "failed")

/** How often it was begun, and failed, and begun again. */
export const retries = ({ attempts }: Row): number => Math.max(0, attempts.length - 1)

/**
 * Whether a common clock says little of these runs: they do not overlap, as those of several nights do not, so that
 * most of the chart would be empty.
 */
export const areApart = (rows: ReadonlyArray<Row>): boolean => {
  const runs = rows.filter(({ kind }) => kind === "run").toSorted((a, b) => a.start - b.start)
  return runs.length > 1 && runs.every((run, index) => index === 0 || runs[index - 1]!.end <= run.start)
}
