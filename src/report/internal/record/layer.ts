/** Makes the layer that records runs. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { hasProperty } from "effect/Predicate"
import { codeOf, makeFolder, type Warnings } from "../../../internal/files/private.ts"
import { Observers } from "../../../internal/model/observers.ts"
import * as Writer from "../../../internal/text/writer.ts"
import { RecordError, RecordErrorReason } from "../../RecordError.ts"
import { failure, mayBeRecord, modules } from "./files.ts"
import { abandonedAfter, headerLine, headerStart } from "./format.ts"
import { Pen } from "./pen.ts"
import { filePlace, folderPlace, makeRecorder, type Recorder } from "./recorder.ts"
import { type Shared, Sink } from "./sink.ts"

/** @internal */
export const defaultFolder = ".epilogue/runs"

const lost = Metric.counter("epilogue_record_lost_events_total", {
  description: "Events that could not be written to the record of their run",
  incremental: true
})

/**
 * How many files stay open. The files of further runs are opened for each write, since a process may open few hundred.
 */
const maxOpen = 64

/** How often files are touched: several times before a record counts as cut off. */
const heartbeatMillis = abandonedAfter / 4

/** The key under which an observer has the path that it records to. */
const RecordsTo = Symbol.for("effect-epilogue/Report/RecordsTo")

export const record = (path: string | undefined, folder: string): Layer.Layer<never, RecordError> =>
  // fresh, since a memoized layer would bring back the observers of the place where it was built first
  Layer.fresh(Layer.effect(
    Observers,
    Effect.gen(function*() {
      const present = yield* Observers
      const place = path ?? folder
      const loaded = yield* modules(place)
      const resolved = loaded.path.resolve(place)
      // a second recorder to the same place would write each event twice
      if (present.some((observer) => hasProperty(observer, RecordsTo) && observer[RecordsTo] === resolved)) {
        return present
      }
      const shared: Shared = {
        modules: loaded,
        pen: new Pen(),
        writing: undefined,
        open: new Set(),
        maxOpen,
        ended: false,
        onFailure: yield* failing
      }
      const context = yield* Effect.context<never>()
      // a user's value may throw when it is encoded: logged, as a defect of any observer is
      const onDefect = (tag: string, defect: unknown) =>
        void Effect.runForkWith(context)(Writer.logError(`Report.layerRecord failed on ${tag}`, defect))
      const recorder = yield* Effect.acquireRelease(
        Effect.try({
          try: () => start(resolved, path !== undefined, shared, onDefect),
          catch: (cause) =>
            cause instanceof NotARecord
              ? new RecordError({ path: place, reason: RecordErrorReason.NotARecord(cause) })
              : failure(place, path === undefined ? "record runs in" : "record runs to", cause)
        }),
        (started) => Effect.sync(() => started.end())
      )
      for (const warning of recorder.warnings) yield* Writer.logWarning(`Report.layerRecord: ${warning}`)
      return [...present, Object.assign(recorder.observer, { [RecordsTo]: resolved })]
    })
  ))

/** Thrown, not returned, since the code that checks the file also throws system errors. */
class NotARecord {
  readonly line = 1
  readonly expected = `a line that begins with ${headerStart}`
}

const start = (
  resolved: string,
  isFile: boolean,
  shared: Shared,
  onDefect: (tag: string, defect: unknown) => void
): Recorder & { readonly end: () => void; readonly warnings: Warnings } => {
  const { modules: { fs, timers } } = shared
  let file: Sink | undefined
  let warnings: Warnings = []
  if (isFile) {
    if (!mayBeRecord(shared.modules, resolved)) throw new NotARecord()
    file = new Sink(resolved, headerLine(), shared)
    file.opened()
  } else {
    warnings = makeFolder(resolved)
    fs.accessSync(resolved, fs.constants.W_OK | fs.constants.X_OK)
  }
  const recorder = makeRecorder(
    file === undefined ? folderPlace(resolved, shared) : filePlace(file),
    onDefect
  )
  const sinks = (): Iterable<Sink> => file === undefined ? recorder.sinks() : [file]
  // a run whose step takes hours writes nothing, but must not count as cut off
  const heartbeat = timers.setInterval(() => {
    const now = new Date()
    for (const { path } of recorder.sinks()) fs.utimes(path, now, now, () => {})
  }, heartbeatMillis)
  // the timer must not keep the process alive
  heartbeat.unref()
  const flush = () => {
    for (const sink of sinks()) sink.flush()
  }
  flushes.add(flush)
  if (flushes.size === 1) {
    process.on("exit", flushAll)
    globalThis.addEventListener?.("unload", flushAll)
  }
  return {
    ...recorder,
    warnings,
    end: () => {
      shared.ended = true
      timers.clearInterval(heartbeat)
      flushes.delete(flush)
      if (flushes.size === 0) {
        process.off("exit", flushAll)
        globalThis.removeEventListener?.("unload", flushAll)
      }
      for (const sink of sinks()) sink.close()
    }
  }
}

/**
 * Writes what recorders hold back when the process exits: `process.exit` and `Deno.exit` run no finalizers, and the
 * latter emits only `unload`. All recorders share one listener, since Node warns of a leak from eleven on.
 */
const flushes = new Set<() => void>()

const flushAll = () => {
  for (const flush of flushes) flush()
}

/** Makes the function that counts lost events and logs the first fault. */
const failing: Effect.Effect<Shared["onFailure"]> = Effect.map(Effect.context<never>(), (context) => {
  let said = false
  return (path, operation, cause, events) => {
    const say = said ? Effect.void : Writer.logError(
      `Report.layerRecord: can't ${operation} ${path}: ${
        codeOf(cause)
      }. The run goes on, and what can't be written of it is lost.`
    )
    said = true
    Effect.runForkWith(context)(
      Effect.andThen(Effect.catchCause(say, () => Effect.void), Metric.update(lost, events))
    )
  }
})
