/**
 * Keeps the summaries of runs that have ended in one file beside their records, so that listing thousands of runs does
 * not open thousands of files.
 *
 * The file is a cache: it may be removed at any time, and whatever it says of a record whose size or time has changed
 * since is not used. Each process that lists a folder appends what it had to look up; the last line of a name counts.
 */
import { hasProperty } from "effect/Predicate"
import type * as NodeFs from "node:fs"
import * as privately from "../../../internal/files/private.ts"
import type { Recorded } from "../../Recorded.ts"
import { type Modules, writeAll } from "./files.ts"

/** The name of the file. It is no name of a record, and as a hidden file it is not among those that `*.jsonl` matches. */
export const fileName = ".summaries.jsonl"

/** Raised when a line of an earlier version would be misread, and when records of an earlier version can't be read. */
const version = 2

/** The status of a run that has ended. */
export type Ended = Exclude<Recorded["status"], "running" | "suspended" | "cutOff">

/** The summary of a run that has ended, with the state of its record when it was made. */
export interface Summary {
  readonly name: string
  readonly size: number
  readonly mtimeMs: number
  readonly pipelineName: string
  readonly runId: string
  readonly runName: string
  readonly status: Ended
  readonly startedAt: number
  readonly durationMillis: number
  readonly steps: number
  /** `undefined` for a run that crashed. */
  readonly hookFailures?: number | undefined
}

const strings = ["name", "pipelineName", "runId", "runName"] as const
const numbers = ["size", "mtimeMs", "startedAt", "durationMillis", "steps"] as const
const outcomes: Record<Ended, true> = { success: true, failure: true, interrupt: true, skip: true, crashed: true }

/** @internal */
export const isEnded = (status: unknown): status is Ended =>
  typeof status === "string" && Object.hasOwn(outcomes, status)

/** Checks by hand: a Schema takes ten times as long, which ten thousand lines make a second. */
const isSummary = (value: unknown): value is Summary & { readonly version: number } =>
  hasProperty(value, "version") && value.version === version &&
  strings.every((key) => hasProperty(value, key) && typeof value[key] === "string") &&
  numbers.every((key) => hasProperty(value, key) && Number.isFinite(value[key])) &&
  hasProperty(value, "status") && isEnded(value.status) &&
  (!hasProperty(value, "hookFailures") || Number.isFinite(value.hookFailures)) &&
  // what no Date can hold would keep all runs from being listed
  hasProperty(value, "startedAt") && Math.abs(Number(value.startedAt)) <= 8.64e15

const parse = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    // another process is writing the line, or was killed while it did
    return undefined
  }
}

/** Returns when a file was last changed. Deno has no parts of milliseconds, and other runtimes may have written the line. */
export const wholeMillis = ({ mtimeMs }: NodeFs.Stats): number => Math.floor(mtimeMs)

/** The summaries of a folder. */
export class Summaries {
  readonly #modules: Modules
  readonly #path: string
  readonly #known: ReadonlyMap<string, Summary>
  /** How many lines the file has. */
  readonly #lines: number
  readonly #found: Array<Summary> = []

  /** Reads the summaries of a folder: none where the file is missing, is no file of its own, or can't be read. */
  constructor(modules: Modules, folder: string) {
    this.#modules = modules
    this.#path = modules.path.join(folder, fileName)
    const known = new Map<string, Summary>()
    let lines: ReadonlyArray<string> = []
    try {
      if (modules.fs.lstatSync(this.#path).isFile()) {
        lines = modules.fs.readFileSync(this.#path, "utf8").split("\n")
      }
    } catch {
      // without the file, each record is looked at
    }
    for (const line of lines) {
      const value = line === "" ? undefined : parse(line)
      if (isSummary(value)) known.set(value.name, value)
    }
    this.#known = known
    this.#lines = lines.length
  }

  /** Returns what is known of a record, if it has not changed since. */
  get(name: string, stat: NodeFs.Stats): Summary | undefined {
    const known = this.#known.get(name)
    return known !== undefined && known.size === stat.size && known.mtimeMs === wholeMillis(stat) ? known : undefined
  }

  /** Adds what was looked up. */
  add(summary: Summary): void {
    this.#found.push(summary)
  }

  /**
   * Writes what was added. `names` are those of all records in the folder: once half of the lines are about others, the
   * file is written anew. Does nothing where the folder can't be written, as one of somebody else.
   */
  save(names: ReadonlyArray<string>): void {
    try {
      if (this.#lines + this.#found.length > 2 * names.length + 100) this.#rewrite(new Set(names))
      else if (this.#found.length > 0) this.#append(this.#path, this.#found)
    } catch {
      // the next process that lists the folder looks the same records up again
    }
  }

  #append(path: string, summaries: ReadonlyArray<Summary>): void {
    const text = summaries.map((summary) => `${JSON.stringify({ version, ...summary })}\n`).join("")
    const bytes = new TextEncoder().encode(`\n${text}`)
    const fd = privately.openToAppend(path)
    try {
      writeAll(this.#modules, fd, { bytes, length: bytes.length }, () => {})
    } finally {
      this.#modules.fs.closeSync(fd)
    }
  }

  #rewrite(names: ReadonlySet<string>): void {
    const { fs } = this.#modules
    const all = new Map(this.#known)
    for (const summary of this.#found) all.set(summary.name, summary)
    const temporary = `${this.#path}.${process.pid}`
    try {
      this.#append(temporary, [...all.values()].filter(({ name }) => names.has(name)))
      fs.renameSync(temporary, this.#path)
    } catch (cause) {
      fs.rmSync(temporary, { force: true })
      throw cause
    }
  }
}
