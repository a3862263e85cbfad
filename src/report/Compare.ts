/**
 * Compares two runs step by step.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import { checked, durationMistakes, numberMistakes, refuse } from "../internal/model/options.ts"
import type { ComparedRun, Comparison } from "./Compared.ts"
import type { Event } from "./Event.ts"
import * as comparing from "./internal/compare/compare.ts"
import { Runs } from "./internal/events/model.ts"
import type { RunModel } from "./internal/events/runModel.ts"

export type { Change, ComparedRun, ComparedStep, Comparison, Difference, Evaluated } from "./Compared.ts"

/**
 * Options of {@link compare}. A step is slower or faster if it differs by more than both.
 *
 * @category options
 * @since 0.1.0
 */
export interface CompareOptions {
  /** The share of the shorter duration: 0.2, a fifth, unless set. A number, 0 or more; any other is a defect. */
  readonly ratio?: number | undefined
  /** 50 milliseconds unless set: less than that differs by chance. */
  readonly least?: Duration.Input | undefined
}

/** @internal */
export const thresholdOf = (options: CompareOptions = {}): comparing.Threshold => {
  const { least = "50 millis", ratio = 0.2 } = checked("Report.compare", options, { ratio: 0, least: 0 })
  refuse("Report.compare", numberMistakes("ratio", ratio, 0), durationMistakes("least", least))
  return { ratio, millis: Duration.toMillis(least) }
}

/** @internal */
export const comparisonOf = (
  before: comparing.Side,
  after: comparing.Side,
  threshold: comparing.Threshold = thresholdOf()
): Comparison => ({
  before: runOf(before.run),
  after: runOf(after.run),
  ...comparing.compare(before, after, threshold)
})

const runOf = ({ pipelineName, runId, runName, startedAt }: RunModel): ComparedRun => ({
  pipelineName,
  runId,
  runName,
  startedAt
})

/** Returns the last run among events. */
const lastOf = (events: Iterable<Event>, name: string): RunModel => {
  const runs = new Runs()
  for (const event of events) runs.apply(event)
  const last = [...runs.byId.values()].at(-1)
  if (last === undefined) throw new TypeError(`${name} has no events (expected those of a run)`)
  return last
}

/**
 * Compares the last run among some events with the last one among others, step by step.
 *
 * **Details**
 *
 * Steps are the same if their names, keys and the steps around them are. Of steps of one name without a key the first of
 * one run is compared with the first of the other, the second with the second. A run, or a step, without an end counts as
 * `cutOff`, unless its events say that its process ended, or let go of it. It is a defect if either has no events.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 * import { Effect, Stream } from "effect"
 *
 * const slower = Effect.gen(function*() {
 *   const [after, before] = yield* Report.list({ limit: 2 })
 *   if (after === undefined || before === undefined) return []
 *   const { steps } = Report.compare(
 *     yield* Stream.runCollect(Report.read(before.path, { runId: before.runId })),
 *     yield* Stream.runCollect(Report.read(after.path, { runId: after.runId }))
 *   )
 *   return steps.filter(({ changes }) => changes.includes("slower"))
 * })
 * ```
 *
 * @category comparing
 * @since 0.1.0
 */
export const compare = (before: Iterable<Event>, after: Iterable<Event>, options?: CompareOptions): Comparison => {
  const threshold = thresholdOf(options)
  return comparisonOf(
    { run: lastOf(before, "before"), open: "cutOff" },
    { run: lastOf(after, "after"), open: "cutOff" },
    threshold
  )
}
