/** Decides what a retry of a run keeps of what is recorded, on any engine. */
import type { StoredRun } from "../../../internal/model/storedRun.ts"
import { limitClock, type VersionRecord } from "../stored/records.ts"
import { type ActivityRow, type Recorded, stepsOf, type StoredExit } from "./recorded.ts"
import { RunRefused, stepKeyIn } from "./runs.ts"

/** The records that a retry begins with. */
export interface Kept {
  readonly activities: ReadonlyArray<ActivityRow>
  /** Whether a deferred that was completed, with this exit in JSON, stays so. */
  readonly keepsDeferred: (name: string, exit: string) => boolean
}

const refused = (reason: RunRefused["reason"], detail: string) => new RunRefused({ reason, detail })

/** Returns what a retry of a run keeps: all but the steps that run again, and what was done to undo steps. */
export const keptOf = (
  run: Pick<StoredRun, "runId" | "status" | "endedAt">,
  rows: ReadonlyArray<ActivityRow>,
  from: string | undefined
): Kept | RunRefused => {
  const steps = stepsOf(rows, true)
  const dropped = again(run, steps, from)
  if (dropped instanceof RunRefused) return dropped
  const first = steps.find(({ key }) => dropped.has(key))
  // Steps after the first of them may not be asked for any more, where that one ends otherwise this time.
  const loose = new Set(
    first === undefined ? [] : steps.filter((step) => !isBefore(step, first)).map(({ key }) => key)
  )
  return {
    activities: rows.flatMap((row) => {
      const key = stepKeyIn(row.name)
      // a step that could not be undone is undone where the retry fails, too
      if (key !== undefined && row.name.startsWith(`step/${key}/hook/rollback/`)) return []
      const isKept = key === undefined
        ? !row.name.startsWith("run/") && isKeptOf(row.name, JSON.parse(row.exit), first)
        : !dropped.has(key)
      if (!isKept) return []
      return [key !== undefined && loose.has(key) ? { ...row, exit: withoutOrder(row.exit) } : row]
    }),
    keepsDeferred: (name, exit) => {
      const key = /(?:^|\/)step\/([^/]+)\//.exec(name)?.[1]
      return (JSON.parse(exit) as StoredExit)._tag === "Success" && !name.endsWith(limitClock) &&
        (key === undefined || !dropped.has(key))
    }
  }
}

/** Returns the keys of the steps that run again, those that were undone included, or why there are none. */
const again = (
  { endedAt, runId: id, status }: Pick<StoredRun, "runId" | "status" | "endedAt">,
  steps: ReadonlyArray<Recorded>,
  from: string | undefined
): ReadonlySet<string> | RunRefused => {
  if (endedAt === undefined) return refused("NotEnded", `run ${id} has not ended: interrupt it first`)
  if (from === undefined && (status === "success" || status === "skip")) {
    const how = status === "success" ? "has succeeded" : "was skipped"
    return refused("Succeeded", `run ${id} ${how}: name the step from which it runs again`)
  }
  const failed = steps.filter((step) => (step.status !== "success" && step.status !== "skip") || isUndone(step))
  if (from === undefined) return new Set(failed.map(({ key }) => key))
  const first = steps.find(({ name }) => name === from) ??
    steps.find(({ name }) => name.startsWith(`${from}[`) || name.startsWith(`${from}#`))
  if (first === undefined) {
    const names = steps.map(({ name }) => name).join(", ")
    return refused("NoStep", `run ${id} has no step ${JSON.stringify(from)}: it has ${names || "none"}`)
  }
  return new Set([...failed, ...steps.filter((step) => !isBefore(step, first))].map(({ key }) => key))
}

const isUndone = ({ hooks }: Recorded): boolean =>
  hooks.some(({ kind, status }) => kind === "rollback" && status === "ended")

const isBefore = (a: Recorded, b: Recorded): boolean =>
  a.order !== undefined && b.order !== undefined ? a.order < b.order : a.startedMillis < b.startedMillis

/** Whether a retry keeps an activity of the user's, or the version of a part of the body. */
const isKeptOf = (name: string, { _tag, value }: StoredExit, first: Recorded | undefined): boolean => {
  if (_tag !== "Success") return false
  if (!name.startsWith("version/") || first?.order === undefined) return true
  const { order } = value as typeof VersionRecord.Type // the cast: the library has recorded it under this name
  return order <= first.order
}

const withoutOrder = (exit: string): string => {
  const stored = JSON.parse(exit) as StoredExit & { readonly value?: { readonly order?: number } }
  if (stored.value?.order === undefined) return exit
  const { order: _, ...value } = stored.value
  return JSON.stringify({ ...stored, value })
}

/** Returns the id of the run that was submitted, of a retry of it. */
export const originalOf = (runId: string): string => runId.replace(/~\d+$/, "")
