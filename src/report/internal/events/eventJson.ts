/**
 * Converts events to JSON, for records, timelines and the command's supervisor. The value of an exit is left out, and a
 * cause becomes its text. Parameters and annotations are redacted.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { Kind } from "../../../Hook.ts"
import { causeDetail } from "../../../internal/text/errors.ts"
import { display } from "../../../internal/text/redact.ts"
import { placeOf } from "../../../internal/text/stepLabel.ts"
import type { HookInfo, Outcome, RunEvent, StepInfo } from "../../../RunEvent.ts"
import { shortPath } from "./shortPath.ts"

const kinds = Schema.Literals(["start", "retry", "success", "failure", "interrupt", "exit"])
const outcomes = Schema.Literals(["success", "failure", "interrupt"])
const values = Schema.Record(Schema.String, Schema.Unknown)

const run = {
  pipelineName: Schema.String,
  runId: Schema.String,
  runName: Schema.String,
  /** In milliseconds since 1970. */
  at: Schema.Finite
}

const Step = Schema.Struct({
  stepName: Schema.String,
  stepKey: Schema.optionalKey(Schema.String),
  stepPath: Schema.Array(Schema.String),
  stepLabels: Schema.optionalKey(Schema.Array(Schema.String)),
  index: Schema.Int,
  parent: Schema.optionalKey(Schema.Int)
})

const step = { ...run, ...Step.fields }

const hook = {
  ...run,
  hook: Schema.String,
  kind: kinds,
  level: Schema.Literals(["step", "pipeline"]),
  hookIndex: Schema.Int,
  step: Schema.optionalKey(Step)
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
    delayMillis: Schema.Finite
  }),
  Schema.TaggedStruct("StepEnded", {
    ...step,
    outcome: outcomes,
    cause: Schema.optionalKey(Schema.String),
    attempts: Schema.Int,
    durationMillis: Schema.Finite,
    annotations: Schema.optionalKey(values)
  }),
  Schema.TaggedStruct("HookStarted", hook),
  Schema.TaggedStruct("HookEnded", { ...hook, durationMillis: Schema.Finite }),
  Schema.TaggedStruct("HookFailed", { ...hook, durationMillis: Schema.Finite, cause: Schema.String }),
  Schema.TaggedStruct("HookSkipped", hook),
  Schema.TaggedStruct("RunEnded", {
    ...run,
    outcome: outcomes,
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
  readonly level: "step" | "pipeline"
  readonly hookIndex: number
  readonly step?: StepJson
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
  }
  | OfRun & StepJson & {
    readonly _tag: "StepEnded"
    readonly outcome: Outcome
    readonly cause?: string
    readonly attempts: number
    readonly durationMillis: number
    readonly annotations?: Values
  }
  | OfHook & { readonly _tag: "HookStarted" }
  | OfHook & { readonly _tag: "HookEnded"; readonly durationMillis: number }
  | OfHook & { readonly _tag: "HookFailed"; readonly durationMillis: number; readonly cause: string }
  | OfHook & { readonly _tag: "HookSkipped" }
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
      const { done, total } = event
      return {
        _tag: event._tag,
        ...run,
        ...stepOf(event),
        done: finite(done),
        ...(total === undefined ? {} : { total: finite(total) })
      }
    }
    case "AttemptFailed":
      return {
        _tag: event._tag,
        ...run,
        ...stepOf(event),
        attempt: event.attempt,
        cause: causeDetail(event.cause),
        delayMillis: finite(Duration.toMillis(event.delay))
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
  }
}

const stepOf = (info: StepInfo): StepJson => {
  const { index, parent, stepName } = info
  return { stepName, ...placeOf(info, shortPath), index, ...(parent === undefined ? {} : { parent }) }
}

const hookOf = ({ hook, hookIndex, kind, level, step }: HookInfo) => ({
  hook,
  kind,
  level,
  hookIndex,
  ...(step === undefined ? {} : { step: stepOf(step) })
})

/** @internal */
export const causeOf = (exit: Exit.Exit<unknown, unknown>): { readonly cause?: string } =>
  exit._tag === "Success" ? {} : { cause: causeDetail(exit.cause) }

/** @internal */
export const shown = (values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, display(value)]))

/** Clamps a number, since JSON has neither infinities nor NaN, which becomes 0. */
const finite = (n: number): number => Math.min(Math.max(n, -Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER) || 0
