/** Writes records of runs by hand, so that their ids and times are known. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as path from "node:path"
import { temporaryFolder } from "./temporaryFolder.ts"

/** 2026-11-23 18:00 UTC, in milliseconds since 1970. */
export const start: number = Date.UTC(2026, 10, 23, 18)

export interface RecordFile {
  /** A run id, or one hexadecimal digit from which {@link idOf} makes one. */
  readonly id: string
  readonly name?: string
  /** When the run started, in milliseconds since 1970. {@link start} unless set. */
  readonly at?: number
  /** The file's modification time, in milliseconds since 1970. Now unless set. */
  readonly touchedAt?: number
  /** The process that records the run. None unless set. */
  readonly process?: object
  /** Events after `RunStarted`. A string is written as it is, without a line break. */
  readonly lines?: ReadonlyArray<object | string>
}

/** Makes a run id of one digit: `aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa`. */
export const idOf = (digit: string): string => "********-****-4***-****-************".replaceAll("*", digit)

const runIdOf = (id: string): string => id.length === 1 ? idOf(id) : id

/** Writes a record into a folder and returns its path. */
export const writeRecord = (
  folder: string,
  { at = start, id, lines = [], name = "nightly", process, touchedAt }: RecordFile
): string => {
  const runId = runIdOf(id)
  const stamp = new Date(at).toISOString().replaceAll(/[-:.]/g, "")
  const file = path.join(folder, `${stamp}.${name.slice(0, 60)}.${runId.replaceAll(/[^\w-]/g, "-")}.jsonl`)
  const header = { _tag: "Record", version: 2, pipelineName: name, runId, runName: `${name}-7`, at, process }
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(
    file,
    [header, { _tag: "RunStarted", at }, ...lines].map((line) =>
      typeof line === "string" ? line : `${JSON.stringify(line)}\n`
    ).join("")
  )
  if (touchedAt !== undefined) fs.utimesSync(file, touchedAt / 1000, touchedAt / 1000)
  return file
}

/** Returns the `RunEnded` event of a run that took `millis`. */
export const ended = (outcome: "success" | "failure" | "interrupt", millis: number, at = start): object => ({
  _tag: "RunEnded",
  at: at + millis,
  outcome,
  ...(outcome === "success" ? {} : { cause: "RangeError: no such row\n    at load (etl.ts:7)" }),
  durationMillis: millis,
  steps: 1,
  hookFailures: 0
})

/** Creates a temporary folder to run the command in, and names the folder below it where the command keeps records. */
export const recordsFolder: Effect.Effect<{ readonly cwd: string; readonly runs: string }, never, Scope.Scope> = Effect
  .map(
    temporaryFolder("records"),
    (cwd) => ({ cwd, runs: path.join(cwd, ".epilogue/runs") })
  )

/** The line of a step that succeeded, or ended as `more` says. */
export const stepEnded = (index: number, stepName: string, durationMillis: number, more: object = {}) => ({
  _tag: "StepEnded",
  at: start + durationMillis,
  stepName,
  stepPath: [stepName],
  index,
  outcome: "success",
  attempts: 1,
  durationMillis,
  ...more
})

/** The line of a step `fetch` with a key, in the step `load` of index 0. */
export const pageEnded = (index: number, key: string, durationMillis: number) =>
  stepEnded(index, "fetch", durationMillis, {
    stepKey: key,
    stepPath: ["load", "fetch"],
    stepLabels: ["load", `fetch[${key}]`],
    parent: 0
  })

/** Adds several runs to one file: the events of each, under references that begin with the recorder, which is `w`. */
export const writeShared = (
  file: string,
  runs: ReadonlyArray<Pick<RecordFile, "at" | "id" | "lines" | "name">>,
  { process, recorder = "w" }: { readonly process?: object; readonly recorder?: string } = {}
): void => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  const header = { _tag: "Record", version: 2, recorder, process }
  const lines = runs.flatMap(({ at = start, id, lines = [], name = "nightly" }, i) => {
    const run = `${recorder}.${i + 1}`
    const names = { pipelineName: name, runId: runIdOf(id), runName: `${name}-7` }
    return [
      { _tag: "RunStarted", run, ...names, at },
      ...lines.map((line) => typeof line === "string" ? line : { run, ...line })
    ]
  })
  fs.appendFileSync(
    file,
    [header, ...lines].map((line) => typeof line === "string" ? line : `${JSON.stringify(line)}\n`).join("")
  )
}
