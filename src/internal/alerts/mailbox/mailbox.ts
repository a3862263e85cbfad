/**
 * Sends alerts one after another, at the pace of their channel, whether or not somebody still waits for them.
 *
 * All state changes at once, in plain functions. The only fibers are one for each alert that is being sent, and one that
 * sleeps until the next may be.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../../Alert.ts"
import { AlerterError, AlerterErrorReason, isAlerterError } from "../../model/alerterError.ts"
import { limitMillis } from "../../model/limit.ts"
import { CurrentPosting } from "../../model/posting.ts"
import { CurrentStopping } from "../../model/stopping.ts"
import type { Words } from "../../text/alertWords.ts"
import { CurrentLedger, none } from "../ledger.ts"
import { countFolded, countWaiting } from "../metrics.ts"
import { followed, reportOf, untold } from "../reports.ts"
import { type Alarm, alarm, sleepAtMost } from "./alarm.ts"
import { contentOf, foldTwo, render } from "./fold.ts"
import { CurrentGate, type Delay, type Gate } from "./gate.ts"
import { absorb, isOutage, type Item, nextOf, type Part } from "./item.ts"
import { type Outcomes, outcomes } from "./outcomes.ts"
import { type Pace, type Pacer, pacer } from "./pace.ts"
import { pause, spreadOut } from "./pause.ts"
import { takings } from "./takings.ts"

/** @internal */
export interface Options {
  readonly channel: string
  readonly pace: Pace
  readonly drain?: Duration.Input | undefined
  readonly capacity?: number | undefined
  /** How many alerts are sent at once. */
  readonly concurrency?: number | undefined
  /** Whether each alert changes what the channel shows of its subject, so that none may be replaced by a list. */
  readonly keepsState?: boolean | undefined
  readonly zone: DateTime.TimeZone
  readonly words: Words
}

type Post = (alert: Alert) => Effect.Effect<void, AlerterError>

/** Returns whether an alert has a post that was not withdrawn. */
const isAwaited = ({ parts, unattended }: Item): boolean => parts.size > 0 || unattended > 0

/** For how long a closing mailbox is emptied. */
const defaultDrain = Duration.toMillis("1 minute")

/** The same where an interruption closes it, or comes then: what sent the signal may wait no longer before it kills. */
const interruptedDrain = Duration.toMillis("30 seconds")

/** For how long an alert is tried again while the channel takes no other either. */
const patience = Duration.toMillis("1 hour")

/** Makes a mailbox in front of a post, which it calls for one alert after another. */
export const make = (deliver: Post, options: Options): Effect.Effect<Post, never, Scope.Scope> =>
  Effect.gen(function*() {
    const box = new Mailbox(deliver, options, yield* Effect.context<never>())
    yield* Effect.addFinalizer((exit) => box.close(exit))
    return (alert) => box.post(alert)
  })

class Mailbox {
  readonly #deliver: Post
  readonly #options: Options
  readonly #context: Context.Context<never>
  readonly #clock: Clock.Clock
  readonly #pacer: Pacer
  /** For how long it is emptied when it closes. `undefined` unless set, until then. */
  #drain: number | undefined
  readonly #capacity: number
  readonly #concurrency: number
  /** In the order of their posts. */
  #waiting: Array<Item> = []
  readonly #sending = new Set<Item>()
  readonly #empty = Latch.makeUnsafe(true)
  readonly #alarm: Alarm
  readonly #outcomes: Outcomes
  readonly #pauses = pause()
  readonly #takings = takings()
  /** Whether the channel refused the last attempt, or did not answer it. */
  #failing = false
  /** Why the channel took no alert last, until it takes one. */
  #refusal: AlerterError | undefined
  #succeededAt = -Infinity
  #isPumping = false
  /** When the mailbox must be empty: some time after the layer begins to close. */
  #deadline = Infinity
  readonly #closing = Latch.makeUnsafe()
  #isClosed = false

  constructor(deliver: Post, options: Options, context: Context.Context<never>) {
    const fail = (mistake: string): never => {
      throw new Error(`${options.channel}: ${mistake}`)
    }
    const { capacity = 1000, concurrency = 1, drain } = options
    this.#deliver = deliver
    this.#options = options
    this.#context = context
    this.#clock = Context.get(context, Clock.Clock)
    this.#pacer = pacer(options.pace, fail)
    this.#drain = drain === undefined
      ? undefined
      : limitMillis(drain) ?? fail("drain must be a duration that is not negative")
    this.#capacity = capacity
    if (!(Number.isInteger(capacity) && capacity >= 1)) fail("capacity must be a whole number of at least 1")
    this.#concurrency = concurrency
    this.#alarm = alarm(context, () => this.#pump())
    this.#outcomes = outcomes(options.channel, options, context)
  }

  post(alert: Alert): Effect.Effect<void, AlerterError> {
    return Effect.withFiber((fiber) => {
      // nobody would send it: what closes later than its channel posts by itself
      if (this.#isClosed) return this.#deliver(alert)
      const { channel } = this.#options
      const report = reportOf(alert, channel, fiber.context)
      return Effect.callback((resume) => {
        const part = this.#accept(alert, fiber.context, report, resume)
        return Effect.sync(() => {
          // withdrawn: it is not in the mailbox any more
          if (part.resume === undefined) return
          part.resume = undefined
          report?.("waiting")
          const ledger = fiber.getRef(CurrentLedger) ?? (report && none)
          if (!alert.quiet && ledger !== undefined) part.taken = followed(ledger.accepted(alert, channel), report)
        })
      })
    })
  }

  #now(): number {
    return Number(this.#clock.monotonicTimeNanosUnsafe()) / 1e6
  }

  #accept(alert: Alert, context: Context.Context<never>, report: Part["report"], resume: Part["resume"]): Part {
    const posting = Context.get(context, CurrentPosting)
    const item: Item = {
      content: contentOf(alert),
      parts: new Set(),
      unattended: 0,
      // who waits for the post, and learns of its end, is told by the mailbox
      context: untold(context.pipe(Context.add(CurrentPosting, undefined), Context.add(CurrentLedger, undefined))),
      taken: [],
      since: this.#now(),
      fiber: undefined,
      stamp: undefined,
      error: undefined
    }
    const part: Part = {
      posting,
      resume,
      report,
      taken: undefined,
      held: {
        withdraw: () => this.#withdraw(part),
        isQueued: () => {
          const holder = this.#holderOf(part)
          return holder?.fiber === undefined && !this.#failing && this.#pauses.end(this.#deadline) <= this.#now()
        }
      }
    }
    item.parts.add(part)
    posting?.add(part.held)
    countWaiting(this.#options.channel, 1, this.#context)
    this.#waiting.push(item)
    this.#empty.closeUnsafe()
    this.#fold(this.#capacity, true)
    this.#pump()
    if (this.#waiting.includes(item)) report?.("waiting")
    return part
  }

  #holderOf(part: Part): Item | undefined {
    for (const item of this.#sending) if (item.parts.has(part)) return item
    return this.#waiting.find(({ parts }) => parts.has(part))
  }

  /** Sends what may be sent now, and sleeps until more may be. Called last after each change of the state. */
  #pump(): void {
    // an alert may be delivered at once, and so come here again: the loop around goes on with what is left
    if (this.#isPumping) return
    this.#isPumping = true
    while (this.#sendNext());
    this.#isPumping = false
    if (this.#waiting.length > 0) return
    this.#takings.clear()
    this.#alarm.stop()
    if (this.#sending.size === 0) this.#empty.openUnsafe()
  }

  /** Sends the next alert, and returns whether there was one. Where the pace or a pause forbids it, sets the alarm. */
  #sendNext(): boolean {
    if (this.#sending.size >= this.#concurrency) return false
    this.#foldToFit()
    const item = nextOf(this.#waiting, this.#sending)
    if (item === undefined) return false
    const delay = this.#delay()
    if (delay > 0) {
      const now = this.#now()
      this.#alarm.set(now + delay, now)
      return false
    }
    this.#send(item)
    return true
  }

  /** Returns how long nothing may be sent. */
  #delay(): number {
    const now = this.#now()
    const paced = this.#pacer.delay(now)
    // an alert that the pace allows when it is too late would be lost, and the channel may take it all the same
    return Math.max(this.#pauses.end(this.#deadline) - now, now + paced > this.#deadline ? 0 : paced)
  }

  #send(item: Item): void {
    this.#remove(item)
    this.#sending.add(item)
    item.stamp = this.#pacer.begin(this.#now())
    for (const { posting } of item.parts) posting?.tellStarted()
    const gate: Gate = {
      again: (failed, delay) => this.#again(item, failed, delay),
      pause: (delay) => this.#pause(delay)
    }
    const fiber = Effect.runForkWith(Context.add(item.context, CurrentGate, gate))(
      Effect.suspend(() => this.#deliver(render(item.content, this.#options)))
    )
    item.fiber = fiber
    fiber.addObserver((exit) => this.#sent(item, exit))
  }

  #remove(item: Item): void {
    const at = this.#waiting.indexOf(item)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  #again(item: Item, failed: AlerterError, { millis, spread }: Delay): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const began = this.#now()
      this.#attempted(item)
      this.#failing = true
      item.error = failed
      this.#refusal = failed
      const wait: Effect.Effect<boolean> = Effect.suspend(() => {
        const now = this.#now()
        const at = Math.max(spreadOut(began + millis, spread, this.#deadline), now + this.#delay())
        if (at <= now) {
          item.stamp = this.#pacer.begin(now)
          return Effect.succeed(true)
        }
        // as long as the channel takes other alerts, its refusals of this one do not last
        const since = Math.max(item.since, this.#succeededAt)
        if (at - since >= patience || at > this.#deadline) return Effect.succeed(false)
        for (const { report } of item.parts) report?.("waiting", failed)
        const sleep = sleepAtMost(at - now)
        // the time by which all must be sent makes some waits shorter, and others pointless
        const slept = this.#deadline === Infinity ? Effect.raceFirst(sleep, this.#closing.await) : sleep
        return Effect.andThen(slept, wait)
      })
      return wait
    })
  }

  #attempted(item: Item): void {
    if (item.stamp !== undefined) item.stamp.at = this.#now()
    item.stamp = undefined
  }

  #pause({ millis, spread }: Delay): void {
    // a channel that asks for days may be mistaken: it is asked again, and what waits is told to be lost
    this.#pauses.begin(this.#now(), { millis: Math.min(millis, patience), spread })
    this.#pacer.pause(this.#pauses.end(this.#deadline))
    if (millis > patience) this.#giveUpWaiting()
    else this.#giveUpLate()
  }

  #sent(item: Item, exit: Exit.Exit<void, AlerterError>): void {
    this.#attempted(item)
    this.#sending.delete(item)
    if (exit._tag === "Success") {
      this.#failing = false
      this.#refusal = undefined
      this.#succeededAt = this.#now()
      this.#takings.add(this.#succeededAt)
      this.#outcomes.delivered(item)
    } else if (isAwaited(item)) {
      const error = this.#errorOf(item, exit.cause)
      this.#failing = isOutage(error)
      if (this.#failing) this.#refusal = error
      this.#outcomes.lost([item], () => error)
    }
    this.#pump()
  }

  /** Returns why an attempt has failed. */
  #errorOf(item: Item, cause: Cause.Cause<AlerterError>): AlerterError {
    if (Cause.hasInterruptsOnly(cause)) return this.#lateError(item)
    const error = Cause.squash(cause)
    return isAlerterError(error) ? error : this.#error(AlerterErrorReason.Rejected({ detail: "it failed" }))
  }

  /** Returns the error of an alert for which there was no time: that of its last attempt, or why there was none. */
  #lateError({ error, fiber }: Item): AlerterError {
    const limit = this.#drain ?? 0
    // while one waited, others were taken
    const isLate = fiber === undefined &&
      (this.#succeededAt > this.#deadline - limit || this.#pauses.end(this.#deadline) > this.#now())
    return error ?? this.#refusal ?? this.#error(
      isLate ? AlerterErrorReason.RateLimited({}) : AlerterErrorReason.TimedOut({ limit: Duration.millis(limit) })
    )
  }

  #error(reason: AlerterErrorReason): AlerterError {
    return new AlerterError({ channel: this.#options.channel, reason })
  }

  #withdraw(part: Part): void {
    const item = this.#holderOf(part)
    if (item === undefined) return
    item.parts.delete(part)
    part.resume = undefined
    part.posting?.remove(part.held)
    // only a store takes out an alert that nobody waits for
    if (part.taken !== undefined) part.taken.kept()
    else part.report?.("failed", item.error ?? this.#error(AlerterErrorReason.TimedOut({})))
    countWaiting(this.#options.channel, -1, this.#context)
    // others wait for what it was folded into
    if (isAwaited(item)) return
    if (item.fiber === undefined) {
      this.#remove(item)
      this.#pump()
    } else {
      // of an attempt that takes too long nothing is known but that
      this.#failing = true
      item.fiber.interruptUnsafe()
    }
  }

  /** Folds alerts until at most so many wait. If some have no other to be folded with, leaves them out, or leaves them. */
  #fold(most: number, leaveOut: boolean): void {
    while (this.#waiting.length > most) {
      const { keepsState, words } = this.#options
      const folded = foldTwo(this.#waiting.map(({ content }) => content), keepsState !== true, words)
      if (folded === undefined) {
        if (!leaveOut) return
        // all are about different things, of which the channel shows each: the least severe is left out
        const least = this.#waiting.reduce((a, b) => b.content.rank < a.content.rank ? b : a)
        this.#remove(least)
        this.#outcomes.lost([least], () => this.#error(AlerterErrorReason.RateLimited({})))
        continue
      }
      // the positions are those of two items
      const older = this.#waiting[folded.older]!
      absorb(this.#waiting[folded.newer]!, older, folded.content)
      this.#remove(older)
      countFolded(this.#options.channel, this.#context)
    }
  }

  /**
   * Folds alerts until there is time for all of them before the mailbox must be empty, by the pace and by how fast the
   * channel has taken the latest ones: it may be slow, or have others to serve.
   */
  #foldToFit(): void {
    if (this.#deadline === Infinity || this.#waiting.length < 2) return
    const from = Math.max(this.#now(), this.#pauses.end(this.#deadline))
    // a tenth more than wait, since attempts take time
    const paced = this.#pacer.fits(from, this.#deadline - from, Math.ceil(this.#waiting.length / 0.9) + 1)
    const fitting = Math.min(paced, (this.#deadline - from) / this.#takings.interval())
    this.#fold(Math.max(1, Math.floor(fitting * 0.9)), false)
  }

  /** Gives up what waits if the channel takes nothing before the mailbox must be empty. */
  #giveUpLate(): void {
    if (this.#pauses.end(this.#deadline) > this.#deadline) this.#giveUpWaiting()
  }

  /** Gives up all that waits. */
  #giveUpWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#outcomes.lost(waiting, (item) => this.#lateError(item))
    this.#pump()
  }

  /** Brings the time forward by which the mailbox must be empty. */
  #closeWithin(drain: number): void {
    const deadline = this.#now() + drain
    if (deadline >= this.#deadline) return
    this.#deadline = deadline
    this.#drain = drain
    this.#giveUpLate()
    this.#closing.openUnsafe()
    this.#pump()
  }

  /** Sends what is left, within the time that there is. */
  close(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const stopping = this.#drain === undefined ? Context.get(this.#context, CurrentStopping) : undefined
      this.#closeWithin(this.#drain ?? (Exit.hasInterrupts(exit) ? interruptedDrain : defaultDrain))
      const forget = stopping?.onStop(() => this.#closeWithin(interruptedDrain))
      while (this.#waiting.length + this.#sending.size > 0 && this.#now() < this.#deadline) {
        // at short intervals, since a signal brings the deadline forward
        yield* Effect.timeoutOption(this.#empty.await, Math.min(this.#deadline - this.#now(), 1_000))
      }
      forget?.()
      this.#isClosed = true
      this.#giveUpWaiting()
      const fibers = [...this.#sending].flatMap(({ fiber }) => fiber === undefined ? [] : [fiber])
      for (const fiber of fibers) fiber.interruptUnsafe()
      // a channel that ignores interruption must not keep the scope open
      yield* Effect.timeoutOption(Fiber.awaitAll(fibers), "1 second")
      this.#outcomes.lost([...this.#sending], (item) => this.#lateError(item))
    })
  }
}
