/**
 * The service that asks somebody for permission and waits for the answer. Only
 * channels that can hear one provide it (`effect-epilogue/approvers`), and none says
 * yes by default.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { calledFrom, failWith } from "./internal/alerts/alerter.ts"
import * as internal from "./internal/approvals/question.ts"
import * as resumable from "./internal/approvals/resumable.ts"
import { AlerterError, AlerterErrorReason } from "./internal/model/alerterError.ts"
import type * as approval from "./internal/model/approval.ts"
import { Decision, type Question } from "./internal/model/approval.ts"
import { ApproverKey } from "./internal/steps/requireApproval.ts"

export { Decision, type Person, type Question } from "./internal/model/approval.ts"
export { NotApproved, type NotApprovedFields } from "./internal/steps/requireApproval.ts"

/**
 * Asks for permission.
 *
 * @example
 * ```ts
 * import { Approver } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const decision = yield* Approver.ask({ title: "Deploy to production?", timeout: "1 hour" })
 *   if (decision._tag === "Approved") yield* Effect.log(`approved by ${decision.by.name}`)
 * })
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Approver extends ApproverKey {
  /** Asks the environment's approver. Fails where the question can't be asked, or no answer could be heard. */
  static ask(question: Question): Effect.Effect<Decision, AlerterError, Approver> {
    return Effect.flatMap(ApproverKey, (approver) => approver.ask(question))
  }

  /**
   * An approver made of a function that asks, and waits: it is interrupted when the
   * question's time is up, and then the decision is `TimedOut`. An answer of somebody
   * who is not among the question's `approvers` is an error. A failure or a defect
   * that is no `AlerterError` becomes one.
   */
  static layer<R = never>(
    ask: (question: Question) => Effect.Effect<Decision, unknown, R>,
    options?: { readonly channel?: string | undefined }
  ): Layer.Layer<Approver, never, R> {
    return Layer.effect(
      Approver,
      Effect.map(Effect.context<R>(), (context) => {
        const { decide, error } = customWith(options?.channel ?? "custom", context)
        return Approver.of({
          ask: (question) => {
            const wrong = internal.mistake(question)
            return wrong === undefined
              ? decide(question, () => ask(question), question.timeout)
              : Effect.fail(error(AlerterErrorReason.InvalidAlert({ detail: wrong })))
          }
        })
      })
    )
  }

  /**
   * An approver made of functions that ask, that wait for the answer, maybe in another
   * process, after a restart, and that withdraw. It provides `ask` and `resumable`.
   *
   * `post` gives a text by which the question can be found again, which must hold no
   * secret; the other two are called with that text. `listen` is interrupted when the
   * question's time is up, counted from when `post` was done, and then the decision is
   * `TimedOut`. Where it is called only after that, it has 10 seconds to find an answer
   * that came in time: an approval is none whose `at` is later. What came of the question
   * is for `listen` to show where people see it, and for `withdraw` that nobody waits any
   * more; a failure of `withdraw` is logged. For the rest it is as in `layer`.
   *
   * @example
   * ```ts
   * import { Approver, Decision, type Question } from "effect-epilogue"
   * import { type DateTime, Effect } from "effect"
   *
   * declare const tickets: {
   *   readonly open: (question: Question) => Effect.Effect<{ readonly id: string }>
   *   readonly closed: (id: string) => Effect.Effect<{ readonly ok: boolean; readonly by: string; readonly at: DateTime.Utc }>
   *   readonly cancel: (id: string) => Effect.Effect<void>
   * }
   *
   * const layer = Approver.layerResumable({
   *   post: (question) => Effect.map(tickets.open(question), ({ id }) => id),
   *   listen: (_, id) =>
   *     Effect.map(tickets.closed(id), ({ at, by, ok }) =>
   *       (ok ? Decision.Approved : Decision.Denied)({ by: { id: by, name: by }, at })),
   *   withdraw: (_, id) => tickets.cancel(id)
   * }, { channel: "tickets" })
   * ```
   */
  static layerResumable<R = never>(
    functions: {
      readonly post: (question: Question) => Effect.Effect<string, unknown, R>
      readonly listen: (question: Question, posted: string) => Effect.Effect<Decision, unknown, R>
      readonly withdraw: (question: Question, posted: string) => Effect.Effect<unknown, unknown, R>
    },
    options?: { readonly channel?: string | undefined }
  ): Layer.Layer<Approver, never, R> {
    const { listen, post, withdraw } = functions
    const channel = options?.channel ?? "custom"
    return Layer.effect(
      Approver,
      Effect.map(Effect.context<R>(), (context) => {
        const { decide, error, guarded } = customWith(channel, context)
        return Approver.of(resumable.make({
          channel,
          error,
          limit: grace,
          read: (json) => typeof json === "string" ? json : undefined,
          post: (question) => guarded(() => post(question)),
          prepare: () => Effect.void,
          decide: (question, { message, until }) =>
            Effect.gen(function*() {
              const left = until - (yield* Clock.currentTimeMillis)
              const decision = yield* decide(question, () => listen(question, message), left > 0 ? left : grace)
              const late = left <= 0 && decision._tag === "Approved" && DateTime.toEpochMillis(decision.at) > until
              return late ? Decision.TimedOut({ at: yield* internal.now }) : decision
            }),
          settle: (question, { message }, decision) =>
            decision === undefined ? guarded(() => withdraw(question, message)) : Effect.void
        }))
      })
    )
  }
}

/** What may still be done when a question's time is up. */
const grace = Duration.seconds(10)

/** Somebody's own functions, called with the services of the layer: whatever goes wrong is an error of the channel's. */
const customWith = <R>(channel: string, context: Context.Context<R>) => {
  const error = (reason: AlerterErrorReason) => new AlerterError({ channel, reason })
  const guarded = <A>(effect: () => Effect.Effect<A, unknown, R>): Effect.Effect<A, AlerterError> =>
    Effect.suspend(effect).pipe(
      Effect.catchCause((cause) => failWith(cause, (detail) => error(AlerterErrorReason.Rejected({ detail })))),
      Effect.updateContext(calledFrom(context))
    )
  const decide = (
    question: Question,
    answer: () => Effect.Effect<Decision, unknown, R>,
    limit: Duration.Input
  ): Effect.Effect<Decision, AlerterError> =>
    guarded(() =>
      Effect.suspend(answer).pipe(
        Effect.timeoutOrElse({
          duration: limit,
          orElse: () => Effect.map(internal.now, (at) => Decision.TimedOut({ at }))
        }),
        Effect.flatMap((decision): Effect.Effect<Decision, AlerterError> =>
          decision._tag === "TimedOut" || internal.mayAnswer(question, decision.by)
            ? Effect.succeed(decision)
            : Effect.fail(
              error(
                AlerterErrorReason.InvalidAlert({ detail: `${decision.by.id} answered, who is none of its approvers` })
              )
            )
        )
      )
    )
  return { error, guarded, decide }
}

/**
 * @category services
 * @since 0.1.0
 */
export declare namespace Approver {
  /**
   * What the service holds.
   *
   * @category services
   * @since 0.1.0
   */
  export interface Shape {
    /**
     * Asks, waits for the answer, and shows where the question was asked what came of it.
     * Whoever interrupts it withdraws the question, and so does its failure.
     */
    readonly ask: (question: Question) => Effect.Effect<Decision, AlerterError>
    /** Where another process can go on waiting for the answer; undefined where none could. */
    readonly resumable?: Resumable | undefined
  }

  /**
   * The functions of an approver whose questions outlive a process: see `resumable` of {@link Shape}.
   *
   * @category services
   * @since 0.1.0
   */
  export type Resumable = approval.Resumable
}
