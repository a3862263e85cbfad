/** The read-only face of an evaluation, for spans, observers, taps and overrides. */
import type * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Logger } from "effect/Logger"
import type { Severity } from "effect/LogLevel"
import type { Alert } from "../../Alert.ts"
import type { AlertedErrors } from "./alerted.ts"
import type { StepContext } from "./context.ts"
import type { StepInfo } from "./eventInfo.ts"
import type { Unsent } from "./events.ts"
import type { PipelineOwner, StepOwner } from "./owner.ts"
import type { Guard } from "./secrets.ts"

/** The longest path that an evaluation keeps: those of many nested steps would take quadratic memory. */
export const maxKeptPath = 64

/** The key of the evaluation that a context is of. */
export const Evaluated: unique symbol = Symbol.for("effect-epilogue/StepContext/Evaluated")

/** Returns the evaluation that a context is of. A context that a test made by hand has none. */
export const evaluatedIn = (context: StepContext.Shape): Occurrence | undefined =>
  (context as { readonly [Evaluated]?: Occurrence })[Evaluated] // the cast: contexts that the engine made have it

/** An entry of the log, as events have it. */
export interface LogEntry {
  readonly logLevel: Severity
  readonly message: string
}

/** Keeps what steps log. All that it does is loaded by those who provide one. */
export interface StepLogs {
  /** Added to the loggers of each run. */
  readonly logger: Logger<unknown, unknown>
  /**
   * Returns the last lines that a step or a run, and the steps inside it, have logged, below a heading, as the end of an
   * alert's detail.
   */
  readonly lastLines: (occurrence: Occurrence, heading: string) => string | undefined
}

/** The run that an occurrence is part of. */
export interface OccurrenceRun {
  readonly id: string
  readonly name: string
  readonly pipelineName: string
  /** Whether its last hook has ended. */
  readonly ended: boolean
  /** Keeps secrets out of what is told of the run. Looked up once, when the run starts. */
  readonly guard: Guard | undefined
  /** Sets the guard of a run that has begun without one. */
  readonly guardBy: (guard: Guard) => void
  /** Keeps what its steps log, where that is asked for. */
  readonly stepLogs: StepLogs | undefined
  /** Tells observers of what a step, or the run itself, has logged. */
  readonly logged: (by: Occurrence, entry: LogEntry) => void
  /** The loggers of its observers, and that of `stepLogs`. `undefined` where there are none. */
  readonly loggers: ReadonlyArray<Logger<unknown, unknown>> | undefined
  /** Tells its observers of events, also after its end. `undefined` where there are none. */
  readonly telling: { readonly send: (event: Unsent) => void } | undefined
  /** The evaluation in another run that this run is a part of: that of a step whose body evaluates a pipeline. */
  readonly around: Occurrence | undefined
  /** The number of evaluations of steps that have begun. */
  readonly steps: number
  /** The steps that have not succeeded; `undefined` while all have. */
  readonly unsuccessful: Unsuccessful | undefined
  /** The steps that are running, for a run with limits at which it is overdue. */
  readonly open: ReadonlySet<Occurrence> | undefined
  /** The steps that the run has undone, once it has failed and has undone any. */
  readonly rolledBack: RolledBack | undefined
  /** The slowest steps, for a run with a hook that asks for them. */
  readonly slowest: { readonly steps: ReadonlyArray<SlowStep> } | undefined
  /** The alerts to post at the end of the run, by their subjects. */
  settlements: Map<string, Settlement> | undefined
  /** Set by the first hook that posts an alert about an error. */
  alerted: AlertedErrors | undefined
}

/** The evaluations of steps in a run that failed, were interrupted or skipped. It takes constant memory. */
export interface Unsuccessful {
  readonly failed: number
  readonly interrupted: number
  readonly skipped: number
  /** The first evaluations that failed. An outer step that failed with the error of the step before it is not listed. */
  readonly failures: ReadonlyArray<FailedStep>
  /** Whether an evaluation failed for which no success has made up, listed or not. */
  readonly hasOpen: boolean
  /** Whether evaluations with the path and the keys of this step failed, for which no success has made up. */
  readonly isOpen: (step: Occurrence) => boolean
  /** Whether evaluations with the path and the keys of this step were interrupted. */
  readonly wasInterrupted: (step: Occurrence) => boolean
}

/** The steps of which rollback hooks have run, by their names in the run, in the order of the rollback. */
export interface RolledBack {
  /** The steps whose rollback hooks succeeded. */
  readonly undone: ReadonlySet<string>
  /** The steps of which a rollback hook failed, with the cause of the first one. */
  readonly failed: ReadonlyMap<string, Cause.Cause<unknown>>
}

/** An evaluation of a step that failed. */
export interface FailedStep {
  readonly step: Occurrence
  readonly cause: Cause.Cause<unknown>
  /** Whether the step has succeeded since, in the same run. */
  readonly over: boolean
}

/** An evaluation of a step, and its duration in milliseconds. */
export interface SlowStep {
  readonly label: string
  readonly millis: number
}

/** An alert that waits for the end of its run, and is posted only where no evaluation of the step ended in failure. */
export interface Settlement {
  readonly step: Occurrence
  readonly alert: Alert
  readonly post: (alert: Alert) => Effect.Effect<void, unknown>
}

/** Set where an alert has told that a step or a run is overdue: how it ends is told, too. */
export interface Lateness {
  /** Whether a standard hook has posted how it ended. */
  endTold: boolean
  /** Posts how it ended, where no hook has. */
  readonly tellEnd: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void, unknown>
}

/** Describes one evaluation of a step, or of a pipeline, which is a run. */
export interface Occurrence {
  /** The step or the pipeline, with the overrides that apply here. */
  readonly owner: StepOwner | PipelineOwner
  readonly isRun: boolean
  readonly run: OccurrenceRun
  /** The evaluation of the step or the pipeline around a step. */
  readonly parent: Occurrence | undefined
  /** The evaluation around it, that of another run included. */
  readonly around: Occurrence | undefined
  /** The number of evaluations of steps that had begun in the run before this one. -1 for the run itself. */
  readonly index: number
  /** Whether it is evaluated inside a hook, at any depth. */
  readonly inHook: boolean
  /** `undefined` for a run. */
  readonly info: StepInfo | undefined
  readonly path: ReadonlyArray<string>
  /** The names of `path` with their keys. */
  readonly labels: ReadonlyArray<string>
  /** The name with its key. */
  readonly label: string
  /** The number of names in `path`. */
  readonly depth: number
  readonly params: Readonly<Record<string, unknown>>
  readonly annotations: Readonly<Record<string, unknown>>
  /** The number of the attempt that runs or ran last. 1 is the first. */
  readonly attempt: number
  readonly startedMillis: number
  /** The time of its end, where that is recorded. */
  readonly endedMillis: number | undefined
  /** The number of evaluations of steps that had begun in the run before that attempt. */
  readonly attemptFrom: number
  /** The start of the body in milliseconds, after start hooks and an approval. */
  readonly bodyMillis: number
  lateness: Lateness | undefined
}

/** Whether a step has a key. */
export const hasKey = ({ owner }: Occurrence): boolean => owner.label === "Step" && owner.key !== undefined
