/** Takes answers to the questions of durable runs, which come in by token. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { SqlError } from "effect/sql/SqlError"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { Decision, type Person } from "../../Approver.ts"
import { mistakeText, readTexts } from "../../internal/approvals/form.ts"
import { mayAnswer } from "../../internal/approvals/question.ts"
import type { StoredRunQuestion } from "../../internal/model/storedRun.ts"
import { isToken } from "../../internal/text/token.ts"
import { questionsOf, wake } from "./questions/engine.ts"
import type { Questions, QuestionState, StoredQuestion } from "./questions/questions.ts"
import { shownQuestion } from "./questions/shown.ts"

/** Tries again a few times; the person who answers can do so later. */
const briefly = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A> =>
  Effect.orDie(Effect.retry(effect, { times: 3, schedule: Schedule.exponential(250) }))

/** Whether the stored question accepts an answer of this person. */
export const mayAnswerTo = ({ approvers }: StoredQuestion, by: Person): boolean =>
  // `mayAnswer` reads the `approvers` of a question only
  mayAnswer({ title: "", timeout: 0, approvers }, by)

/** The open questions of all runs. */
export const openQuestions: Effect.Effect<ReadonlyArray<StoredRunQuestion>, never, WorkflowEngine> = Effect.flatMap(
  WorkflowEngine,
  (engine) =>
    Effect.map(
      briefly(questionsOf(engine).open),
      (questions) => questions.map((question) => shownQuestion({ question, end: undefined }))
    )
)

/** Returns the token of a question, by its id: for a process that answers in the name of somebody whom it knows. */
export const tokenOf = (id: string): Effect.Effect<string | undefined, never, WorkflowEngine> =>
  Effect.flatMap(
    WorkflowEngine,
    (engine) => Effect.map(briefly(questionsOf(engine).read(id)), (state) => state?.question.token)
  )

/** Why an answer was not accepted. */
export type Refusal = { readonly reason: "Token" | "Approver" | "Over" | "Values"; readonly message: string }

/** Stores the answer that `token` gives, if it opens a question that is open and that this person may answer. */
export const answer = (
  token: string,
  decision: Exclude<Decision, { readonly _tag: "TimedOut" }>
): Effect.Effect<void, Refusal, WorkflowEngine> =>
  Effect.gen(function*() {
    const engine = yield* WorkflowEngine
    const questions = questionsOf(engine)
    if (!isToken(token)) return yield* refused("Token", "the text is not a token of a question")
    const { by } = decision
    const state = yield* briefly(questions.find(token))
    if (state === undefined) return yield* refused("Token", "there is no question with this token")
    const { end, question } = state
    if (!mayAnswerTo(question, by)) {
      return yield* refused("Approver", `${by.id} is not one of the question's approvers`)
    }
    const late = end === undefined && DateTime.toEpochMillis(decision.at) > (question.until ?? Infinity)
    if (late) return yield* refused("Over", "the question is over: its time is up")
    const given = decision._tag === "Approved" ? yield* withValues(question, decision) : decision
    const counts = end === undefined &&
      (yield* briefly(questions.end(question.id, { _tag: "Decided", decision: given, token })))
    const now = yield* briefly(questions.read(question.id))
    // Also where the question was answered before: that process may have ended before it woke the run.
    if (now?.end?._tag === "Decided") yield* briefly(patience(wake(engine, questions, now.question)))
    if (!counts) return yield* refused("Over", over(now?.end))
    if (given._tag === "Approved" && question.fields !== undefined) {
      const mistakes = yield* briefly(patience(checked(questions, question)))
      if (mistakes !== undefined) return yield* refused("Values", mistakes.join("; "))
    }
  })

/** Reads the values of an answer by the kinds of the stored fields. */
const withValues = (
  { fields = [] }: StoredQuestion,
  { values = {}, ...decision }: Extract<Decision, { readonly _tag: "Approved" }>
): Effect.Effect<Decision, Refusal> => {
  const given = Object.entries(Object(values)).map(([name, value]) =>
    [name, typeof value === "string" ? value : JSON.stringify(value) ?? ""] as const
  )
  const read = readTexts(fields, Object.fromEntries(given))
  if (read.values === undefined) return refused("Values", read.mistakes.map(mistakeText).join("; "))
  return Effect.succeed(Decision.Approved(fields.length === 0 ? decision : { ...decision, values: { ...read.values } }))
}

const refused = (reason: Refusal["reason"], message: string): Effect.Effect<never, Refusal> =>
  Effect.fail({ reason, message })

const over = (end: QuestionState["end"]): string =>
  end === undefined || end._tag === "Withdrawn"
    ? "the question is over: its run no longer waits for an answer"
    : end.decision._tag === "TimedOut"
    ? "the question is over: its time is up"
    : "the question was answered before, and the first answer counts"

/**
 * Waits until the run has checked the values of an answer by its Schema, and returns the mistakes. Where no process runs it
 * now, the run tells of them later.
 */
const checked = (
  questions: Questions,
  { id, wake }: StoredQuestion
): Effect.Effect<ReadonlyArray<string> | undefined, SqlError> =>
  Effect.gen(function*() {
    while (true) {
      const question = (yield* questions.read(id))?.question
      if (question === undefined || question.checked === "taken") return undefined
      // another `wake` is that of the question that was opened again
      if (question.wake !== wake && question.checked !== undefined) return question.checked
      yield* Effect.sleep("100 millis")
    }
  })

/** Waits for two seconds at most: what is stored is stored, and {@link wake} says why the engine may not end. */
const patience = <A, E>(waiting: Effect.Effect<A, E>): Effect.Effect<A | undefined, E> =>
  Effect.timeoutOrElse(waiting, { duration: "2 seconds", orElse: () => Effect.undefined })
