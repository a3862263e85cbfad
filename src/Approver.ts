/**
 * The service that asks somebody for permission and waits for the answer. Only
 * channels that can hear one provide it (`effect-epilogue/approvers`), and none says
 * yes by default.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Field } from "./Alert.ts"
import { AlerterError, isAlerterError, Reason } from "./Alerter.ts"
import { calledFrom, failWith } from "./internal/alerter.ts"
import * as internal from "./internal/approver.ts"
import { ApproverKey } from "./internal/requireApproval.ts"

export { NotApproved, type NotApprovedFields } from "./internal/requireApproval.ts"

/**
 * What is asked.
 *
 * @category models
 * @since 0.1.0
 */
export interface Question {
  /** One line. */
  readonly title: string
  readonly body?: string | undefined
  readonly fields?: ReadonlyArray<Field> | undefined
  /** What the two answers are called, each by a name of its own. `"Approve"` and `"Deny"` unless set. */
  readonly options?: { readonly approve?: string | undefined; readonly deny?: string | undefined } | undefined
  /** How long to wait for an answer. */
  readonly timeout: Duration.Input
  /** Whose answer counts, by id in the channel. Everybody's who can give one unless set. */
  readonly approvers?: ReadonlyArray<string> | undefined
}

/**
 * Who answered.
 *
 * @category models
 * @since 0.1.0
 */
export interface Person {
  /** In the channel: a member's id, the name of a user of the machine. */
  readonly id: string
  /** As people know them. */
  readonly name: string
}

/**
 * What came of a question.
 *
 * @category models
 * @since 0.1.0
 */
export type Decision = Data.TaggedEnum<{
  Approved: { readonly by: Person; readonly at: DateTime.Utc; readonly comment?: string | undefined }
  Denied: { readonly by: Person; readonly at: DateTime.Utc; readonly comment?: string | undefined }
  TimedOut: { readonly at: DateTime.Utc }
}>

/**
 * Constructors of {@link Decision}s, as in `Decision.TimedOut({ at })`.
 *
 * @category models
 * @since 0.1.0
 */
export const Decision: Data.TaggedEnum.Constructor<Decision> = Data.taggedEnum<Decision>()

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
      Effect.map(Effect.context<R>(), (context) =>
        Approver.of({
          ask: (question) => askWith(question, options?.channel ?? "custom", ask, context)
        }))
    )
  }
}

const askWith = <R>(
  question: Question,
  channel: string,
  ask: (question: Question) => Effect.Effect<Decision, unknown, R>,
  context: Context.Context<R>
): Effect.Effect<Decision, AlerterError> => {
  const invalid = (detail: string) =>
    Effect.fail(new AlerterError({ channel, reason: Reason.InvalidAlert({ detail }) }))
  const wrong = internal.mistake(question)
  if (wrong !== undefined) return invalid(wrong)
  return Effect.suspend(() => ask(question)).pipe(
    Effect.timeoutOrElse({
      duration: question.timeout,
      orElse: () => Effect.map(internal.now, (at) => Decision.TimedOut({ at }))
    }),
    Effect.flatMap((decision) =>
      decision._tag === "TimedOut" || internal.mayAnswer(question, decision.by)
        ? Effect.succeed(decision)
        : invalid(`${decision.by.id} answered, who is none of its approvers`)
    ),
    Effect.catchCause((cause) =>
      failWith(cause, isAlerterError, (detail) => new AlerterError({ channel, reason: Reason.Rejected({ detail }) }))
    ),
    Effect.updateContext(calledFrom(context))
  )
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
    readonly ask: (question: Question) => Effect.Effect<Decision, AlerterError>
  }
}
