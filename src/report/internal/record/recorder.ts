/** Makes the observer that writes events to the files of their runs. */
import { identifyQuietly } from "../../../internal/files/identity.ts"
import type { OccurrenceRun } from "../../../internal/model/occurrence.ts"
import { type Tap, TapKey, type Tapped } from "../../../internal/model/tap.ts"
import type { Observer, RunEvent } from "../../../RunEvent.ts"
import { EndedRuns } from "../events/endedRuns.ts"
import { AlertLimits } from "./alertLimits.ts"
import type { ClockWatch } from "./clockWatch.ts"
import * as encode from "./encode.ts"
import { headerLine, type RunNames } from "./format.ts"
import { Heads } from "./heads.ts"
import { type Logged, LogLimits, ownIndex } from "./logLimits.ts"
import { existing, fileName, isFresh } from "./names.ts"
import { type Shared, Sink } from "./sink.ts"

/** A run that is being recorded. */
interface Entry {
  readonly sink: Sink
  readonly heads: Heads
  /** By how much the clock had been set, of what is told in the record of this run. */
  changed: number
  /** Set by the first message that is logged. */
  logs: LogLimits | undefined
  /** Set by the first alert. */
  alerts: AlertLimits | undefined
}

/** Decides which file a run is recorded to. */
export interface Place {
  readonly sinkOf: (run: RunNames, at: number, begins: boolean) => Sink
  /** Whether each run has a file of its own, whose header has its names. */
  readonly own: boolean
}

/** Records each run to a file of its own. A run that resumes after a crash is continued in the file that it has. */
export const folderPlace = (folder: string, shared: Shared): Place => ({
  own: true,
  sinkOf: (run, at, begins) => {
    const { modules } = shared
    let name: string | undefined
    // A folder can be large, so it is searched only for runs that may have begun elsewhere.
    if (!begins || !isFresh(run.runId)) {
      try {
        name = existing(modules, folder, run)
      } catch {
        // a folder that can't be read fails again when the file is opened, and that is logged
      }
    }
    return new Sink(
      modules.path.join(folder, name ?? fileName(run, at)),
      headerLine({ ...run, at }, identifyQuietly()),
      shared
    )
  }
})

/** Records all runs to one file. */
export const filePlace = (sink: Sink): Place => ({ own: false, sinkOf: () => sink })

/** @internal */
export interface Recorder {
  readonly observer: Observer
  /** Records that this process lets go of its durable runs. */
  readonly suspend: () => void
  readonly sinks: () => Iterable<Sink>
}

/**
 * Makes an observer with an id of its own, with which its references to runs begin: others may record to the same file,
 * and may have the same run.
 */
export const makeRecorder = (
  place: Place,
  recorderId: string,
  clock: ClockWatch,
  onDefect: (tag: RunEvent["_tag"], defect: unknown) => void
): Recorder => {
  const entries = new Map<string, Entry>()
  const ended = new EndedRuns<Pick<Entry, "alerts" | "sink">>()
  let lastRun: OccurrenceRun | undefined
  let lastEntry: Entry | undefined
  let begun = 0

  const begin = ({ pipelineName, runId, runName }: RunNames, at: number, begins: boolean): Entry => {
    const run = { pipelineName, runId, runName }
    const { alerts, sink = place.sinkOf(run, at, begins) } = ended.get(runId) ?? {}
    const heads = new Heads(`${recorderId}.${++begun}`, place.own ? undefined : run)
    const entry: Entry = { sink, heads, changed: clock.changedBy(at), logs: undefined, alerts }
    entries.set(runId, entry)
    return entry
  }

  const entryOf = (run: OccurrenceRun, at: number): Entry => {
    if (run !== lastRun || lastEntry === undefined) {
      const { id } = run
      lastEntry = entries.get(id) ?? begin({ pipelineName: run.pipelineName, runId: id, runName: run.name }, at, false)
      lastRun = run
    }
    tellClock(lastEntry, at)
    return lastEntry
  }

  /** Records before an event that the clock was set, so that no duration is computed from times of two clocks. */
  const tellClock = (entry: Entry, at: number): void => {
    const changed = clock.changedBy(at)
    if (changed === entry.changed) return
    const byMillis = changed - entry.changed
    entry.changed = changed
    encode.clockChanged(entry.sink.pen, headsOf(entry), at, byMillis)
    entry.sink.add(at)
  }

  /** Releases the file of a run that has ended, after each line about it. */
  const forget = (runId: string, { sink }: Entry, isOver = ended.get(runId) !== undefined): void => {
    if (!isOver) return
    entries.delete(runId)
    lastRun = undefined
    lastEntry = undefined
    if (place.own) sink.close()
  }

  /** Hands the line that was encoded to the sink, unless it was added to a line that the sink has. */
  const add = (run: OccurrenceRun, entry: Entry, at: number, isAdded: boolean): void => {
    if (isAdded) entry.sink.extend()
    else entry.sink.add(at)
    if (run.ended) forget(run.id, entry)
  }

  const headsOf = ({ heads, sink }: Entry): Heads => heads.since(sink.generation)

  /** Records what a step, or the run, has logged last, before its end. */
  const endLogs = (entry: Entry, index: number, failed: boolean): void => {
    const rest = entry.logs?.end(index, failed)
    if (rest === undefined) return
    for (const [i, event] of rest.last.entries()) {
      logLine(entry, event, i === 0 ? rest.omitted : 0)
    }
  }

  const logLine = (entry: Entry, event: Logged, omitted: number): void => {
    encode.event(entry.sink.pen, headsOf(entry), event, omitted === 0 ? undefined : { omitted })
    entry.sink.add(event.at.epochMilliseconds)
  }

  const tap: Tap = {
    stepStarted: (evaluation, at) => {
      try {
        const entry = entryOf(evaluation.run, at)
        const isAdded = encode.stepStarted(entry.sink.pen, headsOf(entry), evaluation, at)
        add(evaluation.run, entry, at, isAdded)
      } catch (defect) {
        onDefect("StepStarted", defect)
      }
    },
    stepEnded: (evaluation, at, exit, outcome, nanos) => {
      try {
        const entry = entryOf(evaluation.run, at)
        endLogs(entry, evaluation.index, outcome !== "success")
        const { sink } = entry
        const isAdded = encode.stepEnded(sink.pen, headsOf(entry), evaluation, at, exit, outcome, nanos)
        add(evaluation.run, entry, at, isAdded)
      } catch (defect) {
        onDefect("StepEnded", defect)
      }
    },
    hookEnded: (evaluation, at, planned, nanos) => {
      try {
        const entry = entryOf(evaluation.run, at)
        const isAdded = encode.hookEnded(entry.sink.pen, headsOf(entry), evaluation, at, planned, nanos)
        add(evaluation.run, entry, at, isAdded)
      } catch (defect) {
        onDefect("HookEnded", defect)
      }
    }
  }

  const observe = (event: RunEvent): void => {
    const at = event.at.epochMilliseconds
    const last = event._tag === "RunEnded"
    // an alert is never the first event of a run: that has ended, perhaps long ago
    const isOver = last || (event._tag === "AlertPosted" && !entries.has(event.runId))
    const entry = entries.get(event.runId) ?? begin(event, at, event._tag === "RunStarted")
    if (event._tag === "StepLogged" || event._tag === "RunLogged") {
      entry.logs ??= new LogLimits()
      if (entry.logs.take(event)) logLine(entry, event, 0)
      return forget(event.runId, entry)
    }
    if (event._tag === "AlertPosted" && !(entry.alerts ??= new AlertLimits()).take(event)) {
      return forget(event.runId, entry, isOver)
    }
    tellClock(entry, at)
    if (event._tag === "RunEnded" && entry.logs !== undefined) {
      endLogs(entry, ownIndex, true)
      const omitted = entry.logs.endRun()
      const { at, pipelineName, runId, runName } = event
      const told: Logged = { _tag: "RunLogged", pipelineName, runId, runName, at, logLevel: "Info", message: "" }
      if (omitted > 0) logLine(entry, told, omitted)
    }
    if (last) {
      for (const omitted of entry.alerts?.end() ?? []) {
        encode.alertsOmitted(entry.sink.pen, headsOf(entry), at, omitted)
        entry.sink.add(at)
      }
    }
    if (event._tag === "StepSkipped") endLogs(entry, event.index, false)
    encode.event(entry.sink.pen, headsOf(entry), event)
    if (last) ended.add(event.runId, { sink: entry.sink, alerts: entry.alerts })
    entry.sink.add(at, last)
    forget(event.runId, entry, isOver)
  }

  const suspend = (): void => {
    const at = Date.now()
    for (const [runId, entry] of entries) {
      // another run goes on after the layer, or crashes with this process
      if (isFresh(runId)) continue
      encode.suspended(entry.sink.pen, headsOf(entry), at)
      entry.sink.add(at, true)
    }
  }

  const observer: Tapped = Object.assign(observe, { [TapKey]: tap })
  return { observer, suspend, sinks: () => [...new Set([...entries.values()].map(({ sink }) => sink))] }
}
