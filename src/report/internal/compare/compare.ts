/** Compares two runs step by step. */
import type { Change, ComparedStep, Comparison, Difference, Evaluated } from "../../Compared.ts"
import { attemptsBegun, type RunModel, type StepModel } from "../events/runModel.ts"
import type { Open } from "../events/tree.ts"

/** By how much a step has to differ to count as slower or faster. */
export interface Threshold {
  /** The share of the shorter duration. */
  readonly ratio: number
  readonly millis: number
}

/** A run, and the state of its steps without an end unless its events say it. */
export interface Side {
  readonly run: RunModel
  readonly open: Open
}

/** The longest text that says why a step failed, in UTF-16 code units. */
const longestCause = 500

const firstLine = (text: string): string =>
  text.trimStart().split(/[\r\n]/, 1)[0]!.slice(0, longestCause).toWellFormed()

/** @internal */
export const compare = (before: Side, after: Side, threshold: Threshold): Pick<Comparison, "run" | "steps"> => {
  const steps: Array<ComparedStep> = []
  // not by recursion, since steps may be nested however deep
  const ahead = matched(before.run.roots, after.run.roots).map((pair) => ({ pair, depth: 0 })).toReversed()
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    const { depth, pair } = next
    // a cast: a pair has one step at least
    const { name, path } = (pair.after ?? pair.before) as StepModel
    steps.push({
      name,
      path,
      depth,
      nth: pair.nth,
      ...differenceOf(
        pair.before === undefined ? undefined : stepEnd(pair.before, before),
        pair.after === undefined ? undefined : stepEnd(pair.after, after),
        threshold
      )
    })
    const inner = matched(pair.before?.children ?? [], pair.after?.children ?? []).toReversed()
    for (const pair of inner) ahead.push({ pair, depth: depth + 1 })
  }
  return { run: differenceOf(runEnd(before), runEnd(after), threshold), steps }
}

interface Pair {
  readonly before: StepModel | undefined
  readonly after: StepModel | undefined
  readonly nth: number
}

interface Numbered {
  readonly step: StepModel
  readonly nth: number
}

/** Numbers the steps of each name, which has their key. */
const numbered = (steps: ReadonlyArray<StepModel>): ReadonlyMap<string, Numbered> => {
  const counts = new Map<string, number>()
  return new Map(steps.map((step) => {
    const nth = (counts.get(step.name) ?? 0) + 1
    counts.set(step.name, nth)
    return [`${nth} ${step.name}`, { step, nth }]
  }))
}

/** Matches the steps that run in one step by their names, keys and numbers. */
const matched = (before: ReadonlyArray<StepModel>, after: ReadonlyArray<StepModel>): ReadonlyArray<Pair> => {
  const [earlier, later] = [numbered(before), numbered(after)]
  /** The steps that only the earlier run has, by the last step before them that both have. */
  const removed = new Map<string | undefined, Array<Pair>>()
  let last: string | undefined
  for (const [key, { nth, step }] of earlier) {
    if (later.has(key)) last = key
    else {
      const pair = { before: step, after: undefined, nth }
      const others = removed.get(last)
      if (others === undefined) removed.set(last, [pair])
      else others.push(pair)
    }
  }
  return [
    ...removed.get(undefined) ?? [],
    ...[...later].flatMap(([key, { nth, step }]) => [
      { before: earlier.get(key)?.step, after: step, nth },
      ...removed.get(key) ?? []
    ])
  ]
}

const endOf = (
  { cause, durationMillis, endedAt, outcome, startedAt }: Pick<
    StepModel,
    "cause" | "durationMillis" | "endedAt" | "outcome" | "startedAt"
  >,
  attempts: number,
  { open, run }: Side
): Evaluated => ({
  status: outcome ?? run.left?._tag ?? open,
  durationMillis: durationMillis ?? Math.max(0, (endedAt ?? run.lastAt) - startedAt),
  attempts,
  ...(cause === undefined || outcome === "success" ? {} : { cause: firstLine(cause) })
})

const stepEnd = (step: StepModel, side: Side): Evaluated => endOf(step, attemptsBegun(step), side)

const runEnd = (side: Side): Evaluated => endOf(side.run, 1, side)

const hasEnded = ({ status }: Evaluated): boolean =>
  status === "success" || status === "failure" || status === "interrupt" || status === "skip"

/** Whether durations can be compared: those of bodies that came to the same end. */
const isComparable = (before: Evaluated, after: Evaluated): boolean =>
  before.status === after.status && (before.status === "success" || before.status === "failure")

const paceOf = (before: number, after: number, { millis, ratio }: Threshold): ReadonlyArray<Change> => {
  const [shorter, longer] = before < after ? [before, after] : [after, before]
  if (longer - shorter < millis || longer - shorter <= shorter * ratio) return []
  return [after > before ? "slower" : "faster"]
}

const statusChange = (before: Evaluated, after: Evaluated): ReadonlyArray<Change> =>
  before.status === after.status
    ? []
    : before.status === "success" && after.status === "failure"
    ? ["newlyFailing"]
    : before.status === "failure" && after.status === "success"
    ? ["recovered"]
    : ["endedOtherwise"]

const differenceOf = (
  before: Evaluated | undefined,
  after: Evaluated | undefined,
  threshold: Threshold
): Difference => {
  if (before === undefined || after === undefined) {
    return {
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      changes: [before === undefined ? "added" : "removed"]
    }
  }
  const differenceMillis = after.durationMillis - before.durationMillis
  return {
    before,
    after,
    ...(hasEnded(before) && hasEnded(after) ? { differenceMillis } : {}),
    ...(hasEnded(before) && hasEnded(after) && before.durationMillis > 0
      ? { ratio: differenceMillis / before.durationMillis }
      : {}),
    changes: [
      ...statusChange(before, after),
      ...(isComparable(before, after) ? paceOf(before.durationMillis, after.durationMillis, threshold) : [])
    ]
  }
}
