/**
 * Makes one process the runner of a database. The lock is a row of the database itself, so it holds under each name of
 * the file, and nothing beside the file can be removed to get around it. The row names the process: where that is dead,
 * the next one takes over at once. Where nobody can tell, as in another container, the next process asks in the row,
 * and a runner that lives answers. Each record that a runner makes is made only while the row has its token, so that one
 * that was taken for dead records nothing any more.
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"
import { identify, type Identity, isAlive, liveTokens } from "../../../../internal/files/identity.ts"
import { pause, retryWhileBusy } from "../../../../internal/files/sqlite.ts"
import { selfExplained } from "../../../../internal/text/selfExplained.ts"
import { newToken } from "../../../../internal/text/token.ts"
import { failure } from "../nodeSqlite.ts"
import type { Statement } from "../watch.ts"
import type { Database } from "./database.ts"

const Base: new(fields: { readonly filename: string }) => Cause.YieldableError & {
  readonly _tag: "DatabaseInUse"
  readonly filename: string
} = selfExplained(Data.TaggedError("DatabaseInUse")<{ readonly filename: string }>)

export class DatabaseInUse extends Base {
  override get message(): string {
    return `another process has the database ${this.filename} open to run what is in it, and only one may`
  }
}

interface Row {
  readonly runner: string | null
  readonly identity: string | null
  readonly asked: string | null
  readonly answered: string | null
}

const select: Statement = {
  sql: "SELECT runner, identity, asked, answered FROM effect_epilogue_engine",
  params: []
}

const rowOf = (database: Database): Row | undefined => database.read<Row>(select)[0]

/** Says whether the runner of a row lives, or that it has to be asked. */
const verdict = ({ identity, runner }: Row, own: Identity): "alive" | "dead" | "ask" => {
  if (runner === null || identity === null) return "dead"
  const known = isAlive(runner, JSON.parse(identity), own)
  return known === undefined ? "ask" : known ? "alive" : "dead"
}

/** How long a process waits for a runner that is shutting down, and for the answer of one that may live, in milliseconds. */
export const patience = { closing: 3_000, answer: 10_000 }

const interval = 50

type Look = "dead" | "alive" | "waiting"

/**
 * Returns a function that looks whether the runner lives, and asks it where nobody can tell. `ring` wakes the runner.
 */
const inquiry = (database: Database, ring: () => void): () => Look => {
  const own = identify()
  const question = newToken()
  let about: string | undefined
  let since = 0
  return () => {
    const row = rowOf(database)
    if (row === undefined) return "dead"
    const known = verdict(row, own)
    if (known !== "ask") return known
    if (about !== row.runner || (row.asked !== question && performance.now() - since > 1_000)) {
      // another process may have asked in between, whose question has taken the place of this one
      if (about !== row.runner) since = performance.now()
      about = row.runner ?? undefined
      database.commit([{ sql: "UPDATE effect_epilogue_engine SET asked = ?", params: [question] }])
      ring()
      return "waiting"
    }
    if (row.asked === question && row.answered === question) return "alive"
    return performance.now() - since > patience.answer ? "dead" : "waiting"
  }
}

/** Whether a process runs what is in the database, or may do so where nobody can tell. */
export const isRun = (database: Database, ring: () => void): Effect.Effect<boolean> => {
  const look = inquiry(database, ring)
  const until: Effect.Effect<boolean, unknown> = Effect.flatMap(
    retryWhileBusy(look, patience.closing),
    (seen) => seen === "waiting" ? Effect.andThen(pause(interval), until) : Effect.succeed(seen === "alive")
  )
  return Effect.orElseSucceed(until, () => true)
}

/**
 * Moves the row from the file `-wal` into the database, for processes that reach that by a hard link: they look for another
 * `-wal` file, beside the name that they have.
 */
const publish = (database: Database): void => {
  try {
    database.read({ sql: "PRAGMA wal_checkpoint(PASSIVE)", params: [] })
  } catch {
    // a later checkpoint does it
  }
}

/** Makes this process the runner, until the scope closes. Returns its token. */
export const acquire = (
  database: Database,
  filename: string,
  ring: () => void
): Effect.Effect<string, DatabaseInUse | SqlError> => {
  const token = newToken()
  const look = inquiry(database, ring)
  const identity = JSON.stringify(identify())
  const start = performance.now()
  /** In a transaction, so that of two processes that find the runner dead one takes over. */
  const attempt = (): Look =>
    database.transaction(() => {
      const row = rowOf(database)
      if (row !== undefined && verdict(row, identify()) === "alive") return "alive"
      database.commit([{
        sql: "UPDATE effect_epilogue_engine SET runner = ?, identity = ?, asked = NULL, answered = NULL",
        params: [token, identity]
      }])
      return "dead"
    })
  const until: Effect.Effect<string, unknown> = Effect.flatMap(
    retryWhileBusy(() => {
      const seen = look()
      return seen === "dead" ? attempt() : seen
    }, patience.closing),
    (seen) => {
      if (seen === "dead") {
        liveTokens.add(token)
        publish(database)
        return Effect.succeed(token)
      }
      return seen === "alive" && performance.now() - start > patience.closing
        ? Effect.fail(new DatabaseInUse({ filename }))
        : Effect.andThen(pause(interval), until)
    }
  )
  return Effect.mapError(
    until,
    (cause) => cause instanceof DatabaseInUse ? cause : failure(cause, "connect", `can't lock the database ${filename}`)
  )
}

/** Lets other processes run what is in the database. */
export const release = (database: Database, token: string): Effect.Effect<void> =>
  Effect.suspend(() => {
    liveTokens.delete(token)
    const statement = {
      sql: "UPDATE effect_epilogue_engine SET runner = NULL, identity = NULL WHERE runner = ?",
      params: [token]
    }
    // where it can't be written, the next process finds this one dead
    return Effect.ignore(retryWhileBusy(() => database.commit([statement]), patience.closing))
  })

/** Whether this process is still the runner. Answers the question of a process that wants to know whether it lives. */
export const confirm = (database: Database, token: string): Effect.Effect<boolean> =>
  Effect.flatMap(database.look<Row>(select), ([row]) => {
    if (row?.runner !== token) return Effect.succeed(false)
    if (row.asked === row.answered) return Effect.succeed(true)
    const answer: Statement = {
      sql: "UPDATE effect_epilogue_engine SET answered = asked WHERE runner = ?",
      params: [token]
    }
    return Effect.as(database.write([answer]), true)
  })
