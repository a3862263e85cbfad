/**
 * Executes the statements of the embedded engine on a connection of its own: a transaction of the user's on the
 * `SqlClient` of the same file neither holds nor undoes what the engine records.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Latch from "effect/Latch"
import type { SqlClient } from "effect/sql/SqlClient"
import { retryWhileBusy } from "../../../../internal/files/sqlite.ts"
import type { Health } from "../../storage/health.ts"
import type { Move, Statement, Value, Watch } from "../watch.ts"
import type { LogFile } from "./logFile.ts"

type Rows<A> = ReadonlyArray<A>

/** How long a move waits for other connections before that counts as a failure, in milliseconds. */
const patience = 5_000

/**
 * The fate that a commit survives: a power cut, for which it waits for the disk (`all`); a power cut once the disk has
 * it, which it does not wait for (`soon`); or the death of the process, and a power cut with the next commit
 * (`process`).
 */
export type Survives = "all" | "soon" | "process"

const begin: Statement = { sql: "BEGIN IMMEDIATE", params: [] }
const end: Statement = { sql: "COMMIT", params: [] }
const undo: Statement = { sql: "ROLLBACK", params: [] }

interface Settings {
  readonly synchronous: "full" | "normal"
  readonly health: Health
  readonly checkFile?: (() => void) | undefined
  readonly log?: LogFile | undefined
  readonly client?: SqlClient | undefined
  readonly watch?: Watch | undefined
}

/** A prepared statement. */
interface Prepared {
  readonly all: (...params: Array<Value>) => ReadonlyArray<unknown>
}

/**
 * The part of a connection of `node:sqlite` that is used. Errors of this module's neighbours are public, and with the
 * types of `node:sqlite` itself they would ask every project for `@types/node`.
 */
interface Connection {
  readonly isOpen: boolean
  readonly isTransaction: boolean
  readonly exec: (sql: string) => void
  readonly prepare: (sql: string) => Prepared
}

/** The connection of the engine to a database. */
export class Database {
  private readonly db: Connection
  private readonly watch: Watch
  /** The client of the same file, in whose transactions moves of the same fiber take part. */
  private readonly client: SqlClient | undefined
  private readonly prepared = new Map<string, Prepared>()
  readonly health: Health
  /** Throws where the file is not there any more. */
  private readonly checkFile: () => void
  private readonly log: LogFile | undefined
  /** Whether a commit waits for the disk by the connection's settings; `undefined` where none is to. */
  private waits: boolean | undefined

  constructor(db: Connection, { checkFile = () => {}, client, health, log, synchronous, watch = {} }: Settings) {
    this.db = db
    this.watch = watch
    this.client = client
    this.health = health
    this.checkFile = checkFile
    this.log = log
    this.waits = synchronous === "full" ? true : undefined
  }

  private setWaits(waits: boolean): void {
    if (this.waits === undefined || this.waits === waits) return
    const pragma = waits ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"
    this.watch.statement?.(pragma)
    // not prepared: it takes effect when it is compiled
    this.db.exec(pragma)
    this.waits = waits
  }

  /** Commits, so that it survives what it has to. */
  private committing<A>(survives: Survives, commit: () => A): A {
    if (this.waits === undefined) return commit()
    // without a log the disk could not be told
    const isSoon = survives === "soon" && this.log?.open() === true
    const waits = survives !== "process" && !isSoon
    this.setWaits(waits)
    const committed = commit()
    if (isSoon) this.log?.sync()
    else if (waits) this.log?.synced()
    return committed
  }

  /** Executes a statement. All statements of the engine pass here, but for those in a transaction of the client. */
  private execute<A>({ params, sql }: Statement): Rows<A> {
    if (!this.db.isOpen) throw new TypeError("the engine is closed")
    this.watch.statement?.(sql)
    let prepared = this.prepared.get(sql)
    if (prepared === undefined) {
      prepared = this.db.prepare(sql)
      this.prepared.set(sql, prepared)
    }
    // the cast: the caller knows the columns of its statement
    return prepared.all(...params) as Rows<A>
  }

  /** Executes a statement that reads, at once. Throws where it fails. Readers wait for nobody. */
  read<A>(statement: Statement): Rows<A> {
    return this.execute<A>(statement)
  }

  /** As {@link read}, and tries again while the storage fails: see `insist` of {@link Health} for `closed`. */
  look<A>(statement: Statement, closed?: Latch.Latch): Effect.Effect<Rows<A>>
  /** `use` is called with the rows at once, before another fiber goes on. */
  look<A, B>(statement: Statement, closed: Latch.Latch | undefined, use: (rows: Rows<A>) => B): Effect.Effect<B>
  look<A>(
    statement: Statement,
    closed?: Latch.Latch,
    use: (rows: Rows<A>) => unknown = (rows) => rows
  ): Effect.Effect<unknown> {
    return this.health.insist("read", tried(() => use(this.read<A>(statement))), closed)
  }

  /** Tells where the file is not there any more, also while nothing is written. */
  get watchFile(): Effect.Effect<void> {
    return this.health.check(tried(this.checkFile))
  }

  /** Calls a function in a transaction, which is rolled back if the function throws. */
  transaction<A>(body: () => A): A {
    return this.committing("all", () => {
      this.execute(begin)
      try {
        const result = body()
        this.execute(end)
        return result
      } catch (error) {
        // SQLite has ended the transaction by itself after some errors
        if (this.db.isOpen && this.db.isTransaction) this.execute(undo)
        throw error
      }
    })
  }

  /** Executes a move at once, and returns the rows of its last statement. Throws where it fails. */
  commit<A>(move: Move, survives: Survives = "all"): Rows<A> {
    const [first, ...others] = move
    if (first !== undefined && others.length === 0) {
      return this.committing(survives, () => this.execute<A>(first))
    }
    return this.transaction(() => move.reduce<Rows<A>>((_, statement) => this.execute<A>(statement), []))
  }

  /**
   * Executes a move, and returns the rows of its last statement. While the storage fails it tries again: see `insist` of
   * {@link Health} for `closed`. In a transaction of the client it dies instead, since a failure may have ended that.
   */
  write<A>(move: Move, closed?: Latch.Latch, survives?: Survives): Effect.Effect<Rows<A>> {
    return Effect.withFiber((fiber) =>
      this.inTransaction(fiber.context)
        ? Effect.orDie(this.attempt<A>(move))
        : this.insist(this.attempt<A>(move, survives), closed)
    )
  }

  /** Executes a move once, in the transaction of the client that the fiber is in, if it is. */
  attempt<A>(move: Move, survives?: Survives): Effect.Effect<Rows<A>, unknown> {
    return Effect.withFiber((fiber) => {
      const execute = this.inTransaction(fiber.context)
        ? this.onClient<A>(move)
        : retryWhileBusy(() => {
          this.checkFile()
          return this.commit<A>(move, survives)
        }, patience)
      return this.watch.move?.(move, execute) ?? execute
    })
  }

  /** Executes an effect in a transaction of the client, and once more while the storage fails, as {@link write} does. */
  inClient<A>(effect: Effect.Effect<A, unknown>, closed: Latch.Latch): Effect.Effect<A> {
    return this.insist(this.client === undefined ? effect : this.client.withTransaction(effect), closed)
  }

  private insist<A>(execute: Effect.Effect<A, unknown>, closed: Latch.Latch | undefined): Effect.Effect<A> {
    const insisting = this.health.insist("write", execute, closed)
    // raced only where the storage may take its time, since a race costs as much as a commit
    return this.watch.move === undefined || closed === undefined
      ? insisting
      : Effect.raceFirst(insisting, Effect.andThen(closed.await, Effect.interrupt))
  }

  /** Whether a fiber is in a transaction of the client, which would wait for itself on another connection. */
  inTransaction(context: Context.Context<never>): boolean {
    return this.client !== undefined && Context.getOrUndefined(context, this.client.transactionService) !== undefined
  }

  /** Runs an effect once the transaction of the client that the fiber is in is committed, or now if it is in none. */
  afterCommit(effect: Effect.Effect<void>): Effect.Effect<void> {
    return this.client === undefined ? effect : this.client.afterCommit(effect)
  }

  private onClient<A>(move: Move): Effect.Effect<Rows<A>, unknown> {
    return Effect.reduce(
      move,
      (): Rows<A> => [],
      // the cast: as in `execute`
      (_, { params, sql }) => this.client!.unsafe(sql, params) as Effect.Effect<Rows<any>, unknown>
    )
  }

  /** Returns a number that changes when another connection has changed the file. */
  get dataVersion(): number {
    return this.read<{ data_version: number }>({ sql: "PRAGMA data_version", params: [] })[0]!.data_version
  }
}

/** The current time in milliseconds, by the clock of the fiber. */
export const now: Effect.Effect<number> = Clock.currentTimeMillis

/** Calls a function at each evaluation, and fails with what it throws. */
const tried = <A>(call: () => A): Effect.Effect<A, unknown> => Effect.try({ try: call, catch: (cause) => cause })
