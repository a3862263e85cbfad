/** Approvers whose questions outlive a process: one process posts a question, and any process waits for its answer. */
import * as Clock from "effect/Clock"
import type * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { type AlerterError, AlerterErrorReason } from "../model/alerterError.ts"
import type { Decision, Question, Resumable } from "../model/approval.ts"
import * as Writer from "../text/writer.ts"
import { at, numberAt } from "./json.ts"
import { mistake, now } from "./question.ts"

/** A question that was posted and has not been settled, as its handle contains it. */
export interface Standing<M> {
  /** The message in the channel, as JSON. It holds no secret. */
  readonly message: M
  /** The time in milliseconds since which people can see the question. */
  readonly askedAt: number
  /** The time in milliseconds until which answers count, or `Infinity`. */
  readonly until: number
}

/** The functions of a channel. None of them dies. */
export interface Parts<M> {
  readonly channel: string
  readonly error: (reason: AlerterErrorReason) => AlerterError
  /** The time limit for a post after an interruption, and for marking a question as settled. */
  readonly limit: Duration.Duration
  /** Reads the message in a handle; `undefined` if it is not one of this channel. */
  readonly read: (json: unknown) => M | undefined
  /** Posts the question where people can see it. `at` is the current time. */
  readonly post: (question: Question, at: DateTime.Utc) => Effect.Effect<M, AlerterError>
  /** Finishes a posted question, before people can answer. If it fails, the question is withdrawn. */
  readonly prepare: (question: Question, standing: Standing<M>) => Effect.Effect<unknown, AlerterError>
  readonly decide: (question: Question, standing: Standing<M>) => Effect.Effect<Decision, AlerterError>
  /** Marks the question in the channel with its decision, or, with `undefined`, as withdrawn. */
  readonly settle: (
    question: Question,
    standing: Standing<M>,
    decision: Decision | undefined
  ) => Effect.Effect<unknown, AlerterError>
}

/** The `Approver` service, resumable. */
export interface ResumableApprover {
  readonly ask: (question: Question) => Effect.Effect<Decision, AlerterError>
  readonly resumable: Resumable
}

/** @internal */
export const make = <M>(
  { channel, decide, error, limit, post, prepare, read, settle: mark }: Parts<M>
): ResumableApprover => {
  const invalid = (detail: string) => Effect.fail(error(AlerterErrorReason.InvalidAlert({ detail })))

  /** Marks the question, in one attempt. A failure is logged: it does not change the decision. */
  const settle: (...args: Parameters<typeof mark>) => Effect.Effect<void> = (...args) =>
    mark(...args).pipe(
      Effect.timeoutOrElse({
        duration: limit,
        orElse: () => Effect.fail(error(AlerterErrorReason.TimedOut({ limit })))
      }),
      Effect.catch(({ message }) =>
        Writer.logWarning("effect-epilogue: the question could not be marked as settled", message)
      ),
      Effect.asVoid
    )

  /** Withdraws a question whose post was interrupted and may have arrived: otherwise people could answer it. */
  const withdrawPosted = (question: Question, posting: Fiber.Fiber<Standing<M>, AlerterError>): Effect.Effect<void> =>
    Fiber.await(posting).pipe(
      Effect.timeoutOrElse({
        duration: limit,
        orElse: () => Effect.andThen(Fiber.interrupt(posting), Fiber.await(posting))
      }),
      Effect.flatMap((exit) => Exit.isSuccess(exit) ? settle(question, exit.value, undefined) : Effect.void)
    )

  /** Posts the question, and withdraws it if that does not succeed, since nobody else has its handle then. */
  const posting = (question: Question, restore: Restore): Effect.Effect<Standing<M>, AlerterError> =>
    Effect.gen(function*() {
      const posted = Effect.gen(function*() {
        const message = yield* post(question, yield* now)
        // the time limit begins when people can see the question
        const askedAt = yield* Clock.currentTimeMillis
        return { message, askedAt, until: askedAt + Duration.toMillis(question.timeout) }
      })
      const fiber = yield* Effect.forkChild(Effect.interruptible(posted))
      const standing = yield* Effect.onInterrupt(restore(Fiber.join(fiber)), () => withdrawPosted(question, fiber))
      yield* Effect.onError(restore(prepare(question, standing)), () => settle(question, standing, undefined))
      return standing
    })

  const masked = <A>(
    question: Question,
    run: (restore: Restore) => Effect.Effect<A, AlerterError>
  ): Effect.Effect<A, AlerterError> => {
    const wrong = mistake(question)
    return wrong === undefined ? Effect.uninterruptibleMask(run) : invalid(wrong)
  }

  const ofHandle = <A>(
    question: Question,
    handle: string,
    run: (standing: Standing<M>, restore: Restore) => Effect.Effect<A, AlerterError>
  ): Effect.Effect<A, AlerterError> => {
    const standing = fromHandle(channel, handle, read)
    return standing === undefined
      ? invalid("the handle is not one of a question of this channel")
      : masked(question, (restore) => run(standing, restore))
  }

  return {
    ask: (question) =>
      masked(question, (restore) =>
        Effect.gen(function*() {
          const standing = yield* posting(question, restore)
          const exit = yield* Effect.exit(restore(decide(question, standing)))
          yield* settle(question, standing, Exit.isSuccess(exit) ? exit.value : undefined)
          return yield* exit
        })),
    resumable: {
      post: (question) =>
        masked(
          question,
          (restore) => Effect.map(posting(question, restore), (standing) => toHandle(channel, standing))
        ),
      listen: (question, handle) =>
        ofHandle(
          question,
          handle,
          (standing, restore) =>
            Effect.tap(restore(decide(question, standing)), (decision) => settle(question, standing, decision))
        ),
      withdraw: (question, handle) => ofHandle(question, handle, (standing) => settle(question, standing, undefined))
    }
  }
}

type Restore = <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>

const toHandle = <M>(channel: string, { until, ...standing }: Standing<M>): string =>
  JSON.stringify({ approver: channel, ...standing, until: Number.isFinite(until) ? until : null })

/** The largest time of a `DateTime`: https://tc39.es/ecma262/#sec-time-values-and-time-range */
const maxTime = 8.64e15

const fromHandle = <M>(
  channel: string,
  handle: string,
  read: (json: unknown) => M | undefined
): Standing<M> | undefined => {
  const json = parsed(handle)
  const message = at(json, "approver") === channel ? read(at(json, "message")) : undefined
  const askedAt = numberAt(json, "askedAt")
  const until = at(json, "until") === null ? Infinity : numberAt(json, "until")
  if (message === undefined || askedAt === undefined || until === undefined) return undefined
  return Math.abs(askedAt) <= maxTime ? { message, askedAt, until } : undefined
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
