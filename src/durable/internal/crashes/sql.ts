/** Counts the crashes on a cluster in a table, `effect_epilogue_begun`, of its database. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { newToken } from "../../../internal/text/token.ts"
import * as Writer from "../../../internal/text/writer.ts"
import { onceMade } from "../madeTable.ts"
import { sha256 } from "../sha256.ts"
import { begunOf, type Crashes, CurrentProcess, type Part, type Row, setCrashes, UnderWay } from "./crashes.ts"

const make = (client: SqlClient, process: string): Crashes => {
  const sql = client.withoutTransforms()
  const table = sql("effect_epilogue_begun")
  const underWay = new UnderWay()

  const inTable = onceMade(sql`CREATE TABLE IF NOT EXISTS ${table} (
    part VARCHAR(64) NOT NULL,
    attempt INTEGER NOT NULL,
    begun INTEGER NOT NULL,
    begun_at BIGINT NOT NULL,
    process VARCHAR(64),
    died TEXT,
    PRIMARY KEY (part, attempt)
  )`)
  const hashOf = ({ execution, name, workflow }: Part) => sha256(JSON.stringify([workflow, execution, name]))

  const rowsOf = (part: string): Effect.Effect<ReadonlyArray<Row>, SqlError> =>
    Effect.map(
      // drivers return a BIGINT as a text or a number
      inTable(sql<{ attempt: number; begun: number; begun_at: number | string; died: string | null }>`
        SELECT attempt, begun, begun_at, died FROM ${table} WHERE part = ${part}`),
      (rows) => rows.map(({ died, begun_at, ...row }) => ({ ...row, startedAt: Number(begun_at), death: died }))
    )

  /** A run does not stop for what is only counted. */
  const orNothing = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A | undefined> =>
    Effect.retry(effect, { schedule: Schedule.exponential("100 millis"), times: 5 }).pipe(
      Effect.catch((error) =>
        Effect.as(Writer.logWarning("effect-epilogue: a crash of this process would not be counted", error), undefined)
      )
    )

  const leave = (part: Part, attempt: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      underWay.delete(part, attempt)
      return orNothing(Effect.flatMap(hashOf(part), (hash) =>
        inTable(sql`UPDATE ${table} SET begun = begun - 1, process = NULL
          WHERE part = ${hash} AND attempt = ${attempt} AND begun > 0 AND process = ${process}`)))
    })

  return {
    begin: (part, attempt, at) =>
      orNothing(Effect.gen(function*() {
        const hash = yield* hashOf(part)
        const rows = yield* rowsOf(hash)
        underWay.add(part, attempt)
        yield* rows.some((row) => row.attempt === attempt)
          ? sql`UPDATE ${table} SET begun = begun + 1, process = ${process}, died = NULL
            WHERE part = ${hash} AND attempt = ${attempt}`
          : sql`INSERT INTO ${table} ${sql.insert({ part: hash, attempt, begun: 1, begun_at: at, process })}`
        return begunOf(rows, attempt)
      })),
    ended: (part, attempt) => underWay.delete(part, attempt),
    leave,
    leaveAll: (workflow) =>
      Effect.suspend(() =>
        Effect.forEach(underWay.of(workflow), ({ attempt, part }) => leave(part, attempt), { discard: true })
      ),
    find: (part) => orNothing(Effect.map(Effect.flatMap(hashOf(part), rowsOf), (rows) => begunOf(rows, -1)))
  }
}

/** Makes an engine count crashes in the database of the `SqlClient` around it, if there is one. */
export const withCrashes = <A, E, R>(
  engine: Layer.Layer<A | WorkflowEngine, E, R>
): Layer.Layer<A | WorkflowEngine, E, R> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const client = yield* Effect.serviceOption(SqlClient)
    if (client._tag === "None") return
    setCrashes(yield* WorkflowEngine, make(client.value, (yield* CurrentProcess) ?? newToken()))
  })).pipe(Layer.provideMerge(engine))
