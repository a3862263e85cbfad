/** Approvers that ask in a channel and look for answers from time to time. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { type AlerterError, isAlerterError, Reason } from "../../Alerter.ts"
import { Approver, Decision, type Question } from "../../Approver.ts"
import type { ApproverOptions } from "../../approvers/ApproverOptions.ts"
import { failWith } from "../alerter.ts"
import type { Channel } from "../alerters/channel.ts"
import * as channels from "../alerters/channel.ts"
import type { Scrub } from "../alerters/secrets.ts"
import { mayAnswer, mistake, now, type Vote } from "../approver.ts"

/** A question that has been asked. */
export interface Asked {
  /** When, by the clock that the votes' times are of. */
  readonly at?: DateTime.Utc | undefined
  /** What is left to do before people can answer. The question can be seen by then, so it must be settled too. */
  readonly prepare?: Effect.Effect<unknown, AlerterError> | undefined
  /** The answers so far. What is left of the time is told, for who can wait for an answer. */
  readonly poll: (remaining: Duration.Duration) => Effect.Effect<ReadonlyArray<Vote>, AlerterError>
  /** Says in the channel what came of it: a decision, or none since whoever asked has gone. */
  readonly settle: (decision: Decision | undefined) => Effect.Effect<unknown, AlerterError>
}

/** Puts a question where people can see it. */
export type Ask = (question: Question) => Effect.Effect<Asked, AlerterError>

/** @internal */
export const layer = <E = never, R = never>(
  name: string,
  options: ApproverOptions,
  secrets: ReadonlyArray<string>,
  make: (channel: Channel) => Effect.Effect<Ask, E, R>
): Layer.Layer<Approver, E, Exclude<R, Scope.Scope>> =>
  Layer.effect(
    Approver,
    Effect.gen(function*() {
      const { channel, scrub } = yield* channels.make(name, options, secrets)
      const ask = yield* make(channel)
      const interval = Duration.toMillis(Duration.fromInputUnsafe(options.interval ?? "2 seconds"))
      const limit = Duration.fromInputUnsafe(options.timeout ?? "10 seconds")
      /** Whatever goes wrong is an error of the channel's. */
      const guarded = <A>(effect: Effect.Effect<A, AlerterError>): Effect.Effect<A, AlerterError> =>
        Effect.catchCause(effect, (cause) =>
          failWith(cause, isAlerterError, (detail) =>
            channel.error(Reason.Rejected({ detail: scrub(detail) }))))

      /** What was decided stays so, whether or not the channel can be told in the time of one attempt. */
      const settle = (asked: Asked, decision: Decision | undefined): Effect.Effect<void> =>
        guarded(Effect.suspend(() =>
          asked.settle(decision)
        )).pipe(
          Effect.timeoutOrElse({
            duration: limit,
            orElse: () => Effect.fail(channel.error(Reason.TimedOut({ limit })))
          }),
          Effect.catch((error) =>
            Effect.logWarning("effect-epilogue: the question could not be marked as settled", error.message)
          ),
          Effect.asVoid
        )

      /**
       * An answer may be under way when the time is up. It must not go on for as long as attempts do: whoever answers
       * after that, where answers have no time, would still be heard.
       */
      const heard = (asked: Asked): Asked => ({
        ...asked,
        poll: (remaining) =>
          Effect.timeoutOrElse(asked.poll(remaining), {
            duration: Duration.sum(remaining, limit),
            orElse: () => Effect.fail(channel.error(Reason.TimedOut({ limit })))
          })
      })

      /** It may have arrived although nobody waited for it: then it must not look as if it could be answered. */
      const withdraw = (asking: Fiber.Fiber<Asked, AlerterError>): Effect.Effect<void> =>
        Fiber.await(asking).pipe(
          Effect.timeoutOrElse({
            duration: limit,
            orElse: () => Effect.andThen(Fiber.interrupt(asking), Fiber.await(asking))
          }),
          Effect.flatMap((exit) => Exit.isSuccess(exit) ? settle(exit.value, undefined) : Effect.void)
        )

      return Approver.of({
        ask: (question) => {
          const wrong = mistake(question)
          if (wrong !== undefined) return Effect.fail(channel.error(Reason.InvalidAlert({ detail: wrong })))
          return guarded(Effect.uninterruptibleMask((restore) =>
            Effect.gen(function*() {
              const asking = yield* Effect.forkChild(
                Effect.interruptible(Effect.suspend(() => ask(scrubbed(question, scrub))))
              )
              const asked = yield* Effect.onInterrupt(restore(Fiber.join(asking)), () => withdraw(asking))
              const exit = yield* Effect.exit(restore(guarded(listen(question, heard(asked), interval))))
              yield* settle(asked, Exit.isSuccess(exit) ? exit.value : undefined)
              return yield* exit
            })
          ))
        }
      })
    })
  )

/** The question without the secrets of the channel. */
const scrubbed = (question: Question, scrub: Scrub): Question => ({
  ...question,
  title: scrub(question.title),
  body: question.body === undefined ? undefined : scrub(question.body),
  fields: question.fields?.map(({ name, value }) => ({ name: scrub(name), value: scrub(value) })),
  options: question.options && {
    approve: question.options.approve && scrub(question.options.approve),
    deny: question.options.deny && scrub(question.options.deny)
  }
})

const listen = (question: Question, asked: Asked, interval: number): Effect.Effect<Decision, AlerterError> =>
  Effect.gen(function*() {
    const timeout = Duration.toMillis(question.timeout)
    // The time that people have begins when they can see the question.
    const deadline = (yield* Clock.currentTimeMillis) + timeout
    const latest = asked.at === undefined ? Infinity : DateTime.toEpochMillis(asked.at) + timeout
    if (asked.prepare !== undefined) yield* asked.prepare
    while (true) {
      const left = deadline - (yield* Clock.currentTimeMillis)
      const heard = yield* Effect.result(asked.poll(Duration.millis(Math.max(0, left))))
      if (heard._tag === "Failure" && !mayPass(heard.failure)) return yield* Effect.fail(heard.failure)
      const vote = heard._tag === "Success" ? chosen(question, heard.success, latest) : undefined
      if (vote !== undefined) return yield* decided(vote)
      // Silence is an answer only where one could have been heard, and only once all the time had passed.
      if (left <= 0) {
        return heard._tag === "Failure" ? yield* Effect.fail(heard.failure) : Decision.TimedOut({ at: yield* now })
      }
      const pause = Math.max(interval, heard._tag === "Failure" ? pauseAfter(heard.failure) : 0)
      const remaining = deadline - (yield* Clock.currentTimeMillis)
      yield* Effect.sleep(Math.max(0, Math.min(pause, remaining)))
    }
  })

const decided = (vote: Vote): Effect.Effect<Decision> =>
  Effect.map(vote.at === undefined ? now : Effect.succeed(vote.at), (at) => {
    const answer = { by: vote.by, at, comment: vote.comment }
    return vote.answer === "approve" ? Decision.Approved(answer) : Decision.Denied(answer)
  })

/** The earliest that counts; a no where it can't be told which came first. */
const chosen = (question: Question, votes: ReadonlyArray<Vote>, latest: number): Vote | undefined => {
  const counted = votes.filter(({ at, by, handles }) => mayAnswer(question, by, handles) && !(millis(at) > latest))
  // Of one answer, one with a time is worth more: it may have a comment.
  const first = (answer: Vote["answer"]): Vote | undefined =>
    counted.filter((vote) => vote.answer === answer).toSorted((a, b) => order(a) - order(b) || 0)[0]
  const yes = first("approve")
  const no = first("deny")
  if (yes === undefined || no === undefined) return yes ?? no
  const noUntimed = counted.some(({ answer, at }) => answer === "deny" && at === undefined)
  return !noUntimed && millis(yes.at) < millis(no.at) ? yes : no
}

const order = ({ at }: Vote): number => at === undefined ? Infinity : millis(at)

/** Not a number where there is no time, which is neither before nor after any. */
const millis = (at: DateTime.Utc | undefined): number => at === undefined ? NaN : DateTime.toEpochMillis(at)

/** A question may stand for days: what is wrong with the channel now may be right in a minute. */
const mayPass = ({ reason }: AlerterError): boolean =>
  reason._tag === "RateLimited" || reason._tag === "Unreachable" || reason._tag === "TimedOut" ||
  (reason._tag === "Rejected" && reason.status !== undefined && reason.status >= 500)

const pauseAfter = ({ reason }: AlerterError): number =>
  reason._tag === "RateLimited" && reason.retryAfter !== undefined ? Duration.toMillis(reason.retryAfter) : 0
