/** Lets a process that supervises this one keep the limits of steps and runs, too: this one may be stopped or blocked. */
import * as Context from "effect/Context"
import type { Occurrence } from "./occurrence.ts"

/** A limit of a body that is running. Times are in milliseconds, `dueAt` is one since 1970. */
export interface WatchedLimit {
  readonly dueAt: number
  readonly limitMillis: number
  readonly every: number | undefined
  /** In ISO 8601, with its zone. */
  readonly deadline: string | undefined
}

/** @internal */
export interface OverdueWatcher {
  /** Called when a body begins that has limits. */
  readonly begun: (evaluation: Occurrence, limits: ReadonlyArray<WatchedLimit>) => void
  /** Whether the supervisor tells of a limit, to which this process comes so late. */
  readonly tells: (evaluation: Occurrence, limit: WatchedLimit, lateMillis: number) => boolean
}

/** @internal */
export const CurrentOverdueWatcher: Context.Reference<OverdueWatcher | undefined> = Context.Reference<
  OverdueWatcher | undefined
>("effect-epilogue/CurrentOverdueWatcher", { defaultValue: () => undefined })
