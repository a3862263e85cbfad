/** Records of runs as files, written by hand, so that ids and times are known. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

/** 2026-11-23 18:00 in UTC. */
export const start: number = Date.UTC(2026, 10, 23, 18)

export interface RecordFile {
  /** A digit, of which the id is made. */
  readonly id: string
  readonly name?: string
  /** When it began, in milliseconds since 1970. */
  readonly at?: number
  /** When it was written to last. A moment ago unless set. */
  readonly touchedAt?: number
  /** Less the first. */
  readonly lines?: ReadonlyArray<object | string>
}

/** As in `aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa`. */
export const idOf = (digit: string): string => "********-****-4***-****-************".replaceAll("*", digit)

/** Gives its path. A line that is text stands there as it is. */
export const writeRecord = (
  folder: string,
  { at = start, id, lines = [], name = "nightly", touchedAt }: RecordFile
): string => {
  const runId = id.length === 1 ? idOf(id) : id
  const stamp = new Date(at).toISOString().replaceAll(/[-:.]/g, "")
  const file = path.join(folder, `${stamp}.${name}.${runId.replaceAll(/[^\w-]/g, "-")}.jsonl`)
  const header = { _tag: "Record", version: 1, pipelineName: name, runId, runName: `${name}-7`, at }
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

/** Of a run that took so many milliseconds. */
export const ended = (outcome: "success" | "failure" | "interrupt", millis: number, at = start): object => ({
  _tag: "RunEnded",
  at: at + millis,
  outcome,
  ...(outcome === "success" ? {} : { cause: "RangeError: no such row\n    at load (etl.ts:7)" }),
  durationMillis: millis,
  steps: 1,
  hookFailures: 0
})

/** To run a command in, with the records that are written to it. */
export const place: Effect.Effect<{ readonly cwd: string; readonly runs: string }, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "epilogue-records-"))),
    (cwd) => Effect.sync(() => fs.rmSync(cwd, { recursive: true, force: true }))
  ),
  (cwd) => ({ cwd, runs: path.join(cwd, ".epilogue/runs") })
)
