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
import { questionTag } from "../internal/alerts/notices.ts"
import { sourceOf } from "../internal/alerts/outcomeAlert.ts"
import { fieldsOf } from "../internal/approvals/form.ts"
import { labels } from "../internal/approvals/question.ts"
import type { StoredRunQuestion } from "../internal/model/storedRun.ts"
import { selfExplained } from "../internal/text/selfExplained.ts"
import { StepContext } from "../StepContext.ts"
import * as answering from "./internal/answering.ts"
import * as internal from "./internal/approval.ts"

/**
 * An approver that posts each question as an alert, through the `Alerter` of the context.
 *
 * **Details**
 *
 * The alert says how to answer. Unless `instructions` returns other fields, such as a link to a page of your own that
 * calls {@link answer}, these are the commands `epilogue answer TOKEN --approve` and `--deny`. The token is 128 random
 * bits, stored with the question, and opens no other one.
 *
 * The alert has the severity `warning` and the tag `question`. `digest`, `quietHours`, `dedupe` and `throttle` let it pass,
 * since its time limit runs, and no policy takes it for a failure.
 *
 * **Gotchas**
 *
 * The token is a secret of those who may answer: post the question where nobody else reads. Whoever has the token and
 * access to the database can answer under any name, also with a list of approvers, unless a page of your own
 * authenticates people before it calls {@link answer}.
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
        takesValues: true,
        ask: (question) =>
          internal.ask({
            channel: undefined,
            post: (question, token, idempotencyKey) => {
              const { body, fields, title } = question
              const asked = Alert.make({
                title,
                body,
                severity: "warning",
                fields,
                idempotencyKey,
                tags: [questionTag]
              })
              const how = Alert.make({ title, fields: (options?.instructions ?? commands)(token, question) })
              return withSource(asked.with({ fields: [...asked.fields, ...how.fields] })).pipe(
                Effect.flatMap(alerter.post),
                Effect.as("")
              )
            },
            refuse: (question, { by, mistakes }, token, idempotencyKey) =>
              Effect.flatMap(
                withSource(Alert.make({
                  title: `${question.title}: the answer of ${by.name} does not fit`,
                  body: mistakes.join("\n"),
                  severity: "warning",
                  fields: (options?.instructions ?? commands)(token, question),
                  idempotencyKey,
                  tags: [questionTag]
                })),
                alerter.post
              )
          }, question)
      }))
  )

/** Says which step asks, so that routes and the address of the run know it. */
const withSource = (alert: Alert): Effect.Effect<Alert> =>
  Effect.map(
    Effect.serviceOption(StepContext),
    (context) => context._tag === "None" ? alert : alert.with({ source: sourceOf(context.value) })
  )

const commands = (token: string, question: Question): AlertInput["fields"] => {
  const { approve, deny } = labels(question)
  return [
    { name: approve, value: approving(token, question) },
    { name: deny, value: `epilogue answer ${token} --deny` }
  ]
}

const approving = (token: string, { values }: Question): string =>
  [
    `epilogue answer ${token} --approve`,
    ...(values === undefined ? [] : fieldsOf(values).map((field) => `--with ${field.name}=…`))
  ].join(" ")

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
      // it gets the token and the key, too, for channels that know what to do with them
      const post: internal.Asking["post"] = resumable.post
      // the channel takes denials; for the values of an approval its message has the command
      const commanded = (question: Question, token: string): Question =>
        question.values === undefined || approver.takesValues === true ? question : {
          ...question,
          fields: [...question.fields ?? [], { name: labels(question).approve, value: approving(token, question) }]
        }
      return Approver.of({
        takesValues: true,
        ask: (question) =>
          internal.ask({
            channel: resumable,
            post: (question, token, key) => post(commanded(question, token), token, key),
            refuse: undefined
          }, question)
      })
    })
  ).pipe(Layer.provide(channel))

/**
 * The questions of all runs that wait for an answer, in the order in which they were asked. Their tokens are not among it.
 *
 * **When to use**
 *
 * For a page or a message that says what waits, for whom, and until when.
 *
 * @example
 * ```ts
 * import { Approval, Durable } from "effect-epilogue/durable"
 * import { Effect } from "effect"
 *
 * const waiting = Approval.questions.pipe(
 *   Effect.map((questions) => questions.map(({ pipelineName, title }) => `${pipelineName}: ${title}`)),
 *   Effect.provide(Durable.layerSqliteClient({ filename: ".epilogue/durable.db" }))
 * )
 * ```
 *
 * @see {@link answer} for answering one
 * @category answers
 * @since 0.1.0
 */
export const questions: Effect.Effect<ReadonlyArray<StoredRunQuestion>, never, WorkflowEngine> = answering.openQuestions

const InvalidAnswerBase: new(fields: {
  readonly reason: "Token" | "Approver" | "Over" | "Values"
  readonly message: string
}) => Cause.YieldableError & {
  readonly _tag: "InvalidAnswer"
  readonly reason: "Token" | "Approver" | "Over" | "Values"
} = selfExplained(Data.TaggedError("InvalidAnswer")<answering.Refusal>)

/**
 * The error of an answer that was not accepted, and changed nothing: the text is not the token of a question
 * (`"Token"`), the person is not in the question's list of approvers (`"Approver"`), or the question is over (`"Over"`):
 * it was answered before, its time is up, or its run no longer waits for the answer. `"Values"`: the values do not fit the
 * question's form, as the message says for each.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidAnswer extends InvalidAnswerBase {}

/**
 * Answers a question by its token, from any process that has the engine. Fails with {@link InvalidAnswer} if no question
 * has this token, if the question has a list of approvers and `by.id` is not in it, or if the question is over.
 *
 * **Details**
 *
 * `values` are those of the question's form: texts as people write them, or JSON. They are read by the kinds of the fields.
 * The run checks what the Schema alone can tell. This function waits up to two seconds for that check; where it fails, the
 * run also posts what was expected, and the question is open again.
 *
 * Approvers and time limit are those that were stored with the question. The first answer counts. The run reads it from
 * the storage, and checks it once more.
 *
 * **Gotchas**
 *
 * The caller has to authenticate the person: `by` is taken as given. With an engine that is not one of `Durable`, only
 * the process that asked can answer. If the pipeline has a `ClusterSchema.ShardGroup`, the process needs the pipeline's
 * layer too.
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
  readonly values?: Readonly<Record<string, unknown>> | undefined
}): Effect.Effect<void, InvalidAnswer, WorkflowEngine> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const { approve, by, comment, values } = given
    const answered = { by, at: DateTime.makeUnsafe(now), comment }
    return Effect.mapError(
      answering.answer(token, approve ? Decision.Approved({ ...answered, values }) : Decision.Denied(answered)),
      (refusal) => new InvalidAnswer(refusal)
    )
  })
