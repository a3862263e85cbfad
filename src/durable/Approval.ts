/**
 * Approvers for durable pipelines: a question is asked once, and its answer may come after days and restarts.
 *
 * **Details**
 *
 * `Approver.ask` and `Step.requireApproval` are used as in memory. With {@link layer}, the run needs no process while it
 * waits, and {@link answer} gives the answer. With {@link layerChannel}, a process has to listen in the channel; after a
 * restart the next one listens to the message that is there already.
 *
 * **Gotchas**
 *
 * A crash between the post of a question and the record of it asks a second time. The two have the same token, so an
 * answer by the token counts whichever message it comes from; in a channel only the answer to the last message counts.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { Alert, type AlertInput } from "../Alert.ts"
import { Alerter } from "../Alerter.ts"
import { Approver, Decision, type Person, type Question } from "../Approver.ts"
import { labels } from "../internal/approvals/question.ts"
import * as internal from "./internal/approval.ts"

/**
 * An approver that posts each question as an alert, through the `Alerter` of the context.
 *
 * **Details**
 *
 * The alert says how to answer. Unless `instructions` returns other fields, such as a link to a page of your own that
 * calls {@link answer}, these are the commands `epilogue answer TOKEN --approve` and `--deny`.
 *
 * **Gotchas**
 *
 * The token names the run and the question. It is no secret and grants no access: every process that reaches the engine
 * can answer.
 *
 * @example
 * ```ts
 * import { Approval } from "effect-epilogue/durable"
 *
 * const approver = Approval.layer({
 *   instructions: (token) => [{ name: "Answer", value: `https://ops.example.com/approvals/${token}` }]
 * })
 * ```
 *
 * @see {@link layerChannel} for answers from a channel
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: {
  readonly instructions?: ((token: string, question: Question) => AlertInput["fields"]) | undefined
}): Layer.Layer<Approver, never, Alerter> =>
  Layer.effect(
    Approver,
    Effect.map(Alerter, (alerter) =>
      Approver.of({
        ask: (question) =>
          internal.ask({
            channel: undefined,
            post: (question, token) => {
              const { body, fields, title } = question
              const asked = Alert.make({ title, body, severity: "warning", fields, idempotencyKey: token })
              const how = Alert.make({ title, fields: (options?.instructions ?? commands)(token, question) })
              return Effect.as(alerter.post(asked.with({ fields: [...asked.fields, ...how.fields] })), token)
            }
          }, question)
      }))
  )

const commands = (token: string, question: Question): AlertInput["fields"] => {
  const { approve, deny } = labels(question)
  return [
    { name: approve, value: `epilogue answer ${token} --approve` },
    { name: deny, value: `epilogue answer ${token} --deny` }
  ]
}

/**
 * An approver that asks in a channel, such as those of `effect-epilogue/approvers`. If the channel's approver is
 * resumable, its question stays open through restarts; otherwise it is asked again after each restart.
 *
 * @see {@link layer} for questions without a process that listens
 * @category layers
 * @since 0.1.0
 */
export const layerChannel = <E, R>(channel: Layer.Layer<Approver, E, R>): Layer.Layer<Approver, E, R> =>
  Layer.effect(
    Approver,
    Effect.map(Approver, (approver) => {
      const resumable = approver.resumable ?? {
        // `listen` posts the question: this approver can only ask and wait at once
        post: () => Effect.succeed(""),
        listen: (question: Question) => approver.ask(question),
        withdraw: () => Effect.void
      }
      return Approver.of({
        ask: (question) => internal.ask({ channel: resumable, post: resumable.post }, question)
      })
    })
  ).pipe(Layer.provide(channel))

const InvalidAnswerBase: new(fields: {
  readonly reason: "Token" | "Approver"
  readonly message: string
}) => Cause.YieldableError & {
  readonly _tag: "InvalidAnswer"
  readonly reason: "Token" | "Approver"
} = Data.TaggedError("InvalidAnswer")<{ readonly reason: "Token" | "Approver"; readonly message: string }>

/**
 * The error of an answer that was not accepted: the text is not a token (`"Token"`), or the person is not in the
 * question's list of approvers (`"Approver"`).
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidAnswer extends InvalidAnswerBase {}

/**
 * Answers a question by its token, from any process that has the engine. Fails with {@link InvalidAnswer} if the text is
 * not a token, or if the question has a list of approvers and `by.id` is not in it.
 *
 * **Details**
 *
 * The first answer counts. Later answers, and approvals after the question's time limit, change nothing.
 *
 * **Gotchas**
 *
 * The caller has to authenticate the person: `by` is taken as given. If the pipeline has a `ClusterSchema.ShardGroup`,
 * the process needs the pipeline's layer too.
 *
 * @example
 * ```ts
 * import { Approval } from "effect-epilogue/durable"
 *
 * const approve = (token: string) =>
 *   Approval.answer(token, { approve: true, by: { id: "U123", name: "Ada" }, comment: "go ahead" })
 * ```
 *
 * @category answers
 * @since 0.1.0
 */
export const answer = (token: string, given: {
  readonly approve: boolean
  readonly by: Person
  readonly comment?: string | undefined
}): Effect.Effect<void, InvalidAnswer, WorkflowEngine> =>
  Effect.gen(function*() {
    const question = yield* Effect.catch(internal.decodeToken(token), () =>
      Effect.fail(new InvalidAnswer({ reason: "Token", message: "the text is not a token of a question" })))
    if (!internal.mayAnswerTo(question, given.by)) {
      return yield* Effect.fail(
        new InvalidAnswer({ reason: "Approver", message: `${given.by.id} is not one of the question's approvers` })
      )
    }
    const { approve, by, comment } = given
    const answered = { by, at: DateTime.makeUnsafe(yield* Clock.currentTimeMillis), comment }
    yield* internal.answer(question, approve ? Decision.Approved(answered) : Decision.Denied(answered))
  })
