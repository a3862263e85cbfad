/** Approvers that ask in a channel and look for answers from time to time. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { type AlerterError, AlerterErrorReason } from "../../Alerter.ts"
import type { Channel } from "../../alerters/internal/channel/channel.ts"
import * as channels from "../../alerters/internal/channel/channel.ts"
import { Approver, Decision, type Question } from "../../Approver.ts"
import { failWith } from "../../internal/alerts/alerter.ts"
import { mayAnswer, now, type Vote } from "../../internal/approvals/question.ts"
import { make as resumable, type Parts, type Standing } from "../../internal/approvals/resumable.ts"
import type { Scrub } from "../../internal/text/secrets.ts"
import type { ApproverOptions } from "../ApproverOptions.ts"

/** A question that people can see. */
export interface Asked {
  /** When it was asked, by the clock that the votes' times are of. */
  readonly at?: DateTime.Utc | undefined
  /** What is left to do before people can answer. */
  readonly prepare?: Effect.Effect<unknown, AlerterError> | undefined
  /** The answers so far. What is left of the time is told, for who can wait for an answer. */
  readonly poll: (remaining: Duration.Duration) => Effect.Effect<ReadonlyArray<Vote>, AlerterError>
  /** Nobody looks for answers for now. */
  readonly leave?: (() => void) | undefined
  /** Says in the channel what came of it: a decision, or none since nobody waits for it any more. */
  readonly settle: (decision: Decision | undefined) => Effect.Effect<unknown, AlerterError>
}

/** What channels differ in. A message is what is needed to find a question again, as JSON can hold it. */
export interface Driver<M> extends Pick<Parts<M>, "post" | "read"> {
  /** A question that has been posted, by this process or another. Does nothing by itself. */
  readonly open: (question: Question, standing: Standing<M>) => Asked
}

/** @internal */
export const layer = <M, E = never, R = never>(
  name: string,
  options: ApproverOptions,
  secrets: ReadonlyArray<string>,
  make: (channel: Channel) => Effect.Effect<Driver<M>, E, R>
): Layer.Layer<Approver, E, Exclude<R, Scope.Scope>> =>
  Layer.effect(
    Approver,
    Effect.gen(function*() {
      const { channel, scrub } = yield* channels.make(name, options, secrets)
      const driver = yield* make(channel)
      const interval = Duration.toMillis(Duration.fromInputUnsafe(options.interval ?? "2 seconds"))
      const limit = Duration.fromInputUnsafe(options.timeout ?? "10 seconds")
      /** Whatever goes wrong is an error of the channel's. */
      const guarded = <A>(effect: () => Effect.Effect<A, AlerterError>): Effect.Effect<A, AlerterError> =>
        Effect.catchCause(Effect.suspend(effect), (cause) =>
          failWith(cause, (detail) => channel.error(AlerterErrorReason.Rejected({ detail: scrub(detail) }))))

      const open = (question: Question, standing: Standing<M>): Asked =>
        driver.open(scrubbed(question, scrub), standing)

      /**
       * An answer may be under way when the time is up. It must not go on for as long as attempts do: whoever answers
       * after that, where answers have no time, would still be heard.
       */
      const heard = (asked: Asked): Asked => ({
        ...asked,
        poll: (remaining) =>
          Effect.timeoutOrElse(asked.poll(remaining), {
            duration: Duration.sum(remaining, limit),
            orElse: () => Effect.fail(channel.error(AlerterErrorReason.TimedOut({ limit })))
          })
      })

      return Approver.of(resumable({
        channel: name,
        error: channel.error,
        limit,
        read: driver.read,
        post: (question, at) => guarded(() => driver.post(scrubbed(question, scrub), at)),
        prepare: (question, standing) => guarded(() => open(question, standing).prepare ?? Effect.void),
        decide: (question, standing) =>
          guarded(() => {
            const asked = open(question, standing)
            return Effect.ensuring(
              decide(question, heard(asked), standing, { interval, grace: Duration.toMillis(limit) }),
              Effect.sync(() => asked.leave?.())
            )
          }),
        settle: (question, standing, decision) => guarded(() => open(question, standing).settle(decision))
      }))
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

interface Pace {
  /** Between looks, in milliseconds. */
  readonly interval: number
  /** How long after the end a last look may begin and still see nothing that came much later. */
  readonly grace: number
}

const decide = (
  question: Question,
  asked: Asked,
  { askedAt, until }: Standing<unknown>,
  { grace, interval }: Pace
): Effect.Effect<Decision, AlerterError> =>
  Effect.gen(function*() {
    const latest = asked.at === undefined ? until : DateTime.toEpochMillis(asked.at) + (until - askedAt)
    while (true) {
      const left = until - (yield* Clock.currentTimeMillis)
      const heard = yield* Effect.result(asked.poll(Duration.millis(Math.max(0, left))))
      if (heard._tag === "Failure" && !mayPass(heard.failure)) return yield* Effect.fail(heard.failure)
      // Where nobody looked when the time was up, an answer may have come long after it.
      const inTime = ({ answer, at }: Vote): boolean =>
        millis(at) <= latest || ((at === undefined || asked.at === undefined) && (-left <= grace || answer === "deny"))
      const vote = heard._tag === "Success" ? chosen(question, heard.success.filter(inTime)) : undefined
      if (vote !== undefined) return yield* decided(vote)
      // Silence is an answer only where one could have been heard, and only once all the time had passed.
      if (left <= 0) {
        return heard._tag === "Failure" ? yield* Effect.fail(heard.failure) : Decision.TimedOut({ at: yield* now })
      }
      const pause = Math.max(interval, heard._tag === "Failure" ? pauseAfter(heard.failure) : 0)
      const remaining = until - (yield* Clock.currentTimeMillis)
      yield* Effect.sleep(Math.max(0, Math.min(pause, remaining)))
    }
  })

const decided = (vote: Vote): Effect.Effect<Decision> =>
  Effect.map(vote.at === undefined ? now : Effect.succeed(vote.at), (at) => {
    const answer = { by: vote.by, at, comment: vote.comment }
    return vote.answer === "approve" ? Decision.Approved(answer) : Decision.Denied(answer)
  })

/** The earliest that counts; a no where it can't be told which came first. */
const chosen = (question: Question, votes: ReadonlyArray<Vote>): Vote | undefined => {
  const counted = votes.filter(({ by, handles }) => mayAnswer(question, by, handles))
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
