/**
 * Questions of durable runs, as they are stored: the place that asks stores the question with its token, the place where
 * an answer comes in stores the answer if the question is open and the person may answer, and the place that waits reads
 * it. No message of the engine carries a token or a decision, so none can forge one: the engine only wakes the run.
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SqlError } from "effect/sql/SqlError"
import { DecisionStored } from "../stored/errors.ts"

const StoredField = Schema.Struct({
  name: Schema.String,
  label: Schema.String,
  description: Schema.optionalKey(Schema.String),
  kind: Schema.Literals(["text", "whole", "number", "flag", "choice", "json"]),
  minimum: Schema.optionalKey(Schema.Finite),
  maximum: Schema.optionalKey(Schema.Finite),
  choices: Schema.optionalKey(Schema.Array(Schema.String)),
  required: Schema.Boolean,
  secret: Schema.Boolean
})

/** A question as it is stored. Times are in milliseconds since 1970. */
export const StoredQuestion = Schema.Struct({
  /** Random, and recorded by the run that asks: a run that is executed once more never finds the answer of the first. */
  id: Schema.String,
  /** The secret that opens the question, for those who may answer it. */
  token: Schema.String,
  /** A second secret: the name of what the run waits for, so that only an answer, or the time limit, wakes it. */
  wake: Schema.String,
  workflowName: Schema.String,
  executionId: Schema.String,
  /** The name under which the run asks. */
  name: Schema.String,
  title: Schema.String,
  labels: Schema.Struct({ approve: Schema.String, deny: Schema.String }),
  /** The fields of the values that an approval needs: an answer is read by their kinds, and the run checks the rest. */
  fields: Schema.optionalKey(Schema.Array(StoredField)),
  /** The ids of the people who may answer; without it everybody may. */
  approvers: Schema.optionalKey(Schema.Array(Schema.String)),
  /** The verdict of the run on the last answer with values: that it took it, or the mistakes in it. */
  checked: Schema.optionalKey(Schema.Union([Schema.Literal("taken"), Schema.Array(Schema.String)])),
  askedAt: Schema.Finite,
  /** The end of the time limit; without it there is none. */
  until: Schema.optionalKey(Schema.Finite)
})

/** @internal */
export type StoredQuestion = typeof StoredQuestion.Type

/** The end of a question: a decision, or that the run no longer waits for one. */
export const QuestionEnd = Schema.Union([
  Schema.TaggedStruct("Decided", {
    decision: DecisionStored,
    /** The token that the answer was given with; without it, the channel or the time limit decided. */
    token: Schema.optionalKey(Schema.String)
  }),
  Schema.TaggedStruct("Withdrawn", {})
])

/** @internal */
export type QuestionEnd = typeof QuestionEnd.Type

/** Names the place in a run where a question is asked. */
export type Place = Pick<StoredQuestion, "workflowName" | "executionId" | "name">

/** A question, and its end once it has one. */
export interface QuestionState {
  readonly question: StoredQuestion
  readonly end: QuestionEnd | undefined
}

/** The questions of an engine. Another engine implements it with one table, or a map. */
export interface Questions {
  /**
   * Stores a question, and returns it. A question with this id that is there already keeps its token, what wakes it, and
   * its end.
   */
  readonly ask: (question: StoredQuestion) => Effect.Effect<QuestionState, SqlError>
  readonly read: (id: string) => Effect.Effect<QuestionState | undefined, SqlError>
  /** Finds the question that a token opens. */
  readonly find: (token: string) => Effect.Effect<QuestionState | undefined, SqlError>
  /** The questions that have no end, in the order in which they were asked. */
  readonly open: Effect.Effect<ReadonlyArray<StoredQuestion>, SqlError>
  /** Ends a question. Returns whether it was open: the first end counts, whichever process stores it. */
  readonly end: (id: string, end: QuestionEnd) => Effect.Effect<boolean, SqlError>
  /** Ends the open questions of a place without a decision, once nothing waits for them. */
  readonly withdraw: (place: Place) => Effect.Effect<void, SqlError>
  /** The questions that were answered by token, and whose run may not have been woken since. */
  readonly unwoken: Effect.Effect<ReadonlyArray<StoredQuestion>, SqlError>
  /** Records that the run of a question was woken. */
  readonly woken: (id: string) => Effect.Effect<void, SqlError>
  /** Keeps that the run has taken the values of an answer. */
  readonly taken: (id: string) => Effect.Effect<void, SqlError>
  /** Opens a question again whose answer the run does not take, keeps why, and gives it another `wake`. */
  readonly reopen: (id: string, wake: string, mistakes: ReadonlyArray<string>) => Effect.Effect<void, SqlError>
  /** Gives an open question another `wake`. */
  readonly rearm: (id: string, wake: string) => Effect.Effect<void, SqlError>
}
