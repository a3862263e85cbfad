/** The moves of the embedded engine: what it reads and records, as statements of SQL. */
import * as Effect from "effect/Effect"
import type * as Latch from "effect/Latch"
import type { Row } from "../../crashes/crashes.ts"
import { type Move, type Statement, statement } from "../watch.ts"
import type { Database, Survives } from "./database.ts"

/** Names the execution of a workflow. */
export interface Place {
  readonly workflow: string
  readonly execution: string
}

/** The state of a run. See the tables in `schema.ts`. */
export interface RunRow extends Place {
  readonly id: number
  readonly payload: string
  readonly parent: string | null
  readonly state: "ready" | "suspended" | "failed" | "ended"
  readonly wakes: number
  readonly calls: number
  readonly interruption: number
  readonly result: string | null
  readonly retry_of: string | null
  readonly set_aside: string | null
}

/** A clock that has not gone off; `due` is in milliseconds since 1970. */
export interface ClockRow extends Place {
  readonly name: string
  readonly due: number
}

const columns =
  "id, workflow, execution, payload, parent, state, wakes, calls, interruption, result, retry_of, set_aside"

const runs = `SELECT ${columns} FROM effect_epilogue_runs`

/** Names a run, by two parameters. */
const isPlace = "workflow = ? AND execution = ?"

/** Only while this process is the runner: one that was taken for dead must record nothing. */
const whileRunner = "EXISTS (SELECT 1 FROM effect_epilogue_engine WHERE runner = ?)"

const idOf = `(SELECT id FROM effect_epilogue_runs WHERE ${isPlace})`

/** A suspended run is to be evaluated again; others stay what they are. */
const awake = "wakes = wakes + 1, state = CASE state WHEN 'suspended' THEN 'ready' ELSE state END"

/** Names an activity, by three parameters. */
const isActivity = "run = ? AND name = ? AND attempt = ?"

// The texts are made once: a statement is prepared once by its text.
const sql = {
  find: `${runs} WHERE ${isPlace}`,
  ready: `${runs} WHERE state = 'ready' ORDER BY id`,
  resumable: `${runs} WHERE workflow = ?
    AND (state = 'ready' OR (state = 'suspended' AND set_aside IS NOT NULL)) ORDER BY id`,
  setAside: `UPDATE effect_epilogue_runs SET set_aside = ?
    WHERE id = ? AND set_aside IS NOT ? AND ${whileRunner} RETURNING ${columns}`,
  takeUp: "UPDATE effect_epilogue_runs SET set_aside = NULL WHERE id = ?",
  submit: `INSERT INTO effect_epilogue_runs (workflow, execution, payload, parent, state, submitted_at)
    VALUES (?, ?, ?, ?, 'ready', ?) ON CONFLICT DO NOTHING RETURNING ${columns}`,
  suspend: `UPDATE effect_epilogue_runs SET state = 'suspended', result = ?
    WHERE id = ? AND wakes = ? AND ${whileRunner} RETURNING ${columns}`,
  suspendFailed: `UPDATE effect_epilogue_runs SET state = 'failed', result = ?
    WHERE id = ? AND calls = ? AND ${whileRunner} RETURNING ${columns}`,
  end: `UPDATE effect_epilogue_runs SET state = 'ended', result = ?, outcome = ?, set_aside = NULL, ended_at = ?
    WHERE id = ? AND ${whileRunner} RETURNING ${columns}`,
  call: `UPDATE effect_epilogue_runs
    SET wakes = wakes + 1, calls = calls + 1, interruption = MAX(interruption, ?), state = 'ready'
    WHERE ${isPlace} AND state <> 'ended' RETURNING ${columns}`,
  wakeParent: `UPDATE effect_epilogue_runs SET ${awake} WHERE ${isPlace} AND state <> 'ended' AND ${whileRunner}`,
  // a run that failed stays so
  wakeIfChanged: `UPDATE effect_epilogue_runs SET ${awake}
    WHERE ${isPlace} AND state <> 'ended' AND changes() > 0 RETURNING ${columns}`,

  activities: `SELECT name, attempt, exit IS NOT NULL AS ended, json_extract(exit, '$.value.order') AS place,
    json_extract(exit, '$.value.about') AS about
    FROM effect_epilogue_activities WHERE run = ?`,
  activity: `SELECT exit FROM effect_epilogue_activities WHERE ${isActivity}`,
  recorded: `SELECT ${whileRunner} AS own, (SELECT exit FROM effect_epilogue_activities WHERE ${isActivity}) AS exit`,
  record: `INSERT INTO effect_epilogue_activities (run, name, attempt, exit) SELECT ?, ?, ?, ? WHERE ${whileRunner}
    ON CONFLICT (run, name, attempt) DO UPDATE SET exit = excluded.exit, process = NULL
    WHERE effect_epilogue_activities.exit IS NULL RETURNING 1`,

  begun: `SELECT attempt, begun, begun_at AS startedAt, died AS death FROM effect_epilogue_activities
    WHERE run = ${idOf} AND name = ? AND begun_at IS NOT NULL`,
  begin: `INSERT INTO effect_epilogue_activities (run, name, attempt, begun, begun_at, process)
    SELECT ?, ?, ?, 1, ?, ? WHERE ${whileRunner}
    ON CONFLICT (run, name, attempt) DO UPDATE
    SET begun = begun + 1, begun_at = COALESCE(begun_at, excluded.begun_at), process = excluded.process, died = NULL
    RETURNING 1`,
  leave: `UPDATE effect_epilogue_activities SET begun = begun - 1, process = NULL
    WHERE run = ${idOf} AND name = ? AND attempt = ? AND process = ? AND exit IS NULL`,

  deferred: `SELECT exit FROM effect_epilogue_deferreds WHERE ${isPlace} AND name = ?`,
  complete: `INSERT INTO effect_epilogue_deferreds (workflow, execution, name, exit) VALUES (?, ?, ?, ?)
    ON CONFLICT DO NOTHING`,
  schedule: `INSERT INTO effect_epilogue_clocks (workflow, execution, name, due) SELECT ?, ?, ?, ? WHERE NOT EXISTS (
      SELECT 1 FROM effect_epilogue_deferreds WHERE ${isPlace} AND name = ?
    ) ON CONFLICT DO NOTHING`,
  nextClock: "SELECT workflow, execution, name, due FROM effect_epilogue_clocks ORDER BY due LIMIT 1",
  removeClock: `DELETE FROM effect_epilogue_clocks WHERE ${isPlace} AND name = ? AND ${whileRunner}`,
  removeClocks: `DELETE FROM effect_epilogue_clocks WHERE ${isPlace} AND ${whileRunner}`
} as const

/** The beginning of an activity. */
interface Beginning {
  readonly run: number
  readonly name: string
  readonly attempt: number
  readonly at: number
  /** The process in which it is under way. */
  readonly process: string
}

/** A row of the table of activities, without its exit. */
export interface ActivityRow {
  readonly name: string
  readonly attempt: number
  readonly ended: number
  readonly place: number | null
  readonly about: string | null
}

const complete = ({ execution, workflow }: Place, name: string, exit: string): Statement =>
  statement(sql.complete, workflow, execution, name, exit)

/** Wakes the run if the statement before has changed something. */
const wakeIfChanged = ({ execution, workflow }: Place): Statement => statement(sql.wakeIfChanged, workflow, execution)

const exitOf = ([row]: ReadonlyArray<{ readonly exit: string | null }>): string | undefined => row?.exit ?? undefined

/** The moves of one process on a database. */
export class Store {
  readonly database: Database
  /** The token of the runner; empty in a process that runs nothing. */
  private readonly token: string

  constructor(database: Database, token: string) {
    this.database = database
    this.token = token
  }

  private writeRun(move: Move, closed?: Latch.Latch, survives?: Survives): Effect.Effect<RunRow | undefined> {
    return Effect.map(this.database.write<RunRow>(move, closed, survives), ([row]) => row)
  }

  // ---------------------------------------------------------------------------
  // runs
  // ---------------------------------------------------------------------------

  find({ execution, workflow }: Place, closed?: Latch.Latch): Effect.Effect<RunRow | undefined> {
    return Effect.map(this.database.look<RunRow>(statement(sql.find, workflow, execution), closed), ([row]) => row)
  }

  /** Returns the runs that are to be evaluated, or that are being evaluated. */
  get ready(): Effect.Effect<ReadonlyArray<RunRow>> {
    return this.database.look(statement(sql.ready))
  }

  /** Returns the runs of a workflow that are to be evaluated by code that is new here, with those that waited for it. */
  resumable(workflow: string): Effect.Effect<ReadonlyArray<RunRow>> {
    return this.database.look(statement(sql.resumable, workflow))
  }

  /** Records that a run was set aside, and why. Returns whether that is news. */
  setAside({ id }: RunRow, why: string, closed: Latch.Latch): Effect.Effect<boolean> {
    return Effect.map(
      this.writeRun([statement(sql.setAside, why, id, why, this.token)], closed),
      (row) => row !== undefined
    )
  }

  /** Records that a run is no longer set aside. */
  takeUp({ id }: RunRow, closed: Latch.Latch): Effect.Effect<void> {
    return Effect.asVoid(this.database.write([statement(sql.takeUp, id)], closed))
  }

  /** Records a submission, unless the run is there already. Returns the run if it was not. */
  submit(
    { execution, workflow }: Place,
    payload: string,
    parent: Place | undefined,
    at: number
  ): Effect.Effect<RunRow | undefined> {
    const waiting = parent === undefined ? null : JSON.stringify(parent)
    return this.writeRun([statement(sql.submit, workflow, execution, payload, waiting, at)])
  }

  /**
   * Records that an evaluation has suspended the run. Returns whether it is suspended: not where something that the
   * evaluation did not see has woken it meanwhile, as one that failed is only by a call. Where a power cut undoes it, the
   * run is evaluated once more.
   */
  suspend({ calls, id, wakes }: RunRow, failed: boolean, result: string, closed: Latch.Latch): Effect.Effect<boolean> {
    const suspending = failed
      ? statement(sql.suspendFailed, result, id, calls, this.token)
      : statement(sql.suspend, result, id, wakes, this.token)
    return Effect.map(this.writeRun([suspending], closed, "soon"), (row) => row !== undefined)
  }

  /** Records the end of a run, and wakes the run that has started it. Returns whether it is recorded. */
  end(row: RunRow, result: string, outcome: string, at: number, closed: Latch.Latch): Effect.Effect<boolean> {
    const { execution, id, parent, workflow } = row
    return Effect.map(
      this.writeRun([
        statement(sql.removeClocks, workflow, execution, this.token),
        // before the end, which says whether this process is the runner
        ...parent === null ? [] : [wakeParent(JSON.parse(parent), this.token)],
        statement(sql.end, result, outcome, at, id, this.token)
      ], closed),
      (row) => row !== undefined
    )
  }

  /** Asks a run to resume, or to end. Returns the run, unless it has ended or does not exist. */
  call({ execution, workflow }: Place, interruption: number): Effect.Effect<RunRow | undefined> {
    return this.writeRun([statement(sql.call, interruption, workflow, execution)])
  }

  // ---------------------------------------------------------------------------
  // activities
  // ---------------------------------------------------------------------------

  /** Reads which activities of a run have begun or ended. `use` gets them before anything else is recorded. */
  activities(id: number, use: (rows: ReadonlyArray<ActivityRow>) => void, closed: Latch.Latch): Effect.Effect<void> {
    return this.database.look<ActivityRow, void>(statement(sql.activities, id), closed, use)
  }

  /** Returns how an activity has ended. */
  activity(id: number, name: string, attempt: number, closed: Latch.Latch): Effect.Effect<string | undefined> {
    return Effect.map(
      this.database.look<{ exit: string | null }>(statement(sql.activity, id, name, attempt), closed),
      exitOf
    )
  }

  /**
   * Returns how an activity has ended whose end this process could not record, since it was recorded before; `undefined`
   * where that was because this process is no longer the runner.
   */
  recorded(id: number, name: string, attempt: number, closed: Latch.Latch): Effect.Effect<string | undefined> {
    const select = statement(sql.recorded, this.token, id, name, attempt)
    return Effect.map(
      this.database.look<{ exit: string | null; own: number }>(select, closed),
      (rows) => rows[0]?.own === 1 ? exitOf(rows) : undefined
    )
  }

  /** Records how an activity has ended, only once, and by the runner: otherwise the move returns no row. */
  recording(id: number, name: string, attempt: number, exit: string): Move {
    return [statement(sql.record, id, name, attempt, exit, this.token)]
  }

  // ---------------------------------------------------------------------------
  // crashes
  // ---------------------------------------------------------------------------

  /** Returns the attempts of a step or a hook that have begun. */
  begun({ execution, workflow }: Place, name: string, closed?: Latch.Latch): Effect.Effect<ReadonlyArray<Row>> {
    return this.database.look(statement(sql.begun, workflow, execution, name), closed)
  }

  /** Records that an activity begins. Returns whether it is recorded: only by the runner. */
  begin({ at, attempt, name, process, run }: Beginning, closed: Latch.Latch): Effect.Effect<boolean> {
    return Effect.map(
      this.database.write([statement(sql.begin, run, name, attempt, at, process, this.token)], closed, "process"),
      (rows) => rows.length > 0
    )
  }

  /** Takes that back for an activity that is under way in a process. Throws where it fails. */
  leave({ execution, workflow }: Place, name: string, attempt: number, process: string): void {
    this.database.commit([statement(sql.leave, workflow, execution, name, attempt, process)], "process")
  }

  // ---------------------------------------------------------------------------
  // deferreds and clocks
  // ---------------------------------------------------------------------------

  deferred({ execution, workflow }: Place, name: string, closed?: Latch.Latch): Effect.Effect<string | undefined> {
    return Effect.map(
      this.database.look<{ exit: string | null }>(statement(sql.deferred, workflow, execution, name), closed),
      exitOf
    )
  }

  /** Records how a deferred was completed, once, and wakes its run. Returns the run if it was woken. */
  complete(place: Place, name: string, exit: string): Effect.Effect<RunRow | undefined> {
    return this.writeRun([complete(place, name, exit), wakeIfChanged(place)])
  }

  /** Records when a clock goes off, unless it has done so or is known. */
  schedule({ execution, workflow }: Place, name: string, deferred: string, due: number): Effect.Effect<void> {
    return Effect.asVoid(this.database.write([
      statement(sql.schedule, workflow, execution, name, due, workflow, execution, deferred)
    ]))
  }

  /** Returns the clock that goes off next. */
  get nextClock(): Effect.Effect<ClockRow | undefined> {
    return Effect.map(this.database.look<ClockRow>(statement(sql.nextClock)), ([clock]) => clock)
  }

  /** Records that a clock has gone off, and wakes its run. Returns the run if it was woken. */
  goOff(clock: ClockRow, deferred: string, exit: string): Effect.Effect<RunRow | undefined> {
    const { execution, name, workflow } = clock
    return this.writeRun([
      statement(sql.removeClock, workflow, execution, name, this.token),
      complete(clock, deferred, exit),
      wakeIfChanged(clock)
    ])
  }
}

const wakeParent = ({ execution, workflow }: Place, token: string): Statement =>
  statement(sql.wakeParent, workflow, execution, token)
