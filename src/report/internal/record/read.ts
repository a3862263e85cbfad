/** Reads a record line by line. */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { codeOf, nothingToRead, openToRead } from "../../../internal/files/private.ts"
import * as Writer from "../../../internal/text/writer.ts"
import type { Skipped } from "../../Recorded.ts"
import { RecordError, RecordErrorReason } from "../../RecordError.ts"
import { EventJson } from "../events/eventJson.ts"
import { failure, type Head, headOf, headSize, isAppended, modules } from "./files.ts"
import {
  abandonedAfter,
  type Header,
  Header as HeaderSchema,
  headerStart,
  Lost,
  mostNumbers,
  type RunNames,
  version
} from "./format.ts"
import { Lines } from "./lines.ts"
import { look, mostWindow } from "./look.ts"
import { isFresh } from "./names.ts"
import { runsIn } from "./shared.ts"
import { Written } from "./written.ts"

const chunkSize = 64 * 1024

/** The largest record that is read, in bytes: half of it is a chart of half a million steps, which few browsers draw. */
export const mostBytes: number = 256 * 1024 * 1024

/**
 * The bytes that an event of a burst counts for, at least. In its line a step takes as few as two, and as much memory as
 * any other once it is read.
 */
const bytesInBurst = 64

const decodeEvent = Schema.decodeUnknownExit(EventJson)
const decodeHeader = Schema.decodeUnknownExit(HeaderSchema)
const isLost = Schema.is(Lost)

const notARecord = (line: number): RecordErrorReason =>
  RecordErrorReason.NotARecord({ line, expected: `a line that begins with ${headerStart}` })

/** Thrown out of the loop over the lines. */
class Mistake {
  readonly reason: RecordErrorReason
  constructor(reason: RecordErrorReason) {
    this.reason = reason
  }
}

/** Decodes lines one after another, and completes each event by what earlier lines say about its run. */
class Reader {
  private line = 0
  private headed = false
  private run: RunNames | undefined
  private readonly written = new Written()
  private readonly onSkipped: (skipped: Skipped) => void
  private readonly runId: string | undefined
  /** How long the lines are whose events were read, those of bursts as if each step had its own. */
  size = 0

  /** With a `runId`, only the events of that run are read. */
  constructor(onSkipped: (skipped: Skipped) => void, runId: string | undefined) {
    this.onSkipped = onSkipped
    this.runId = runId
  }

  /** Adds the events of a line. */
  read(text: string | undefined, events: Array<EventJson>): void {
    const line = ++this.line
    if (text === "") return
    const value = text === undefined ? undefined : parse(text)
    if (hasProperty(value, "_tag") && value._tag === "Record") return this.header(value)
    if (!this.headed) {
      // a crash left only the beginning of the header
      if (
        text !== undefined && (headerStart.startsWith(text) || (text.startsWith(headerStart) && value === undefined))
      ) {
        return this.skip("torn")
      }
      throw new Mistake(notARecord(line))
    }
    if (typeof value !== "object" || value === null) return this.skip("torn")
    if (isLost(value)) return this.onSkipped({ line, reason: "lost", events: value.events })
    if (hasMoreThanWritten(value)) return this.skip("unknown")
    const all = this.written.complete(value, this.run)
    // all events of a line are of one run
    if (this.runId !== undefined && all[0]?.["runId"] !== this.runId) return
    const length = text?.length ?? 0
    this.size += hasProperty(value, "more") ? Math.max(length, all.length * bytesInBurst) : length
    for (const whole of all) {
      const decoded = decodeEvent(whole)
      if (Exit.isFailure(decoded)) this.skip("unknown")
      else events.push(decoded.value)
    }
  }

  /** Whether the record is that of a single run, whose end is the end of the record. */
  get isOfOneRun(): boolean {
    return this.run !== undefined
  }

  /** Throws where so many bytes without a header are no record. What has no end, as a device, would be read for ever. */
  expectHeader(offset: number): void {
    if (!this.headed && offset > mostWindow) throw new Mistake(notARecord(this.line + 1))
  }

  /** Reports the present line. A torn last line may be one that is being written right now. */
  skip(reason: "torn" | "unknown"): void {
    this.onSkipped({ line: this.line, reason, events: 1 })
  }

  private header(value: object): void {
    const line = this.line
    const found = hasProperty(value, "version") ? value.version : undefined
    if (typeof found === "number" && found > 0 && found !== version) {
      throw new Mistake(RecordErrorReason.OtherVersion({ line, expected: version, found }))
    }
    const decoded = decodeHeader(value)
    if (Exit.isFailure(decoded) || found !== version) {
      throw new Mistake(RecordErrorReason.NotARecord({ line, expected: `a header of version ${version}` }))
    }
    this.headed = true
    this.run = namesIn(decoded.value) ?? this.run
  }
}

/** Whether a line stands for more steps, or hooks, than a recorder writes in one: they might not fit into the memory. */
const hasMoreThanWritten = (line: object): boolean =>
  (["more", "hooks"] as const).some((key) =>
    hasProperty(line, key) && Array.isArray(line[key]) && line[key].length > mostNumbers
  )

const namesIn = ({ pipelineName, runId, runName }: Header): RunNames | undefined =>
  pipelineName === undefined || runId === undefined || runName === undefined
    ? undefined
    : { pipelineName, runId, runName }

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Logs how many events are left out, by reason. */
const warning = (path: string, counts: ReadonlyMap<Skipped["reason"], number>): Effect.Effect<void> => {
  const told = [...counts].map(([reason, count]) => `${count} ${reason}`).join(", ")
  return told === "" ? Effect.void : Writer.logWarning(`${path}: events are left out: ${told}`)
}

/** Options of reading a record: whether to stop at its present end, or to wait for more. */
export interface ReadOptions {
  readonly onSkipped: ((skipped: Skipped) => void) | undefined
  readonly maxBytes: number
  readonly follow: boolean
  /** Only the events of this run are read, of a file of several runs. */
  readonly runId: string | undefined
}

/** How often a record that is followed is looked at. */
const lookEvery = "200 millis"

/** After how many looks without anything new it is asked again whether the process of the run lives. */
const askEvery = 10

/** Opens a record, and returns an effect that reads its next events, and nothing where there are none yet. */
const open = (path: string, { follow, maxBytes, onSkipped, runId }: ReadOptions) =>
  Effect.gen(function*() {
    const loaded = yield* modules(path)
    const failed = (operation: string) => (cause: unknown) =>
      failure(path, operation, codeOf(cause) === "EAGAIN" ? nothingToRead : cause)
    const file = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () => openToRead(path),
        catch: failed("open")
      }),
      (file) => Effect.promise(() => file.close().catch(() => undefined))
    )
    const stat = Effect.tryPromise({ try: () => file.stat(), catch: failed("read") })
    const { isFile, size } = yield* Effect.map(stat, (stat) => ({ isFile: stat.isFile(), size: stat.size }))
    const tooLarge = (size: number) =>
      new RecordError({ path, reason: RecordErrorReason.TooLarge({ size, limit: maxBytes }) })
    if (size > maxBytes && runId === undefined) return yield* tooLarge(size)
    const counts = new Map<Skipped["reason"], number>()
    const reader = new Reader(
      onSkipped ?? (({ events, reason }) => void counts.set(reason, (counts.get(reason) ?? 0) + events)),
      runId
    )
    let lines = new Lines()
    let offset = 0
    let head: Head = new Uint8Array()
    /** Begins again where the file was truncated, as `copytruncate` of logrotate does. What was known before holds. */
    const beginAgain = Effect.tryPromise({
      try: async () => {
        const [now, { size }] = [await headOf(file), await file.stat()]
        if (isAppended(head, now, offset, size)) {
          head = now
          return
        }
        head = now
        offset = 0
        // what was read of a line may be among what was copied
        if (lines.take() !== "") reader.skip("torn")
        lines = new Lines()
      },
      catch: failed("read")
    })
    const buffer = new Uint8Array(chunkSize)
    const take = (texts: () => Iterable<string | undefined>) =>
      Effect.try({
        try: () => {
          const events = eventsIn(reader, texts())
          reader.expectHeader(offset)
          return events
        },
        catch: (mistake) => {
          if (!(mistake instanceof Mistake)) throw mistake
          return new RecordError({ path, reason: mistake.reason })
        }
      })
    /** Whether the writer of the record has gone: a recorder touches the files of its runs. */
    const isAbandoned = Effect.map(stat, ({ mtimeMs, nlink }) => nlink === 0 || Date.now() - mtimeMs > abandonedAfter)
    let ended = false
    let idle = 0
    /** Notes in the record that the process of a run has ended, where it has: the event of that is read next. */
    const noteCrashes = Effect.promise(async () => {
      try {
        await (reader.isOfOneRun ? look(loaded, path) : runsIn(loaded, path))
      } catch {
        // the file was removed meanwhile, say
      }
    })
    /** Whether the run has ended. A durable run that is retried begins anew in the same file. */
    let over = false
    const next: Effect.Effect<ReadonlyArray<EventJson>, RecordError> = Effect.gen(function*() {
      if (follow && isFile) yield* beginAgain
      const { bytesRead } = yield* Effect.tryPromise({
        try: () => file.read(buffer, 0, chunkSize, isFile ? offset : null),
        catch: failed("read")
      })
      if (bytesRead > 0) {
        idle = 0
        if (offset === 0) head = buffer.slice(0, Math.min(bytesRead, headSize))
        offset += bytesRead
        const events = yield* take(() => lines.of(buffer.subarray(0, bytesRead)))
        // of a file of several runs, only the lines of this one count
        if (size > maxBytes && reader.isOfOneRun) return yield* tooLarge(size)
        // a pipe has no size, and what is not counted as an event of a record may come without end
        const read = isFile ? reader.size : Math.max(reader.size, offset)
        if (read > maxBytes) return yield* tooLarge(read)
        for (const { _tag, runId } of events) {
          if (_tag === "RunEnded" || (_tag === "RunCrashed" && isFresh(runId))) over = true
          else if (_tag === "RunStarted") over = false
        }
        return events
      }
      const isOfOne = reader.isOfOneRun || runId !== undefined
      if (!follow || (over && isOfOne) || (yield* isAbandoned)) {
        ended = true
        return yield* take(() => [lines.take()])
      }
      if (isOfOne && idle++ % askEvery === 0) yield* noteCrashes
      yield* Effect.sleep(lookEvery)
      return []
    })
    return { next, isEnded: () => ended, warn: Effect.suspend(() => warning(path, counts)) }
  })

/** @internal */
export const read = (path: string, options: ReadOptions): Stream.Stream<EventJson, RecordError> =>
  Stream.unwrap(Effect.map(open(path, options), ({ isEnded, next, warn }) => {
    const pull: Effect.Effect<Arr.NonEmptyReadonlyArray<EventJson>, RecordError | Cause.Done> = Effect.suspend(() =>
      isEnded()
        ? Effect.andThen(warn, Cause.done())
        : Effect.flatMap(next, (events) => Arr.isReadonlyArrayNonEmpty(events) ? Effect.succeed(events) : pull)
    )
    return Stream.fromPull(Effect.succeed(pull))
  }))

const eventsIn = (reader: Reader, lines: Iterable<string | undefined>): ReadonlyArray<EventJson> => {
  const events: Array<EventJson> = []
  for (const line of lines) reader.read(line, events)
  return events
}
