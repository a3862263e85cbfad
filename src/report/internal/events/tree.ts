/** Draws a run as a tree of its steps and hooks: for progress on a terminal, and for `epilogue show`. */
import type { Line, Segment } from "../../../internal/text/columns.ts"
import type { Outcome } from "../../../RunEvent.ts"
import type { Status } from "../../Recorded.ts"
import { statusSigns } from "./status.ts"

/** A line of the tree, and what is drawn below it. */
export interface Node {
  readonly line: Line
  /** A function, so that a tree of any depth is built without recursion. */
  readonly below: () => ReadonlyArray<Node>
}

/** @internal */
export const leaf = (line: Line): Node => ({ line, below: () => [] })

/** Deeper lines are not indented any further, or the trunks beside 20,000 nested steps would take a gigabyte. */
const deepest = 50

/** Returns the lines of the trees, one below another. Lines deeper than can be indented have their depth before them. */
export const draw = (roots: ReadonlyArray<Node>): ReadonlyArray<Line> => {
  const lines: Array<Line> = []
  const ahead = roots.toReversed().map((node) => ({ node, here: "", below: "", depth: 0 }))
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    const { below, here, node } = next
    const depth = next.depth + 1
    lines.push(here === "" ? node.line : [[here, "dim"], ...node.line])
    for (const [i, child] of node.below().toReversed().entries()) {
      const [branch, trunk] = i === 0 ? ["└─ ", "   "] : ["├─ ", "│  "]
      ahead.push(
        depth > deepest
          ? { node: child, here: `${below}… ${depth} ${branch}`, below, depth }
          : { node: child, here: below + branch, below: below + trunk, depth }
      )
    }
  }
  return lines
}

/** The state of what has not ended. */
export type Open = Exclude<Status, Outcome>

/** The mark before the name of a run, a step or a hook, by what became of it. */
export const statusMarks: Readonly<Record<Status, Segment>> = {
  success: [statusSigns.success, "green"],
  failure: [statusSigns.failure, "red"],
  interrupt: [statusSigns.interrupt, "yellow"],
  skip: [statusSigns.skip, "cyan"],
  running: [statusSigns.running, "cyan"],
  suspended: [statusSigns.suspended, "yellow"],
  crashed: [statusSigns.crashed, "red"],
  cutOff: [statusSigns.cutOff, "red"]
}

/** The mark of what is overdue. */
export const overdueMark: Segment = ["◷", "yellow"]

/** The mark of a step that was undone, in lines. */
export const undoneMark = "↶"

/** The parts of a line. Their texts have to be safe for one line. */
interface Described {
  readonly mark: Segment
  readonly name: string
  /** Shown in parentheses after the name. */
  readonly details: ReadonlyArray<string>
  readonly cause?: string | undefined
}

const because = (cause: string | undefined): Line => cause === undefined ? [] : [[`: ${cause}`, "plain"]]

/** Formats a run or a step, as in `✗ load (2.1 s, 2 attempts): no such row  rows=7`. The names of runs are bold. */
export const evaluationLine = (
  { cause, mark, name, details }: Described,
  annotations: ReadonlyArray<Annotation> = [],
  style: "plain" | "bold" = "plain"
): Line => [
  mark,
  [` ${name}`, style],
  [` (${details.join(", ")})`, "dim"],
  ...because(cause),
  ...(annotations.length === 0
    ? []
    : [[`  ${annotations.map(([key, value]) => `${key}=${value}`).join(" ")}`, "dim"] as const])
]

/** Formats a hook, as in `! hook "page" (failure, failed after 9 ms): no network`. */
export const hookLine = ({ cause, mark, name, details }: Described): Line => [
  mark,
  [` hook "${name}"`, "plain"],
  [` (${details.join(", ")})`, "dim"],
  ...because(cause)
]

/** Formats an alert, as in `! alert "load failed" (error, 02:13:07, not delivered by slack): could not be reached`. */
export const alertLine = ({ cause, mark, name, details }: Described): Line => [
  mark,
  [` alert "${name}"`, "plain"],
  [` (${details.join(", ")})`, "dim"],
  ...because(cause)
]

/** The mark of a hook that failed, which need not change what becomes of its step. */
export const failedHookMark: Segment = ["!", "yellow"]

/** @internal */
export type Annotation = readonly [key: string, value: string]

/**
 * Returns the annotations of a step without those that it has from its run: the run's line shows them already. One with
 * which it did not start (`given`) is its own, though the run may have the same by now.
 */
export const ownAnnotations = (
  annotations: ReadonlyArray<Annotation>,
  ofRun: ReadonlyArray<Annotation> = [],
  given?: Readonly<Record<string, unknown>>
): ReadonlyArray<Annotation> =>
  annotations.filter(([key, value]) =>
    !ofRun.some(([k, v]) => k === key && v === value) || (given !== undefined && !Object.hasOwn(given, key))
  )
