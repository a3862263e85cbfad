/**
 * Stands for processes that run what is in one file and die at any statement, all within this one. What a process does
 * outside of the database, such as a call of a step's body, is told to the world, which finds what must not happen.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { DatabaseSync } from "node:sqlite"
import { Durable } from "../../../../src/durable/index.ts"
import { CurrentWatch, type Watch } from "../../../../src/durable/internal/engine/watch.ts"
import { liveTokens } from "../../../../src/internal/files/identity.ts"
import { nextTurn } from "../../../support/eventLoop.ts"

/** A process. */
export interface Process {
  readonly nth: number
  /** It does nothing any more. */
  dead: boolean
  /** Opened when the test is over: what hangs in a dead process ends then. */
  readonly over: Deferred.Deferred<void>
  readonly died: Deferred.Deferred<void>
  /** The tokens of others in this process. */
  readonly others: ReadonlySet<string>
  /** What is left until it dies. */
  left: Left | undefined
}

interface Left {
  /** The statements until then; negative once its last one is executed. */
  statements: number
  /** Whether the process dies after the last statement's move, and not before that statement. */
  readonly after: boolean
  inTransaction: boolean
}

/** The error of all that a dead process tries. */
class Dead extends Error {}

export class Processes {
  readonly filename: string
  /** Counts what happens, so that a test can wait until nothing does. */
  ticks = 0
  /** By how much the time of day differs from that of the test's clock. */
  offset = 0
  private readonly all: Array<readonly [Process, Scope.Closeable]> = []
  private reader: DatabaseSync | undefined

  constructor(filename: string) {
    this.filename = filename
  }

  /** Makes a dead process die, in all that it does. */
  static readonly kill = (process: Process): void => {
    process.dead = true
    Deferred.doneUnsafe(process.died, Exit.void)
    // the next process takes this one for dead, as one of another number
    for (const token of liveTokens) if (!process.others.has(token)) liveTokens.delete(token)
  }

  /** Hangs in a dead process, and does nothing in others. */
  alive(process: Process): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.ticks++
      return process.dead ? Effect.andThen(Deferred.await(process.over), Effect.die(new Dead())) : Effect.void
    })
  }

  private watch(process: Process): Watch {
    return {
      statement: (sql) => {
        this.ticks++
        // otherwise the connection of the dead process would keep the lock
        if (sql === "ROLLBACK") return
        const { left } = process
        if (
          left !== undefined && (left.statements < 0 ? !left.inTransaction : left.statements-- === 0 && !left.after)
        ) {
          Processes.kill(process)
        }
        if (process.dead) throw new Dead()
        if (left !== undefined && sql.startsWith("BEGIN")) left.inTransaction = true
        if (left !== undefined && sql === "COMMIT") left.inTransaction = false
      },
      move: (_, execute) =>
        Effect.andThen(
          this.alive(process),
          Effect.matchCauseEffect(execute, {
            onFailure: (cause) => Effect.andThen(this.alive(process), Effect.failCause(cause)),
            onSuccess: (value) => {
              if (process.left !== undefined && process.left.statements < 0) Processes.kill(process)
              return Effect.as(this.alive(process), value)
            }
          })
        )
    }
  }

  /** A clock on which nothing happens in a dead process. */
  private clock(clock: Clock.Clock, process: Process): Clock.Clock {
    const millis = () => clock.currentTimeMillisUnsafe() + this.offset
    return {
      ...clock,
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      sleep: (duration) =>
        Effect.andThen(this.alive(process), Effect.andThen(clock.sleep(duration), this.alive(process)))
    }
  }

  /** Starts a process. Returns `undefined` where it dies before its layer is built. */
  start<A, R>(
    pipelines: (process: Process) => Layer.Layer<A, never, WorkflowEngine | R>
  ) {
    return Effect.gen({ self: this }, function*() {
      const process: Process = {
        nth: this.all.length,
        dead: false,
        others: new Set(liveTokens),
        over: Deferred.makeUnsafe(),
        died: Deferred.makeUnsafe(),
        left: undefined
      }
      const scope = Scope.makeUnsafe()
      this.all.push([process, scope])
      const clock = this.clock(yield* Clock.Clock, process)
      const storage = Layer.orDie(
        Durable.layerSqlite({ filename: this.filename, synchronous: "normal", drain: "1 millis" })
      ).pipe(Layer.provide(Layer.succeed(CurrentWatch, this.watch(process))))
      const built = yield* Effect.forkDetach(
        Effect.exit(Layer.buildWithScope(Layer.provideMerge(pipelines(process), Layer.fresh(storage)), scope)).pipe(
          Effect.provideService(Clock.Clock, clock)
        )
      )
      const context = yield* Effect.raceFirst(
        Effect.flatten(Fiber.join(built)),
        Effect.as(Deferred.await(process.died), undefined)
      ).pipe(Effect.catchCause((cause) => process.dead ? Effect.undefined : Effect.failCause(cause)))
      return context === undefined
        ? undefined
        : new Running(this, process, scope, Context.add(context, Clock.Clock, clock))
    }).pipe(Effect.provide(Logger.layer([])))
  }

  /** Waits until nothing happens any more before the clock goes on. */
  readonly settled: Effect.Effect<void> = Effect.suspend(() => {
    let last = -1
    let quiet = 0
    const round: Effect.Effect<void> = Effect.flatMap(
      nextTurn,
      () => {
        quiet = this.ticks === last ? quiet + 1 : 0
        last = this.ticks
        return quiet > 12 ? Effect.void : round
      }
    )
    return round
  })

  /** Returns rows of the database, read on a connection of the test's own. */
  query<A>(sql: string, ...params: ReadonlyArray<string | number>): ReadonlyArray<A> {
    this.reader ??= new DatabaseSync(this.filename)
    // the cast: the caller knows the columns
    return this.reader.prepare(sql).all(...params) as ReadonlyArray<unknown> as ReadonlyArray<A>
  }

  /** Ends what is left of all processes. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.reader?.close()
    for (const [process] of this.all) {
      Processes.kill(process)
      Deferred.doneUnsafe(process.over, Exit.void)
    }
    return Effect.forEach(this.all, ([, scope]) => Effect.forkDetach(Scope.close(scope, Exit.void)), { discard: true })
  }).pipe(Effect.provide(Logger.layer([])))
}

/** A process that has started. */
export class Running<A> {
  private readonly processes: Processes
  private readonly process: Process
  private readonly scope: Scope.Closeable
  private readonly context: Context.Context<A>

  constructor(processes: Processes, process: Process, scope: Scope.Closeable, context: Context.Context<A>) {
    this.processes = processes
    this.process = process
    this.scope = scope
    this.context = context
  }

  get dead(): boolean {
    return this.process.dead
  }

  /** Lets the process die after some more statements; at once where that is 0. */
  dieAfter(statements: number, after: boolean): void {
    if (statements === 0) Processes.kill(this.process)
    else this.process.left ??= { statements, after, inTransaction: false }
  }

  /** Executes an effect in the process, and calls `done` once that has ended, unless the process dies before that. */
  run<E>(effect: Effect.Effect<unknown, E, A>, done: () => void = () => {}): Effect.Effect<void> {
    return Effect.asVoid(Effect.forkDetach(
      Effect.andThen(
        Effect.exit(Effect.provide(effect, this.context)),
        Effect.sync(() => {
          if (!this.dead) done()
        })
      )
    ))
  }

  /** Shuts the process down in order, unless it dies meanwhile. Returns whether it does within two minutes. */
  get shutDown(): Effect.Effect<boolean> {
    return Effect.gen({ self: this }, function*() {
      const closing = yield* Effect.forkDetach(Scope.close(this.scope, Exit.void))
      // in real time, since a process that closes waits for its activities so
      yield* Effect.promise(() => new Promise<void>((resolve) => void setTimeout(resolve, 5)))
      yield* this.processes.settled
      // hooks of an interruption may wait for the clock
      for (let seconds = 0; seconds < 120 && !this.dead && closing.pollUnsafe() === undefined; seconds++) {
        yield* TestClock.adjust(1_000)
        yield* this.processes.settled
      }
      const ended = this.dead || closing.pollUnsafe() !== undefined
      Processes.kill(this.process)
      return ended
    })
  }
}
