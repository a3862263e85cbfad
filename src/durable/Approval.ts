/**
 * An approver for durable pipelines: the question is asked once, and its answer may come after days and restarts.
 *
 * `Approver.ask` and `Step.requireApproval` are what they are in memory. The run waits without a process where answers
 * come by {@link answer}; where they come from a channel, some process has to listen, and after a restart goes on with
 * the message that is there already. A crash between the post of a question and the record of it asks a second time;
 * the answer to either counts where it is given by the token, and in a channel that to the last.
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
 * An approver whose questions are alerts, to whatever channel they go. An alert says how to answer: with the command
 * `epilogue answer TOKEN --approve`, or as `instructions` say, with a link to a page of your own, which calls
 * {@link answer}. The token names the run and the question. It is no secret, and it gives no access to anything: who
 * may reach the engine may answer.
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
 * An approver that asks in a channel, such as `Slack.layerConfig()` of `effect-epilogue/approvers`. Where the channel's
 * approver is resumable, the question stands through restarts; another one's is asked anew after each.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerChannel = <E, R>(channel: Layer.Layer<Approver, E, R>): Layer.Layer<Approver, E, R> =>
  Layer.effect(
    Approver,
    Effect.map(Approver, (approver) => {
      const resumable = approver.resumable ?? {
        // nothing is posted before somebody listens
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
 * An answer that counts for nothing: what it was given with is no token, or who gave it is none of those whose answer
 * the question asks for.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidAnswer extends InvalidAnswerBase {}

/**
 * Answers a question by its token, from whatever process has the engine. The first answer counts; what comes after it,
 * or after the question's time, changes nothing. Who answers is for the caller to know: an `approvers` list of the
 * question is checked against what is said here. Where the pipeline has a `ClusterSchema.ShardGroup`, that has to be a
 * process that has the pipeline's layer, too.
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
      Effect.fail(new InvalidAnswer({ reason: "Token", message: "that is no token of a question" })))
    if (!internal.mayAnswerTo(question, given.by)) {
      return yield* Effect.fail(
        new InvalidAnswer({ reason: "Approver", message: `${given.by.id} is none of the question's approvers` })
      )
    }
    const { approve, by, comment } = given
    const answered = { by, at: DateTime.makeUnsafe(yield* Clock.currentTimeMillis), comment }
    yield* internal.answer(question, approve ? Decision.Approved(answered) : Decision.Denied(answered))
  })
