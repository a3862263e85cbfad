/**
 * What stands in a record. The first line says what it is: `Header`. Each process that goes on with a file writes it
 * anew. The lines after it are events, and of the run that an event belongs to they say no more than is not said before:
 *
 * - in a file of one run the header tells its names and its id, and the events none of it;
 * - in a file of several the first event of a run tells all, and those that follow its id.
 */
import * as Schema from "effect/Schema"
import { type EventJson, members } from "../events/eventJson.ts"

/** Raised where a reader of the version before would take a line for what it is not. A field more is no such thing. */
export const version = 1

/** A record that was not written to for so long is nobody's any more, in milliseconds. */
export const abandonedAfter = 60_000

/** @internal */
export const Header: Schema.Codec<Header> = Schema.TaggedStruct("Record", {
  version: Schema.Int,
  pipelineName: Schema.optionalKey(Schema.String),
  runId: Schema.optionalKey(Schema.String),
  runName: Schema.optionalKey(Schema.String),
  /** When the run began, or was first heard of. In milliseconds since 1970. */
  at: Schema.optionalKey(Schema.Finite)
})

/** @internal */
export interface Header {
  readonly _tag: "Record"
  readonly version: number
  readonly pipelineName?: string
  readonly runId?: string
  readonly runName?: string
  readonly at?: number
}

/** How every header begins. */
export const headerStart = `{"_tag":"Record","version":`

/** Events that could not be written, since the disk was full, say. */
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
export const headerLine = (run?: RunNames & { readonly at: number }): string => {
  const header: Header = run === undefined
    ? { _tag: "Record", version }
    : { _tag: "Record", version, pipelineName: run.pipelineName, runId: run.runId, runName: run.runName, at: run.at }
  return `${JSON.stringify(header)}\n`
}

/** @internal */
export const lostLine = (events: number): string => `${JSON.stringify({ _tag: "Lost", events } satisfies Lost)}\n`

/** An event, less what is said of its run before. */
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
]) as Schema.Top as Schema.Codec<Line> // of a union that is mapped nothing is known
