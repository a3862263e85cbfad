/** The runs in the tables of the embedded engine, for those who look after them. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { retryWhileBusy } from "../../../../internal/files/sqlite.ts"
import type { RunStatus, StoredRun, StoredRunDetails, StoredRunQuestion } from "../../../../internal/model/storedRun.ts"
import { type QuestionRow, questionsOf } from "../../questions/shown.ts"
import { type ActivityRow, runHooks, stepsOf, type StoredExit, whyOf } from "../../runs/recorded.ts"
import { keptOf, originalOf } from "../../runs/retrying.ts"
import { hasEnded, historyOf, type Management, RunRefused, type StoredRuns } from "../../runs/runs.ts"
import { limitClock } from "../../stored/records.ts"
import { statement } from "../watch.ts"
import { type Database, now } from "./database.ts"
import type { Executions } from "./executions.ts"
import { prune } from "./pruning.ts"
import { has } from "./schema.ts"
import type { Place } from "./store.ts"

interface Row {
  readonly id: number
  readonly workflow: string
  readonly execution: string
  readonly payload: string
  readonly status: RunStatus
  readonly result: string | null
  readonly set_aside: string | null
  readonly retry_of: string | null
  readonly submitted_at: number
  readonly ended_at: number | null
  readonly due: number | null
}

// the clock of a run's time limit is none that it waits for
const runs = `SELECT id, workflow, execution, payload, result, set_aside, retry_of, submitted_at, ended_at,
  (SELECT MIN(due) FROM effect_epilogue_clocks WHERE workflow = effect_epilogue_runs.workflow
    AND execution = effect_epilogue_runs.execution AND name <> '${limitClock}') AS due,
  CASE WHEN state = 'ended' THEN outcome WHEN state = 'ready' THEN 'running'
    WHEN set_aside IS NOT NULL THEN 'setAside' ELSE 'waiting' END AS status
  FROM effect_epilogue_runs`

/** A condition that a value is one of a list in JSON, or that there is no list. The list is a parameter twice. */
const isIn = (value: string): string => `(? IS NULL OR ${value} IN (SELECT value FROM json_each(?)))`

const listOf = (values: ReadonlyArray<string> | undefined): string | null =>
  values === undefined ? null : JSON.stringify(values)

const toRun = (
  { due, ended_at, execution, result, retry_of, set_aside, status, submitted_at, workflow }: Row
): StoredRun => {
  const stored: { readonly exit?: StoredExit } = result === null ? {} : JSON.parse(result)
  return {
    pipelineName: workflow,
    runId: execution,
    status,
    submittedAt: DateTime.makeUnsafe(submitted_at),
    endedAt: ended_at === null ? undefined : DateTime.makeUnsafe(ended_at),
    retryOf: retry_of ?? undefined,
    why: status === "setAside" ? set_aside ?? undefined : whyOf(stored.exit),
    waitsUntil: status === "waiting" && due !== null ? DateTime.makeUnsafe(due) : undefined
  }
}

const refused = (reason: RunRefused["reason"], detail: string) => new RunRefused({ reason, detail })

/**
 * `executions` are those of the process that runs what is stored; other processes ring. `call` interrupts a run, as
 * `Store.call` says.
 */
export const make = (
  database: Database,
  executions: Executions | undefined,
  ring: () => void,
  call: (place: Place, interruption: number) => Effect.Effect<void>
): StoredRuns => {
  const find = (runId: string): Row | RunRefused => {
    const [exact] = database.read<Row>(statement(`${runs} WHERE execution = ?`, runId))
    if (exact !== undefined) return exact
    const found = runId === "" ? [] : database.read<Row>(
      statement(`${runs} WHERE substr(execution, 1, ?) = ? LIMIT 2`, runId.length, runId)
    )
    if (found.length > 1) return refused("Ambiguous", `several runs have an id that begins with ${runId}`)
    return found[0] ?? refused("NotFound", `there is no run ${runId}`)
  }
  const activities = (id: number): ReadonlyArray<ActivityRow> =>
    database.read<ActivityRow>(
      statement("SELECT name, attempt, exit FROM effect_epilogue_activities WHERE run = ? AND exit IS NOT NULL", id)
    )
  const found = <A>(row: A | RunRefused): Effect.Effect<A, RunRefused> =>
    row instanceof RunRefused ? Effect.fail(row) : Effect.succeed(row)
  const management: Management = {
    list: ({ limit = 100, pipelines, statuses }) =>
      Effect.sync(() => {
        const [ofPipelines, ofStatuses] = [listOf(pipelines), listOf(statuses)]
        return database.read<Row>(statement(
          `SELECT * FROM (${runs}) WHERE ${isIn("workflow")} AND ${isIn("status")} ORDER BY id DESC LIMIT ?`,
          ofPipelines,
          ofPipelines,
          ofStatuses,
          ofStatuses,
          limit
        )).map(toRun)
      }),
    show: (runId) =>
      Effect.suspend(() =>
        Effect.map(found(find(runId)), (row): StoredRunDetails => {
          const rows = activities(row.id)
          const run = toRun(row)
          const isOver = run.endedAt !== undefined
          return {
            ...run,
            payload: JSON.parse(row.payload),
            // the fields of a `StoredStep`, without those that only a retry needs
            steps: stepsOf(rows, isOver).map(({ key: _, order: __, startedMillis: ___, ...step }) => step),
            hooks: runHooks(rows, isOver),
            questions: questionsIn(database, row),
            retriedAs: database.read<{ execution: string }>(
              statement("SELECT execution FROM effect_epilogue_runs WHERE retry_of = ? ORDER BY id", row.execution)
            ).map(({ execution }) => execution)
          }
        })
      ),
    interrupt: (runId, now) =>
      Effect.gen(function*() {
        const row = yield* found(find(runId))
        if (row.ended_at !== null) return yield* hasEnded(row.execution)
        yield* call({ workflow: row.workflow, execution: row.execution }, now ? 2 : 1)
        return toRun(row)
      }),
    retry: (runId, from) =>
      Effect.gen(function*() {
        const at = yield* now
        const made = yield* found(
          yield* Effect.orDie(retryWhileBusy(
            () =>
              database.transaction(() => {
                const row = find(runId)
                return row instanceof RunRefused ? row : copy(database, row, activities(row.id), from, at)
              }),
            5_000
          ))
        )
        if (executions === undefined) ring()
        else yield* executions.lookAt({ workflow: made.workflow, execution: made.execution })
        return toRun(made)
      }),
    prune: ({ keep, olderThan, pipelines }) =>
      Effect.flatMap(now, (now) =>
        prune(database, {
          before: olderThan === undefined ? undefined : now - Duration.toMillis(olderThan),
          keep,
          pipelines: listOf(pipelines),
          either: false
        }))
  }
  return {
    management,
    retryOf: ({ executionId, workflow }) =>
      Effect.sync(() =>
        executions?.liveOf({ workflow: workflow._tag, execution: executionId })?.row.retry_of ?? undefined
      ),
    // read when the evaluation began that asks for it
    history: (workflow, execution) =>
      Effect.sync(() => executions?.liveOf({ workflow, execution })?.known.history ?? historyOf([])),
    setAside: ({ _tag: workflow }, execution, why) =>
      Effect.suspend(() => {
        const live = executions?.liveOf({ workflow, execution })
        return live === undefined ? Effect.void : executions!.setAside(live, why)
      })
  }
}

// -----------------------------------------------------------------------------
// retries
// -----------------------------------------------------------------------------

/** Makes a run of what another one has stored, but for the steps that run again. In a transaction. */
const copy = (
  database: Database,
  row: Row,
  rows: ReadonlyArray<ActivityRow>,
  from: string | undefined,
  at: number
): Row | RunRefused => {
  const kept = keptOf(toRun(row), rows, from)
  if (kept instanceof RunRefused) return kept
  const { workflow } = row
  const original = originalOf(row.execution)
  const [counted] = database.read<{ count: number }>(statement(
    "SELECT COUNT(*) AS count FROM effect_epilogue_runs WHERE workflow = ? AND substr(execution, 1, ?) = ?",
    workflow,
    original.length + 1,
    `${original}~`
  ))
  let number = (counted?.count ?? 0) + 2
  const exists = () =>
    database.read(statement(
      "SELECT 1 FROM effect_epilogue_runs WHERE workflow = ? AND execution = ?",
      workflow,
      `${original}~${number}`
    )).length > 0
  while (exists()) number++
  const execution = `${original}~${number}`
  const [made] = database.read<{ id: number }>(statement(
    `INSERT INTO effect_epilogue_runs (workflow, execution, payload, parent, state, retry_of, submitted_at)
     VALUES (?, ?, ?, NULL, 'ready', ?, ?) RETURNING id`,
    workflow,
    execution,
    row.payload,
    row.execution,
    at
  ))
  for (const { attempt, exit, name } of kept.activities) {
    database.read(statement(
      "INSERT INTO effect_epilogue_activities (run, name, attempt, exit) VALUES (?, ?, ?, ?)",
      made!.id,
      name,
      attempt,
      exit
    ))
  }
  const deferreds = database.read<{ name: string; exit: string }>(statement(
    "SELECT name, exit FROM effect_epilogue_deferreds WHERE workflow = ? AND execution = ?",
    workflow,
    row.execution
  ))
  for (const { exit, name } of deferreds) {
    if (!kept.keepsDeferred(name, exit)) continue
    database.read(statement(
      "INSERT INTO effect_epilogue_deferreds (workflow, execution, name, exit) VALUES (?, ?, ?, ?)",
      workflow,
      execution,
      name,
      exit
    ))
  }
  return database.read<Row>(statement(`${runs} WHERE id = ?`, made!.id))[0]!
}

// -----------------------------------------------------------------------------
// questions
// -----------------------------------------------------------------------------

const questionsIn = (database: Database, { execution, workflow }: Row): ReadonlyArray<StoredRunQuestion> => {
  if (!has(database, "effect_epilogue_questions")) return []
  const rows = database.read<QuestionRow>(statement(
    `SELECT question, ended FROM effect_epilogue_questions
     WHERE json_extract(question, '$.executionId') = ? AND json_extract(question, '$.workflowName') = ?`,
    execution,
    workflow
  ))
  return questionsOf(rows, { pipelineName: workflow, runId: execution })
}
