/** The model of a run, which `Runs` builds from its events. */
import type { ClockModel } from "./clock.ts"
import type { EventJson } from "./eventJson.ts"
import type { StepsByPath } from "./stepAt.ts"

type Outcome = Extract<EventJson, { readonly _tag: "RunEnded" }>["outcome"]
type AlertEvent = Extract<EventJson, { readonly _tag: "AlertPosted" }>
type HookEvent = Extract<EventJson, { readonly hook: string }>
type Values = Readonly<Record<string, unknown>>

/** An attempt at a step's body. Times are in milliseconds since 1970. */
export interface AttemptModel {
  readonly number: number
  startedAt: number
  endedAt: number | undefined
  cause: string | undefined
}

/** How a step or a run was told to be overdue. */
export interface OverdueModel {
  /** When it was told first, and the limit then. */
  readonly at: number
  readonly limitMillis: number
  /** The deadline of a run, in ISO 8601 with its zone. */
  readonly deadline: string | undefined
  /** How often it was told. */
  readonly times: number
}

/** A message of the log. Times are in milliseconds since 1970. */
export interface LogModel {
  readonly at: number
  readonly logLevel: string
  readonly message: string
  /** How many before it are left out. */
  readonly omitted: number
}

/** A delivery of an alert at one channel or policy. Times are in milliseconds since 1970. */
export interface AlertModel {
  readonly title: string
  readonly severity: AlertEvent["severity"]
  readonly by: string
  readonly postedAt: number
  /** The latest result, and its time. */
  result: AlertEvent["result"]
  at: number
  reason: string | undefined
  /** Whether a policy has held it until then. */
  wasHeld: boolean
}

/** The deliveries of the alerts of a step, or of the run itself. */
export interface AlertsModel {
  /** By their ids. */
  readonly shown: Map<string, AlertModel>
  /** How many more the record leaves out, and how many of these failed. */
  omitted: number
  omittedFailed: number
}

/** @internal */
export interface HookModel {
  readonly name: string
  readonly kind: HookEvent["kind"]
  readonly level: HookEvent["level"]
  readonly index: number
  startedAt: number
  endedAt: number | undefined
  durationMillis: number | undefined
  outcome: "running" | "ended" | "failed" | "skipped"
  cause: string | undefined
}

/** @internal */
export interface StepModel {
  readonly index: number
  /** With its key, like the names of the path. */
  readonly name: string
  readonly hasKey: boolean
  readonly path: ReadonlyArray<string>
  readonly parent: number | undefined
  readonly startedAt: number
  readonly params: Values
  readonly attempts: Array<AttemptModel>
  readonly hooks: Array<HookModel>
  readonly alerts: AlertsModel
  /** The steps that run inside this one, in the order in which they began. */
  readonly children: Array<StepModel>
  /** Empty unless asked for. */
  readonly logs: Array<LogModel>
  endedAt: number | undefined
  /** More exact than the difference of the two times. */
  durationMillis: number | undefined
  outcome: Outcome | undefined
  /** Of a step that was skipped the reason. */
  cause: string | undefined
  annotations: Values
  progress: { readonly done: number; readonly total: number | undefined; readonly at: number } | undefined
  overdue: OverdueModel | undefined
  /** Incremented by each event about the step. */
  revision: number
}

/** Returns how many attempts of a step have begun: it may have ended in the delay before one. */
export const attemptsBegun = ({ attempts, endedAt = Infinity }: Pick<StepModel, "attempts" | "endedAt">): number =>
  attempts.filter(({ startedAt }) => startedAt <= endedAt).length

/** The steps of a run by their paths: all of them, and those that have not ended. */
export interface StepPaths {
  readonly all: StepsByPath<StepModel>
  readonly open: StepsByPath<StepModel>
}

/** @internal */
export interface RunModel {
  readonly pipelineName: string
  readonly runId: string
  readonly runName: string
  readonly startedAt: number
  readonly steps: Set<StepModel>
  /** The latest step of each index. */
  readonly byIndex: Map<number, StepModel>
  /** The steps by their paths. Set once a step is looked for whose index is that of another one. */
  paths: StepPaths | undefined
  /** The steps that run in no other step. */
  readonly roots: Array<StepModel>
  /** The hooks of the run itself. */
  readonly hooks: Array<HookModel>
  /** The alerts that the run itself has posted. */
  readonly alerts: AlertsModel
  /** The lines that no step has logged. Empty unless asked for. */
  readonly logs: Array<LogModel>
  /** The time of the last event. */
  lastAt: number
  endedAt: number | undefined
  durationMillis: number | undefined
  outcome: Outcome | undefined
  cause: string | undefined
  annotations: Values
  hookFailures: number
  overdue: OverdueModel | undefined
  /** How the clock was set while the run went on. All other times are on the clock by which the run began. */
  readonly clock: ReadonlyArray<ClockModel>
  /** Whether a durable run has ended, and then begun anew. */
  retried: boolean
  /** Set while the last event says that no process has the run. */
  left: Left | undefined
}

/** Why no process has a run that has not ended. */
export type Left =
  | { readonly _tag: "suspended" }
  | { readonly _tag: "crashed"; readonly why: string }
