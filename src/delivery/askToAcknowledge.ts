/**
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import type { AlerterError } from "../Alerter.ts"
import type { Approver, Decision, Question } from "../Approver.ts"
import { errorIn } from "../internal/model/alerterError.ts"
import { checked, refuse, spanMistakes } from "../internal/model/options.ts"
import { plural } from "../internal/text/words.ts"
import * as Writer from "../internal/text/writer.ts"
import { Acknowledgements } from "./Acknowledgements.ts"
import { explain } from "./internal/entries.ts"
import { claimEnd, claimTime } from "./internal/hold/heldEntries.ts"
import { owner } from "./internal/hold/owner.ts"
import { ApproverKey } from "./internal/open/approver.ts"
import type { Book, Entry } from "./internal/open/book.ts"
import { booksOf } from "./internal/open/known.ts"

/**
 * Options of {@link askToAcknowledge}.
 *
 * @category models
 * @since 0.1.0
 */
export interface AskToAcknowledgeOptions {
  /** The ids, in the channel, of the people who may acknowledge. Everybody unless set. */
  readonly approvers?: ReadonlyArray<string> | undefined
  /** How long an answer is waited for. `"7 days"` unless set. */
  readonly timeout?: Duration.Input | undefined
}

/**
 * Asks people, through the `Approver`, to acknowledge each failure that is open: by a reaction or a reply in Slack or
 * Discord, a button in Telegram, a button of a web page, or in the terminal.
 *
 * **Details**
 *
 * - The question is posted when people have been told of a failure. The first answer counts. Its comment is that of the
 *   acknowledgement. A denial leaves the failure as it is, and nobody is asked again until it has recovered.
 * - A failure that recovers, or is acknowledged in another way, withdraws its question.
 * - Where the approver is resumable and {@link Acknowledgements} are those of a `Store`, a question stays open when the
 *   process ends. The next process with this layer looks for its answer, for three seconds at least. Of several
 *   processes, one asks.
 * - A question that can't be asked is logged, and tried again after ten minutes.
 *
 * **Gotchas**
 *
 * Without a store, questions are withdrawn when the layer closes.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { SlackApprover } from "effect-epilogue/approvers"
 * import { Acknowledgements, askToAcknowledge, remind, Store } from "effect-epilogue/delivery"
 * import { Layer } from "effect"
 *
 * const alerter = Slack.layerBotConfig().pipe(
 *   remind({ every: "1 hour", persist: "nightly" }),
 *   Layer.merge(askToAcknowledge().pipe(
 *     Layer.provide([SlackApprover.layerConfig(), Acknowledgements.layer])
 *   )),
 *   Layer.provide(Store.layerSqlite({ filename: ".epilogue/alerts.db" }))
 * )
 * ```
 *
 * @see {@link Acknowledgements} for acknowledging in code
 *
 * @category layers
 * @since 0.1.0
 */
export const askToAcknowledge = (
  options: AskToAcknowledgeOptions = {}
): Layer.Layer<never, never, Acknowledgements | Approver> =>
  Layer.effectDiscard(
    Effect.gen(function*() {
      const approver = yield* ApproverKey
      const book = booksOf.get(yield* Acknowledgements)
      if (book === undefined) {
        throw new Error("askToAcknowledge: needs Acknowledgements.layer or layerMemory")
      }
      checked("askToAcknowledge", options, { approvers: 0, timeout: 0 })
      refuse("askToAcknowledge", spanMistakes("timeout", options.timeout))
      yield* asking(book, approver, options)
    })
  )

/** For how long a question of an earlier process is listened to at least, in milliseconds. */
const patience = 3000

/** For how long the end of the layer waits for questions that are being posted. */
const postLimit = "10 seconds"

/** How often failures of other processes are looked for, and how long one that can't be asked about is left. */
const interval = "1 minute"
const retryDelay = 10 * 60_000

/** A failure that this process asks about. */
interface Running {
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  readonly question: Question
  readonly since: number
  readonly isResumed: boolean
  /** Open once the question is posted and its handle is stored, or could not be posted. */
  readonly isPosted: Latch.Latch
  handle: string | undefined
}

const asking = (book: Book, approver: Approver.Shape, options: AskToAcknowledgeOptions) =>
  Effect.gen(function*() {
    const started = yield* Clock.currentTimeMillis
    const changed = Latch.makeUnsafe()
    const running = new Map<string, Running>()
    // the failures that could not be asked about, with the time of the next attempt
    const failed = new Map<string, number>()
    const { resumable } = approver
    const done = (key: string) => book.ask(key, (asked) => ({ ...asked, done: true }))

    const decided = (key: string, decision: Decision) =>
      decision._tag === "Approved"
        ? book.acknowledge([key], {
          by: decision.by.name,
          at: DateTime.toEpochMillis(decision.at),
          ...(decision.comment === undefined ? {} : { comment: decision.comment })
        })
        : done(key)

    /** Asks about a failure, or listens to a question that was asked before, until there is an answer. */
    const answer = (
      key: string,
      question: Question,
      before: string | undefined,
      posted: Latch.Latch
    ): Effect.Effect<Decision, AlerterError> =>
      resumable === undefined
        ? approver.ask(question)
        : Effect.gen(function*() {
          const handle = before ?? (yield* resumable.post(question))
          const mine = running.get(key)
          if (mine !== undefined) mine.handle = handle
          if (before === undefined) yield* book.ask(key, () => ({ handle }))
          yield* posted.open
          return yield* resumable.listen(question, handle)
        })

    const follow = (key: string, { handle, isPosted, question }: Running) =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(answer(key, question, handle, isPosted))
        yield* isPosted.open
        running.delete(key)
        if (Exit.isSuccess(exit)) return yield* decided(key, exit.value)
        if (Cause.hasInterruptsOnly(exit.cause)) return
        failed.set(key, (yield* Clock.currentTimeMillis) + retryDelay)
        // a question of another approver is asked anew
        const isForeign = errorIn(exit)?.reason._tag === "InvalidAlert"
        yield* book.ask(key, (asked) => asked?.handle === undefined || isForeign ? {} : undefined)
        yield* Writer.logWarning(
          "effect-epilogue: askToAcknowledge: people could not be asked, will be tried again",
          explain(exit.cause)
        )
      })

    /** Reserves the question of a failure. Returns its handle if it was asked, or `undefined` if it is not to be. */
    const reserve = (key: string, entry: Entry, now: number) =>
      Effect.gen(function*() {
        const { asked } = entry
        if (asked?.done === true || (failed.get(key) ?? -Infinity) > now) return undefined
        if (asked?.handle !== undefined) return { handle: resumable === undefined ? undefined : asked.handle }
        const isMine = yield* book.ask(
          key,
          (asked) =>
            asked !== undefined && (asked.handle !== undefined || asked.done === true || claimEnd(asked) > now)
              ? undefined
              : { claimed: now + claimTime, by: owner() }
        )
        return isMine ? { handle: undefined } : undefined
      })

    const withdraw = (key: string, { fiber, handle, question }: Running) =>
      Effect.gen(function*() {
        running.delete(key)
        if (fiber !== undefined) yield* Fiber.interrupt(fiber)
        if (resumable === undefined || handle === undefined) return
        yield* Effect.catchCause(
          resumable.withdraw(question, handle),
          (cause) =>
            Writer.logWarning("effect-epilogue: askToAcknowledge: a question could not be withdrawn", explain(cause))
        )
      })

    /** Withdraws questions about what is not open any more. */
    const settle = Effect.gen(function*() {
      const open = yield* book.entries
      for (const [key, one] of running) {
        const entry = open.get(key)
        if (entry === undefined || entry.acknowledged !== undefined || entry.since > one.since) {
          yield* withdraw(key, one)
        }
      }
      return open
    })

    /** Asks about what is open, and withdraws the other questions. */
    const sync = Effect.gen(function*() {
      const open = yield* settle
      const now = yield* Clock.currentTimeMillis
      for (const [key, entry] of open) {
        if (entry.acknowledged !== undefined || running.has(key)) continue
        const reserved = yield* reserve(key, entry, now)
        if (reserved === undefined) continue
        const { handle } = reserved
        const question = questionOf(entry, options)
        const one: Running = {
          fiber: undefined,
          question,
          since: entry.since,
          isResumed: handle !== undefined,
          isPosted: Latch.makeUnsafe(resumable === undefined),
          handle
        }
        running.set(key, one)
        // detached, since the scope would end them before its answers are waited for
        one.fiber = yield* Effect.forkDetach(follow(key, one))
      }
    }).pipe(Semaphore.makeUnsafe(1).withPermits(1))

    const turn = Effect.gen(function*() {
      changed.closeUnsafe()
      yield* sync
      yield* Effect.raceFirst(changed.await, Effect.sleep(interval))
    })

    yield* book.onChange(() => void changed.openUnsafe())
    yield* Effect.forkScoped(Effect.forever(turn))
    yield* Effect.addFinalizer(() =>
      Effect.gen(function*() {
        // a failure of a moment ago is asked about now, for the next process to hear
        if (book.isStored && resumable !== undefined) yield* sync
        const posted = [...running.values()].map(({ isPosted }) => isPosted.await)
        yield* Effect.timeoutOption(Effect.all(posted, { concurrency: "unbounded" }), postLimit)
        const resumed = [...running.values()].flatMap(({ fiber, isResumed }) => isResumed && fiber ? [fiber] : [])
        const left = started + patience - (yield* Clock.currentTimeMillis)
        if (resumed.length > 0 && left > 0) yield* Effect.timeoutOption(Fiber.awaitAll(resumed), left)
        yield* settle
        // nobody would hear an answer
        for (const [key, one] of book.isStored && resumable !== undefined ? [] : running) yield* withdraw(key, one)
        yield* Effect.forEach(running.values(), ({ fiber }) => fiber ? Fiber.interrupt(fiber) : Effect.void)
      })
    )
  })

const questionOf = (
  { failures, severity, title }: Entry,
  { approvers, timeout = "7 days" }: AskToAcknowledgeOptions
): Question => ({
  title: `Open: ${title}`,
  body: "Acknowledge it to end reminders and escalations until it has recovered.",
  fields: [{ name: "severity", value: severity }, { name: "failed", value: plural(failures, "time") }],
  options: { approve: "Acknowledge", deny: "Leave it open" },
  timeout,
  ...(approvers === undefined ? {} : { approvers })
})
