/**
 * Keeps alerts in a table, `effect_epilogue_alerts`, until they have been delivered.
 *
 * A process that delivers an alert claims its row for a while, and renews the claim. A row whose process is dead, or no
 * longer renews the claim, can be claimed by the next one. What a process records of a row counts only while the row has
 * its claim.
 */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Fragment } from "effect/sql/Statement"
import { identify, type Identity, isAlive, liveTokens } from "../../../internal/files/identity.ts"
import { newToken } from "../../../internal/text/token.ts"
import { type Effected, nowOf, prepare, type State, tableName } from "./table.ts"

/** A row that this process has claimed. */
export interface Claimed {
  readonly id: string
  /** The alert as JSON. */
  readonly alert: string
  /** The number of this attempt, 1 for the first. */
  readonly attempts: number
  /** How often the channel has refused the alert. */
  readonly refusals: number
  readonly claim: string
}

/** The outcome of a claim: a row is delivered, given back, tried again later or set aside. */
export type Outcome =
  | { readonly _tag: "Done" }
  /** Not delivered, and not tried: the attempt does not count. */
  | { readonly _tag: "Released" }
  | { readonly _tag: "Failed"; readonly delay: number; readonly refusals: number; readonly failure: string }
  | { readonly _tag: "Aside"; readonly refusals: number; readonly failure: string }

/** The work of an outbox. */
export interface Look {
  /** Whether rows can be claimed now. */
  readonly isDue: boolean
  /** When the next row can be claimed that no living process has; `undefined` if there is none. */
  readonly next: number | undefined
  /** The names of dead processes. */
  readonly dead: ReadonlyArray<string>
}

/** The rows that an outbox leaves. */
export interface Left {
  readonly waiting: number
  readonly aside: number
}

/** For how long rows remain that were delivered, in milliseconds. */
const keepTime = 30 * 24 * 60 * 60_000

/** By how much clocks are put back without mention, in milliseconds: all that write the table share one. */
const step = 60_000

/** No claim is longer than this, in milliseconds. */
const longest = 24 * 60 * 60_000

/** Rows of one queue. */
export class Rows {
  private readonly sql: SqlClient
  private readonly queue: string
  /** For how long a claim holds that is not renewed, in milliseconds. */
  private readonly lease: number
  private readonly identity: Identity = identify()
  private readonly token = newToken()
  /** The name of this outbox in its claims. */
  private readonly name = JSON.stringify([this.token, this.identity])

  constructor(client: SqlClient, queue: string, lease: number) {
    this.sql = client.withoutTransforms()
    this.queue = queue
    this.lease = lease
  }

  private get table() {
    return this.sql(tableName)
  }

  /** Makes the table where it is missing. */
  get prepare(): Effected<void> {
    return prepare(this.sql)
  }

  get now(): Effected<number> {
    return nowOf(this.sql)
  }

  /** Stores an alert, unless one with this id is stored, and calls `stored` once that is committed. */
  insert(id: string, run: string, alert: string, stored: () => void): Effected<void> {
    const { queue, sql, table } = this
    const insert = (at: number) => {
      const row = {
        id,
        queue,
        run,
        state: "waiting",
        alert,
        attempts: 0,
        refusals: 0,
        due: at,
        stored_at: at,
        changed_at: at
      }
      return sql.onDialectOrElse({
        mysql: () => sql`INSERT IGNORE INTO ${table} ${sql.insert(row)}`,
        orElse: () => sql`INSERT INTO ${table} ${sql.insert(row)} ON CONFLICT (id) DO NOTHING`
      })
    }
    return Effect.andThen(Effect.flatMap(this.now, insert), sql.afterCommit(Effect.sync(stored)))
  }

  /** Returns the state of a stored alert. */
  stateOf(id: string): Effected<State | undefined> {
    const { sql, table } = this
    return Effect.map(sql<{ state: State }>`SELECT state FROM ${table} WHERE id = ${id}`, ([row]) => row?.state)
  }

  // ---------------------------------------------------------------------------
  // delivery
  // ---------------------------------------------------------------------------

  /** From now on other outboxes take the claims of this one for those of a living process. */
  open(): void {
    liveTokens.add(this.token)
  }

  close(): void {
    liveTokens.delete(this.token)
  }

  private isAlive(name: string): boolean | undefined {
    // the cast: outboxes alone write claims
    const [token, identity] = JSON.parse(name) as [string, Identity]
    return isAlive(token, identity, this.identity)
  }

  /** Selects when a row is due: at once if it was written while the clock was ahead, which may have been by years. */
  private due(now: number): Fragment {
    return this.sql`(CASE WHEN changed_at > ${now + step} THEN 0 ELSE due END)`
  }

  /** Looks what can be claimed. */
  look(now: number): Effected<Look> {
    const { queue, sql, table } = this
    type Row = { readonly claimed_by: string | null; readonly due: number; readonly until: number | null }
    return Effect.map(
      sql<Row>`SELECT claimed_by, MIN(${this.due(now)}) AS due, MIN(claimed_until) AS until FROM ${table}
        WHERE queue = ${queue} AND state = 'waiting' GROUP BY claimed_by`,
      (rows) => {
        const dead: Array<string> = []
        let next: number | undefined
        for (const { claimed_by: by, due, until } of rows) {
          const alive = by === null ? false : this.isAlive(by)
          if (by !== null && alive === false) dead.push(by)
          const at = Number(alive === false ? due : until ?? 0)
          // a living process may have been held up for so long that it did not renew its claim
          if (alive !== true || at <= now) next = Math.min(next ?? at, at)
        }
        return { isDue: next !== undefined && next <= now, next, dead }
      }
    )
  }

  /** Claims rows that are due, at most that many. */
  claim(now: number, dead: ReadonlyArray<string>, most: number): Effected<ReadonlyArray<Claimed>> {
    const { lease, name, queue, sql, table } = this
    const claim = newToken()
    const free = sql.or([
      sql`claim IS NULL`,
      sql`claimed_until <= ${now}`,
      // written while the clock was wrong
      sql`claimed_until > ${now + longest}`,
      ...(dead.length === 0 ? [] : [sql.in("claimed_by", dead)])
    ])
    const isDue = sql`queue = ${queue} AND state = 'waiting' AND ${this.due(now)} <= ${now} AND ${free}`
    return Effect.gen(function*() {
      const found = yield* sql<
        { id: string }
      >`SELECT id FROM ${table} WHERE ${isDue} ORDER BY due, stored_at LIMIT ${sql.literal(String(most))}`
      if (found.length === 0) return []
      // the condition again, since another process may have claimed them
      yield* sql`UPDATE ${table} SET claim = ${claim}, claimed_by = ${name}, claimed_until = ${now + lease},
        attempts = attempts + 1 WHERE ${sql.in("id", found.map(({ id }) => id))} AND ${isDue}`
      const rows = yield* sql<Claimed>`SELECT id, alert, attempts, refusals, claim FROM ${table}
        WHERE claim = ${claim} ORDER BY due, stored_at`
      return rows
    })
  }

  /** Renews claims. */
  renew(claims: ReadonlySet<string>): Effected<void> {
    const { lease, sql, table } = this
    return claims.size === 0 ? Effect.void : Effect.flatMap(
      this.now,
      (now) =>
        Effect.asVoid(sql`UPDATE ${table} SET claimed_until = ${now + lease} WHERE ${sql.in("claim", [...claims])}`)
    )
  }

  /** Records what has become of a claimed row. */
  settle({ claim, id }: Claimed, outcome: Outcome): Effected<void> {
    const { sql, table } = this
    return Effect.flatMap(this.now, (now) => {
      const set = (assignments: Fragment) =>
        Effect.asVoid(
          sql`UPDATE ${table} SET ${assignments}, claim = NULL, claimed_by = NULL, claimed_until = NULL,
            changed_at = ${now} WHERE id = ${id} AND claim = ${claim}`
        )
      switch (outcome._tag) {
        case "Done":
          // only the id is needed from now on
          return set(sql`state = 'done', alert = '', failure = NULL`)
        case "Released":
          return set(sql`attempts = attempts - 1`)
        case "Failed":
          return set(
            sql`due = ${now + outcome.delay}, refusals = ${outcome.refusals}, failure = ${outcome.failure}`
          )
        case "Aside":
          return set(sql`state = 'aside', refusals = ${outcome.refusals}, failure = ${outcome.failure}`)
      }
    })
  }

  /** Counts what is left for the next process, without what living processes have claimed. */
  get left(): Effected<Left> {
    const { queue, sql, table } = this
    type Row = { readonly state: string; readonly claimed_by: string | null; readonly count: number | string }
    return Effect.map(
      sql<Row>`SELECT state, claimed_by, COUNT(*) AS count FROM ${table}
        WHERE queue = ${queue} AND state IN ('waiting', 'aside') GROUP BY state, claimed_by`,
      (rows) => {
        let waiting = 0
        let aside = 0
        for (const { claimed_by: by, count, state } of rows) {
          if (state === "aside") aside += Number(count)
          else if (by === null || this.isAlive(by) !== true) waiting += Number(count)
        }
        return { waiting, aside }
      }
    )
  }

  /** Removes rows of alerts that were delivered long ago. */
  get clean(): Effected<void> {
    const { queue, sql, table } = this
    return Effect.flatMap(
      this.now,
      (now) =>
        Effect.asVoid(
          sql`DELETE FROM ${table} WHERE queue = ${queue} AND state IN ('done', 'dropped')
            AND changed_at < ${now - keepTime}`
        )
    )
  }
}
