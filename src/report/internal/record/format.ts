/**
 * Defines the lines of a record. The first one is the `Header`, and each process that continues the file writes
 * another. All others are events, without what earlier lines say about their run:
 *
 * - in a file of one run, the header has the run's id and names, and its events have neither;
 * - in a file of several runs, the first event of a run has all of them, and its later events only the id.
 */
import * as Schema from "effect/Schema"
import type { Identity } from "../../../internal/files/identity.ts"
import { type EventJson, members } from "../events/eventJson.ts"

/** Raised when older readers would misread a line. Additional fields are no reason to. */
export const version = 1

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

/** @internal */
export const headerLine = (run?: RunNames & { readonly at: number }, process?: ProcessJson): string => {
  const header: Header = run === undefined ? { _tag: "Record", version } : {
    _tag: "Record",
    version,
    pipelineName: run.pipelineName,
    runId: run.runId,
    runName: run.runName,
    at: run.at,
    ...(process === undefined ? {} : { process })
  }
  return `${JSON.stringify(header)}\n`
}

/** @internal */
export const lostLine = (events: number): string => `${JSON.stringify({ _tag: "Lost", events } satisfies Lost)}\n`

/** An event without what earlier lines say about its run. */
export type EventLine = EventJson extends infer Event
  ? Event extends EventJson ? Omit<Event, keyof RunNames> & Partial<RunNames> : never
  : never

const names = {
  pipelineName: Schema.optionalKey(Schema.String),
  runId: Schema.optionalKey(Schema.String),
  runName: Schema.optionalKey(Schema.String)
}

/** @internal */
export type Line = Header | Lost | EventLine

/** @internal */
export const Line: Schema.Codec<Line> = Schema.Union([
  Header,
  Lost,
  ...members.map(({ fields }) => Schema.Struct({ ...fields, ...names }))
]) as Schema.Top as Schema.Codec<Line> // a cast, since the types of the members are lost when they are mapped
