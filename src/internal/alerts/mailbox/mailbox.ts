/**
 * Sends alerts one after another, at the pace of their channel, whether or not somebody still waits for them.
 *
 * All state changes at once, in plain functions. The only fibers are one for each alert that is being sent, and one that
 * sleeps until the next may be.
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../../Alert.ts"
import { AlerterError, AlerterErrorReason } from "../../model/alerterError.ts"
import { CurrentPosting } from "../../model/posting.ts"
import { CurrentStopping } from "../../model/stopping.ts"
import { CurrentLedger, none } from "../ledger.ts"
import { countWaiting } from "../metrics.ts"
import { followed, reportOf, untold } from "../reports.ts"
import { again } from "./again.ts"
import { alarm } from "./alarm.ts"
import { answers } from "./answers.ts"
import { contentOf, render } from "./fold.ts"
import { CurrentGate, type Gate } from "./gate.ts"
import { ended, isAwaited, type Item, type Part } from "./item.ts"
import { outcomes } from "./outcomes.ts"
import type { Pace } from "./pace.ts"
import { type FoldOptions, foldTo, nextOf, type Queue, remove } from "./queue.ts"
import { patience, schedule } from "./schedule.ts"
import { takings } from "./takings.ts"

/** @internal */
export interface Options extends FoldOptions {
  readonly pace: Pace
  readonly drain?: Duration.Input | undefined
  readonly capacity?: number | undefined
  /** How many alerts are sent at once. */
  readonly concurrency?: number | undefined
  readonly zone: DateTime.TimeZone
}

/** For how long a closing mailbox is emptied. */
const defaultDrain = Duration.toMillis("1 minute")

/** The same where an interruption closes it, or comes then: what sent the signal may wait no longer before it kills. */
const interruptedDrain = Duration.toMillis("30 seconds")

type Post = (alert: Alert) => Effect.Effect<void, AlerterError>

/**
 * Makes a mailbox in front of a post, which it calls for one alert after another. It closes with its scope. Its options
 * have to be valid.
 */
export const make = Effect.fnUntraced(function*(
  deliver: Post,
  options: Options
): Effect.fn.Return<Post, never, Scope.Scope> {
  const context = yield* Effect.context<never>()
  const { capacity = 1000, channel, concurrency = 1, drain, pace } = options
  const errorOf = (reason: AlerterErrorReason) => new AlerterError({ channel, reason })
  const timing = schedule(pace, drain, context)
  const answered = answers(timing, errorOf)
  const { delivered, log, lost } = outcomes(options, context, timing.now)
  const latest = takings()
  const waiting: Queue = []
  const sending = new Set<Item>()
  const empty = Latch.makeUnsafe(true)
  const closing = Latch.makeUnsafe()
  let isClosed = false
  let isPumping = false

  /** Sends what may be sent now, and sleeps until more may be. Called last after each change of the state. */
  const pump = (): void => {
    // an alert may be delivered at once, and so come here again: the loop around goes on with what is left
    if (isPumping) return
    isPumping = true
    while (sendNext());
    isPumping = false
    if (waiting.length > 0) return
    latest.clear()
    next.stop()
    if (sending.size > 0) return
    empty.openUnsafe()
    log()
  }

  const next = alarm(context, pump)

  /** Sends the next alert, and returns whether there was one. Where the pace or a pause forbids it, sets the alarm. */
  const sendNext = (): boolean => {
    if (sending.size >= concurrency) return false
    foldTo(waiting, timing.fits(waiting.length, latest.interval()), options, context)
    if (waiting.length === 0) return false
    const delay = timing.delay()
    if (delay > 0) {
      const now = timing.now()
      next.set(now + delay, now)
      return false
    }
    // only now, since it looks at all that waits
    const item = nextOf(waiting, sending)
    if (item === undefined) return false
    send(item)
    return true
  }

  const send = (item: Item): void => {
    remove(waiting, item)
    sending.add(item)
    item.stamp = timing.begin()
    for (const { posting } of item.parts) posting?.tellStarted()
    const gate: Gate = {
      again: (failed, delay) => again(item, failed, delay, timing, answered, closing),
      pause: (delay) => {
        timing.pause(delay)
        // what waits is told to be lost, since the channel has asked for days
        if (delay.millis > patience) giveUpWaiting()
        else giveUpLate()
      }
    }
    item.fiber = Effect.runForkWith(Context.add(item.context, CurrentGate, gate))(
      Effect.suspend(() => deliver(render(item.content, options)))
    )
    item.fiber.addObserver((exit) => sent(item, exit))
  }

  const sent = (item: Item, exit: Exit.Exit<void, AlerterError>): void => {
    ended(item, timing.now())
    sending.delete(item)
    if (exit._tag === "Success") {
      answered.delivered()
      latest.add(timing.now())
      delivered(item)
    } else if (isAwaited(item)) {
      const error = answered.failed(item, exit.cause)
      lost([item], () => error)
    }
    pump()
  }

  const holderOf = (part: Part): Item | undefined => {
    for (const item of sending) if (item.parts.has(part)) return item
    return waiting.find(({ parts }) => parts.has(part))
  }

  const accept = (
    alert: Alert,
    caller: Context.Context<never>,
    report: Part["report"],
    resume: Part["resume"]
  ): Part => {
    const posting = Context.get(caller, CurrentPosting)
    const item: Item = {
      content: contentOf(alert),
      parts: new Set(),
      unattended: 0,
      // who waits for the post, and learns of its end, is told by the mailbox
      context: untold(caller.pipe(Context.add(CurrentPosting, undefined), Context.add(CurrentLedger, undefined))),
      taken: [],
      since: timing.now()
    }
    const part: Part = {
      posting,
      resume,
      report,
      taken: undefined,
      held: {
        withdraw: () => withdraw(part),
        isQueued: () =>
          holderOf(part)?.fiber === undefined && !answered.isFailing() && timing.pausedUntil() <= timing.now()
      }
    }
    item.parts.add(part)
    posting?.add(part.held)
    countWaiting(channel, 1, context)
    waiting.push(item)
    empty.closeUnsafe()
    foldTo(waiting, capacity, options, context, (least) => {
      lost([least], () => errorOf(AlerterErrorReason.RateLimited({})))
    })
    pump()
    if (waiting.includes(item)) report?.("waiting")
    return part
  }

  const withdraw = (part: Part): void => {
    const item = holderOf(part)
    if (item === undefined) return
    item.parts.delete(part)
    part.resume = undefined
    part.posting?.remove(part.held)
    // only a store takes out an alert that nobody waits for
    if (part.taken !== undefined) part.taken.kept()
    else part.report?.("failed", item.error ?? errorOf(AlerterErrorReason.TimedOut({})))
    countWaiting(channel, -1, context)
    // others wait for what it was folded into
    if (isAwaited(item)) return
    if (item.fiber === undefined) {
      remove(waiting, item)
      pump()
    } else {
      // of an attempt that takes too long nothing is known but that
      answered.refused()
      item.fiber.interruptUnsafe()
    }
  }

  const giveUpWaiting = (): void => {
    lost(waiting.splice(0), answered.lateError)
    pump()
  }

  const giveUpLate = (): void => {
    if (timing.pausedUntil() > timing.deadline()) giveUpWaiting()
  }

  const post: Post = (alert) =>
    Effect.withFiber((fiber) => {
      // nobody would send it: what closes later than its channel posts by itself
      if (isClosed) return deliver(alert)
      const report = reportOf(alert, channel, fiber.context)
      return Effect.callback((resume) => {
        const part = accept(alert, fiber.context, report, resume)
        return Effect.sync(() => {
          // withdrawn: it is not in the mailbox any more
          if (part.resume === undefined) return
          part.resume = undefined
          report?.("waiting")
          const ledger = fiber.getRef(CurrentLedger) ?? (report && none)
          if (!alert.quiet && ledger !== undefined) {
            const taken = ledger.accepted(alert, channel)
            const counted = () => {
              report?.("held", "another alert counts it, and more than a thousand others")
              taken.delivered()
            }
            part.taken = { ...followed(taken, report), ledger, counted }
          }
        })
      })
    })

  const closeWithin = (drain: number): void => {
    if (!timing.closeWithin(drain)) return
    giveUpLate()
    closing.openUnsafe()
    pump()
  }

  /** Sends what is left, within the time that there is. */
  const close = Effect.fnUntraced(function*(exit: Exit.Exit<unknown, unknown>) {
    const drain = timing.drain()
    const stopping = drain === undefined ? Context.get(context, CurrentStopping) : undefined
    closeWithin(drain ?? (Exit.hasInterrupts(exit) ? interruptedDrain : defaultDrain))
    const forget = stopping?.onStop(() => closeWithin(interruptedDrain))
    while (waiting.length + sending.size > 0 && timing.now() < timing.deadline()) {
      // at short intervals, since a signal brings the deadline forward
      yield* Effect.timeoutOption(empty.await, Math.min(timing.deadline() - timing.now(), 1_000))
    }
    forget?.()
    isClosed = true
    giveUpWaiting()
    const fibers = [...sending].flatMap(({ fiber }) => fiber === undefined ? [] : [fiber])
    for (const fiber of fibers) fiber.interruptUnsafe()
    // a channel that ignores interruption must not keep the scope open
    yield* Effect.timeoutOption(Fiber.awaitAll(fibers), "1 second")
    lost([...sending], answered.lateError)
    log()
  })

  yield* Effect.addFinalizer(close)
  return post
})
