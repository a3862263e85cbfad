/** Asks questions in durable pipelines: posts each once, and waits for its answer through restarts. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { SqlError } from "effect/sql/SqlError"
import * as Activity from "effect/workflow/Activity"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { AlerterError, AlerterErrorReason } from "../../Alerter.ts"
import { Decision, type Person, type Question, type Resumable } from "../../Approver.ts"
import { failWith } from "../../internal/alerts/alerter.ts"
import { fieldsOf, mistakesIn, mistakeText } from "../../internal/approvals/form.ts"
import { labels, mistake } from "../../internal/approvals/question.ts"
import { type Evaluation, evaluationOf } from "../../internal/engine/evaluation.ts"
import { isInterrupted } from "../../internal/engine/outcome.ts"
import { View } from "../../internal/engine/view.ts"
import { isSameSecret, newToken } from "../../internal/text/token.ts"
import * as Writer from "../../internal/text/writer.ts"
import { StepContext } from "../../StepContext.ts"
import { mayAnswerTo } from "./answering.ts"
import { questionsOf, wakeOf } from "./questions/engine.ts"
import type { Place, Questions, StoredQuestion } from "./questions/questions.ts"
import { recordBegun } from "./run/begun.ts"
import { DurableKeeper } from "./run/keeper.ts"
import { sleepUntil } from "./run/sleepUntil.ts"
import { sha256 } from "./sha256.ts"
import { AlerterErrorStored } from "./stored/errors.ts"

/** How a question is posted, and where its answer comes from. */
export interface Asking {
  /**
   * Posts the question, with its token, and with a key that is the same when it is posted again after a crash. Its
   * result, the handle of the message, is recorded for `channel` after a restart, and must not hold the token.
   */
  readonly post: (question: Question, token: string, key: string) => Effect.Effect<string, AlerterError>
  /** Posts that an answer does not fit, so that somebody answers again. Without it, the log has it. */
  readonly refuse:
    | ((question: Question, wrong: WrongAnswer, token: string, key: string) => Effect.Effect<void, AlerterError>)
    | undefined
  /** The channel to listen in; `undefined` if answers come by token only. */
  readonly channel: Resumable | undefined
}

/** An answer whose values the Schema of the question does not take. */
export interface WrongAnswer {
  readonly by: Person
  readonly mistakes: ReadonlyArray<string>
}

const failure = (detail: string): AlerterError =>
  new AlerterError({ channel: "durable", reason: AlerterErrorReason.InvalidAlert({ detail }) })

// Neither record holds a secret: whoever reaches a runner's port may get a copy of the result of an activity.
const Asked = Schema.Struct({ id: Schema.String })
const Posted = Schema.Struct({ handle: Schema.String })

/** Asks the question and waits for its answer, by token or in the channel, or for its time limit. */
export const ask = (asking: Asking, question: Question): Effect.Effect<Decision, AlerterError> =>
  Effect.contextWith((context: Context.Context<never>) => {
    const invalid = mistake(question) ?? secretIn(question)
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

/** The answer is stored as it is, so that it must hold no secret. */
const secretIn = ({ values }: Question): string | undefined => {
  const secrets = values === undefined ? [] : fieldsOf(values).filter(({ secret }) => secret)
  return secrets.length === 0
    ? undefined
    : `an answer would store a secret as it is: ${secrets.map(({ name }) => name).join(", ")}`
}

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
    const questions = questionsOf(yield* WorkflowEngine)
    const name = keeper.questionName(question.title)
    const place = { workflowName: instance.workflow._tag, executionId: instance.executionId, name }
    const open = keeper.durable.activities.questions
    open.add(name, {
      owner: `${keeper.key}/${keeper.currentAttempt ?? "-"}/`,
      withdraw: withdrawal(questions.withdraw(place))
    })
    const inAttempt = keeper.currentAttempt !== undefined
    const record = <Recorded extends Activity.Any & Effect.Effect<any, any, any>>(activity: Recorded): Recorded =>
      // the cast: the result is that of the activity
      orSuspended(inAttempt ? activity : keeper.runActivity(activity.name, activity)) as unknown as Recorded
    const { id } = yield* record(
      Activity.make({ name: `${name}/asked`, success: Asked, execute: Effect.sync(() => ({ id: newToken() })) })
    )
    const { handle } = yield* record(
      Activity.make({
        name: `${name}/posted`,
        success: Posted,
        error: AlerterErrorStored,
        execute: Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          const state = yield* patiently(questions.ask(toStored(question, id, place, now)))
          // answered after a crash that came between the post and its record
          if (state.end !== undefined) return { handle: "" }
          const { token } = state.question
          const handle = yield* Effect.catchCause(
            Effect.suspend(() => asking.post(question, token, id)),
            (cause) =>
              failWith(cause, (detail) =>
                new AlerterError({ channel: "durable", reason: AlerterErrorReason.Rejected({ detail }) }))
          ).pipe(Effect.mapError((error) =>
            withoutToken(error, token)
          ))
          return { handle }
        })
      })
    )
    if (inAttempt) {
      yield* orSuspended(recordBegun(keeper))
    }
    const { channel } = asking
    const wait = (stored: StoredQuestion) =>
      waitOnce(stored, channel === undefined ? undefined : listen(channel, questions, stored, question, name, handle))
    const { decision, token } = yield* fitting(
      question,
      decided(questions, id, channel !== undefined, wait),
      counted(taken(questions, id)),
      (wrong) => again(asking, questions, question, { id, name }, wrong)
    )
    open.delete(name)
    // an answer in the channel would change nothing any more
    if (channel !== undefined && token !== undefined && handle !== "") {
      yield* Activity.make({
        name: `${name}/withdrawn`,
        execute: Effect.catchCause(
          Effect.suspend(() => channel.withdraw(question, handle)),
          (cause) => Writer.logWarning("effect-epilogue: the question could not be withdrawn", cause)
        )
      })
    }
    return decision
  })

/** Waits for a decision whose values fit the form of the question. Another one is told, and the question opened again. */
const fitting = (
  { values }: Question,
  decided: Waiting<Decided>,
  taken: Waiting<void>,
  again: (wrong: WrongAnswer) => Waiting<void>
): Waiting<Decided> =>
  Effect.flatMap(decided, (found): Waiting<Decided> => {
    const { decision } = found
    if (values === undefined || decision._tag !== "Approved") return Effect.succeed(found)
    return Effect.flatMap(mistakesIn(values, decision.values), (mistakes): Waiting<Decided> =>
      mistakes.length === 0 ? Effect.as(taken, found) : found.token === undefined
        // a channel that takes values asks until they fit
        ? Effect.fail(failure(`the values of the channel do not fit: ${mistakes.map(mistakeText).join("; ")}`))
        : Effect.andThen(
          again({ by: decision.by, mistakes: mistakes.map(mistakeText) }),
          fitting({ values, title: "", timeout: 0 }, decided, taken, again)
        ))
  })

/** Keeps that the values fit, once: the place where the answer came in waits a moment for that. */
const taken = (questions: Questions, id: string): Effect.Effect<void, SqlError> =>
  Effect.flatMap(
    questions.read(id),
    (state) => state === undefined || state.question.checked === "taken" ? Effect.void : questions.taken(id)
  )

/** Tells that an answer does not fit, once for each answer, and opens the question again. */
const again = (
  { refuse }: Asking,
  questions: Questions,
  question: Question,
  { id, name }: { readonly id: string; readonly name: string },
  wrong: WrongAnswer
): Waiting<void> =>
  Effect.gen(function*() {
    const state = yield* counted(questions.read(id))
    if (state === undefined) return
    const { token, wake } = state.question
    const told = refuse === undefined
      ? Writer.logWarning(
        `effect-epilogue: the answer of ${wrong.by.name} to the question does not fit: ${wrong.mistakes.join("; ")}`
      )
      : refuse(question, wrong, token, `${id}/${wake}`)
    yield* orSuspended(Activity.make({
      // each answer wakes the run by another name
      name: `${name}/refused/${yield* sha256(wake)}`,
      execute: Effect.catchCause(told, (cause) =>
        Writer.logWarning("effect-epilogue: it could not be posted that an answer does not fit", cause))
    }))
    yield* counted(questions.reopen(id, newToken(), wrong.mistakes))
  })

/** Removes the token from an error: a channel may quote the question that it does not take. */
const withoutToken = ({ channel, reason }: AlerterError, token: string): AlerterError =>
  new AlerterError({
    channel,
    reason: "detail" in reason && reason.detail !== undefined
      ? { ...reason, detail: reason.detail.replaceAll(token, "<redacted>") }
      : reason
  })

const toStored = (
  question: Question,
  id: string,
  place: Place,
  askedAt: number
): StoredQuestion => {
  const limit = Duration.toMillis(question.timeout)
  return {
    id,
    token: newToken(),
    wake: newToken(),
    ...place,
    title: question.title,
    labels: labels(question),
    ...(question.values === undefined ? {} : { fields: fieldsOf(question.values) }),
    ...(question.approvers === undefined ? {} : { approvers: question.approvers }),
    askedAt,
    ...(limit === Infinity ? {} : { until: askedAt + limit })
  }
}

// -----------------------------------------------------------------------------
// the place that waits
// -----------------------------------------------------------------------------

type Waiting<A> = Effect.Effect<A, AlerterError, WorkflowEngine | WorkflowInstance>

/** A decision, and the token with which it was given, if it was. */
interface Decided {
  readonly decision: Decision
  readonly token?: string
}

/**
 * Waits for the stored decision. `wait` only says when to look: what it returns decides nothing, since others than the
 * library may complete what a run waits for.
 */
const decided = (
  questions: Questions,
  id: string,
  hasChannel: boolean,
  wait: (question: StoredQuestion) => Waiting<unknown>
): Waiting<Decided> =>
  Effect.gen(function*() {
    for (let woken = false;; woken = true) {
      const state = yield* counted(questions.read(id))
      if (state === undefined) {
        return yield* Effect.fail(failure(
          "the question is not stored: after a restart an engine of Durable is needed, whose SqlClient is in its context"
        ))
      }
      const { end, question } = state
      if (end?._tag === "Decided") return yield* verified(question, end, hasChannel)
      const until = question.until ?? Infinity
      const timedOut = (yield* Clock.currentTimeMillis) >= until
        ? { decision: Decision.TimedOut({ at: DateTime.makeUnsafe(until) }) }
        : undefined
      // withdrawn: a replay comes to a wait that was given up, and that nothing but the time limit ends
      if (end !== undefined && woken) return timedOut ?? (yield* Effect.flatMap(WorkflowInstance, Workflow.suspend))
      if (end === undefined && timedOut !== undefined) {
        yield* counted(questions.end(id, { _tag: "Decided", ...timedOut }))
        continue
      }
      // Woken without an end: what it waited for was completed by something else, and stays completed.
      if (woken) yield* counted(questions.rearm(id, newToken()))
      yield* wait(woken ? (yield* counted(questions.read(id)))?.question ?? question : question)
    }
  })

/** Returns the stored decision if the stored question allows it. What a channel decided the channel has checked. */
const verified = (
  question: StoredQuestion,
  { decision, token }: Decided,
  hasChannel: boolean
): Effect.Effect<Decided, AlerterError> => {
  if (decision._tag === "TimedOut" || (token === undefined && hasChannel)) return Effect.succeed({ decision })
  const valid = token !== undefined && isSameSecret(question.token, token) && mayAnswerTo(question, decision.by) &&
    DateTime.toEpochMillis(decision.at) <= (question.until ?? Infinity)
  return valid
    ? Effect.succeed({ decision, token })
    : Effect.fail(failure("the stored answer is not one that the question allows"))
}

/** Waits until an answer by token wakes the run, or the channel has decided, or the time is up. */
const waitOnce = (question: StoredQuestion, heard: Waiting<void> | undefined): Waiting<void> => {
  const { askedAt, until, wake: name } = question
  const answered = DurableDeferred.await(wakeOf(question))
  // a clock of infinite duration can't be stored
  const effects = heard !== undefined
    ? [answered, heard]
    : until === undefined
    ? [answered]
    : [answered, sleepUntil({ name, from: askedAt, until, inMemory: false })]
  // Named by the secret too: whoever completes the result of this race would end the wait.
  return DurableDeferred.raceAll({
    name,
    success: Schema.Void,
    error: AlerterErrorStored,
    effects: effects as [Waiting<void>, ...Array<Waiting<void>>] // the cast: it has at least one
  })
}

/**
 * Listens in the channel, and stores what it decides. The channel applies the time limit itself, since it may find an
 * answer that came in time while no process listened.
 */
const listen = (
  channel: Resumable,
  questions: Questions,
  stored: StoredQuestion,
  question: Question,
  name: string,
  handle: string
): Waiting<void> =>
  Activity.make({
    name: `${name}/heard`,
    error: AlerterErrorStored,
    execute: Effect.flatMap(
      // the code may have changed since the question was asked: what counts is what was asked
      Effect.suspend(() =>
        channel.listen({ ...question, approvers: stored.approvers, options: stored.labels }, handle)
      ),
      (decision) => Effect.asVoid(patiently(questions.end(stored.id, { _tag: "Decided", decision })))
    )
  })

/** Tries again, without end, while the storage fails: the question waits for an answer as long as it may. */
const patiently = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A> =>
  effect.pipe(
    Effect.tapError((error) => Writer.logWarning("effect-epilogue: the questions can't be read or written", error)),
    Effect.retry(Schedule.min([Schedule.exponential(200, 2), Schedule.spaced("10 seconds")])),
    Effect.orDie
  )

/** Counts as an activity that is running: otherwise the run might be suspended before it waits for anything. */
const counted = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, never, WorkflowInstance> =>
  orSuspended(Workflow.wrapActivityResult(patiently(effect), () => false))

/**
 * Suspends the run where the engine interrupts a part of asking, as it does when the process ends: otherwise the step
 * would end as interrupted, and the next process would not wait for the answer.
 */
const orSuspended = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | WorkflowInstance> =>
  Effect.flatMap(Effect.exit(effect), (exit) =>
    // where this fiber itself was interrupted, its next step is to end
    isInterrupted(exit) ? Effect.flatMap(WorkflowInstance, Workflow.suspend) : exit)

const withdrawal = (withdraw: Effect.Effect<void, SqlError>): Effect.Effect<void> =>
  Effect.catchCause(
    Effect.retry(withdraw, { times: 3, schedule: Schedule.exponential(100) }),
    (cause) => Writer.logWarning("effect-epilogue: the question could not be withdrawn", cause)
  )
