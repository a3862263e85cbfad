/**
 * Joins the steps of a burst in one line. A step that begins right after one of the same name is held back: where it
 * succeeds in the same millisecond, and its hooks are those of the step before, only its durations are added to the line
 * of that one. Any other step has a line of its own.
 */
import { hasKey, type Occurrence } from "../../../internal/model/occurrence.ts"
import type { Planned } from "../../../internal/model/plan.ts"
import type { Heads } from "./heads.ts"

/** The line of a step, to which more may be added as long as nothing follows it. */
export interface OpenLine {
  readonly heads: Heads
  /** The step that the end of the line is about. */
  step: Occurrence
  readonly at: number
  /** Where the line ends in the buffer. */
  end: number
  isEnded: boolean
  /** The hooks that the line has, in the order in which they ended. */
  readonly hooks: Array<Planned>
  /** Whether the line has the durations of further steps. */
  hasMore: boolean
}

/** A step that has begun, and of which the buffer has nothing yet. */
export class HeldBack {
  step: Occurrence | undefined
  /** `undefined` until the step ends. Durations are in nanoseconds. */
  duration: number | undefined
  /** How many of its hooks have ended. */
  hooks = 0
  readonly hookDurations: Array<number> = []

  begin(step: Occurrence): void {
    this.step = step
    this.duration = undefined
    this.hooks = 0
  }

  hookEnded(duration: number): void {
    this.hookDurations[this.hooks++] = duration
  }

  /** Forgets the step, since the buffer has it. */
  clear(): void {
    this.step = undefined
  }
}

/** Whether a step that begins may follow in the line of the one before it. */
export const follows = (line: OpenLine, step: Occurrence, at: number): boolean => {
  const before = line.step
  return line.isEnded && line.at === at && step.index === before.index + 1 && step.run === before.run &&
    step.parent === before.parent && hasSameNames(step, before)
}

/** Steps in one place, of which one may have been made anew. */
const hasSameNames = (step: Occurrence, before: Occurrence): boolean =>
  step.owner === before.owner || (step.owner.name === before.owner.name && !hasKey(step) && !hasKey(before))

/** Whether two hooks have the same names. Those of a step that is made anew are others. */
export const isSameHook = (one: Planned | undefined, other: Planned): boolean =>
  one === other || (
    one !== undefined && one.index === other.index && one.level === other.level && one.hook.kind === other.hook.kind &&
    one.hook.name === other.hook.name
  )
