/** Explains the shapes of a chart, each drawn as in the chart. */
import { type Hook, retries, type Row } from "./data.ts"
import { draw, type Shape } from "./shapes.ts"

/** A row to build examples from. */
export const emptyRow: Row = {
  kind: "step",
  name: "",
  depth: 0,
  parent: -1,
  size: 0,
  start: 0,
  end: 0,
  ending: "success",
  attempts: [],
  hooks: [],
  facts: [],
  params: [],
  annotations: []
}

/** Returns the shapes for the outcome of a hook, at the height of the lane for hooks. */
export const hookShapes = (outcome: Hook["outcome"], length: number): ReadonlyArray<Shape> =>
  draw(
    { ...emptyRow, hooks: [{ name: "", kind: "", level: "step", start: 0, end: length, outcome }] },
    (x) => x + 5,
    100
  )
    .shapes.filter(({ part }) => part?.of === "hook")

/** @internal */
export interface Meaning {
  readonly text: string
  readonly shapes: ReadonlyArray<Shape>
  /** The width of the shapes in pixels. */
  readonly width: number
  /** The distance of the middle of the shapes from the top, in pixels. */
  readonly middle: number
  readonly occurs: (row: Row) => boolean
}

const step = (text: string, changes: Partial<Row>, occurs: (row: Row) => boolean): Meaning => {
  const { end, shapes } = draw({ ...emptyRow, end: 20, ...changes }, (x) => x, 100)
  return { text, shapes, width: end, middle: 16, occurs }
}

const hook = (text: string, outcome: Hook["outcome"]): Meaning => ({
  text,
  shapes: hookShapes(outcome, 10),
  width: 24,
  middle: 24,
  occurs: ({ hooks }) => hooks.some((hook) => hook.outcome === outcome)
})

/** @internal */
export const legend: ReadonlyArray<Meaning> = [
  step("succeeded", {}, ({ ending }) => ending === "success"),
  step("failed", { ending: "failure" }, ({ ending }) => ending === "failure"),
  // the attempt after the wait begins later than the step ends, so nothing of it is drawn
  step("failed attempt and wait", {
    end: 24,
    attempts: [{ start: 0, end: 14, ending: "failure" }, { start: 30, end: 30, ending: "cut" }]
  }, (row) => retries(row) > 0),
  step("interrupted", { ending: "interrupt" }, ({ ending }) => ending === "interrupt"),
  step("skipped", { ending: "skip" }, ({ ending }) => ending === "skip"),
  step("no end recorded", { ending: "cut" }, ({ ending }) => ending === "cut"),
  step("overdue", { overdue: { at: 12, limit: "" } }, ({ overdue }) => overdue !== undefined),
  hook("hook", "ended"),
  hook("failed hook", "failed"),
  hook("hook with nothing to do", "skipped"),
  hook("hook without an end", "cut")
]
