/** Reads records of runs back from their folders. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import * as path from "node:path"
import { RunEvent, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { type EventJson, toEventJson } from "../../src/report/internal/events/eventJson.ts"
import { temporaryFolder } from "./temporaryFolder.ts"

export const tempFolder = temporaryFolder("record")

/** Makes a step that does nothing, unless it is given a body. */
export const step = <E = never>(name: string, body: Effect.Effect<unknown, E> = Effect.void): Step.Step<unknown, E> =>
  Step.make(name, body)

/** Parses each line of a file as JSON. Throws where a line is not JSON or the last one lacks its line break. */
// oxlint-disable-next-line no-explicit-any -- tests access properties of any event without narrowing
export const linesOf = (file: string): ReadonlyArray<any> => {
  const text = fs.readFileSync(file, "utf8")
  if (!text.endsWith("\n")) throw new Error("the last line is torn")
  return text.slice(0, -1).split("\n").map((line) => JSON.parse(line))
}

/** Counts the events in lines: that of a step that has ended has several, and may have those of further steps. */
export const countOf = (lines: ReturnType<typeof linesOf>): number =>
  lines.reduce((count, { _tag, durationMillis, hooks = [], more = [] }) => {
    const ofStep = _tag === "StepStarted" && durationMillis !== undefined ? 2 + hooks.length : 1
    return count + ofStep + ofStep * more.length / (1 + hooks.length)
  }, 0)

export const filesIn = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder).toSorted().map((name) => path.join(folder, name))

/** Reads all events of a record, together with the lines that the reader skipped. */
export const readAll = (file: string) =>
  Effect.suspend(() => {
    const skipped: Array<Report.Skipped> = []
    return Effect.map(
      Stream.runCollect(Report.read(file, { onSkipped: (one) => void skipped.push(one) })),
      (events) => ({ events, skipped })
    )
  })

/** Returns the events of what is evaluated with a layer, as records have them. */
export const jsonOf = <E, R>(
  evaluate: (layer: Layer.Layer<never>) => Effect.Effect<unknown, E, R>
): Effect.Effect<ReadonlyArray<EventJson>, E, R> =>
  Effect.gen(function*() {
    const events: Array<EventJson> = []
    yield* evaluate(RunEvent.layer((event) => void events.push(toEventJson(event))))
    return events
  })
