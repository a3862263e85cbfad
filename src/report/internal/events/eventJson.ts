/**
 * Converts events to JSON, for records, timelines and the command's supervisor. The value of an exit is left out, and a
 * cause becomes its text. Parameters and annotations are redacted.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type * as Exit from "effect/Exit"
import type { Severity } from "effect/LogLevel"
import * as Schema from "effect/Schema"
import type { Kind } from "../../../Hook.ts"
import { kinds } from "../../../internal/model/hooks.ts"
import { severities } from "../../../internal/model/severity.ts"
import { reasonOf, skippedOf } from "../../../internal/model/skip.ts"
import { causeDetail } from "../../../internal/text/errors.ts"
import { display } from "../../../internal/text/redact.ts"
import { placeOf } from "../../../internal/text/stepLabel.ts"
import type { AlertPosted, HookInfo, Outcome, RunEvent, RunOverdue, StepInfo, StepOverdue } from "../../../RunEvent.ts"
import { shortPath } from "./shortPath.ts"

const outcomes = ["success", "failure", "interrupt"] as const
const values = Schema.Record(Schema.String, Schema.Unknown)

const run = {
  pipelineName: Schema.String,
  runId: Schema.String,
  runName: Schema.String,
  /** In milliseconds since 1970. */
  at: Schema.Finite
}

/** @internal */
export const Step = Schema.Struct({
  stepName: Schema.String,
  stepKey: Schema.optionalKey(Schema.String),
  stepPath: Schema.Array(Schema.String),
  stepLabels: Schema.optionalKey(Schema.Array(Schema.String)),
  index: Schema.Int,
  parent: Schema.optionalKey(Schema.Int)
})

const step = { ...run, ...Step.fields }

/** @internal */
export const hook = {
  ...run,
  hook: Schema.String,
  kind: Schema.Literals(kinds),
  level: Schema.Literals(["step", "pipeline", "default"]),
  hookIndex: Schema.Int,
  step: Schema.optionalKey(Step)
}

const logged = {
  logLevel: Schema.Literals(["Fatal", "Error", "Warn", "Info", "Debug", "Trace"]),
  message: Schema.String,
  omitted: Schema.optionalKey(Schema.Int)
}

const overdue = {
  elapsedMillis: Schema.Finite,
  limitMillis: Schema.Finite,
  times: Schema.Int
}

/** The schema of each kind of event. Optional fields may be left out of a record to save space. */
export const members = [
  Schema.TaggedStruct("RunStarted", run),
  Schema.TaggedStruct("StepStarted", { ...step, params: Schema.optionalKey(values) }),
  Schema.TaggedStruct("StepProgress", { ...step, done: Schema.Finite, total: Schema.optionalKey(Schema.Finite) }),
  Schema.TaggedStruct("AttemptFailed", {
    ...step,
    attempt: Schema.Int,
    cause: Schema.String,
    delayMillis: Schema.Finite,
    isLast: Schema.optionalKey(Schema.Boolean)
  }),
  Schema.TaggedStruct("StepOverdue", { ...step, ...overdue, attempt: Schema.Int }),
  Schema.TaggedStruct("StepLogged", { ...step, ...logged }),
  Schema.TaggedStruct("StepEnded", {
    ...step,
    outcome: Schema.Literals(outcomes),
    cause: Schema.optionalKey(Schema.String),
    attempts: Schema.Int,
    durationMillis: Schema.Finite,
    annotations: Schema.optionalKey(values)
  }),
  Schema.TaggedStruct("StepSkipped", {
    ...step,
    reason: Schema.optionalKey(Schema.String),
    attempts: Schema.Int,
    durationMillis: Schema.Finite,
    annotations: Schema.optionalKey(values)
  }),
  Schema.TaggedStruct("HookStarted", hook),
  Schema.TaggedStruct("HookEnded", { ...hook, durationMillis: Schema.Finite }),
  Schema.TaggedStruct("HookFailed", { ...hook, durationMillis: Schema.Finite, cause: Schema.String }),
  Schema.TaggedStruct("HookSkipped", hook),
  Schema.TaggedStruct("AlertPosted", {
    ...run,
    deliveryId: Schema.String,
    step: Schema.optionalKey(Step),
    title: Schema.String,
    severity: Schema.Literals(severities),
    by: Schema.String,
    result: Schema.Literals(["delivered", "failed", "held", "dropped", "waiting"]),
    reason: Schema.optionalKey(Schema.String),
    postedAt: Schema.Finite
  }),
  /** In a record only: how many deliveries of alerts are left out of it, and how many of those failed. */
  Schema.TaggedStruct("AlertsOmitted", {
    ...run,
    step: Schema.optionalKey(Step),
    deliveries: Schema.Int,
    failed: Schema.Int
  }),
  /** The deadline is a time in ISO 8601 with its zone. */
  Schema.TaggedStruct("RunOverdue", { ...run, ...overdue, deadline: Schema.optionalKey(Schema.String) }),
  Schema.TaggedStruct("RunLogged", { ...run, ...logged }),
  /** In a record only: the process ended before the run did. `signal` and `exitCode` are left out where they are unknown. */
  Schema.TaggedStruct("RunCrashed", {
    ...run,
    signal: Schema.optionalKey(Schema.String),
    exitCode: Schema.optionalKey(Schema.Int)
  }),
  /** In a record only: the process let go of a durable run, which another one may continue. */
  Schema.TaggedStruct("RunSuspended", run),
  /** In a record only: the clock was set, and the times of later events are later by this than the time that has passed. */
  Schema.TaggedStruct("ClockChanged", { ...run, byMillis: Schema.Finite }),
  Schema.TaggedStruct("RunEnded", {
    ...run,
    outcome: Schema.Literals([...outcomes, "skip"]),
    /** Of a run that was skipped the reason. */
    cause: Schema.optionalKey(Schema.String),
    durationMillis: Schema.Finite,
    steps: Schema.Int,
    hookFailures: Schema.Int,
    annotations: Schema.optionalKey(values)
  })
] as const

// Explicit types, since JSR accepts no inferred ones. The schema below has to agree with them.

/** The run of an event, and its time in milliseconds since 1970. */
interface OfRun {
  readonly pipelineName: string
  readonly runId: string
  readonly runName: string
  readonly at: number
}

/** @internal */
export interface StepJson {
  readonly stepName: string
  readonly stepKey?: string
  /** Of a deeply nested step only the innermost names, after an ellipsis. */
  readonly stepPath: ReadonlyArray<string>
  /** The names with their keys, if a step on the path has a key. */
  readonly stepLabels?: ReadonlyArray<string>
  readonly index: number
  readonly parent?: number
}

interface OfHook extends OfRun {
  readonly hook: string
  readonly kind: Kind
  readonly level: "step" | "pipeline" | "default"
  readonly hookIndex: number
  readonly step?: StepJson
}

interface OfOverdue {
  readonly elapsedMillis: number
  readonly limitMillis: number
  readonly times: number
}

interface OfLogged {
  readonly logLevel: Severity
  /** Empty where the event only tells how many are omitted. */
  readonly message: string
  /** In a record: how many messages before this one are left out of it. */
  readonly omitted?: number
}

interface OfAlert extends OfRun {
  /** Tells one delivery from all others. Its last event says what has become of it. */
  readonly deliveryId: string
  readonly step?: StepJson
  readonly title: string
  readonly severity: AlertPosted["severity"]
  readonly by: string
  readonly result: AlertPosted["result"]
  readonly reason?: string
  /** In milliseconds since 1970. */
  readonly postedAt: number
}

interface OfOmitted extends OfRun {
  readonly step?: StepJson
  readonly deliveries: number
  readonly failed: number
}

type Values = Readonly<Record<string, unknown>>

/** @internal */
export type EventJson =
  | OfRun & { readonly _tag: "RunStarted" }
  | OfRun & StepJson & { readonly _tag: "StepStarted"; readonly params?: Values }
  | OfRun & StepJson & { readonly _tag: "StepProgress"; readonly done: number; readonly total?: number }
  | OfRun & StepJson & {
    readonly _tag: "AttemptFailed"
    readonly attempt: number
    readonly cause: string
    readonly delayMillis: number
    readonly isLast?: boolean
  }
  | OfRun & StepJson & OfOverdue & { readonly _tag: "StepOverdue"; readonly attempt: number }
  | OfRun & StepJson & OfLogged & { readonly _tag: "StepLogged" }
  | OfRun & StepJson & {
    readonly _tag: "StepEnded"
    readonly outcome: Exclude<Outcome, "skip">
    readonly cause?: string
    readonly attempts: number
    readonly durationMillis: number
    readonly annotations?: Values
  }
  | OfRun & StepJson & {
    readonly _tag: "StepSkipped"
    readonly reason?: string
    readonly attempts: number
    readonly durationMillis: number
    readonly annotations?: Values
  }
  | OfHook & { readonly _tag: "HookStarted" }
  | OfHook & { readonly _tag: "HookEnded"; readonly durationMillis: number }
  | OfHook & { readonly _tag: "HookFailed"; readonly durationMillis: number; readonly cause: string }
  | OfHook & { readonly _tag: "HookSkipped" }
  | OfAlert & { readonly _tag: "AlertPosted" }
  | OfOmitted & { readonly _tag: "AlertsOmitted" }
  | OfRun & OfOverdue & { readonly _tag: "RunOverdue"; readonly deadline?: string }
  | OfRun & OfLogged & { readonly _tag: "RunLogged" }
  | OfRun & { readonly _tag: "RunCrashed"; readonly signal?: string; readonly exitCode?: number }
  | OfRun & { readonly _tag: "RunSuspended" }
  | OfRun & { readonly _tag: "ClockChanged"; readonly byMillis: number }
  | OfRun & {
    readonly _tag: "RunEnded"
    readonly outcome: Outcome
    readonly cause?: string
    readonly durationMillis: number
    readonly steps: number
    readonly hookFailures: number
    readonly annotations?: Values
  }

/** @internal */
export const EventJson: Schema.Codec<EventJson> = Schema.Union(members)

/** Converts an event. */
export const toEventJson = (event: RunEvent): EventJson => {
  const { at, pipelineName, runId, runName } = event
  const run = { pipelineName, runId, runName, at: DateTime.toEpochMillis(at) }
  switch (event._tag) {
    case "RunStarted":
      return { _tag: event._tag, ...run }
    case "StepStarted":
      return { _tag: event._tag, ...run, ...stepOf(event), params: shown(event.params) }
    case "StepProgress": {
      const done = { done: finite(event.done), ...(event.total === undefined ? {} : { total: finite(event.total) }) }
      return { _tag: event._tag, ...run, ...stepOf(event), ...done }
    }
    case "AttemptFailed":
      return {
        _tag: event._tag,
        ...run,
        ...stepOf(event),
        attempt: event.attempt,
        cause: causeDetail(event.cause),
        delayMillis: finite(Duration.toMillis(event.delay)),
        ...(event.isLast ? { isLast: true } : {})
      }
    case "StepEnded":
      return {
        _tag: event._tag,
        ...run,
        ...stepOf(event),
        outcome: event.outcome,
        ...causeOf(event.exit),
        attempts: event.attempts,
        durationMillis: Duration.toMillis(event.duration),
        annotations: shown(event.annotations)
      }
    case "StepSkipped":
      return {
        _tag: event._tag,
        ...run,
        ...stepOf(event),
        ...(event.reason === undefined ? {} : { reason: event.reason }),
        attempts: event.attempts,
        durationMillis: Duration.toMillis(event.duration),
        annotations: shown(event.annotations)
      }
    case "StepOverdue":
      return { _tag: event._tag, ...run, ...stepOf(event), ...overdueOf(event), attempt: event.attempt }
    case "RunOverdue": {
      const { deadline } = event
      return {
        _tag: event._tag,
        ...run,
        ...overdueOf(event),
        ...(deadline === undefined ? {} : { deadline: DateTime.formatIsoZoned(deadline) })
      }
    }
    case "StepLogged":
      return { _tag: event._tag, ...run, ...stepOf(event), logLevel: event.logLevel, message: event.message }
    case "RunLogged":
      return { _tag: event._tag, ...run, logLevel: event.logLevel, message: event.message }
    case "RunEnded":
      return {
        _tag: event._tag,
        ...run,
        outcome: event.outcome,
        ...causeOf(event.exit),
        durationMillis: Duration.toMillis(event.duration),
        steps: event.steps,
        hookFailures: event.hookFailures,
        annotations: shown(event.annotations)
      }
    case "HookStarted":
    case "HookSkipped":
      return { _tag: event._tag, ...run, ...hookOf(event) }
    case "HookEnded":
      return { _tag: event._tag, ...run, ...hookOf(event), durationMillis: Duration.toMillis(event.duration) }
    case "HookFailed":
      return {
        _tag: event._tag,
        ...run,
        ...hookOf(event),
        durationMillis: Duration.toMillis(event.duration),
        cause: causeDetail(event.cause)
      }
    case "AlertPosted": {
      const { by, deliveryId, postedAt, reason, result, severity, step, title } = event
      return {
        _tag: event._tag,
        ...run,
        deliveryId,
        ...ofStep(step),
        title,
        severity,
        by,
        result,
        ...(reason === undefined ? {} : { reason }),
        postedAt: DateTime.toEpochMillis(postedAt)
      }
    }
  }
}

const stepOf = (info: StepInfo): StepJson => {
  const { index, parent, stepName } = info
  return { stepName, ...placeOf(info, shortPath), index, ...(parent === undefined ? {} : { parent }) }
}

const overdueOf = ({ elapsed, limit, times }: StepOverdue | RunOverdue): OfOverdue => ({
  elapsedMillis: finite(Duration.toMillis(elapsed)),
  limitMillis: finite(Duration.toMillis(limit)),
  times
})

const hookOf = (info: HookInfo) => {
  const { hook, hookIndex, kind, level, step } = info
  return { hook, kind, level, hookIndex, ...ofStep(step) }
}

/** @internal */
export const ofStep = (step: StepInfo | undefined): { readonly step?: StepJson } =>
  step === undefined ? {} : { step: stepOf(step) }

/** @internal */
export const causeOf = (exit: Exit.Exit<unknown, unknown>): { readonly cause?: string } => {
  if (exit._tag === "Success") return {}
  const skipped = skippedOf(exit)
  if (skipped === undefined) return { cause: causeDetail(exit.cause) }
  const reason = reasonOf(skipped)
  return reason === undefined ? {} : { cause: reason }
}

/** @internal */
export const shown = (values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, display(value)]))

/** Clamps a number, since JSON has neither infinities nor NaN, which becomes 0. */
const finite = (n: number): number => Math.min(Math.max(n, -Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER) || 0
