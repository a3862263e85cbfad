/** Makes the layer that records runs. */
import { Clock } from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { hasProperty } from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { identifyQuietly } from "../../../internal/files/identity.ts"
import { codeOf, makeFolder, type Warnings } from "../../../internal/files/private.ts"
import { Observers } from "../../../internal/model/observers.ts"
import { newToken } from "../../../internal/text/token.ts"
import * as Writer from "../../../internal/text/writer.ts"
import type { Keep, Recorded } from "../../Recorded.ts"
import { RecordError, type RecordErrorReason } from "../../RecordError.ts"
import { ClockWatch } from "./clockWatch.ts"
import { failure, modules, whyNoRecord } from "./files.ts"
import { abandonedAfter, sharedHeaderLine } from "./format.ts"
import { Pen } from "./pen.ts"
import * as pruning from "./prune.ts"
import { filePlace, folderPlace, makeRecorder, type Recorder } from "./recorder.ts"
import { type Shared, Sink } from "./sink.ts"

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

/** Removes the records of old runs. Dies where an option is wrong. */
export const prune = (
  folder: string,
  keep: number | undefined,
  olderThan: Duration.Input | undefined
): Effect.Effect<ReadonlyArray<Recorded>, RecordError> =>
  Effect.suspend(() =>
    pruneWarning(
      "Report.prune",
      folder,
      pruning.limitsOf({ runs: keep, age: olderThan, within: "either" }, {
        runs: "Report.prune: keep",
        age: "Report.prune: olderThan"
      })
    )
  )

/** Removes records, and warns of links among them. */
const pruneWarning = (caller: string, folder: string, limits: pruning.Limits) =>
  Effect.flatMap(pruning.prune(folder, limits), ({ links, removed }) =>
    Effect.as(
      Effect.forEach(links, (link) => Writer.logWarning(`${caller}: ${pruning.leftAlone(link)}`)),
      removed
    ))

/** How often a recorder removes records while it is open. */
const pruneEvery = "1 hour"

/** Removes records when the scope closes, and each hour until then. */
const keepingTo = (folder: string, { age, runs }: Keep): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const caller = "Report.layerRecord"
    const names = { runs: `${caller}: keep.runs`, age: `${caller}: keep.age` }
    // an option that is wrong is a defect at once, not in an hour
    const limits = pruning.limitsOf({ runs, age, within: "both" }, names)
    const once = Effect.catch(
      pruneWarning(caller, folder, limits),
      ({ message }) => Writer.logWarning(`${caller}: old records are kept: ${message}`)
    )
    yield* Effect.addFinalizer(() => once)
    yield* Effect.forkScoped(Effect.schedule(once, Schedule.spaced(pruneEvery)))
  })

/** @internal */
export const record = (
  options: () => { readonly path: string | undefined; readonly folder: string; readonly keep: Keep | undefined }
): Layer.Layer<never, RecordError> =>
  // fresh, since a memoized layer would bring back the observers of the place where it was built first
  Layer.fresh(Layer.effect(
    Observers,
    Effect.gen(function*() {
      const { folder, keep, path } = options()
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
      // before the recorder, so that the records are closed when they are looked at
      if (keep !== undefined) yield* keepingTo(resolved, keep)
      const context = yield* Effect.context<never>()
      const clock = new ClockWatch(yield* Clock)
      // a user's value may throw when it is encoded: logged, as a defect of any observer is
      const onDefect = (tag: string, defect: unknown) =>
        void Effect.runForkWith(context)(Writer.logError(`Report.layerRecord failed on ${tag}`, defect))
      const recorder = yield* Effect.acquireRelease(
        Effect.try({
          try: () => start(resolved, path !== undefined, shared, clock, onDefect),
          catch: (cause) =>
            cause instanceof NoRecord
              ? new RecordError({ path: place, reason: cause.reason })
              : failure(place, path === undefined ? "record runs in" : "record runs to", cause)
        }),
        (started) => Effect.sync(() => started.end())
      )
      for (const warning of recorder.warnings) yield* Writer.logWarning(`Report.layerRecord: ${warning}`)
      return [...present, Object.assign(recorder.observer, { [RecordsTo]: resolved })]
    })
  ))

/** Thrown, not returned, since the code that checks the file also throws system errors. */
class NoRecord {
  readonly reason: RecordErrorReason
  constructor(reason: RecordErrorReason) {
    this.reason = reason
  }
}

const start = (
  resolved: string,
  isFile: boolean,
  shared: Shared,
  clock: ClockWatch,
  onDefect: (tag: string, defect: unknown) => void
): Recorder & { readonly end: () => void; readonly warnings: Warnings } => {
  const { modules: { fs, timers } } = shared
  const recorderId = newToken().slice(0, 6)
  let file: Sink | undefined
  let warnings: Warnings = []
  if (isFile) {
    const why = whyNoRecord(shared.modules, resolved)
    if (why !== undefined) throw new NoRecord(why)
    file = new Sink(resolved, sharedHeaderLine(recorderId, identifyQuietly()), shared)
    file.opened()
  } else {
    warnings = makeFolder(resolved)
    fs.accessSync(resolved, fs.constants.W_OK | fs.constants.X_OK)
  }
  const recorder = makeRecorder(
    file === undefined ? folderPlace(resolved, shared) : filePlace(file),
    recorderId,
    clock,
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
      recorder.suspend()
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
