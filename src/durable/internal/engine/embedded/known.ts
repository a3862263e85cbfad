/**
 * Knows what is recorded of a run that is being evaluated, so that the table is not asked for what it does not have. Only
 * the process that evaluates a run records what it does.
 */
import { activityKey } from "../../activityKey.ts"
import { type History, historyOf } from "../../runs/runs.ts"
import type { ActivityRow } from "./store.ts"

/** The activities of one run that are recorded. */
export class Known {
  /** The records from before the current evaluation. */
  readonly history: History
  private readonly begun: Set<string>
  /** The activities that have ended, or are about to be recorded. */
  private readonly ended: Set<string>

  constructor(rows: ReadonlyArray<ActivityRow>) {
    this.history = historyOf(rows.map(({ about, attempt, ended, name, place }) => ({
      name,
      attempt,
      ended: ended === 1,
      order: place ?? undefined,
      about: about ?? undefined
    })))
    this.begun = new Set(rows.map(({ name }) => name))
    this.ended = new Set(this.history.activities)
  }

  /** Notes that an activity begins. Returns whether one of its name may have begun before. */
  begin(name: string): boolean {
    const known = this.begun.has(name)
    this.begun.add(name)
    return known
  }

  /** Whether the end of an activity may be recorded. */
  mayHave(name: string, attempt: number): boolean {
    return this.ended.has(activityKey(name, attempt))
  }

  /** Notes that the end of an activity is about to be recorded: afterwards it would be too late for another fiber. */
  end(name: string, attempt: number): void {
    this.ended.add(activityKey(name, attempt))
  }
}
