/**
 * The tables of the embedded engine. A later version may add tables and columns; what a column means does not change
 * without a new number in `version`.
 */
import { statement } from "../watch.ts"
import type { Database } from "./database.ts"

/** The version of the tables that this module makes. */
const version = 1

/**
 * - `engine`: one row, with the process that runs what is stored: a token, who it is, and a question whether it lives;
 * - `runs`: the executions of workflows. `state` is `ready` (to be evaluated, or being evaluated), `suspended` (until
 *   something wakes it), `failed` (suspended by `SuspendOnFailure`, until `resume`) or `ended`. `wakes` counts what may
 *   have woken it, so that an evaluation that did not see the last of them is not the last; `calls` counts those that
 *   wake a failed run too. `interruption` is 1 where one was asked for, and 2 where it was asked for unsafely. `outcome`
 *   is how it ended, `retry_of` the run of which it is a retry, and `set_aside` why it waits for other code;
 * - `activities`: how activities have ended, and of steps and hooks how many times they have begun (`begun`, first at
 *   `begun_at`). Until it has ended, `process` names the process in which one is under way; `died` says how the last one
 *   ended in which it was;
 * - `deferreds`: how deferreds were completed, also those of a run that is not there yet;
 * - `clocks`: the clocks that have not gone off, by the time when they do.
 */
const tables = [
  `CREATE TABLE IF NOT EXISTS effect_epilogue_engine (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    runner TEXT,
    identity TEXT,
    asked TEXT,
    answered TEXT
  )`,
  `CREATE TABLE IF NOT EXISTS effect_epilogue_runs (
    id INTEGER PRIMARY KEY,
    workflow TEXT NOT NULL,
    execution TEXT NOT NULL,
    payload TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL,
    wakes INTEGER NOT NULL DEFAULT 0,
    calls INTEGER NOT NULL DEFAULT 0,
    interruption INTEGER NOT NULL DEFAULT 0,
    result TEXT,
    outcome TEXT,
    retry_of TEXT,
    set_aside TEXT,
    submitted_at INTEGER NOT NULL,
    ended_at INTEGER,
    UNIQUE (workflow, execution)
  )`,
  `CREATE INDEX IF NOT EXISTS effect_epilogue_runs_ready ON effect_epilogue_runs (workflow) WHERE state = 'ready'`,
  `CREATE INDEX IF NOT EXISTS effect_epilogue_runs_ended ON effect_epilogue_runs (workflow, ended_at)
   WHERE state = 'ended'`,
  `CREATE TABLE IF NOT EXISTS effect_epilogue_activities (
    run INTEGER NOT NULL,
    name TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    exit TEXT,
    begun INTEGER NOT NULL DEFAULT 0,
    begun_at INTEGER,
    process TEXT,
    died TEXT,
    PRIMARY KEY (run, name, attempt)
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS effect_epilogue_deferreds (
    workflow TEXT NOT NULL,
    execution TEXT NOT NULL,
    name TEXT NOT NULL,
    exit TEXT NOT NULL,
    PRIMARY KEY (workflow, execution, name)
  )`,
  `CREATE TABLE IF NOT EXISTS effect_epilogue_clocks (
    workflow TEXT NOT NULL,
    execution TEXT NOT NULL,
    name TEXT NOT NULL,
    due INTEGER NOT NULL,
    PRIMARY KEY (workflow, execution, name)
  ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS effect_epilogue_clocks_due ON effect_epilogue_clocks (due)"
]

/** Whether the database has a table. */
export const has = (database: Database, table: string): boolean =>
  database.read(statement("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", table)).length > 0

/** Whether the database has the tables. */
export const isPrepared = (database: Database): boolean => has(database, "effect_epilogue_clocks")

/**
 * Makes the tables where they are missing. Returns why a database can't be used, as a predicate of it with advice, or
 * `undefined`.
 */
export const prepare = (database: Database): string | undefined => {
  const later = laterVersion(database)
  if (later !== undefined) return `was written by a later version of effect-epilogue (${later}): use that one`
  const unfinished = unfinishedOfCluster(database)
  if (unfinished.length > 0) {
    return `has unfinished runs of effect-epilogue 0.1 (${unfinished.join(", ")}): finish them, or interrupt them, ` +
      "with that version, or name another file"
  }
  if (!isPrepared(database)) {
    database.commit([
      ...tables.map((sql) => statement(sql)),
      statement("INSERT INTO effect_epilogue_engine (one, version) VALUES (1, ?) ON CONFLICT DO NOTHING", version)
    ])
  }
  return undefined
}

const laterVersion = (database: Database): number | undefined => {
  if (!has(database, "effect_epilogue_engine")) return undefined
  const [row] = database.read<{ version: number }>(statement("SELECT version FROM effect_epilogue_engine"))
  return row !== undefined && row.version > version ? row.version : undefined
}

/**
 * Returns the pipelines of which the engine of `effect/cluster`, which earlier versions used on SQLite, has left
 * unfinished runs, with their number. What has ended stays where it is.
 */
const unfinishedOfCluster = (database: Database): ReadonlyArray<string> => {
  if (!has(database, "cluster_messages") || !has(database, "cluster_replies")) return []
  const rows = database.read<{ type: string; runs: number }>(statement(
    `SELECT entity_type AS type, COUNT(*) AS runs FROM cluster_messages
     WHERE tag = 'run' AND entity_type LIKE 'Workflow/%' AND entity_type <> 'Workflow/-/DurableClock' AND NOT EXISTS (
       SELECT 1 FROM cluster_replies WHERE request_id = cluster_messages.id AND kind = 0
       AND COALESCE(json_extract(payload, '$.value._tag'), '') <> 'Suspended'
     )
     GROUP BY entity_type ORDER BY entity_type`
  ))
  return rows.map(({ runs, type }) => `${runs} of ${JSON.stringify(type.slice("Workflow/".length))}`)
}
