/** Makes approvers that post a question in a channel and poll for answers. */
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

/** A question that has been posted. */
export interface Asked {
  /** The time of the post, by the channel's clock, as the times of votes are. */
  readonly at?: DateTime.Utc | undefined
  /** Prepares the message for answers, by adding reactions, say. */
  readonly prepare?: Effect.Effect<unknown, AlerterError> | undefined
  /** Returns all answers so far. May wait for one, up to the remaining time. */
  readonly poll: (remaining: Duration.Duration) => Effect.Effect<ReadonlyArray<Vote>, AlerterError>
  /** Called when polling ends, for now or for good. */
  readonly leave?: (() => void) | undefined
  /** Shows the decision in the channel, or, without one, that the question was withdrawn. */
  readonly settle: (decision: Decision | undefined) => Effect.Effect<unknown, AlerterError>
}

/** The parts that differ from channel to channel. `M` is the data that is needed to find a question's message again, as JSON. */
export interface Driver<M> extends Pick<Parts<M>, "post" | "read"> {
  /** Opens a question that this process or another has posted, without sending anything yet. */
  readonly open: (question: Question, standing: Standing<M>) => Asked
}

/** @internal */
export const layer = <Options extends ApproverOptions, M, E = never, R = never>(
  name: string,
  options: Options,
  own: channels.OwnOptions<Options>,
  parts: () => {
    readonly secrets: ReadonlyArray<string>
    readonly make: (channel: Channel) => Effect.Effect<Driver<M>, E, R>
  }
): Layer.Layer<Approver, E, Exclude<R, Scope.Scope>> =>
  Layer.effect(
    Approver,
    Effect.gen(function*() {
      channels.check(name, options, own)
      const { make, secrets } = parts()
      const { channel, scrub } = yield* channels.make(name, options, secrets)
      const driver = yield* make(channel)
      const interval = Duration.toMillis(Duration.fromInputUnsafe(options.interval ?? "2 seconds"))
      const limit = Duration.fromInputUnsafe(options.timeout ?? "10 seconds")
      /** Turns defects into errors of the channel. */
      const guarded = <A>(effect: () => Effect.Effect<A, AlerterError>): Effect.Effect<A, AlerterError> =>
        Effect.catchCause(Effect.suspend(effect), (cause) =>
          failWith(cause, (detail) => channel.error(AlerterErrorReason.Rejected({ detail: scrub(detail) }))))

      const open = (question: Question, standing: Standing<M>): Asked =>
        driver.open(scrubbed(question, scrub), standing)

      /**
       * Limits a request that is under way when the question times out. With all its retries, it could return an answer
       * that was given long after that, which can't be seen where answers have no time.
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

/** Removes the channel's secrets from a question. */
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
  /** The time between two polls, in milliseconds. */
  readonly interval: number
  /** How long after the timeout, in milliseconds, the last poll may begin for answers without a time to count. */
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
      // if the last poll is late (the process slept, say), an answer without a time may have come long after the timeout
      const inTime = ({ answer, at }: Vote): boolean =>
        millis(at) <= latest || ((at === undefined || asked.at === undefined) && (-left <= grace || answer === "deny"))
      const vote = heard._tag === "Success" ? chosen(question, heard.success.filter(inTime)) : undefined
      if (vote !== undefined) return yield* decided(vote)
      // it has timed out only if the last poll succeeded: otherwise there may be an answer that was not read
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

/** Returns the earliest vote that counts, or a denial if the order can't be determined. */
const chosen = (question: Question, votes: ReadonlyArray<Vote>): Vote | undefined => {
  // an approval without the values that the question asks for is none
  const counted = votes.filter(({ answer, by, handles }) =>
    mayAnswer(question, by, handles) && (question.values === undefined || answer === "deny")
  )
  // of the votes for one answer, those with a time come first, since they may have a comment
  const first = (answer: Vote["answer"]): Vote | undefined =>
    counted.filter((vote) => vote.answer === answer).toSorted((a, b) => order(a) - order(b) || 0)[0]
  const yes = first("approve")
  const no = first("deny")
  if (yes === undefined || no === undefined) return yes ?? no
  const noUntimed = counted.some(({ answer, at }) => answer === "deny" && at === undefined)
  return !noUntimed && millis(yes.at) < millis(no.at) ? yes : no
}

const order = ({ at }: Vote): number => at === undefined ? Infinity : millis(at)

/** Returns the time in milliseconds, or NaN without one, which is neither before nor after any other. */
const millis = (at: DateTime.Utc | undefined): number => at === undefined ? NaN : DateTime.toEpochMillis(at)

/** Whether an error may pass. A question may be open for days, so a channel that fails for a minute must not end it. */
const mayPass = ({ reason }: AlerterError): boolean =>
  reason._tag === "RateLimited" || reason._tag === "Unreachable" || reason._tag === "TimedOut" ||
  (reason._tag === "Rejected" && reason.status !== undefined && reason.status >= 500)

const pauseAfter = ({ reason }: AlerterError): number =>
  reason._tag === "RateLimited" && reason.retryAfter !== undefined ? Duration.toMillis(reason.retryAfter) : 0
