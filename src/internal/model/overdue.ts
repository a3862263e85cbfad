/** When a step or a run is overdue, and what its hooks are told of that. */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { shown } from "../text/shown.ts"
import { limitMillis, timeMistakes } from "./limit.ts"
import { unknownMistakes } from "./options.ts"

/**
 * The argument of an `onOverdue` hook: a step, or a run, that is still running at a limit that was set for it.
 *
 * @see `Hook.onOverdue` for such hooks
 *
 * @category models
 * @since 0.1.0
 */
export interface Overdue {
  /** How long the body has been running. */
  readonly elapsed: Duration.Duration
  /** The limit: the time after which it is overdue. For a deadline, the time from the start of the run until then. */
  readonly limit: Duration.Duration
  /** How often this is told again after the limit; `undefined` where it is told once. */
  readonly every: Duration.Duration | undefined
  /** The deadline of the run, which `Pipeline.deadline` sets, if that has passed. `undefined` for other limits. */
  readonly deadline: DateTime.Zoned | undefined
  /** How many times this limit has been told, this time included. 1 is the first. */
  readonly times: number
  /** The start of the body, by the wall clock: start hooks and an approval came before. */
  readonly startedAt: DateTime.Utc
  /** The number of the attempt that is running. 1 is the first. */
  readonly attempt: number
  /** The name of the step, or that of the pipeline for a run. */
  readonly stepName: string
  /** The key of the step, which `Step.key` sets. */
  readonly stepKey: string | undefined
  /** The names of the steps from the outermost to this one. Empty for a run. */
  readonly stepPath: ReadonlyArray<string>
  /** The names of `stepPath` with their keys, as in `fetch-page[7]`. */
  readonly stepLabels: ReadonlyArray<string>
}

/** The key of a mark: another process has posted the alert of this. */
export const ToldElsewhere: unique symbol = Symbol.for("effect-epilogue/Overdue/ToldElsewhere")

/** Whether another process has posted the alert of what is overdue. */
export const isToldElsewhere = (overdue: Overdue): boolean => ToldElsewhere in overdue

/**
 * Options of hooks and limits that tell what is overdue.
 *
 * @category models
 * @since 0.1.0
 */
export interface OverdueOptions {
  /** How often to tell it again while it goes on. Once unless set. */
  readonly every?: Duration.Input | undefined
}

/** A limit as a user has given it. */
export interface OverdueInput extends OverdueOptions {
  readonly after: Duration.Input
}

/** A limit in milliseconds. */
export interface OverdueMillis {
  readonly after: number
  readonly every: number | undefined
}

/** Watches bodies that have limits. It comes with a limit, and is not loaded without one. */
export interface Watching {
  /** Watches a body, and ends when the hooks that were called have ended. */
  readonly around: (
    evaluation: unknown,
    limits: unknown,
    body: Effect.Effect<unknown, unknown, unknown>
  ) => Effect.Effect<unknown, unknown, unknown>
  /** Posts how an evaluation ended of which an alert has told that it is overdue. */
  readonly tellEnd: (evaluation: unknown, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
}

/** A limit of a step, a run or a hook. */
export interface OverdueLimit extends OverdueMillis {
  readonly watching: Watching
}

/** A time of day by which a run has to end. */
export interface Deadline {
  /** Returns the first such time after the start of a run, in milliseconds. */
  readonly next: (startedMillis: number) => DateTime.Zoned
  /** As in `06:00 Europe/Berlin`. */
  readonly text: string
  readonly every: number | undefined
  readonly watching: Watching
}

/** The state of the limits of a step or a run, kept for a body that is evaluated anew. */
export interface OverdueKept {
  /** The start of the body, from which they count, once it has begun. */
  since: number | undefined
  /** How often each limit has been told. */
  readonly told: Map<string, number>
}

/** The limits of a step or a run, for its overdue hooks that have none of their own. */
export interface Limits {
  readonly limit?: OverdueLimit | undefined
  readonly deadline?: Deadline | undefined
}

/** Returns the mistakes in a limit of a step, a run or a hook, in words. */
export const overdueMistakes = (of: string, input: OverdueInput): ReadonlyArray<string> => [
  ...timeMistakes(`the time after which ${of} is overdue`, input.after),
  ...everyMistakes(of, input.every),
  ...unknownMistakes("its limit", input, overdueOptions)
]

const overdueOptions: Record<keyof OverdueInput, 0> = { every: 0, after: 0 }

/** Returns the mistake in an interval, in words, or an empty list. */
export const everyMistakes = (of: string, every: Duration.Input | undefined): ReadonlyArray<string> =>
  every !== undefined && !((limitMillis(every) ?? 0) >= 1)
    ? [
      `the interval at which ${of} is told again must be a duration of a millisecond or more, got ${shown(every)}`
    ]
    : []

/** Returns a limit in milliseconds. Called for one without mistakes. */
export const toMillis = ({ after, every }: OverdueInput): OverdueMillis => ({
  after: limitMillis(after) ?? Infinity,
  every: every === undefined ? undefined : limitMillis(every)
})

/**
 * Returns the first time after `at` at which what was told at `from` is told again, in milliseconds: of those that a
 * blocked thread or a stopped process has missed there is no burst.
 */
export const nextTime = (from: number, every: number, at: number): number =>
  from + (Math.max(0, Math.floor((at - from) / every)) + 1) * every
