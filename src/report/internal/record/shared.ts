/**
 * Finds the runs in a file that has several, as it has to be read as a whole. The last files are remembered, with how far
 * they were read: the page looks at them once a second.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import { hasProperty } from "effect/Predicate"
import type { Recorded, Status } from "../../Recorded.ts"
import { noteCrash, processLives } from "./crash.ts"
import { type Head, headOf, isAppended, type Modules } from "./files.ts"
import { abandonedAfter, type Header, type ProcessJson, type RunNames } from "./format.ts"
import { Lines } from "./lines.ts"
import { decodeHeader, isOfAlert, number, outcomeOf, parse, time } from "./look.ts"

const chunkSize = 1024 * 1024

/** How many files are remembered. */
const mostFiles = 8

/** A run, as far as its lines have been read. */
interface OfRun extends RunNames {
  readonly startedAt: number
  /** The time of its last line. */
  at: number
  /** The kind of the last line. */
  tag: unknown
  steps: number
  /** The line of its end. */
  ended: object | undefined
  /** The process that wrote its last line. */
  process: ProcessJson | undefined
}

/** The runs that were read of a file so far. */
class Scan {
  readonly head: Head
  readonly lines = new Lines()
  offset = 0
  readonly runs = new Map<string, OfRun>()
  private readonly refs = new Map<string, OfRun>()
  private readonly processes = new Map<string, ProcessJson>()
  /** The run of a file of one run. */
  private only: OfRun | undefined

  constructor(head: Head) {
    this.head = head
  }

  take(line: string | undefined): void {
    const value = line === undefined || line === "" ? undefined : parse(line)
    if (typeof value !== "object" || value === null) return
    if (hasProperty(value, "_tag") && value._tag === "Record") {
      const header = decodeHeader(value)
      if (Exit.isSuccess(header)) this.header(header.value)
      return
    }
    const run = this.runOf(value)
    if (run === undefined || isOfAlert(value)) return
    run.at = time(value) ?? run.at
    run.tag = hasProperty(value, "_tag") ? value._tag : undefined
    run.steps = Math.max(run.steps, (number(value, "index") ?? -1) + 1)
    // a durable run that is retried begins anew in the same file
    if (run.tag === "RunStarted") run.ended = undefined
    else if (run.tag === "RunEnded") run.ended = value
  }

  private header(header: Header): void {
    const { pipelineName, process, recorder, runId, runName } = header
    if (recorder !== undefined && process !== undefined) this.processes.set(recorder, process)
    if (runId === undefined || pipelineName === undefined || runName === undefined) return
    this.only = this.named({ pipelineName, runId, runName }, time(header))
    this.only.process = process
  }

  private named({ pipelineName, runId, runName }: RunNames, at = Date.now()): OfRun {
    const known = this.runs.get(runId)
    if (known !== undefined) return known
    const run: OfRun = {
      pipelineName,
      runId,
      runName,
      startedAt: at,
      at,
      tag: undefined,
      steps: 0,
      ended: undefined,
      process: undefined
    }
    this.runs.set(runId, run)
    return run
  }

  /** Returns the run that a line is about: by its names, or by the reference that an earlier line has given with them. */
  private runOf(line: object): OfRun | undefined {
    const { pipelineName = "", run: ref, runId, runName = runId } = line as Readonly<Record<string, unknown>>
    const given = typeof runId === "string" && typeof pipelineName === "string" && typeof runName === "string"
      ? this.named({ pipelineName, runId, runName }, time(line))
      : undefined
    if (typeof ref !== "string") return given ?? this.only
    const run = given ?? this.refs.get(ref) ?? this.only
    if (run === undefined) return undefined
    if (given !== undefined) {
      this.refs.set(ref, run)
      run.process = this.processes.get(ref.slice(0, ref.lastIndexOf(".")))
    }
    // no later line counts
    if (hasProperty(line, "_tag") && line._tag === "RunEnded") this.refs.delete(ref)
    return run
  }
}

/** A file, and what has been read of it. */
class SharedFile {
  private readonly path: string
  private scan: Scan | undefined
  /** When the file was touched last. */
  private mtimeMs = 0
  /** The reading that goes on: two would read the same bytes twice. */
  private reading: Promise<unknown> = Promise.resolve()

  constructor(path: string) {
    this.path = path
  }

  async runs(modules: Modules): Promise<ReadonlyArray<Recorded>> {
    await this.read(modules)
    // a process may have written the end of its run after that was read, and before it ended itself
    if (this.open().some(isOrphan)) await this.read(modules)
    for (const run of this.open().filter(isOrphan)) {
      try {
        noteCrash(modules, this.path, { at: run.at }, run)
        run.tag = "RunCrashed"
      } catch {
        // the file of somebody else, say: it is looked at again the next time
      }
    }
    // not effect's clock, which tests replace: files have their times from the machine's clock
    const now = Date.now()
    return [...this.scan?.runs.values() ?? []].map((run) => this.describe(run, now))
  }

  private open(): ReadonlyArray<OfRun> {
    return [...this.scan?.runs.values() ?? []].filter(({ ended, tag }) =>
      ended === undefined && tag !== "RunCrashed" && tag !== "RunSuspended"
    )
  }

  private read(modules: Modules): Promise<void> {
    const read = this.reading.then(() => this.readOn(modules))
    this.reading = read.catch(() => undefined)
    return read
  }

  private async readOn({ fs }: Modules): Promise<void> {
    const file = await fs.promises.open(this.path, "r")
    try {
      const { mtimeMs, size } = await file.stat()
      this.mtimeMs = mtimeMs
      const head = await headOf(file)
      if (this.scan === undefined || !isAppended(this.scan.head, head, this.scan.offset, size)) {
        this.scan = new Scan(head)
      }
      const { scan } = this
      if (scan.offset === size) return
      const buffer = new Uint8Array(chunkSize)
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, chunkSize, scan.offset)
        if (bytesRead === 0) return
        scan.offset += bytesRead
        for (const line of scan.lines.of(buffer.subarray(0, bytesRead))) scan.take(line)
      }
    } finally {
      await file.close().catch(() => undefined)
    }
  }

  private describe(run: OfRun, now: number): Recorded {
    const { at, ended, pipelineName, runId, runName, startedAt, steps } = run
    const outcome = ended === undefined ? undefined : outcomeOf(ended)
    const status = outcome ?? this.statusOf(run, now)
    const end = status === "running" ? now : at
    const durationMillis = ended === undefined ? undefined : number(ended, "durationMillis")
    return {
      path: this.path,
      pipelineName,
      runId,
      runName,
      status,
      startedAt: DateTime.makeUnsafe(startedAt),
      duration: Duration.millis(durationMillis ?? Math.max(0, end - startedAt)),
      steps: (ended === undefined ? undefined : number(ended, "steps")) ?? steps,
      hookFailures: ended === undefined ? undefined : number(ended, "hookFailures") ?? 0
    }
  }

  private statusOf(run: OfRun, now: number): Status {
    if (run.tag === "RunSuspended") return "suspended"
    if (run.tag === "RunCrashed" || isOrphan(run)) return "crashed"
    return now - this.mtimeMs < abandonedAfter ? "running" : "cutOff"
  }
}

/** Returns whether the process of a run is known to have ended. */
const isOrphan = ({ process }: OfRun): boolean => process !== undefined && processLives(process) === false

const files = new Map<string, SharedFile>()

/** Returns the runs in a file, in the order in which they began to be recorded. Rejects where it can't be read. */
export const runsIn = (modules: Modules, path: string): Promise<ReadonlyArray<Recorded>> => {
  const resolved = modules.path.resolve(path)
  const file = files.get(resolved) ?? new SharedFile(path)
  // the one that was asked for last is the last to be forgotten
  files.delete(resolved)
  files.set(resolved, file)
  if (files.size > mostFiles) files.delete(files.keys().next().value!)
  return file.runs(modules)
}
