/** Questions that need an answer by a person, and their answers. */
import * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { Field } from "../../Alert.ts"
import { AlerterError, AlerterErrorReason } from "./alerterError.ts"
import { CurrentGuard } from "./secrets.ts"

/**
 * The values that a person fills in who approves. Classes of `Params.Service` are such forms, too.
 *
 * @see `Params.form` for making one
 *
 * @category models
 * @since 0.1.0
 */
export interface Form<out A = unknown> {
  /** The Schema of the fields. Their annotations `title` and `description` are shown to people. */
  readonly schema: Schema.Top
  /** Decodes values as JSON. The error lists all mistakes, and quotes no value. */
  decode(input: unknown): Effect.Effect<A, FormError>
  /** Encodes decoded values as JSON for people, with each `Redacted` as `"<redacted>"`. */
  describe(values: unknown): Readonly<Record<string, unknown>>
}

/**
 * The error of a {@link Form}, which `Params.ParamsError` is.
 *
 * @category models
 * @since 0.1.0
 */
export interface FormError {
  /** Each value that is wrong: where it is in the form, and what is expected there. */
  readonly issues: ReadonlyArray<{ readonly path: ReadonlyArray<string | number>; readonly message: string }>
}

/**
 * A request for permission.
 *
 * @see `Approver.ask` for asking it
 * @see {@link Decision} for its outcome
 *
 * @category models
 * @since 0.1.0
 */
export interface Question {
  /** The title, on one line. It must contain visible characters. */
  readonly title: string
  /** A text of one or more lines. */
  readonly body?: string | undefined
  /** Fields that are shown below the text. `Step.requireApproval` adds the pipeline, run and step. */
  readonly fields?: ReadonlyArray<Field> | undefined
  /** The names of the two answers, which must differ. `"Approve"` and `"Deny"` unless set. */
  readonly options?: { readonly approve?: string | undefined; readonly deny?: string | undefined } | undefined
  /** The time to wait for an answer, which must be positive. */
  readonly timeout: Duration.Input
  /** The ids, in the channel, of the people whose answers count. All answers count unless set. */
  readonly approvers?: ReadonlyArray<string> | undefined
  /** The values that whoever approves has to fill in. None unless set. */
  readonly values?: Form | undefined
}

/**
 * A question that asks for values.
 *
 * @see `Step.approved` for a step that gets them
 *
 * @category models
 * @since 0.1.0
 */
export interface QuestionFor<out A> extends Question {
  /** The values that whoever approves has to fill in, which the approval then has decoded. */
  readonly values: Form<A>
}

/**
 * A decision about a {@link QuestionFor}: an approval has the values that were filled in.
 *
 * @category models
 * @since 0.1.0
 */
export type DecisionFor<A> =
  | Exclude<Decision, { readonly _tag: "Approved" }>
  | (Extract<Decision, { readonly _tag: "Approved" }> & { readonly values: A })

/**
 * The person who answered a question.
 *
 * @see {@link Decision} for the answer
 *
 * @category models
 * @since 0.1.0
 */
export interface Person {
  /** The id in the channel: that of a member, or the name of a user of the machine. */
  readonly id: string
  /** The name for people. */
  readonly name: string
}

/**
 * The outcome of a question: somebody approved or denied it, or nobody answered in time.
 *
 * @see {@link Question} for what was asked
 *
 * @category models
 * @since 0.1.0
 */
export type Decision = Data.TaggedEnum<{
  Approved: {
    readonly by: Person
    readonly at: DateTime.Utc
    readonly comment?: string | undefined
    /** The values of the question's form: as JSON in what an approver returns, decoded in what `Approver.ask` does. */
    readonly values?: unknown
  }
  Denied: { readonly by: Person; readonly at: DateTime.Utc; readonly comment?: string | undefined }
  TimedOut: { readonly at: DateTime.Utc }
}>

/**
 * The constructors of {@link Decision}, as in `Decision.TimedOut({ at })`.
 *
 * @category models
 * @since 0.1.0
 */
export const Decision: Data.TaggedEnum.Constructor<Decision> = Data.taggedEnum<Decision>()

/**
 * The functions of an approver whose questions outlive a process: one process posts a question, and another,
 * after a restart, may wait for its answer. A handle, which is a text, identifies the question.
 *
 * **Gotchas**
 *
 * Each function fails with the reason `InvalidAlert` for an invalid question, and for a text that is not the
 * handle of a question of this channel.
 *
 * @example
 * ```ts
 * import { Approver, type Question } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * declare const saved: {
 *   readonly load: (key: string) => Effect.Effect<string | undefined>
 *   readonly save: (key: string, value: string) => Effect.Effect<void>
 * }
 *
 * // run again after a restart, it asks no second time
 * const decide = (key: string, question: Question) =>
 *   Effect.gen(function*() {
 *     const { resumable } = yield* Approver
 *     if (resumable === undefined) return yield* Effect.die("this approver can't go on after a restart")
 *     let handle = yield* saved.load(key)
 *     if (handle === undefined) {
 *       handle = yield* resumable.post(question)
 *       yield* saved.save(key, handle)
 *     }
 *     return yield* resumable.listen(question, handle)
 *   })
 * ```
 *
 * @see `Approver.layerResumable` for making such an approver
 *
 * @category services
 * @since 0.1.0
 */
export interface Resumable {
  /**
   * Posts the question and returns its handle: a JSON text that says where the question
   * is, when it was asked and until when it may be answered. The handle holds no secret.
   *
   * If it is interrupted, or fails after the question was visible, it withdraws the
   * question, since no other process knows of it yet. If the process is killed at that
   * moment, the question stays.
   */
  readonly post: (question: Question) => Effect.Effect<string, AlerterError>
  /**
   * Waits for the answer to the question with that handle, marks the question as settled where people see it,
   * and returns the decision.
   *
   * An answer that was given while no process listened counts as any other. The time limit is the handle's,
   * whatever `timeout` the question has by now; otherwise the question should be the one that was posted.
   *
   * If it is interrupted, or fails, it leaves the question as it is, so that another call can listen again. If
   * no process listened when the time was up, an approval counts only if the channel says that it came in time,
   * and otherwise the decision is `TimedOut`; a denial counts in any case.
   */
  readonly listen: (question: Question, handle: string) => Effect.Effect<Decision, AlerterError>
  /**
   * Marks the question as withdrawn where people see it, for when no process will wait for the answer any more.
   * A failure of the channel is logged and is not an error.
   */
  readonly withdraw: (question: Question, handle: string) => Effect.Effect<void, AlerterError>
}

/** An approver, as far as it is asked. */
interface Asking {
  readonly ask: (question: Question) => Effect.Effect<Decision, AlerterError>
  readonly takesValues?: boolean | undefined
}

const failed = (detail: string): Effect.Effect<never, AlerterError> =>
  Effect.fail(new AlerterError({ channel: "approver", reason: AlerterErrorReason.InvalidAlert({ detail }) }))

/** Asks, and decodes the values of an approval. An approver that takes none is not asked for some. */
export const asked = (approver: Asking, question: Question): Effect.Effect<Decision, AlerterError> => {
  const { values } = question
  if (values === undefined) return approver.ask(question)
  if (approver.takesValues !== true) {
    return failed(
      "the question asks for values, which this approver can't take: a web page, the terminal and durable approvals can"
    )
  }
  return Effect.flatMap(
    approver.ask(question),
    (decision) => decision._tag === "Approved" ? decoded(decision, values) : Effect.succeed(decision)
  )
}

const decoded = (
  decision: Extract<Decision, { readonly _tag: "Approved" }>,
  form: Form
): Effect.Effect<Decision, AlerterError> =>
  Effect.gen(function*() {
    const values = yield* Effect.catch(form.decode(decision.values), ({ issues }) =>
      failed(`the values of the approval do not fit: ${
        issues.map(({ path }) => path.join(".")).join(", ")
      }`))
    const guard = yield* CurrentGuard
    guard?.addRedacted(values)
    return Decision.Approved({ ...decision, values })
  })
