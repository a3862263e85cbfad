/** Keeps the exits of a step as they were before they were stored: their errors still have their stacks. */
import type * as Exit from "effect/Exit"
import { activityKey } from "../activityKey.ts"
import type { ActivityFibers } from "./activityFibers.ts"

type AnyExit = Exit.Exit<unknown, unknown>

/** The original exits of one step. */
export class Originals {
  private readonly activities: ActivityFibers
  /** The key of the activity that recorded the latest end. */
  private latest = ""
  /** The exit of the latest end, where this process has recorded it. */
  exit: AnyExit | undefined

  constructor(activities: ActivityFibers) {
    this.activities = activities
  }

  /** Keeps an exit that is about to be recorded, until observers have been told. */
  keep(name: string, attempt: number, exit: AnyExit): void {
    this.activities.unreported.set(activityKey(name, attempt), exit)
  }

  /** Takes up the exit that an activity has recorded, as the latest one. */
  recall(name: string, attempt: number): void {
    this.latest = activityKey(name, attempt)
    this.exit = this.activities.unreported.get(this.latest)
  }

  /** Whether this process has recorded the latest end, and observers have not been told of it yet. */
  get isUnreported(): boolean {
    return this.activities.unreported.has(this.latest)
  }

  markReported(): void {
    this.activities.unreported.delete(this.latest)
  }
}
