/**
 * Follows the failures of a storage: says so once a minute while it fails, lets operations wait before the next try, and
 * gives the wait for it up, once for each time that it fails, after the patience that was set.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { pause } from "../../../internal/files/sqlite.ts"
import { durationMistakes, refuse } from "../../../internal/model/options.ts"
import { formatDuration } from "../../../internal/text/duration.ts"
import * as Writer from "../../../internal/text/writer.ts"
import { isFinal, isLost, type Problem, problemOf } from "./problems.ts"
import { describeFailure, StorageFailed, type StorageFailedFields } from "./storageFailed.ts"

/** The pause after the first failure, and the longest one, in milliseconds. */
const pauses = { first: 100, last: 5_000 }

/** The time between two messages of one failure that goes on, in milliseconds. */
const repeated = 60_000

/** How long after the last failure that still says something, in milliseconds: longer than any pause and any try. */
const forgotten = 45_000

/** How long a storage may fail before the wait for it is given up. */
export const defaultPatience: Duration.Input = "1 hour"

type Operation = StorageFailedFields["operation"]

/** Whether a caller is gone for which an operation is tried again. */
export interface Closed {
  readonly isOpen: () => boolean
  readonly await: Effect.Effect<unknown>
}

/** A time in which the storage fails. Times are those of the machine's clock, in milliseconds. */
interface Outage {
  readonly since: number
  failedAt: number
  operation: Operation
  toldAt: number
  next: number
  problem: Problem
  /** The runs that were told of it. */
  readonly told: Set<string>
}

/** The health of one storage. */
export class Health {
  /** Names the storage in messages. */
  readonly storage: string
  private readonly patience: number
  private outage: Outage | undefined
  private readonly givenUp = Latch.makeUnsafe(false)
  private readonly well = Latch.makeUnsafe(true)
  private readonly failing = Latch.makeUnsafe(false)
  private error: StorageFailed | undefined

  constructor(storage: string, patience: Duration.Input = defaultPatience) {
    refuse(storage, durationMistakes("patience", patience))
    this.storage = storage
    this.patience = Duration.toMillis(patience)
  }

  /**
   * Executes an effect that reads or writes, and tries it again while the storage fails. Where `closed` is given it does
   * so until that is open, and is interrupted then: what was to be written is for the next process. Otherwise it dies
   * with a `StorageFailed` when the wait is given up. It dies with the error itself where trying again can't help.
   */
  insist<A>(operation: Operation, attempt: Effect.Effect<A, unknown>, closed?: Closed): Effect.Effect<A> {
    return Effect.matchEffect(attempt, {
      onSuccess: (value) => {
        const over = this.succeeded(operation)
        return over === undefined ? Effect.succeed(value) : Effect.as(over, value)
      },
      onFailure: (cause) => {
        if (closed?.isOpen() === true) return Effect.interrupt
        const problem = problemOf(cause)
        return problem === undefined
          ? Effect.die(cause)
          : this.wait(operation, problem, closed, () => this.insist(operation, attempt, closed))
      }
    })
  }

  /** Notes whether a file is in its place, without waiting for it. */
  check(attempt: Effect.Effect<void, unknown>): Effect.Effect<void> {
    return Effect.matchEffect(attempt, {
      onSuccess: () => {
        const wasLost = this.outage !== undefined && isLost(this.outage.problem.reason)
        return (wasLost ? this.succeeded("write") : undefined) ?? Effect.void
      },
      onFailure: (cause) => this.note("write", cause)
    })
  }

  /** Notes the error of an operation that somebody else tries again. */
  note(operation: Operation, cause: unknown): Effect.Effect<void> {
    return Effect.suspend(() => {
      const problem = problemOf(cause)
      return (problem === undefined ? undefined : this.tell(this.failed(operation, problem))) ?? Effect.void
    })
  }

  private wait<A>(
    operation: Operation,
    problem: Problem,
    closed: Closed | undefined,
    again: () => Effect.Effect<A>
  ): Effect.Effect<A> {
    return Effect.suspend(() => {
      const outage = this.failed(operation, problem)
      const told = this.tell(outage)
      const next = Effect.suspend(() => {
        if (closed === undefined && this.error !== undefined) return Effect.die(this.error)
        const millis = outage.next
        outage.next = Math.min(millis * 2, pauses.last)
        const left = outage.since + this.patience - performance.now()
        const waiting = pause(left > 0 ? Math.min(millis, left) : millis)
        return Effect.andThen(
          closed === undefined ? waiting : Effect.raceFirst(waiting, Effect.asVoid(closed.await)),
          Effect.suspend(() => closed?.isOpen() === true ? Effect.interrupt : again())
        )
      })
      return told === undefined ? next : Effect.andThen(told, next)
    })
  }

  /** Notes a failure, and gives the wait up where the patience is over. */
  private failed(operation: Operation, problem: Problem): Outage {
    const now = performance.now()
    this.forgetOld(now)
    const outage = this.outage ??= {
      since: now,
      failedAt: now,
      operation,
      toldAt: -Infinity,
      next: pauses.first,
      problem,
      told: new Set()
    }
    outage.problem = problem
    outage.failedAt = now
    // a storage that can't be written may be readable, and is no better for that
    if (operation === "write") outage.operation = operation
    this.well.closeUnsafe()
    this.failing.openUnsafe()
    if (this.error === undefined && (isFinal(problem.reason) || now - outage.since >= this.patience)) {
      this.error = new StorageFailed({
        storage: this.storage,
        operation: outage.operation,
        failingFor: Duration.millis(Math.round(now - outage.since)),
        ...problem
      })
      // to be told at once
      outage.toldAt = -Infinity
      this.givenUp.openUnsafe()
    }
    return outage
  }

  private tell(outage: Outage): Effect.Effect<void> | undefined {
    const now = performance.now()
    if (now - outage.toldAt < repeated) return undefined
    outage.toldAt = now
    const { operation, problem, since } = outage
    const failing = describeFailure({ storage: this.storage, operation, ...problem })
    const lasting = now - since < 1000 ? "" : `, for ${formatDuration(now - since)}`
    const next = this.error === undefined
      ? "runs wait, and it is tried again"
      : "nobody waits any longer for runs here, and they go on when it is mended"
    return Writer.logError(`effect-epilogue: ${failing}${lasting}; ${next}`)
  }

  /** Notes a success. Returns an effect that tells that the storage is well again, where it had failed. */
  private succeeded(operation: Operation): Effect.Effect<void> | undefined {
    const { outage } = this
    if (outage === undefined) return undefined
    // a storage that can't be written may be readable; one that can't be reached is not
    if (operation === "read" && outage.operation === "write" && outage.problem.reason !== "Unreachable") {
      return undefined
    }
    this.forget()
    return Writer.logWarning(
      `effect-epilogue: ${this.storage} can be ${operation === "read" ? "read" : "written"} again after ${
        formatDuration(performance.now() - outage.since)
      }; runs go on`
    )
  }

  private forget(): void {
    this.outage = undefined
    this.error = undefined
    this.givenUp.closeUnsafe()
    this.well.openUnsafe()
    this.failing.closeUnsafe()
  }

  /** The error of those who wait, once the wait for the storage is given up. */
  get failure(): StorageFailed | undefined {
    this.forgetOld(performance.now())
    return this.error
  }

  /** Forgets a failure after which nobody has tried again: whether the storage is well is known when somebody does. */
  private forgetOld(now: number): void {
    if (this.outage !== undefined && now - this.outage.failedAt > forgotten) this.forget()
  }

  /** Waits until the wait for the storage is given up. */
  gaveUp(): Effect.Effect<StorageFailed> {
    return Effect.flatMap(this.givenUp.await, () => {
      const { failure } = this
      // it may be well again by the time that the fiber goes on
      return failure === undefined ? this.gaveUp() : Effect.succeed(failure)
    })
  }

  /** Waits until the storage is well. */
  get recovered(): Effect.Effect<void> {
    return Effect.asVoid(this.well.await)
  }

  /**
   * Tries a read again and again while the storage fails, for ever: where nobody else tries any more, it is noticed that
   * the storage is well again.
   */
  probe(read: Effect.Effect<unknown, unknown>): Effect.Effect<never> {
    return this.failing.await.pipe(
      Effect.andThen(this.insist("read", read, { isOpen: () => false, await: Effect.never })),
      Effect.andThen(Effect.suspend(() => this.outage === undefined ? Effect.void : pause(pauses.last))),
      Effect.forever
    )
  }

  /** Whether the storage fails, as far as is known. */
  get fails(): boolean {
    return this.outage !== undefined
  }

  /** Whether a run is to be told of the current failure, which it is once. */
  isNews(executionId: string): boolean {
    const told = this.outage?.told
    if (told === undefined || told.has(executionId)) return false
    told.add(executionId)
    return true
  }
}
