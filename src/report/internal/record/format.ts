/**
 * Defines the lines of a record. The first one is the `Header`, and each process that continues the file writes
 * another. All others are events, without what earlier lines have:
 *
 * - `run` refers to the run as one recorder writes it. Of a file of several runs, the first line with a value has the id
 *   and the names of the run; of a file of one run, the header has them.
 * - `stepRef` and `hookRef` refer, among the lines with one value of `run`, to the names of a step (`stepName`, `stepPath`)
 *   and of a hook (`hook`, `kind`, `level`, `hookIndex`), which the first line with the number has.
 * - A `StepStarted` with `durationMillis` stands for the `StepEnded` that followed it at the same time, too: with success,
 *   in the first attempt and without annotations. `hooks` are the hooks that succeeded after it: the number of each, and
 *   how long it took.
 * - `more` of such a line are the durations, in nanoseconds, of steps of the same names with the next indexes, which
 *   began and succeeded one after another at the same time, without parameters: of each the step's, and those of the
 *   same hooks.
 */
import * as Schema from "effect/Schema"
import type { Identity } from "../../../internal/files/identity.ts"
import { type EventJson, hook as hookFields, members, Step as StepSchema, type StepJson } from "../events/eventJson.ts"

/** Raised when older readers would misread a line. Additional fields are no reason to. */
export const version = 2

/** How many numbers a run has for steps, and for hooks. The lines of further ones have their names. */
export const maxRefs = 1_000

/** More numbers than a line has in `more` or in `hooks`: a recorder holds back 256 KiB. A line with more is left out. */
export const mostNumbers: number = 256 * 1024

/** How long a record of a live process may stay untouched, in milliseconds. After that its run counts as cut off. */
export const abandonedAfter = 60_000

/** @internal */
export const Header: Schema.Codec<Header> = Schema.TaggedStruct("Record", {
  version: Schema.Int,
  pipelineName: Schema.optionalKey(Schema.String),
  runId: Schema.optionalKey(Schema.String),
  runName: Schema.optionalKey(Schema.String),
  /** The time of the first event of the run in this file, in milliseconds since 1970. */
  at: Schema.optionalKey(Schema.Finite),
  /** In a file of several runs, the recorder that wrote the header: its references to runs are this, a dot and a number. */
  recorder: Schema.optionalKey(Schema.String),
  /** The process that records the run from here on, where the system tells it. */
  process: Schema.optionalKey(Schema.Struct({
    system: Schema.String,
    namespace: Schema.String,
    pid: Schema.Int,
    start: Schema.String
  }))
})

/** @internal */
export interface Header {
  readonly _tag: "Record"
  readonly version: number
  readonly pipelineName?: string
  readonly runId?: string
  readonly runName?: string
  readonly at?: number
  readonly recorder?: string
  readonly process?: ProcessJson
}

/** @internal */
export type ProcessJson = Omit<Identity, "thread">

/** The beginning of every header. */
export const headerStart = `{"_tag":"Record","version":`

/** Stands for events that could not be written, because the disk was full, say. */
export const Lost: Schema.Codec<Lost> = Schema.TaggedStruct("Lost", { events: Schema.Int })

/** @internal */
export interface Lost {
  readonly _tag: "Lost"
  readonly events: number
}

/** @internal */
export interface RunNames {
  readonly pipelineName: string
  readonly runId: string
  readonly runName: string
}

/** The header of a file of one run. */
export const headerLine = (
  { at, pipelineName, runId, runName }: RunNames & { readonly at: number },
  process?: ProcessJson
): string => textOf({ pipelineName, runId, runName, at, ...(process === undefined ? {} : { process }) })

/** The header of a file of several runs. */
export const sharedHeaderLine = (recorder: string, process?: ProcessJson): string =>
  textOf({ recorder, ...(process === undefined ? {} : { process }) })

const textOf = (fields: Omit<Header, "_tag" | "version">): string =>
  `${JSON.stringify({ _tag: "Record", version, ...fields } satisfies Header)}\n`

/** @internal */
export const lostLine = (events: number): string => `${JSON.stringify({ _tag: "Lost", events } satisfies Lost)}\n`

/** The part of a `StepStarted` that tells the end which followed it, and further steps. */
export interface EndOfStep {
  readonly durationMillis?: number
  readonly hooks?: ReadonlyArray<readonly [hookRef: number, durationMillis: number]>
  readonly more?: ReadonlyArray<number>
}

/** The names of a hook. */
export interface HookNames {
  readonly hook: string
  readonly kind: string
  readonly level: string
  readonly hookIndex: number
}

/** The names of a step. */
export type StepNames = Pick<StepJson, "stepName" | "stepPath">

/** The step of a line about a hook or an alert. */
type StepOfHook = Omit<StepJson, keyof StepNames> & Partial<StepNames> & { readonly stepRef?: number }

/** The fields of a line that is about a step, and of one that is about a hook. */
type Short<Event> = Event extends StepJson
  ? Omit<Event, keyof StepNames> & Partial<StepNames> & { readonly stepRef?: number }
  : Event extends { readonly hookIndex: number } ? Omit<Event, keyof HookNames | "step"> & Partial<HookNames> & {
      readonly hookRef?: number
      readonly step?: StepOfHook
    }
  : Event extends { readonly _tag: "AlertPosted" | "AlertsOmitted" }
    ? Omit<Event, "step"> & { readonly step?: StepOfHook }
  : Event

/** An event without what earlier lines have. */
export type EventLine = EventJson extends infer Event ? Event extends EventJson ?
      & Omit<Short<Event>, keyof RunNames>
      & Partial<RunNames>
      & { readonly run?: string }
      & (Event extends { readonly _tag: "StepStarted" } ? EndOfStep : unknown)
  : never
  : never

const optional = Schema.optionalKey

const names = {
  run: optional(Schema.String),
  pipelineName: optional(Schema.String),
  runId: optional(Schema.String),
  runName: optional(Schema.String)
}

const stepNames = {
  stepRef: optional(Schema.Int),
  stepName: optional(Schema.String),
  stepPath: optional(Schema.Array(Schema.String))
}

const ofHook = {
  hookRef: optional(Schema.Int),
  hook: optional(hookFields.hook),
  kind: optional(hookFields.kind),
  level: optional(hookFields.level),
  hookIndex: optional(hookFields.hookIndex)
}

const ofStep = {
  step: optional(Schema.Struct({ ...StepSchema.fields, ...stepNames }))
}

const endOfStep = {
  durationMillis: optional(Schema.Finite),
  hooks: optional(Schema.Array(Schema.Tuple([Schema.Int, Schema.Finite]))),
  more: optional(Schema.Array(Schema.Int))
}

/** @internal */
export type Line = Header | Lost | EventLine

/** @internal */
export const Line: Schema.Codec<Line> = Schema.Union([
  Header,
  Lost,
  ...members.map(({ fields }) =>
    Schema.Struct({
      ...fields,
      ...names,
      ...("stepName" in fields ? stepNames : {}),
      ...("hookIndex" in fields ? ofHook : {}),
      ...("step" in fields ? ofStep : {}),
      ...("params" in fields ? endOfStep : {})
    })
  )
]) as Schema.Top as Schema.Codec<Line> // a cast, since the types of the members are lost when they are mapped
