/** Defines the data of a timeline, which the library makes and the script of the page reads as JSON. */

/** `cut` if no end is recorded: the run goes on, or was cut off. */
export type Ending = "success" | "failure" | "interrupt" | "skip" | "cut"

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
  readonly level: "step" | "pipeline" | "default"
  readonly start: number
  readonly end: number
  /** The recorded duration, in milliseconds. */
  readonly took?: number
  readonly outcome: "ended" | "failed" | "skipped" | "cut"
  readonly cause?: string
}

/** A delivery of an alert at one channel or policy. */
export interface Alert {
  readonly title: string
  readonly severity: string
  readonly result: "delivered" | "failed" | "held" | "dropped" | "waiting"
  /** Says in words whether it arrived. */
  readonly text: string
  /** Why it has not arrived. */
  readonly cause?: string
  /** When it was posted. */
  readonly at: number
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
  /** The recorded duration, in milliseconds, which is more exact than the two times. */
  readonly took?: number
  readonly ending: Ending
  /** Of what was skipped the reason. */
  readonly cause?: string
  /** Empty for a run. The last attempt may not have begun yet. */
  readonly attempts: ReadonlyArray<Attempt>
  /** When it was told to be overdue first, and at which limit. */
  readonly overdue?: { readonly at: number; readonly limit: string }
  /** In the order in which they began. */
  readonly hooks: ReadonlyArray<Hook>
  /** Other facts, such as the id of the run or the progress of the body. */
  readonly facts: ReadonlyArray<Entry>
  readonly params: ReadonlyArray<Entry>
  readonly annotations: ReadonlyArray<Entry>
  /** The alerts that it posted, in the order of their posts. Missing where there are none. */
  readonly alerts?: ReadonlyArray<Alert>
  /** The messages that it logged, where the chart has them. */
  readonly logs?: ReadonlyArray<Log>
}

/** A row without its place among the others, which follows from the depths of all of them. */
export type Content = Omit<Row, "parent" | "size">

/** Places rows: each is inside the last one before it that is less deep. */
export const place = (contents: ReadonlyArray<Content>): ReadonlyArray<Row> => {
  const rows: Array<{ -readonly [K in keyof Row]: Row[K] }> = []
  /** The indexes of the rows that the next one may be inside of. */
  const open: Array<number> = []
  const closeTo = (depth: number): void => {
    for (let at = open.at(-1); at !== undefined && rows[at]!.depth >= depth; at = open.at(-1)) {
      rows[at]!.size = rows.length - at - 1
      open.pop()
    }
  }
  for (const content of contents) {
    closeTo(content.depth)
    rows.push({ ...content, parent: open.at(-1) ?? -1, size: 0 })
    open.push(rows.length - 1)
  }
  closeTo(0)
  return rows
}

/** Rows that differ from those before: a new row, or how many are the same as those from an index on. */
export type Part = Content | readonly [from: number, count: number]

/** Returns how rows differ from those before. Rows are the same if they are one object. */
export const partsOf = (before: ReadonlyArray<Content>, after: ReadonlyArray<Content>): ReadonlyArray<Part> => {
  const places = new Map(before.map((content, index) => [content, index]))
  const parts: Array<Part> = []
  let same: [from: number, count: number] | undefined
  for (const content of after) {
    const index = places.get(content)
    if (index === undefined) {
      same = undefined
      parts.push(content)
    } else if (same !== undefined && same[0] + same[1] === index) {
      same[1]++
    } else {
      same = [index, 1]
      parts.push(same)
    }
  }
  return parts
}

/** Returns the rows that differ from those before by these parts. */
export const applyParts = (before: ReadonlyArray<Content>, parts: ReadonlyArray<Part>): ReadonlyArray<Content> =>
  parts.flatMap((part) => "kind" in part ? [part] : before.slice(part[0], part[0] + part[1]))

/** A message of the log. `omitted` is how many before it are left out. */
export interface Log {
  readonly at: number
  readonly level: string
  readonly message: string
  readonly omitted: number
}

/** @internal */
export interface Timeline {
  readonly title: string
  readonly rows: ReadonlyArray<Row>
}

/** Returns whether the step failed, has no recorded end though its run does not go on, or has a hook that failed. */
export const isTrouble = (row: Row, goesOn = false): boolean =>
  row.ending === "failure" || (row.ending === "cut" && !goesOn) || row.hooks.some(({ outcome }) => outcome === "failed")

/** Returns how many attempts have begun: a step may end in the delay before one. */
export const begun = ({ attempts, end }: Row): number => attempts.filter(({ start }) => start <= end).length

/** Returns how many attempts followed the first one. */
export const retries = (row: Row): number => Math.max(0, begun(row) - 1)

/**
 * Returns whether no two of several runs overlap, as runs of different nights. On a common clock most of their chart
 * would be empty.
 */
export const areApart = (rows: ReadonlyArray<Row>): boolean => {
  const runs = rows.filter(({ kind }) => kind === "run").toSorted((a, b) => a.start - b.start)
  return runs.length > 1 && runs.every((run, index) => index === 0 || runs[index - 1]!.end <= run.start)
}
