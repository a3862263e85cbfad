/** Questions of runs, as those see them who look after them. */
import * as DateTime from "effect/DateTime"
import type { StoredRunQuestion } from "../../../internal/model/storedRun.ts"
import type { QuestionEnd, QuestionState, StoredQuestion } from "./questions.ts"

const ends = { Approved: "approved", Denied: "denied", TimedOut: "timedOut" } as const

const statusOf = (end: QuestionEnd | undefined): StoredRunQuestion["status"] =>
  end === undefined ? "open" : end._tag === "Withdrawn" ? "withdrawn" : ends[end.decision._tag]

/** Returns a question without its secrets. */
export const shownQuestion = ({ end, question }: QuestionState): StoredRunQuestion => {
  const { approvers, askedAt, executionId, fields = [], id, labels, title, until, workflowName } = question
  const decision = end?._tag === "Decided" ? end.decision : undefined
  return {
    id,
    pipelineName: workflowName,
    runId: executionId,
    title,
    labels,
    fields,
    approvers,
    askedAt: DateTime.makeUnsafe(askedAt),
    until: until === undefined ? undefined : DateTime.makeUnsafe(until),
    status: statusOf(end),
    by: decision === undefined || decision._tag === "TimedOut" ? undefined : decision.by
  }
}

/** A row of the table of questions. */
export interface QuestionRow {
  readonly question: string
  readonly ended: string | null
}

/** Returns the questions of a run that are among the rows, in the order in which they were asked. */
export const questionsOf = (
  rows: ReadonlyArray<QuestionRow>,
  run: { readonly pipelineName: string; readonly runId: string }
): ReadonlyArray<StoredRunQuestion> =>
  rows.flatMap(({ ended, question }): ReadonlyArray<StoredRunQuestion> => {
    // as they are stored, without a check: one that another version has written must not hide the others
    const stored: StoredQuestion = JSON.parse(question)
    if (stored.workflowName !== run.pipelineName || stored.executionId !== run.runId) return []
    return [shownQuestion({ question: stored, end: ended === null ? undefined : JSON.parse(ended).end })]
  }).toSorted((a, b) => DateTime.Order(a.askedAt, b.askedAt))
