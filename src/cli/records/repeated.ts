/** Tells of the steps of a recorded run that ran more than once under one name, without a key. */
import { label, type Line } from "../../internal/text/columns.ts"
import { count } from "../../internal/text/words.ts"
import type { RunModel, StepModel } from "../../report/internal/events/runModel.ts"

/** How many names are told. */
const most = 5

/**
 * Returns a line for each name without a key under which several evaluations ran beside each other, or one after another,
 * in the same step or in the run itself: alerts about them can't be told apart. A durable run that began anew has run its
 * steps again, which is no repetition.
 */
export const repeatedLines = ({ retried, roots, steps }: RunModel): ReadonlyArray<Line> => {
  if (retried) return []
  const names = new Map<string, number>()
  for (const siblings of [roots, ...[...steps].map(({ children }) => children)]) {
    for (const [name, times] of repeated(siblings)) names.set(name, Math.max(times, names.get(name) ?? 0))
  }
  const lines = [...names].slice(0, most).map(([name, times]): Line => [[
    `note: ${label(name)} ran ${count(times)} times without a key: alerts and recoveries take these for one step. ` +
    "Step.key tells them apart",
    "dim"
  ]])
  return names.size <= most ? lines : [...lines, [[`note: so did ${count(names.size - most)} more`, "dim"]]]
}

const repeated = (siblings: ReadonlyArray<StepModel>): ReadonlyArray<readonly [string, number]> => {
  if (siblings.length < 2) return []
  const times = new Map<string, number>()
  for (const { hasKey, name } of siblings) if (!hasKey) times.set(name, (times.get(name) ?? 0) + 1)
  return [...times].filter(([, n]) => n > 1)
}
