/**
 * Delivers the alerts of an outbox. It is built before the alerter inside of the outbox, and closed after it: what that
 * holds, in a mailbox or for a digest, may still arrive while it closes.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Schedule from "effect/Schedule"
import type { Alert } from "../../../Alert.ts"
import { type Alerter, AlerterError, AlerterErrorReason, isAlerterError } from "../../../Alerter.ts"
import { CurrentLedger, type Ledger, type Taken } from "../../../internal/alerts/ledger.ts"
import { followed, type Report } from "../../../internal/alerts/reports.ts"
import { posting } from "../../../internal/model/posting.ts"
import { errorMessage } from "../../../internal/text/errors.ts"
import { plural } from "../../../internal/text/words.ts"
import * as Writer from "../../../internal/text/writer.ts"
import type { Delays } from "./delays.ts"
import { Delivery, type Ended } from "./delivery.ts"
import type { Claimed, Look, Outcome, Rows } from "./rows.ts"
import { channel, read } from "./stored.ts"

/** @internal */
export interface Settings {
  readonly rows: Rows
  readonly concurrency: number
  readonly delays: Delays
  readonly maxAttempts: number
  readonly maxRefusals: number
  /** How long a claim holds, and how long the closing outbox waits for what is due, in milliseconds. */
  readonly lease: number
  readonly drain: number
}

/** How often the table is looked at for what other processes have stored or left, in milliseconds. */
const pollInterval = 1_000

/** An alert that this process has claimed. */
interface Open {
  readonly row: Claimed
  readonly alert: Alert
  readonly delivery: Delivery
}

/** Whether the channel takes other alerts, and never this one. */
const isRefusal = ({ reason }: AlerterError): boolean =>
  reason._tag === "InvalidAlert" || (reason._tag === "Rejected" && (reason.status ?? 0) < 500)

const errorOf = (cause: Cause.Cause<unknown>): AlerterError => {
  const error = Cause.squash(cause)
  return isAlerterError(error)
    ? error
    : new AlerterError({
      channel,
      reason: Cause.hasInterruptsOnly(cause)
        ? AlerterErrorReason.TimedOut({})
        : AlerterErrorReason.Rejected({ detail: errorMessage(error) })
    })
}

/** @internal */
export class Deliverer {
  private readonly settings: Settings
  private readonly context: Context.Context<never>
  private readonly ledger: Ledger | undefined
  private inner: Alerter["Service"] | undefined
  private readonly open = new Set<Open>()
  private readonly posts = new Set<Fiber.Fiber<unknown>>()
  private readonly ends = new Set<Fiber.Fiber<unknown>>()
  /** The notes, by their ids, of the alerts that this process has stored and not delivered. */
  private readonly stored = new Map<string, Taken>()
  /** Opened by all after which there may be more to do, or less. */
  private readonly changed = Latch.makeUnsafe()
  private readonly lookedAt = Latch.makeUnsafe()
  private last: Look | undefined
  private changes = 0
  private isClosing = false

  constructor(settings: Settings, context: Context.Context<never>, ledger: Ledger | undefined) {
    this.settings = settings
    this.context = context
    this.ledger = ledger
  }

  /** Notes an alert that is about to be stored: it may be delivered, and removed, at once. */
  noted(id: string, alert: Alert, ledger: Ledger, report: Report | undefined): void {
    if (!this.stored.has(id)) this.stored.set(id, followed(ledger.accepted(alert, channel), report))
  }

  /** Settles the note of an alert: as lost with an error, else as delivered. */
  settled(id: string, error?: AlerterError): void {
    const taken = this.stored.get(id)
    this.stored.delete(id)
    if (error === undefined) taken?.delivered()
    else taken?.lost(error)
  }

  /** Looks for alerts at once. */
  readonly look = (): void => {
    // what was seen before, or is being looked at, may no longer hold
    this.last = undefined
    this.changes++
    this.changed.openUnsafe()
  }

  // ---------------------------------------------------------------------------
  // taking and posting
  // ---------------------------------------------------------------------------

  /** Delivers alerts through an alerter. */
  deliver(inner: Alerter["Service"]): Effect.Effect<never> {
    this.inner = inner
    return Effect.forever(
      Effect.catchCause(this.turn, (cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.interrupt : Effect.andThen(
          // without a pause a store that fails would be asked without end
          Writer.logError("effect-epilogue: the outbox can't be read", cause),
          Effect.sleep(pollInterval)
        ))
    )
  }

  private get turn(): Effect.Effect<void, unknown> {
    const { concurrency, rows } = this.settings
    return Effect.gen({ self: this }, function*() {
      this.changed.closeUnsafe()
      const free = concurrency - this.posts.size
      if (free <= 0) return yield* this.changed.await
      const { changes } = this
      const now = yield* rows.now
      const look = yield* rows.look(now)
      if (look.isDue) {
        const claimed = yield* Effect.uninterruptible(Effect.tap(
          rows.claim(now, look.dead, free),
          Effect.forEach((row) => this.start(row), { discard: true })
        ))
        if (claimed.length > 0) return
      }
      if (changes === this.changes) this.last = look
      this.lookedAt.openUnsafe()
      const until = look.next === undefined || look.next <= now ? pollInterval : Math.min(look.next - now, pollInterval)
      yield* Effect.raceFirst(this.changed.await, Effect.sleep(until))
    })
  }

  private start(row: Claimed): Effect.Effect<void> {
    const alert = read(row.alert)
    if (Exit.isFailure(alert)) {
      const error = errorOf(Cause.fail("it can't be read"))
      return this.record(row, { _tag: "Aside", refusals: row.refusals, failure: error.message })
    }
    let entry: Open
    const delivery = new Delivery((ended) => this.end(entry, ended))
    entry = { row, alert: alert.value, delivery }
    this.open.add(entry)
    if (row.attempts > this.settings.maxAttempts) {
      const reason = AlerterErrorReason.Unreachable({ detail: "the process ended during the last attempt" })
      return Effect.sync(() => this.end(entry, { _tag: "Lost", error: new AlerterError({ channel, reason }) }))
    }
    return Effect.map(Effect.forkDetach(this.post(entry), { startImmediately: true }), (fiber) => {
      this.track(this.posts, fiber)
    })
  }

  private post(entry: Open): Effect.Effect<void> {
    const { alert, delivery } = entry
    const withdrawn = posting((posting) =>
      Effect.onInterrupt(
        Effect.suspend(() => this.inner!.post(alert)),
        () =>
          Effect.sync(() => {
            // the next process delivers the alert, so it must not stay in a mailbox
            delivery.release()
            posting.withdraw()
          })
      )
    )
    return Effect.uninterruptibleMask((restore) =>
      Effect.map(
        // it stays stored, whatever becomes of this attempt: that is the affair of `delivery`
        Effect.exit(restore(Effect.provideService(withdrawn, CurrentLedger, delivery))),
        (exit) => {
          if (Exit.isSuccess(exit)) delivery.posted()
          else if (!this.isClosing || !Cause.hasInterruptsOnly(exit.cause)) {
            this.end(entry, { _tag: "Lost", error: errorOf(exit.cause) })
          }
        }
      )
    )
  }

  private track(fibers: Set<Fiber.Fiber<unknown>>, fiber: Fiber.Fiber<unknown>): void {
    fibers.add(fiber)
    fiber.addObserver(() => {
      fibers.delete(fiber)
      this.look()
      this.lookedAt.openUnsafe()
    })
  }

  // ---------------------------------------------------------------------------
  // ends
  // ---------------------------------------------------------------------------

  private end(entry: Open, ended: Ended): void {
    // as when the post of an alert fails that a part of the alerter holds all the same
    if (!this.open.delete(entry)) return
    this.track(
      this.ends,
      Effect.runForkWith(this.context)(ended._tag === "Arrived" ? this.arrived(entry) : this.lost(entry, ended.error))
    )
  }

  private arrived({ row }: Open): Effect.Effect<void> {
    return Effect.map(this.record(row, { _tag: "Done" }), () => this.settled(row.id))
  }

  private lost({ alert, row }: Open, error: AlerterError): Effect.Effect<void> {
    const { delays, maxAttempts, maxRefusals } = this.settings
    const { attempts, id } = row
    const refusals = row.refusals + (isRefusal(error) ? 1 : 0)
    const failure = error.message
    return Effect.gen({ self: this }, function*() {
      if (attempts < maxAttempts && !(isRefusal(error) && refusals >= maxRefusals)) {
        yield* this.record(row, { _tag: "Failed", delay: yield* delays(attempts), refusals, failure })
        return yield* Writer.logWarning(
          `effect-epilogue: an alert stays in the outbox after attempt ${attempts}`,
          failure
        )
      }
      yield* this.record(row, { _tag: "Aside", refusals, failure })
      if (this.stored.has(id)) this.settled(id, error)
      else this.ledger?.lost(alert, error)
      yield* Writer.logError(
        `effect-epilogue: an alert is set aside after ${
          plural(Math.min(attempts, maxAttempts), "attempt")
        }; "epilogue outbox retry ${id}" delivers it`,
        `${alert.title}: ${failure}`
      )
    })
  }

  /** Records the outcome. Where that fails for as long as the claim holds, another process delivers the alert again. */
  private record(row: Claimed, outcome: Outcome): Effect.Effect<void> {
    const { lease, rows } = this.settings
    return rows.settle(row, outcome).pipe(
      Effect.retry(Schedule.exponential("200 millis", 1.5).pipe(Schedule.upTo({ duration: lease }))),
      Effect.catchCause((cause) => Writer.logError("effect-epilogue: the outbox can't be written", cause))
    )
  }

  // ---------------------------------------------------------------------------
  // closing
  // ---------------------------------------------------------------------------

  /** Keeps the claims of this process. */
  get renew(): Effect.Effect<never> {
    const { lease, rows } = this.settings
    const renew = Effect.suspend(() => rows.renew(new Set([...this.open].map(({ row }) => row.claim))))
    const quiet = Effect.catchCause(renew, (cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.interrupt
        : Writer.logWarning("effect-epilogue: the outbox can't be written", cause))
    return Effect.forever(Effect.andThen(Effect.sleep(Math.ceil(lease / 3)), quiet))
  }

  /**
   * Waits until what is due, and what dead processes have claimed, is delivered, as long as that is within `drain`. Then
   * interrupts the posts under way.
   */
  drain(worker: Fiber.Fiber<unknown>): Effect.Effect<void> {
    const { drain, rows } = this.settings
    const idle = (deadline: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        this.lookedAt.closeUnsafe()
        const busy = this.posts.size > 0 || this.ends.size > 0
        if (!busy && this.last !== undefined && (this.last.next ?? Infinity) > deadline) return Effect.void
        return Effect.andThen(this.lookedAt.await, idle(deadline))
      })
    const waiting = Effect.flatMap(Effect.orElseSucceed(rows.now, () => 0), (now) => {
      this.look()
      return idle(now + drain)
    })
    return Effect.gen({ self: this }, function*() {
      yield* Effect.timeoutOption(Effect.interruptible(waiting), Duration.millis(drain))
      this.isClosing = true
      yield* Fiber.interrupt(worker)
      // one that ignores the interruption must not keep the process
      yield* Effect.timeoutOption(Fiber.interruptAll(this.posts), "1 second")
    })
  }

  /** Releases what was not delivered, and says how much that is. Called once the alerter inside has closed. */
  get close(): Effect.Effect<void> {
    const { rows } = this.settings
    return Effect.gen({ self: this }, function*() {
      yield* Fiber.awaitAll(this.ends)
      yield* Effect.forEach(this.open, ({ row }) => this.record(row, { _tag: "Released" }), { discard: true })
      this.open.clear()
      rows.close()
      for (const taken of this.stored.values()) taken.kept()
      const { aside, waiting } = yield* Effect.orElseSucceed(
        rows.left,
        () => ({ waiting: this.stored.size, aside: 0 })
      )
      if (waiting > 0) {
        yield* Writer.logWarning(
          `effect-epilogue: ${plural(waiting, "alert")} ${
            waiting === 1 ? "stays" : "stay"
          } in the outbox, to be delivered by the next process that opens it`
        )
      }
      if (aside > 0) {
        yield* Writer.logWarning(
          `effect-epilogue: ${plural(aside, "alert")} ${
            aside === 1 ? "is" : "are"
          } set aside in the outbox: "epilogue outbox list" shows them, "epilogue outbox retry" delivers them`
        )
      }
    })
  }
}
