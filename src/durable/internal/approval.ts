/** Questions of durable pipelines: asked once, answered whenever. */
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
import { type Approver, Decision, type Person, type Question } from "../../Approver.ts"
import { failWith } from "../../internal/alerts/alerter.ts"
import { mayAnswer, mistake } from "../../internal/approvals/question.ts"
import type { Evaluation } from "../../internal/engine/evaluation.ts"
import { View } from "../../internal/engine/view.ts"
import { StepContext } from "../../StepContext.ts"
import { DurableEvaluation } from "./run/evaluation.ts"
import { AlerterErrorStored, DecisionStored } from "./stored/errors.ts"

/** How a question reaches people, and what is left to do to hear them. */
export interface Asking {
  /** Puts it where they can see it. What it gives is stored, for the channel after a restart. */
  readonly post: (question: Question, token: string) => Effect.Effect<string, AlerterError>
  /** Where they answer what was posted; nowhere where answers come by the token alone. */
  readonly channel: Approver.Resumable | undefined
}

const failure = (detail: string): AlerterError =>
  new AlerterError({ channel: "durable", reason: AlerterErrorReason.InvalidAlert({ detail }) })

const Posted = Schema.Struct({ askedAt: Schema.Finite, handle: Schema.String })

/** Waits for an answer by token, in the channel, or for the end of the question's time. */
export const ask = (asking: Asking, question: Question): Effect.Effect<Decision, AlerterError> =>
  Effect.contextWith((context: Context.Context<never>) => {
    const wrong = mistake(question)
    if (wrong !== undefined) return Effect.fail(failure(wrong))
    const instance = Context.getOrUndefined(context, WorkflowInstance)
    const view = Context.getOrUndefined(context, StepContext)
    const evaluation = view instanceof View ? durableOf(View.evaluation(view)) : undefined
    if (instance === undefined || evaluation === undefined) {
      return Effect.fail(failure("this approver asks in durable pipelines only"))
    }
    if (view instanceof View && View.inHook(view)) return Effect.fail(failure("a hook can't wait for an answer"))
    // The engine is where the instance is; what is asked of it fails with nothing else than what is stored.
    return askIn(asking, question, evaluation, instance) as Effect.Effect<Decision, AlerterError>
  })

/** Of a step in a durable one, what it is in counts. */
const durableOf = (evaluation: Evaluation | undefined): DurableEvaluation | undefined =>
  evaluation === undefined || evaluation instanceof DurableEvaluation ? evaluation : durableOf(evaluation.parent)

const askIn = (
  asking: Asking,
  question: Question,
  evaluation: DurableEvaluation,
  instance: WorkflowInstance["Service"]
): Effect.Effect<Decision, AlerterError, WorkflowEngine | WorkflowInstance> =>
  Effect.gen(function*() {
    const name = evaluation.questionName(question.title)
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
    const inAttempt = evaluation.currentAttempt !== undefined
    const { askedAt, handle }: typeof Posted.Type = yield* inAttempt
      ? posted
      : evaluation.runActivity(`${name}/posted`, posted) as typeof posted // the same, joined where it goes on already
    if (inAttempt) {
      yield* evaluation.recordBegun
    }
    const { channel } = asking
    const limit = Duration.toMillis(question.timeout)
    const until = askedAt + limit
    const timedOut = Effect.sync(() =>
      Decision.TimedOut({ at: DateTime.makeUnsafe(until) })
    )
    // The clock may strike late; an approval that is later than that is none. A denial counts all the same.
    const answered = Effect.flatMap(DurableDeferred.await(deferred), (decision) =>
      decision._tag === "Approved" && DateTime.toEpochMillis(decision.at) > until ? timedOut : Effect.succeed(decision))
    // Who listens in a channel knows when the time is up, and what came in time while nobody listened.
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
      // a clock that never strikes can't be stored
      effects: channel === undefined && limit === Infinity ? [answered] : [answered, heard]
    })
    if (channel !== undefined) {
      yield* withdrawUnheard(channel, name, deferred, question, handle)
    }
    return decision
  })

/** Where the answer came by the token, nobody is to answer in the channel any more. */
const withdrawUnheard = (
  channel: Approver.Resumable,
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
        (cause) => Effect.logWarning("effect-epilogue: the question could not be withdrawn", cause)
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

/** What a token says, where it is one. */
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

/** Whether the question that a token belongs to counts that person's answer. */
export const mayAnswerTo = ({ approvers }: Token, by: Person): boolean =>
  // only who may answer matters of a question here
  mayAnswer({ title: "", timeout: 0, approvers }, by)

/** Gives the answer. The first one counts. */
export const answer = (token: Token, decision: Decision): Effect.Effect<void, never, WorkflowEngine> =>
  WorkflowEngine.use((engine) =>
    engine.deferredDone(DurableDeferred.make(token.deferredName, { success: DecisionStored }), {
      workflowName: token.workflowName,
      executionId: token.executionId,
      deferredName: token.deferredName,
      exit: Exit.succeed(decision)
    })
  )
