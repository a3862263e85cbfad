/**
 * Asks a person for permission and waits for the answer.
 *
 * **Details**
 *
 * The channels of `effect-epilogue/approvers`, which can receive answers, provide the service. There is no
 * default that approves.
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
import {
  asked,
  Decision,
  type DecisionFor,
  type Question,
  type QuestionFor,
  type Resumable
} from "./internal/model/approval.ts"
// oxlint-disable-next-line import/no-cycle -- of types alone: the type of `ApproverKey` names the class that extends it
import { ApproverKey } from "./internal/steps/requireApproval.ts"

export {
  Decision,
  type DecisionFor,
  type Form,
  type FormError,
  type Person,
  type Question,
  type QuestionFor,
  type Resumable
} from "./internal/model/approval.ts"
export { NotApproved, type NotApprovedFields } from "./internal/steps/requireApproval.ts"

/**
 * The service that asks for permission.
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
 * @see `Step.requireApproval` for a step that runs only when it is approved
 * @see `TestApprover` of `effect-epilogue/testing` for tests
 *
 * @category services
 * @since 0.1.0
 */
export class Approver extends ApproverKey {
  /** Makes an approver from its functions. Questions come to them without secrets. */
  static override readonly of: (approver: Approver.Shape) => Approver.Shape = internal.withoutSecrets

  /**
   * Asks through the approver of the environment. Fails with an `AlerterError` if the question can't be asked or
   * its answers can't be read, and never takes that for a decision. An approval of a question with `values` has the
   * decoded values.
   */
  static ask<A>(question: QuestionFor<A>): Effect.Effect<DecisionFor<A>, AlerterError, Approver>
  /** Asks for permission alone, without values to fill in. */
  static ask(question: Question): Effect.Effect<Decision, AlerterError, Approver>
  static ask(question: Question): Effect.Effect<Decision, AlerterError, Approver> {
    return Effect.flatMap(ApproverKey, (approver) => asked(approver, question))
  }

  /**
   * Makes an approver from a function that asks and waits for the answer. The layer requires the services of the
   * function.
   *
   * **Details**
   *
   * - At the question's time limit the function is interrupted, and the decision is `TimedOut`.
   * - A decision by a person who is not among the question's `approvers` is an error.
   * - A failure or a defect that is not an `AlerterError` becomes one, without URLs in its message.
   * - With `takesValues`, the function gets questions with `values`, too: it asks until `values.decode` accepts what was
   *   filled in, and returns that as JSON in the approval. Others fail before they are asked.
   *
   * @see {@link Approver.layerResumable} for questions that outlive a process
   */
  static layer<R = never>(
    ask: (question: Question) => Effect.Effect<Decision, unknown, R>,
    options?: { readonly channel?: string | undefined; readonly takesValues?: boolean | undefined }
  ): Layer.Layer<Approver, never, R> {
    return Layer.effect(
      Approver,
      Effect.map(Effect.context<R>(), (context) => {
        const { decide, error } = customWith(options?.channel ?? "custom", context)
        return Approver.of({
          takesValues: options?.takesValues,
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
   * Makes an approver from functions that post a question, wait for its answer, maybe in another process after a
   * restart, and withdraw it. It provides `ask` and `resumable`.
   *
   * **Details**
   *
   * - `post` returns a text that identifies the question and must not contain a secret. `listen` and `withdraw`
   *   receive this text.
   * - `listen` is interrupted at the question's time limit, which counts from the end of `post`, and the
   *   decision is then `TimedOut`. If it is called only after that, it has 10 seconds to find an answer that was
   *   given in time; an approval with a later `at` does not count.
   * - `listen` should show the decision where people see the question, and `withdraw` that no answer is expected
   *   any more. A failure of `withdraw` is logged.
   * - Errors, people who may not answer, and values are treated as in {@link Approver.layer}.
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
   *
   * @see {@link Approver.layer} for questions that end with the process
   */
  static layerResumable<R = never>(
    functions: {
      readonly post: (question: Question) => Effect.Effect<string, unknown, R>
      readonly listen: (question: Question, posted: string) => Effect.Effect<Decision, unknown, R>
      readonly withdraw: (question: Question, posted: string) => Effect.Effect<unknown, unknown, R>
    },
    options?: { readonly channel?: string | undefined; readonly takesValues?: boolean | undefined }
  ): Layer.Layer<Approver, never, R> {
    const { listen, post, withdraw } = functions
    const channel = options?.channel ?? "custom"
    return Layer.effect(
      Approver,
      Effect.map(Effect.context<R>(), (context) => {
        const { decide, error, guarded } = customWith(channel, context)
        const approver = resumable.make({
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
        })
        return Approver.of({ ...approver, takesValues: options?.takesValues })
      })
    )
  }
}

/** The time that `listen` and `withdraw` have after a question's time limit. */
const grace = Duration.seconds(10)

/**
 * Wraps a user's functions: provides the services of the layer, and turns failures and defects into errors of
 * the channel.
 */
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
                AlerterErrorReason.InvalidAlert({
                  detail: `${decision.by.id} answered, but is not among its approvers`
                })
              )
            )
        )
      )
    )
  return { error, guarded, decide }
}

/**
 * The types of the service.
 *
 * @category services
 * @since 0.1.0
 */
export declare namespace Approver {
  /**
   * The functions of the service.
   *
   * @category services
   * @since 0.1.0
   */
  export interface Shape {
    /**
     * Asks, waits for the answer, and shows the decision where the question was asked. If it is interrupted or
     * fails, it withdraws the question.
     */
    readonly ask: (question: Question) => Effect.Effect<Decision, AlerterError>
    /**
     * The functions for questions that another process may wait for. `undefined` if the approver does not
     * support that.
     */
    readonly resumable?: Resumable | undefined
    /** Whether it asks for the `values` of a question, and returns them as JSON. `Approver.ask` decodes them. */
    readonly takesValues?: boolean | undefined
  }
}
