/** Removes runs that have ended, with all that is stored of them, so that a file does not grow for ever. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { pause } from "../../../../internal/files/sqlite.ts"
import * as Writer from "../../../../internal/text/writer.ts"
import type { SqliteOptions } from "../../../Options.ts"
import { type Move, statement } from "../watch.ts"
import { type Database, now } from "./database.ts"
import { has } from "./schema.ts"

/** The runs to remove. */
export interface Limits {
  /** Runs that ended before this time; `undefined` for all. */
  readonly before: number | undefined
  /** Runs beyond this many of each pipeline; `undefined` for all. */
  readonly keep: number | undefined
  /** The pipelines, as JSON. */
  readonly pipelines: string | null
  /** Whether one of the limits is enough, and not both are needed. */
  readonly either: boolean
}

/** How many runs are removed in one transaction, which the engine's records wait for. */
const batch = 100

/** The end of a run: its time, and the run's number among those that ended then. */
type End = readonly [at: number, id: number]

const first: End = [-1, 0]
const last: End = [Number.MAX_SAFE_INTEGER, 0]

const isAfter = (a: End, b: End): boolean => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1])

/** Returns the last end among the runs of a pipeline that are beyond the number to keep. */
const beyond = (database: Database, workflow: string, keep: number): End => {
  const [row] = database.read<{ ended_at: number; id: number }>(statement(
    `SELECT ended_at, id FROM effect_epilogue_runs WHERE workflow = ? AND state = 'ended'
     ORDER BY ended_at DESC, id DESC LIMIT 1 OFFSET ?`,
    workflow,
    keep
  ))
  return row === undefined ? first : [row.ended_at, row.id]
}

/** A run that an unfinished run waits for is a part of that. */
const isFree = `(parent IS NULL OR NOT EXISTS (
  SELECT 1 FROM effect_epilogue_runs AS other
  WHERE other.workflow = json_extract(runs.parent, '$.workflow')
  AND other.execution = json_extract(runs.parent, '$.execution') AND other.state <> 'ended'
))`

interface Ended {
  readonly id: number
  readonly workflow: string
  readonly execution: string
}

const expired = (database: Database, { before, either, keep, pipelines }: Limits): ReadonlyArray<Ended> => {
  const workflows = database.read<{ workflow: string }>(statement(
    `SELECT DISTINCT workflow FROM effect_epilogue_runs WHERE state = 'ended'
     AND (? IS NULL OR workflow IN (SELECT value FROM json_each(?)))`,
    pipelines,
    pipelines
  ))
  return workflows.flatMap(({ workflow }) => {
    const ends = [
      ...keep === undefined ? [] : [beyond(database, workflow, keep)],
      ...before === undefined ? [] : [[Math.floor(before), Number.MAX_SAFE_INTEGER] satisfies End]
    ].toSorted((a, b) => isAfter(a, b) ? 1 : -1)
    const [at, id] = (either ? ends.at(-1) : ends[0]) ?? last
    return database.read<Ended>(statement(
      `SELECT id, workflow, execution FROM effect_epilogue_runs AS runs
       WHERE workflow = ? AND state = 'ended' AND (ended_at, id) <= (?, ?) AND ${isFree} ORDER BY ended_at LIMIT ?`,
      workflow,
      at,
      id,
      batch
    ))
  }).slice(0, batch)
}

/** The questions of runs, which are a parameter. */
const ofRuns = `WHERE (json_extract(question, '$.workflowName'), json_extract(question, '$.executionId')) IN
  (SELECT value ->> 0, value ->> 1 FROM json_each(?))`

/** Returns the statements that remove runs. Alerts of theirs that are not delivered stay. */
const removal = (database: Database, runs: ReadonlyArray<Ended>): Move => {
  const ids = JSON.stringify(runs.map(({ id }) => id))
  const named = JSON.stringify(runs.map(({ execution, workflow }) => [workflow, execution]))
  const asked = has(database, "effect_epilogue_questions")
  const delivered = "DELETE FROM effect_epilogue_alerts WHERE state IN ('done', 'dropped') AND run IN"
  const ofTable = (table: string) =>
    statement(
      `DELETE FROM ${table} WHERE (workflow, execution) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))`,
      named
    )
  const alerts = !has(database, "effect_epilogue_alerts") ? [] : [
    statement(
      `${delivered} (SELECT value FROM json_each(?))`,
      JSON.stringify(runs.map(({ execution }) => execution))
    ),
    ...asked ? [statement(`${delivered} (SELECT id FROM effect_epilogue_questions ${ofRuns})`, named)] : []
  ]
  return [
    ...alerts,
    ...asked ? [statement(`DELETE FROM effect_epilogue_questions ${ofRuns}`, named)] : [],
    ofTable("effect_epilogue_deferreds"),
    ofTable("effect_epilogue_clocks"),
    statement("DELETE FROM effect_epilogue_activities WHERE run IN (SELECT value FROM json_each(?))", ids),
    statement("DELETE FROM effect_epilogue_runs WHERE id IN (SELECT value FROM json_each(?))", ids)
  ]
}

/** Removes runs, some at a time, and returns how many they were. */
export const prune = (database: Database, limits: Limits): Effect.Effect<number> =>
  Effect.gen(function*() {
    let removed = 0
    if (limits.before === undefined && limits.keep === undefined) return removed
    while (true) {
      const runs = expired(database, limits)
      if (runs.length === 0) return removed
      yield* database.write(removal(database, runs))
      removed += runs.length
      // others write in between
      yield* pause(1)
    }
  })

/** The limits that hold unless others are set: the age in milliseconds, and the number of runs of each pipeline. */
const usual = { age: 30 * 86_400_000, runs: 10_000 }

/** How often runs are removed: after so many milliseconds, or so many ends. */
const every = { millis: 600_000, runs: 500 }

/** Removes runs all the time. `onEnd` gets the function to call at each end of a run. */
export const keepTidy = (
  database: Database,
  keep: SqliteOptions["keep"],
  onEnd: (ended: () => void) => void
): Effect.Effect<void> => {
  if (keep === "all") return Effect.void
  const age = keep?.age === undefined ? usual.age : Duration.toMillis(keep.age)
  const runs = keep?.runs ?? usual.runs
  const due = Latch.makeUnsafe(false)
  let ends = 0
  onEnd(() => {
    if (++ends % every.runs === 0) due.openUnsafe()
  })
  const once = Effect.flatMap(now, (now) => {
    due.closeUnsafe()
    return prune(database, { before: now - age, keep: runs, pipelines: null, either: true })
  })
  return Effect.forever(Effect.andThen(
    Effect.catchDefect(
      Effect.asVoid(once),
      (defect) => Writer.logError("effect-epilogue: old runs can't be removed", defect)
    ),
    Effect.raceFirst(Effect.sleep(every.millis), due.await)
  ))
}
