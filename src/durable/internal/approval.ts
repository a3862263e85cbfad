/** Asks questions in durable pipelines: posts each once, and waits for its answer through restarts. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as DurableClock from "effect/workflow/DurableClock"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { AlerterError, AlerterErrorReason } from "../../Alerter.ts"
import { Decision, type Person, type Question, type Resumable } from "../../Approver.ts"
import { failWith } from "../../internal/alerts/alerter.ts"
import { mayAnswer, mistake } from "../../internal/approvals/question.ts"
import { type Evaluation, evaluationOf } from "../../internal/engine/evaluation.ts"
import { View } from "../../internal/engine/view.ts"
import * as Writer from "../../internal/text/writer.ts"
import { StepContext } from "../../StepContext.ts"
import { DurableKeeper } from "./run/keeper.ts"
import { AlerterErrorStored, DecisionStored } from "./stored/errors.ts"

/** How a question is posted, and where its answer comes from. */
export interface Asking {
  /** Posts the question. Its result, the handle of the message, is recorded for `channel` after a restart. */
  readonly post: (question: Question, token: string) => Effect.Effect<string, AlerterError>
  /** The channel to listen in; `undefined` if answers come by token only. */
  readonly channel: Resumable | undefined
}

const failure = (detail: string): AlerterError =>
  new AlerterError({ channel: "durable", reason: AlerterErrorReason.InvalidAlert({ detail }) })

const Posted = Schema.Struct({ askedAt: Schema.Finite, handle: Schema.String })

/** Asks the question and waits for its answer, by token or in the channel, or for its time limit. */
export const ask = (asking: Asking, question: Question): Effect.Effect<Decision, AlerterError> =>
  Effect.contextWith((context: Context.Context<never>) => {
    const invalid = mistake(question)
    if (invalid !== undefined) return Effect.fail(failure(invalid))
    const instance = Context.getOrUndefined(context, WorkflowInstance)
    const view = Context.getOrUndefined(context, StepContext)
    const keeper = view instanceof View ? durableOf(evaluationOf(view)) : undefined
    if (instance === undefined || keeper === undefined) {
      return Effect.fail(failure("this approver asks in durable pipelines only"))
    }
    if (view instanceof View && View.inHook(view)) return Effect.fail(failure("a hook can't wait for an answer"))
    // The cast: an instance implies an engine, and only errors with a schema are recorded, which are `AlerterError`s.
    return askIn(asking, question, keeper, instance) as Effect.Effect<Decision, AlerterError>
  })

/** Returns the closest durable keeper: that of the step itself, or of the durable step that it is nested in. */
const durableOf = (evaluation: Evaluation | undefined): DurableKeeper | undefined =>
  evaluation === undefined
    ? undefined
    : evaluation.keeper instanceof DurableKeeper
    ? evaluation.keeper
    : durableOf(evaluation.parent)

const askIn = (
  asking: Asking,
  question: Question,
  keeper: DurableKeeper,
  instance: WorkflowInstance["Service"]
): Effect.Effect<Decision, AlerterError, WorkflowEngine | WorkflowInstance> =>
  Effect.gen(function*() {
    const name = keeper.questionName(question.title)
    const deferred = DurableDeferred.make(name, { success: DecisionStored })
    const token = encodeToken({
      workflowName: instance.workflow._tag,
      executionId: instance.executionId,
      deferredName: name,
      approvers: question.approvers
    })
    const posted = Activity.make({
      name: `${name}/posted`,
      success: Posted,
      error: AlerterErrorStored,
      execute: Effect.gen(function*() {
        const askedAt = yield* Clock.currentTimeMillis
        const handle = yield* Effect.catchCause(
          Effect.suspend(() => asking.post(question, token)),
          (cause) =>
            failWith(cause, (detail) =>
              new AlerterError({ channel: "durable", reason: AlerterErrorReason.Rejected({ detail }) }))
        )
        return { askedAt, handle }
      })
    })
    const inAttempt = keeper.currentAttempt !== undefined
    const { askedAt, handle }: typeof Posted.Type = yield* inAttempt
      ? posted
      : keeper.runActivity(`${name}/posted`, posted) as typeof posted // the cast: its result is the activity's
    if (inAttempt) {
      yield* keeper.recordBegun
    }
    const { channel } = asking
    const limit = Duration.toMillis(question.timeout)
    const until = askedAt + limit
    const timedOut = Effect.sync(() =>
      Decision.TimedOut({ at: DateTime.makeUnsafe(until) })
    )
    // An approval after the time limit is none, even if the clock fires later still. A denial counts all the same.
    const answered = Effect.flatMap(DurableDeferred.await(deferred), (decision) =>
      decision._tag === "Approved" && DateTime.toEpochMillis(decision.at) > until ? timedOut : Effect.succeed(decision))
    // A channel applies the time limit itself, since it may find an answer that came in time while no process listened.
    const heard = channel === undefined
      ? Effect.andThen(
        DurableClock.sleep({ name, duration: question.timeout, inMemoryThreshold: 0 }),
        timedOut
      )
      : Activity.make({
        name: `${name}/heard`,
        success: DecisionStored,
        error: AlerterErrorStored,
        execute: Effect.suspend(() =>
          channel.listen(question, handle)
        )
      })
    const decision = yield* DurableDeferred.raceAll({
      name,
      success: DecisionStored,
      error: AlerterErrorStored,
      // a clock of infinite duration can't be stored
      effects: channel === undefined && limit === Infinity ? [answered] : [answered, heard]
    })
    if (channel !== undefined) {
      yield* withdrawAnswered(channel, name, deferred, question, handle)
    }
    return decision
  })

/** Withdraws the question from the channel if it was answered by token: an answer there would change nothing. */
const withdrawAnswered = (
  channel: Resumable,
  name: string,
  deferred: DurableDeferred.DurableDeferred<typeof DecisionStored>,
  question: Question,
  handle: string
): Effect.Effect<void, never, WorkflowEngine | WorkflowInstance> =>
  Effect.gen(function*() {
    const engine = yield* WorkflowEngine
    if (Option.isNone(yield* engine.deferredResult(deferred))) return
    yield* Activity.make({
      name: `${name}/withdrawn`,
      execute: Effect.catchCause(
        Effect.suspend(() => channel.withdraw(question, handle)),
        (cause) => Writer.logWarning("effect-epilogue: the question could not be withdrawn", cause)
      )
    })
  })

// -----------------------------------------------------------------------------
// tokens
// -----------------------------------------------------------------------------

/** @internal */
export interface Token {
  readonly workflowName: string
  readonly executionId: string
  readonly deferredName: string
  readonly approvers: ReadonlyArray<string> | undefined
}

const TokenFields = Schema.fromJsonString(
  Schema.Union([
    Schema.Tuple([Schema.String, Schema.String, Schema.String]),
    Schema.Tuple([Schema.String, Schema.String, Schema.String, Schema.Array(Schema.String)])
  ])
)

const TokenString = Schema.StringFromBase64Url.pipe(Schema.decodeTo(TokenFields))

const encodeToken = ({ approvers, deferredName, executionId, workflowName }: Token): string =>
  Schema.encodeSync(TokenString)(
    approvers === undefined
      ? [workflowName, executionId, deferredName]
      : [workflowName, executionId, deferredName, approvers]
  )

/** Reads a token; fails where the text is not one. */
export const decodeToken = (token: string): Effect.Effect<Token, Schema.SchemaError> =>
  Effect.map(
    Schema.decodeEffect(TokenString)(token.trim()),
    ([workflowName, executionId, deferredName, approvers]) => ({
      workflowName,
      executionId,
      deferredName,
      approvers
    })
  )

/** Whether the token's question accepts an answer of this person. */
export const mayAnswerTo = ({ approvers }: Token, by: Person): boolean =>
  // `mayAnswer` reads the `approvers` of a question only
  mayAnswer({ title: "", timeout: 0, approvers }, by)

/** Records the answer, unless the question has one already. */
export const answer = (token: Token, decision: Decision): Effect.Effect<void, never, WorkflowEngine> =>
  WorkflowEngine.use((engine) =>
    engine.deferredDone(DurableDeferred.make(token.deferredName, { success: DecisionStored }), {
      workflowName: token.workflowName,
      executionId: token.executionId,
      deferredName: token.deferredName,
      exit: Exit.succeed(decision)
    })
  )
