/** Asking in two: the question is put where people can see it, and its answer waited for, in whatever process. */
import * as Clock from "effect/Clock"
import type * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { type AlerterError, AlerterErrorReason } from "../model/alerterError.ts"
import type { Decision, Question, Resumable } from "../model/approval.ts"
import { at, numberAt } from "./json.ts"
import { mistake, now } from "./question.ts"

/** A question that people can see, as its handle holds it. */
export interface Standing<M> {
  /** Where it is, as JSON can hold it: never a secret. */
  readonly message: M
  /** Since when people can see it, in milliseconds. */
  readonly askedAt: number
  /** Until when they may answer. `Infinity` where that is for ever. */
  readonly until: number
}

/** What the channels differ in. None of these dies. */
export interface Parts<M> {
  readonly channel: string
  readonly error: (reason: AlerterErrorReason) => AlerterError
  /** How long a question that is on its way, and one that is to be marked, is waited for. */
  readonly limit: Duration.Duration
  /** Where a question is, by a handle; undefined where that is none of this channel's. */
  readonly read: (json: unknown) => M | undefined
  /** Puts it where people can see it. It is told what time it is. */
  readonly post: (question: Question, at: DateTime.Utc) => Effect.Effect<M, AlerterError>
  /** What is left to do before people can answer. The question can be seen by then, so it must be withdrawn too. */
  readonly prepare: (question: Question, standing: Standing<M>) => Effect.Effect<unknown, AlerterError>
  readonly decide: (question: Question, standing: Standing<M>) => Effect.Effect<Decision, AlerterError>
  /** Says in the channel what came of it: a decision, or none since nobody waits any more. */
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

  /** What was decided stays so, whether or not the channel can be told in the time of one attempt. */
  const settle: (...told: Parameters<typeof mark>) => Effect.Effect<void> = (...told) =>
    mark(...told).pipe(
      Effect.timeoutOrElse({
        duration: limit,
        orElse: () => Effect.fail(error(AlerterErrorReason.TimedOut({ limit })))
      }),
      Effect.catch(({ message }) =>
        Effect.logWarning("effect-epilogue: the question could not be marked as settled", message)
      ),
      Effect.asVoid
    )

  /** It may have arrived although nobody waited for it: then it must not look as if it could be answered. */
  const withdrawPosted = (question: Question, posting: Fiber.Fiber<Standing<M>, AlerterError>): Effect.Effect<void> =>
    Fiber.await(posting).pipe(
      Effect.timeoutOrElse({
        duration: limit,
        orElse: () => Effect.andThen(Fiber.interrupt(posting), Fiber.await(posting))
      }),
      Effect.flatMap((exit) => Exit.isSuccess(exit) ? settle(question, exit.value, undefined) : Effect.void)
    )

  /** Until it is done, nobody else knows of the question, so it is withdrawn where it ends in another way. */
  const posting = (question: Question, restore: Restore): Effect.Effect<Standing<M>, AlerterError> =>
    Effect.gen(function*() {
      const posted = Effect.gen(function*() {
        const message = yield* post(question, yield* now)
        // The time that people have begins when they can see the question.
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
      ? invalid("the handle is none of a question of this channel")
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

/** As far as a `DateTime` goes: https://tc39.es/ecma262/#sec-time-values-and-time-range */
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
