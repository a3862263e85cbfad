/** Approvers that ask in a channel and look for answers from time to time. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { type AlerterError, isAlerterError, Reason } from "../../Alerter.ts"
import { Approver, Decision, type Question } from "../../Approver.ts"
import type { ApproverOptions } from "../../approvers/ApproverOptions.ts"
import { failWith } from "../alerter.ts"
import type { Channel } from "../alerters/channel.ts"
import * as channels from "../alerters/channel.ts"
import { mayAnswer, mistake, now, type Vote } from "../approver.ts"

/** A question that has been asked. */
export interface Asked {
  /** The answers so far. What is left of the time is told, for who can wait for an answer. */
  readonly poll: (remaining: Duration.Duration) => Effect.Effect<ReadonlyArray<Vote>, AlerterError>
  /** Says in the channel what came of it: a decision, or none since whoever asked has gone. */
  readonly settle: (decision: Decision | undefined) => Effect.Effect<unknown, AlerterError>
}

/** @internal */
export const layer = <E = never, R = never>(
  name: string,
  options: ApproverOptions,
  secrets: ReadonlyArray<string>,
  make: (channel: Channel) => Effect.Effect<(question: Question) => Effect.Effect<Asked, AlerterError>, E, R>
): Layer.Layer<Approver, E, Exclude<R, Scope.Scope>> =>
  Layer.effect(
    Approver,
    Effect.gen(function*() {
      const { channel, scrub } = yield* channels.make(name, options, secrets)
      const ask = yield* make(channel)
      const interval = Duration.fromInputUnsafe(options.interval ?? "2 seconds")
      return Approver.of({
        ask: (question) => {
          const wrong = mistake(question)
          if (wrong !== undefined) return Effect.fail(channel.error(Reason.InvalidAlert({ detail: wrong })))
          return Effect.catchCause(
            Effect.suspend(() => conversation(question, ask, interval)),
            (cause) =>
              failWith(cause, isAlerterError, (detail) => channel.error(Reason.Rejected({ detail: scrub(detail) })))
          )
        }
      })
    })
  )

const conversation = (
  question: Question,
  ask: (question: Question) => Effect.Effect<Asked, AlerterError>,
  interval: Duration.Duration
): Effect.Effect<Decision, AlerterError> =>
  Effect.acquireUseRelease(
    // The time that people have begins when they can see the question.
    Effect.all([Effect.interruptible(ask(question)), Clock.currentTimeMillis]),
    ([asked, from]) => listen(question, asked, from + Duration.toMillis(question.timeout), interval),
    ([asked], exit) =>
      Effect.catch(asked.settle(Exit.isSuccess(exit) ? exit.value : undefined), (error) =>
        Effect.logWarning("effect-epilogue: the question could not be marked as settled", error.message))
  )

const listen = (
  question: Question,
  asked: Asked,
  deadline: number,
  interval: Duration.Duration
): Effect.Effect<Decision, AlerterError> =>
  Effect.gen(function*() {
    while (true) {
      const left = deadline - (yield* Clock.currentTimeMillis)
      const heard = yield* Effect.result(asked.poll(Duration.millis(Math.max(0, left))))
      if (heard._tag === "Failure" && !mayPass(heard.failure)) return yield* Effect.fail(heard.failure)
      const vote = heard._tag === "Success" ? chosen(question, heard.success) : undefined
      if (vote !== undefined) return yield* decided(vote)
      const remaining = deadline - (yield* Clock.currentTimeMillis)
      if (remaining <= 0) {
        // Silence is an answer only where one could have been heard.
        if (heard._tag === "Failure") return yield* Effect.fail(heard.failure)
        return Decision.TimedOut({ at: yield* now })
      }
      yield* Effect.sleep(Math.min(Duration.toMillis(interval), remaining))
    }
  })

const decided = (vote: Vote): Effect.Effect<Decision> =>
  Effect.map(vote.at === undefined ? now : Effect.succeed(vote.at), (at) => {
    const answer = { by: vote.by, at, comment: vote.comment }
    return vote.answer === "approve" ? Decision.Approved(answer) : Decision.Denied(answer)
  })

/** The earliest that counts; a no where it can't be told which came first. */
const chosen = (question: Question, votes: ReadonlyArray<Vote>): Vote | undefined =>
  votes
    .filter(({ by, handles }) => mayAnswer(question, by, handles))
    .toSorted((a, b) => time(a) - time(b) || (a.answer === b.answer ? 0 : a.answer === "deny" ? -1 : 1))[0]

/** What was heard without a time came no later than now. */
const time = ({ at }: Vote): number => at === undefined ? Infinity : DateTime.toEpochMillis(at)

/** A question may stand for days: what is wrong with the channel now may be right in a minute. */
const mayPass = ({ reason }: AlerterError): boolean =>
  reason._tag === "RateLimited" || reason._tag === "Unreachable" || reason._tag === "TimedOut" ||
  (reason._tag === "Rejected" && reason.status !== undefined && reason.status >= 500)
