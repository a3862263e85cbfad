/** Collects runs until none goes on any more, for files that are written at the end. */
import type { Observer, RunEvent } from "../../../RunEvent.ts"
import { type EventJson, toEventJson } from "../events/eventJson.ts"
import { RecentRuns } from "../events/recent.ts"

/** How many ended steps of a run are kept: failed ones first, then the longest. */
const maxSteps = 2000

/** How many runs are kept, as of a pipeline whose body runs thousands of others. */
const maxRuns = 100

/** A run that has ended. */
export interface EndedRun {
  /** The place of its first event among all events observed: the largest number if those were forgotten. */
  readonly began: number
  readonly events: ReadonlyArray<EventJson>
  readonly failed: boolean
}

/** Returns the last hundred runs, of which those that failed go first. */
export const lastRuns = (runs: ReadonlyArray<EndedRun>): ReadonlyArray<EndedRun> => {
  const kept = [...runs]
  while (kept.length > maxRuns) kept.splice(Math.max(0, kept.findIndex(({ failed }) => !failed)), 1)
  return kept
}

/**
 * Makes an observer that passes on the runs that ended since no run was going on, as {@link lastRuns} leaves them. A run
 * that began earlier comes first, also within a millisecond.
 */
export const collecting = (onIdle: (runs: ReadonlyArray<EndedRun>) => void): Observer => {
  const recent = new RecentRuns(maxSteps)
  let ended: ReadonlyArray<EndedRun> = []
  return (event: RunEvent) => {
    if (event._tag === "RunEnded") {
      const { began = Number.MAX_SAFE_INTEGER, events = [] } = recent.of(event.runId) ?? {}
      const failed = event.outcome === "failure" || event.outcome === "interrupt"
      ended = lastRuns([...ended, { began, events: [...events, toEventJson(event)], failed }])
    }
    recent.observe(event)
    if (event._tag !== "RunEnded" || recent.size > 0 || ended.length === 0) return
    const all = ended
    ended = []
    onIdle(all.toSorted((a, b) => a.began - b.began))
  }
}
